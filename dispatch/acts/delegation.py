"""Delegation: the letter to the proxy centre, with who may hand over and receive originals."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from agents.network import Division, centre_of
from db import keyed_hash
from dispatch.cases.lookups import open_cases
from dispatch.cases.notify import add_timeline_event, day_of
from dispatch.cases.project import AuthorisedRecipient, Delegation, Enterprise, Power, Project
from dispatch.core.actor import Actor
from dispatch.core.errors import Refused


@dataclass(frozen=True, slots=True)
class AuthorisedPerson:
    """Somebody whom the delegation letter names to hand over or to receive."""

    name: str
    phone: str
    may_hand_over: bool = True
    may_receive: bool = True


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
    if valid_to < today:
        raise Refused(f"a delegation cannot end on {valid_to}", user_message="委托期限不能早于今天")
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
            for person in people
        ],
    )  # fmt: skip
    project.delegations.append(letter)
    session.flush()
    for case in open_cases(session, project):
        add_timeline_event(session, case, kind="delegated", by=by, at=at, words="已签署委托书")
    return letter
