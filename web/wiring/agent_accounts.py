"""Agent accounts: an agent and the account that signs in are one person: edited together, and leaving together."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.roster import Agent
from dispatch.acts.agent_changes import DepartAgent, DepartureResult, EditAgent, EditedAgent
from web.wiring.accounts import Account, AccountState, change_number, unbind
from web.wiring.act_door import take_in
from web.wiring.auth import current_person
from web.wiring.transactions import transaction

EDITED = "人员信息修改"


def edit_agent(command: EditAgent) -> EditedAgent:
    """The agent, with the name and the number of the account. Raises NumberTaken besides what the step refuses."""
    with transaction() as session:
        done = take_in(session, command)
        for account in _open_accounts(session, command.agent):
            agent, by = session.get_one(Agent, command.agent), _by(session)
            account.name = agent.name
            if account.phone != agent.phone:
                change_number(session, account, agent.phone, by=by, reason=EDITED)
        return done


def depart_agent(command: DepartAgent) -> DepartureResult:
    """The load is handed over, the account closed; sessions and tokens end with it."""
    with transaction() as session:
        done = take_in(session, command)
        for account in _open_accounts(session, command.agent):
            unbind(session, account, by=_by(session), reason=command.reason)
        return done


def _open_accounts(session: Session, agent_id: int) -> list[Account]:
    mine = select(Account).where(Account.agent_id == agent_id, Account.state != AccountState.CLOSED)
    return list(session.scalars(mine.order_by(Account.id).with_for_update()))


def _by(session: Session) -> Account:
    return session.get_one(Account, current_person().account_id)
