"""Registration: an enterprise comes in by its credit code, a contact and a number that was proved to be theirs."""

from sqlalchemy import select
from sqlalchemy.orm import Session

import db
from dispatch.cases.enterprises import add_contact
from dispatch.cases.project import Contact, Enterprise
from dispatch.core.actor import Role
from web.wiring.accounts import Account, AccountState, NumberTaken, account_of_phone, credit_code, note


def register(
    session: Session, *, enterprise_name: str, code: str | None, contact_name: str, phone: str, password: str | None
) -> Account:
    """The account of a person who proved to hold ``phone``. Raises NumberTaken, WrongCreditCode or WeakPassword.

    The first person of a new enterprise is in at once. Later ones wait for a colleague; and so does the first one of
    an enterprise that is known already with other contacts, until an operator binds the account.
    """
    checked = credit_code(code) if code else None
    if account_of_phone(session, phone):
        raise NumberTaken("the number has an account")
    same_code = select(Enterprise).where(Enterprise.credit_code == checked).with_for_update()
    known = session.scalar(same_code) if checked else None
    enterprise = known or _enterprise(session, enterprise_name, checked)
    account = Account(
        role=Role.ENTERPRISE,
        name=contact_name,
        enterprise_id=enterprise.id,
        created_at=db.now(session),
        state=AccountState.ACTIVE if known is None or _may_be_first(session, known, phone) else AccountState.WAITING,
    )
    account.set_phone(phone)
    if password:
        account.set_password(password)
    session.add(account)
    session.flush()
    note(session, account, kind="registered", reason="", by_id=account.id)
    if account.state is AccountState.ACTIVE:
        add_contact(session, enterprise.id, contact_name, phone, at=db.now(session))
    return account


def _enterprise(session: Session, name: str, code: str | None) -> Enterprise:
    enterprise = Enterprise(name=name, credit_code=code, created_at=db.now(session))
    session.add(enterprise)
    session.flush()
    return enterprise


def _may_be_first(session: Session, enterprise: Enterprise, phone: str) -> bool:
    somebody = session.scalar(
        select(Account.id).where(Account.enterprise_id == enterprise.id, Account.state == AccountState.ACTIVE).limit(1)
    )
    if somebody is not None:
        return False
    contacts = set(session.scalars(select(Contact.phone_hash).where(Contact.enterprise_id == enterprise.id)))
    return not contacts or db.keyed_hash(phone) in contacts
