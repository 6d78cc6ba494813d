"""Delegation: the letter to the proxy centre, with who may hand over and receive originals."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Annotated, Any, ClassVar

from annotated_types import MaxLen, MinLen
from sqlalchemy.orm import Session

from agents.network import Division, centre_of
from db import keyed_hash
from dispatch.acts.act_fields import Phone
from dispatch.acts.recording import record_fact
from dispatch.cases.fact_event import Fact, FactKind
from dispatch.cases.lookups import open_cases
from dispatch.cases.notify import add_timeline_event, day_of
from dispatch.cases.project import AuthorisedRecipient, Delegation, Enterprise, Power, Project
from dispatch.core.actor import Actor
from dispatch.core.canonical import canonical_name
from dispatch.core.errors import Refused
from dispatch.core.localized_text import LocalizedText
from notifications.phone import BadNumber, normalise_mobile

LONGEST_LETTER = timedelta(days=3 * 366)


@dataclass(frozen=True, slots=True)
class AuthorisedPerson:
    """Somebody whom the delegation letter names to hand over or to receive."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid", "str_strip_whitespace": True}

    name: Annotated[str, MinLen(1), MaxLen(40)]
    phone: Phone
    may_hand_over: bool = True
    may_receive: bool = True


def checked_person(person: AuthorisedPerson, n: int) -> AuthorisedPerson:
    """The ``n``-th person of a letter, with the number as it is dialled. Raises Refused."""
    name = canonical_name(person.name)
    if not name:
        raise Refused(f"person {n} has no name", user_message=LocalizedText("授权人%(n)s：请填写姓名", n=n))
    try:
        phone = normalise_mobile(person.phone)
    except BadNumber as error:
        raise Refused(
            f"person {n} has no such number",
            user_message=LocalizedText("授权人%(n)s：手机号有误，请填写11位手机号", n=n),
            field="people",
        ) from error
    if not (person.may_hand_over or person.may_receive):
        words = LocalizedText("授权人%(n)s：请勾选可交件或可收件", n=n)
        raise Refused(f"person {n} may do nothing", user_message=words)
    return replace(person, name=name, phone=phone)


def check_term(valid_to: date, today: date) -> None:
    """A letter ends neither in the past nor after more than three years. Raises Refused."""
    if valid_to < today:
        raise Refused(f"a delegation cannot end on {valid_to}", user_message="有效期不能早于今天")
    if valid_to > today + LONGEST_LETTER:
        raise Refused(f"a delegation cannot last until {valid_to}", user_message="有效期最长三年")


def end_letter(session: Session, letter: Delegation, *, reason: str, by: Actor, at: datetime) -> None:
    """The letter is revoked, effective on receipt. A second revocation changes nothing."""
    if letter.revoked_at is None:
        record_fact(session, letter, Fact(kind=FactKind.DELEGATION_REVOKED, words=reason), by=by, at=at)


def delegate(
    session: Session,
    project: Project,
    *,
    legal_representative: str,
    powers: Iterable[Power],
    matters: Sequence[str] = (),
    people: Sequence[AuthorisedPerson],
    valid_to: date,
    by: Actor,
    at: datetime,
    may_pass_on: bool = False,
    sha256: str | None = None,
) -> Delegation:
    """The delegation letter (委托书) to the proxy centre, with the persons who may hand over and receive originals."""
    if not people:
        raise Refused("a delegation names who may hand over and receive", user_message="请至少填写一名授权交接人")
    division = session.get_one(Division, project.home_division_id)
    centre = centre_of(session, division)
    enterprise = session.get_one(Enterprise, project.enterprise_id)
    today = day_of(at)
    check_term(valid_to, today)
    checked = [checked_person(person, n) for n, person in enumerate(people, start=1)]
    letter = Delegation(
        entruster=enterprise.name,
        credit_code=enterprise.credit_code,
        legal_representative=legal_representative,
        centre_id=None if centre is None else centre.id,
        matters=list(matters),
        powers=sorted(power.value for power in powers),
        may_pass_on=may_pass_on,
        valid_from=today,
        valid_to=valid_to,
        signed_at=at,
        sha256=sha256,
        recipients=[
            AuthorisedRecipient(
                name=person.name, phone=person.phone, phone_hash=keyed_hash(person.phone),
                may_hand_over=person.may_hand_over, may_receive=person.may_receive,
            )
            for person in checked
        ],
    )  # fmt: skip
    project.delegations.append(letter)
    session.flush()
    record_fact(session, letter, Fact(kind=FactKind.DELEGATION_SIGNED), by=by, at=at)
    for case in open_cases(session, project):
        add_timeline_event(session, case, kind="delegated", by=by, at=at, words="已签署委托书")
    return letter
