"""Delegation letters as the enterprise reads them."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.network import ServiceCentre
from dispatch.cases.project import (
    Power,
    Project,
)
from dispatch.core.localized_text import LocalizedText

POWER_LABEL = {Power.SUBMIT: "提交申请材料", Power.CORRECT: "补正材料", Power.RECEIVE: "代为领取结果"}


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person whom the letter names."""

    id: int
    name: str
    phone: str
    may_hand_over: bool
    may_receive: bool


@dataclass(frozen=True, slots=True)
class DelegationLetterView:
    """A delegation letter as the enterprise reads it."""

    id: int
    entruster: str
    credit_code: str | None
    legal_representative: str
    centre: str
    powers: tuple[str, ...]
    may_pass_on: bool
    valid_from: date
    valid_to: date
    signed_at: datetime | None
    revoked_at: datetime | None
    revocation_reason: str | None
    in_force: bool
    people: tuple[PersonRow, ...]


def letters_of(session: Session, project: Project, today: date) -> tuple[DelegationLetterView, ...]:
    """Every letter of the project, the newest first."""
    ids = [letter.centre_id for letter in project.delegations if letter.centre_id is not None]
    centres: dict[int, str] = {
        row.id: row.name
        for row in session.execute(select(ServiceCentre.id, ServiceCentre.name).where(ServiceCentre.id.in_(ids)))
    }
    return tuple(
        DelegationLetterView(
            id=letter.id,
            entruster=letter.entruster,
            credit_code=letter.credit_code,
            legal_representative=letter.legal_representative,
            centre=LocalizedText(
                "%(centre)s（代办中心）", centre=centres.get(letter.centre_id or 0, LocalizedText("政务服务中心"))
            ),
            powers=tuple(POWER_LABEL[power] for power in Power if power.value in letter.powers),
            may_pass_on=letter.may_pass_on,
            valid_from=letter.valid_from,
            valid_to=letter.valid_to,
            signed_at=letter.signed_at,
            revoked_at=letter.revoked_at,
            revocation_reason=letter.revocation_reason,
            in_force=letter.is_in_force(today),
            people=tuple(
                PersonRow(person.id, person.name, person.phone, person.may_hand_over, person.may_receive)
                for person in letter.recipients
            ),
        )
        for letter in sorted(project.delegations, key=lambda one: -one.id)
    )
