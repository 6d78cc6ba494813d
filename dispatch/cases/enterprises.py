"""Enterprises: found by their credit code or made, and the persons of theirs who are told of each stage."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import keyed_hash
from dispatch.cases.project import Contact, Enterprise
from dispatch.core.errors import Refused
from dispatch.core.localized_text import LocalizedText


class NameDiffers(Refused):
    """The credit code belongs to an enterprise of another name."""

    user_message = "与该信用代码登记的名称不符"


def enterprise_with_code(session: Session, code: str, name: str, *, at: datetime) -> Enterprise:
    """The enterprise of this credit code, made where nobody knows it yet. Raises NameDiffers."""
    known = session.scalar(select(Enterprise).where(Enterprise.credit_code == code))
    if known is None:
        known = Enterprise(name=name, credit_code=code, created_at=at)
        session.add(known)
        session.flush()
    elif name and known.name != name:
        raise NameDiffers(
            f"{code} is not {name}",
            user_message=LocalizedText("与该信用代码登记的名称“%(name)s”不符", name=known.name),
        )
    return known


def add_contact(session: Session, enterprise_id: int, name: str, phone: str, *, at: datetime) -> Contact:
    """The person as a contact of the enterprise, who is told of each stage; an old one with this number is kept."""
    number = keyed_hash(phone)
    known = session.scalar(
        select(Contact).where(Contact.enterprise_id == enterprise_id, Contact.phone_hash == number).limit(1)
    )
    if known is not None:
        return known
    contact = Contact(enterprise_id=enterprise_id, name=name, phone=phone, phone_hash=number, created_at=at)
    session.add(contact)
    session.flush()
    return contact
