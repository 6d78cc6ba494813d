"""Claims: who says to belong to an enterprise, and who may say that it is so: its owner, or a lead at the window.

A credit code is public, and a number that staff or a sheet typed proves nothing. So nobody sees what others filed for
an enterprise before a confirmed colleague, or a lead or operator who has seen the papers, has approved the claim.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, or_, select, true
from sqlalchemy.orm import Session

import db
from dispatch.cases.access_control import visible_enterprises
from dispatch.cases.enterprises import add_contact
from dispatch.cases.project import Contact, Enterprise, Project
from dispatch.core.actor import Actor, Role
from dispatch.core.errors import NotFound, Refused
from notifications.phone import mask
from web.wiring.accounts import Account, AccountState, note, unbind

MOST_SHOWN = 50
UNDECIDED = and_(Account.role == Role.ENTERPRISE, Account.confirmed_at.is_(None), Account.state != AccountState.CLOSED)


class OwnerStays(Refused):
    """An owner is removed by no colleague; a lead names another one at the window."""

    user_message = "单位负责人不能由同事移出；变更负责人请携营业执照和授权书到代办窗口办理"


class NoDocument(Refused):
    """A claim is approved at the window on papers, and which they were is kept."""

    user_message = "请写明核验的证件和编号，并确认已当面核对原件"


def begin(session: Session, account: Account, enterprise: Enterprise, *, is_known: bool) -> None:
    """A new person's claim. Nobody knows the enterprise: the person may begin, and sees what it files itself.

    The enterprise has a history, or people: the person waits, for what others filed is not a stranger's to see."""
    account.state = AccountState.WAITING if is_known else AccountState.ACTIVE
    if account.state is AccountState.ACTIVE:
        _enter_contact(session, account, enterprise.id)


def _enter_contact(session: Session, account: Account, enterprise_id: int) -> None:
    """The person's own number, proved when it registered, is told of what it files."""
    if account.phone is not None:
        add_contact(
            session, enterprise_id, account.name, account.phone, at=db.now(session), account_id=account.id,
            locale=account.locale,
        )  # fmt: skip


# ---------------------------------------------------------------- by a colleague


def colleagues(session: Session, account: Account) -> list[Account]:
    """Everybody of the same enterprise, who waits first; who is not confirmed sees itself alone."""
    whose = true() if account.confirmed_at is not None else Account.id == account.id
    return list(
        session.scalars(
            select(Account)
            .where(Account.enterprise_id == account.enterprise_id, Account.state != AccountState.CLOSED, whose)
            .order_by(Account.state.desc(), Account.id)
        )
    )


def approve(session: Session, by: Account, account_id: int) -> Account:
    """A confirmed colleague lets somebody in. Raises NotFound, also for who is not confirmed."""
    account = session.scalar(
        select(Account)
        .where(Account.id == account_id, Account.enterprise_id == by.enterprise_id, UNDECIDED)
        .with_for_update()
    )
    if account is None or by.confirmed_at is None or by.enterprise_id is None:
        raise NotFound(f"no colleague {account_id} waits for {by.id}")
    _confirm(session, account, by=by)
    note(session, account, kind="approved", reason="", by_id=by.id)
    return account


def remove(session: Session, by: Account, account_id: int, *, reason: str) -> Account:
    """The owner removes or refuses a colleague. Raises NotFound and OwnerStays."""
    account = next((one for one in colleagues(session, by) if one.id == account_id and one.id != by.id), None)
    if account is None:
        raise NotFound(f"no colleague {account_id} of {by.id}")
    if account.is_owner:
        raise OwnerStays(f"account {account_id} owns the enterprise")
    if not by.is_owner:
        raise NotFound(f"account {by.id} is no owner")
    unbind(session, account, by=by, reason=reason)
    return account


# ---------------------------------------------------------------- at the window


@dataclass(frozen=True, slots=True)
class ClaimLine:
    """A claim as the window sees it: who claims which enterprise, and who speaks for it until now."""

    account_id: int
    name: str
    phone: str
    created_at: datetime
    is_waiting: bool
    enterprise: str
    credit_code: str | None
    projects: int
    owner: str | None


def in_reach(viewer: Actor) -> ColumnElement[bool]:
    """The enterprises whose claims a lead decides: those at home in the subtree, and those at home nowhere yet."""
    if viewer.role is Role.OPERATOR:
        return true()
    nowhere = and_(Enterprise.division_id.is_(None), ~exists().where(Project.enterprise_id == Enterprise.id))
    return or_(visible_enterprises(viewer), nowhere)


def open_claims(session: Session, viewer: Actor) -> list[ClaimLine]:
    """Claims that nobody has decided, the oldest first."""
    query = (
        select(Account, Enterprise)
        .join(Enterprise, Enterprise.id == Account.enterprise_id)
        .where(UNDECIDED, in_reach(viewer))
        .order_by(Account.id)
        .limit(MOST_SHOWN)
    )
    rows = session.execute(query).all()
    ids = {enterprise.id for _, enterprise in rows}
    filed = list(session.scalars(select(Project.enterprise_id).where(Project.enterprise_id.in_(ids))))
    owned = select(Account.enterprise_id, Account.name).where(Account.enterprise_id.in_(ids), Account.is_owner)
    owners = {enterprise_id: name for enterprise_id, name in session.execute(owned)}  # noqa: C416  a row is no pair
    return [
        ClaimLine(
            account.id, account.name, mask(account.phone) if account.phone else "—", account.created_at,
            account.state is AccountState.WAITING, enterprise.name, enterprise.credit_code,
            filed.count(enterprise.id), owners.get(enterprise.id),
        )
        for account, enterprise in rows
    ]  # fmt: skip


def approve_at_window(
    session: Session, viewer: Actor, by: Account, account_id: int, *, document: str, takes_over: bool = False
) -> Account:
    """A lead or operator has seen licence and letter. Raises NotFound and NoDocument.

    The person speaks for the enterprise where nobody does yet, or where the papers say so (``takes_over``)."""
    account = _claimed(session, viewer, account_id)
    if len(document.strip()) < 4:
        raise NoDocument("a claim is approved on a document")
    of_it = select(Account).where(Account.enterprise_id == account.enterprise_id, Account.is_owner).with_for_update()
    owner = session.scalars(of_it).first()
    _confirm(session, account, by=by)
    account.is_owner = owner is None or takes_over
    note(session, account, kind="approved_at_window", reason="", by_id=by.id, document=document.strip())
    if owner is not None and takes_over:
        owner.is_owner = False
        note(session, owner, kind="owner_changed", reason="", by_id=by.id, document=document.strip())
    return account


def refuse_at_window(session: Session, viewer: Actor, by: Account, account_id: int, *, reason: str) -> Account:
    """The papers do not show it: the account is closed; what it filed stays with its agents. Raises NotFound."""
    account = _claimed(session, viewer, account_id)
    if len(reason.strip()) < 2:
        raise Refused("a claim is refused for a reason", user_message="请写明原因")
    unbind(session, account, by=by, reason=reason.strip())
    return account


def _claimed(session: Session, viewer: Actor, account_id: int) -> Account:
    account = session.scalar(
        select(Account)
        .join(Enterprise, Enterprise.id == Account.enterprise_id)
        .where(Account.id == account_id, UNDECIDED, in_reach(viewer))
        .with_for_update(of=Account)
    )
    if account is None:
        raise NotFound(f"no claim of account {account_id} for this viewer")
    return account


def _confirm(session: Session, account: Account, *, by: Account) -> None:
    account.state, account.confirmed_at, account.approved_by_id = AccountState.ACTIVE, db.now(session), by.id
    if account.enterprise_id is not None:
        _enter_contact(session, account, account.enterprise_id)


def has_history(session: Session, enterprise: Enterprise) -> bool:
    """Whether anybody has filed for the enterprise, is told of it or belongs to it."""
    return any(
        session.scalar(select(noun.id).where(noun.enterprise_id == enterprise.id).limit(1)) is not None
        for noun in (Account, Project, Contact)
    )
