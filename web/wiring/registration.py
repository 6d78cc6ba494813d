"""Registration: an enterprise comes in by its credit code, a contact and a number that was proved to be theirs."""

from sqlalchemy import select
from sqlalchemy.orm import Session

import db
from dispatch.cases.enterprises import add_contact, checked_credit_code
from dispatch.cases.project import Contact, Enterprise
from dispatch.core.actor import Actor, Role
from dispatch.core.canonical import canonical_name
from dispatch.views.enterprise_profile import contacts
from web.wiring import claims
from web.wiring.accounts import Account, NumberTaken, account_of_phone, note


def register(
    session: Session, *, enterprise_name: str, code: str | None, contact_name: str, phone: str, password: str | None,
    locale: str = "zh",
) -> Account:  # fmt: skip
    """The account of a person who proved to hold ``phone``. Raises NumberTaken, WrongCreditCode or WeakPassword.

    That the person holds the number says nothing of the enterprise: a claim to it begins, which others decide.
    """
    checked = checked_credit_code(session, code) if code else None
    if account_of_phone(session, phone):
        raise NumberTaken("the number has an account")
    same_code = select(Enterprise).where(Enterprise.credit_code == checked).with_for_update()
    known = session.scalar(same_code) if checked else None
    is_known = known is not None and claims.has_history(session, known)
    enterprise = known or _enterprise(session, enterprise_name, checked)
    name = canonical_name(contact_name)
    account = Account(
        role=Role.ENTERPRISE, name=name, enterprise_id=enterprise.id, created_at=db.now(session), locale=locale
    )
    account.set_phone(phone)
    if password:
        account.set_password(password)
    session.add(account)
    session.flush()
    note(session, account, kind="registered", reason="", by_id=account.id)
    claims.begin(session, account, enterprise, is_known=is_known)
    return account


def _enterprise(session: Session, name: str, code: str | None) -> Enterprise:
    enterprise = Enterprise(name=name, credit_code=code, created_at=db.now(session))
    session.add(enterprise)
    session.flush()
    return enterprise


def contact_of(session: Session, actor: Actor) -> Contact | None:
    """Who is told of each stage: the person at the screen, else the enterprise's first contact."""
    account = session.get_one(Account, actor.account_id)
    if account.phone and actor.enterprise_id is not None:
        return add_contact(
            session, actor.enterprise_id, account.name, account.phone, at=db.now(session), account_id=account.id,
            locale=account.locale,
        )  # fmt: skip
    return next(iter(contacts(session, actor)), None)


def told_by_default(session: Session, actor: Actor) -> dict[str, str]:
    """The name and number of that person, with which a form begins; nothing is kept of it."""
    account = session.get_one(Account, actor.account_id)
    told = account if account.phone else next(iter(contacts(session, actor)), None)
    return {} if told is None or told.phone is None else {"name": told.name, "phone": told.phone}
