"""Person accounts: what an account holds of one number, and how it is forgotten; who works here stays until leaving."""

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from dispatch.cases.person_data import FORGOTTEN, PersonDatum
from dispatch.core.actor import ROLE_LABEL, Role
from web.wiring.accounts import Account, AccountState, leave_contacts, note
from web.wiring.codes import LoginCode
from web.wiring.login_sessions import LoginSession

WORKS_HERE = "在岗人员账号，解绑后可清除"


def held(session: Session, number_hash: bytes) -> list[PersonDatum]:
    """The accounts that have or had this number."""
    return [_datum(account) for account in _accounts(session, number_hash)]


def forget(session: Session, number_hash: bytes, *, by_id: int | None) -> list[PersonDatum]:
    """Close and empty the accounts of this number; what they did keeps its number of the account, not its name."""
    found = []
    for account in _accounts(session, number_hash):
        found.append(_datum(account))
        if found[-1].stays_because:
            continue
        leave_contacts(session, account)
        account.state, account.is_owner = AccountState.CLOSED, False
        account.name, account.login, account.phone, account.phone_hash = FORGOTTEN, None, None, None
        account.password_hash = None
        account.sign_out_everywhere()
        own = LoginSession.account_id == account.id
        session.execute(update(LoginSession).where(own).values(browser="", network="", device=None))
        note(session, account, kind="erased", reason="", by_id=by_id)
    session.execute(delete(LoginCode).where(LoginCode.phone_hash == number_hash))
    return found


def _accounts(session: Session, number_hash: bytes) -> list[Account]:
    by_number = select(Account).where(Account.phone_hash == number_hash).order_by(Account.id)
    return list(session.scalars(by_number.with_for_update()))


def _datum(account: Account) -> PersonDatum:
    works = account.role is not Role.ENTERPRISE and account.state is not AccountState.CLOSED
    words = f"{ROLE_LABEL[account.role]} {account.name} {account.login or ''}".strip()
    return PersonDatum("登录账号", words, account.created_at, WORKS_HERE if works else "")
