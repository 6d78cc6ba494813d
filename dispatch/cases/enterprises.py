"""Enterprises: found by their credit code or made, and the persons of theirs who are told of each stage."""

from datetime import datetime

from sqlalchemy import func, select, true
from sqlalchemy.orm import Mapped, Session, mapped_column

from db import Base, keyed_hash
from dispatch.cases.access_control import visible_contacts
from dispatch.cases.project import Contact, Enterprise
from dispatch.core.actor import Actor
from dispatch.core.canonical import canonical_name
from dispatch.core.credit_code import WrongCheckCharacter, credit_code, credit_code_form
from dispatch.core.errors import Refused
from dispatch.core.localized_text import LocalizedText
from notifications.phone import BadNumber, NoSmsNumber, normalise_mobile


class NameDiffers(Refused):
    """The credit code belongs to an enterprise of another name."""

    user_message = "与该信用代码登记的名称不符"


class ConfirmedCreditCode(Base):
    """A code that a business licence shows although its check character does not fit, as an operator has seen."""

    __tablename__ = "confirmed_credit_code"

    id: Mapped[int] = mapped_column(primary_key=True)
    credit_code: Mapped[str] = mapped_column(unique=True)
    enterprise_name: Mapped[str]
    reason: Mapped[str]
    at: Mapped[datetime]


def checked_credit_code(session: Session, text: str) -> str:
    """The code in its one form; an operator may have confirmed one that the standard's check refuses.

    Raises WrongCreditCode."""
    try:
        return credit_code(text)
    except WrongCheckCharacter:
        code = credit_code_form(text)
        seen = select(ConfirmedCreditCode.id).where(ConfirmedCreditCode.credit_code == code)
        if session.scalar(seen) is None:
            raise
        return code


def enterprise_with_code(session: Session, code: str, name: str, *, at: datetime) -> Enterprise:
    """The enterprise of this credit code, made where nobody knows it yet. Raises WrongCreditCode and NameDiffers."""
    code, name = checked_credit_code(session, code), canonical_name(name)
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext(code))))  # who asks beside us makes it once
    known = session.scalar(select(Enterprise).where(Enterprise.credit_code == code))
    if known is None:
        known = Enterprise(name=name, credit_code=code, created_at=at)
        session.add(known)
        session.flush()
    elif name and canonical_name(known.name) != name:
        raise NameDiffers(
            f"{code} is not {name}",
            user_message=LocalizedText("与该信用代码登记的名称“%(name)s”不符", name=known.name),
            field="party.name",
        )
    return known


def mobile_of(text: str) -> str:
    """A number that an SMS reaches, as E.164. Raises Refused."""
    try:
        return normalise_mobile(text)
    except NoSmsNumber as error:
        raise Refused(str(error), user_message="座机和400号码收不到短信，请填写手机号") from error
    except BadNumber as error:
        raise Refused(str(error), user_message="手机号有误，请填写11位手机号") from error


def add_contact(
    session: Session, enterprise_id: int, name: str, phone: str, *, at: datetime, account_id: int | None = None,
    locale: str = "zh",
) -> Contact:  # fmt: skip
    """The person as a contact of the enterprise, who is told of each stage; an old one with this number is kept.

    ``account_id``: of who proved to hold the number. What others typed is never taken for it. ``locale``: in which
    language a new one is told."""
    number = keyed_hash(phone)
    same = (Contact.enterprise_id == enterprise_id, Contact.phone_hash == number)
    whose = Contact.account_id == account_id if account_id is not None else true()
    known = session.scalar(select(Contact).where(*same, whose, Contact.left_at.is_(None)).order_by(Contact.id).limit(1))
    if known is not None:
        return known
    contact = Contact(
        enterprise_id=enterprise_id,
        name=canonical_name(name),
        phone=phone,
        phone_hash=number,
        account_id=account_id,
        locale=locale,
        created_at=at,
    )
    session.add(contact)
    session.flush()
    return contact


def default_contact(session: Session, actor: Actor, enterprise: Enterprise) -> Contact | None:
    """Who is told where nobody is named: the actor's own entry, else the enterprise's first that the actor may see."""
    own = Contact.account_id == actor.account_id
    return session.scalar(
        select(Contact)
        .where(Contact.enterprise_id == enterprise.id, visible_contacts(actor))
        .order_by(own.is_(True).desc(), Contact.id)
        .limit(1)
    )
