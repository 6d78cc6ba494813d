"""Cases as rows of the enterprise's lists."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from dispatch.cases.access_control import visible_cases
from dispatch.cases.case import OUTCOME_LABEL, Case, Material, MaterialState
from dispatch.cases.project import (
    Delegation,
)
from dispatch.cases.review import Review
from dispatch.cases.stages import ENDS, LABEL, Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.catalogue.matter import MaterialMode
from dispatch.core.actor import Actor
from dispatch.core.legal_clock import AMBER_WD, Lamp
from dispatch.core.shanghai_time import in_shanghai
from dispatch.core.working_days import Calendar, CalendarMissing
from dispatch.custody.parcel import Leg, Parcel, ParcelState
from dispatch.views.enterprise_turns import TURN_LABEL, Turn, turn_of


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case on a list: where it is, what it waits for, how its committed day stands."""

    case_no: str
    stage: Stage
    label: str
    turn: Turn
    created_at: datetime
    stage_at: datetime
    matters: int
    committed_on: date | None
    lamp: Lamp | None
    days_left: int | None
    has_ended: bool

    @property
    def turn_label(self) -> str:
        return TURN_LABEL[self.turn]


def case_rows(session: Session, viewer: Actor, project_ids: Iterable[int], *, at: datetime) -> dict[int, list[CaseRow]]:
    """The cases of these projects, open ones first."""
    ids, today, calendar = list(project_ids), in_shanghai(at).date(), calendar_of(session)
    wanted = _count(Material.id).where(
        Material.case_id == Case.id,
        Material.state == MaterialState.WANTED,
        Material.mode.not_in((MaterialMode.ORIGINAL_RETURNED, MaterialMode.ORIGINAL_KEPT)),
    )
    live = and_(Parcel.case_id == Case.id, Parcel.state != ParcelState.CANCELLED)
    letters = _count(Delegation.id).where(
        Delegation.project_id == Case.project_id,
        Delegation.revoked_at.is_(None),
        Delegation.valid_from <= today,
        Delegation.valid_to >= today,
    )
    query = (
        select(
            Case.project_id, Case.case_no, Case.stage, Case.created_at, Case.stage_at, Case.committed_due_on,
            Case.outcome, Case.pickup_way, Case.delivery_way,
            _count(Review.id).where(Review.case_id == Case.id).scalar_subquery().label("matters"),
            wanted.scalar_subquery().label("wanted"),
            letters.scalar_subquery().label("letters"),
            _count(Parcel.id).where(live, Parcel.leg != Leg.DELIVERY).scalar_subquery().label("pickups"),
            _count(Parcel.id).where(live, Parcel.leg == Leg.DELIVERY).scalar_subquery().label("deliveries"),
        )
        .where(Case.project_id.in_(ids), visible_cases(viewer))
        .order_by(Case.stage.in_(ENDS), Case.id.desc())
    )  # fmt: skip
    found: dict[int, list[CaseRow]] = {}
    for row in session.execute(query):
        turn = turn_of(
            row.stage, pickup=row.pickup_way, delivery=row.delivery_way, wanted=row.wanted,
            has_letter=row.letters > 0, pickups=row.pickups, deliveries=row.deliveries,
        )  # fmt: skip
        due = row.committed_due_on if row.stage in {Stage.SUBMITTED, Stage.UNDER_REVIEW} else None
        left = days_left(calendar, today, due)
        label = LABEL[row.stage]
        if row.outcome is not None and row.stage in {Stage.DECIDED, Stage.DELIVERY_PLANNED, Stage.DELIVERED}:
            label = f"{label}({OUTCOME_LABEL[row.outcome]})"
        found.setdefault(row.project_id, []).append(
            CaseRow(
                row.case_no, row.stage, label, turn, row.created_at, row.stage_at, row.matters, due,
                None if left is None else lamp_for(left), left, row.stage in ENDS,
            )
        )  # fmt: skip
    return found


def _count(column: InstrumentedAttribute[int]) -> Select[int]:
    return select(func.count(column)).correlate(Case)


def days_left(calendar: Calendar, today: date, due: date | None) -> int | None:
    """Working days from today to ``due``; None without a due day, or without a calendar for it."""
    if due is None:
        return None
    try:
        return calendar.working_days_between(today, due)
    except CalendarMissing:
        return None


def lamp_for(left: int) -> Lamp:
    return Lamp.RED if left < 0 else Lamp.AMBER if left <= AMBER_WD else Lamp.GREEN
