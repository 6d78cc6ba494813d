"""What a day brings by itself: silence that accepts, grades that never come, papers owed, referrals unanswered."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.acts.acceptance import accept
from dispatch.acts.act import Act, ActContext, act
from dispatch.acts.closing import end_of_case
from dispatch.acts.deciding import decide
from dispatch.cases.case import Case, Material, MaterialState
from dispatch.cases.notify import (
    DeskKind,
    add_timeline_event,
    day_of,
    queue_desk_notice,
    queue_notice,
    queue_stage_notice,
)
from dispatch.cases.project import Project, Referral
from dispatch.cases.review import Review, ReviewState
from dispatch.cases.stages import ENDS, Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import SYSTEM
from dispatch.core.localized_text import DayText, LocalizedText
from dispatch.custody.anchors import CustodyAnchor, anchor

REMIND = timedelta(days=2)


def accept_by_silence(session: Session, *, at: datetime) -> list[Review]:
    """Filings on which the authority was silent for five working days count as accepted (视为受理)."""
    calendar = calendar_of(session)
    due = session.scalars(
        select(Review).where(Review.state == ReviewState.SUBMITTED, Review.correction_due_at < at).order_by(Review.id)
    ).all()
    for review in due:
        session.get_one(Case, review.case_id, with_for_update=True, populate_existing=True)
        deemed_at = review.deemed_accepted_at(calendar)
        accept(session, review, notice_no="", by=SYSTEM, at=deemed_at, deemed=True)
        case = session.get_one(Case, review.case_id)
        add_timeline_event(
            session,
            case,
            kind="silence",
            by=SYSTEM,
            at=at,
            words="五日内未告知补正，视为受理，请催办",
            internal=True,
        )
    return list(due)


def close_unrated(session: Session, *, at: datetime) -> list[Case]:
    """Delivered cases that nobody rated within 15 working days are closed (归档), with thanks."""
    cases = session.scalars(
        select(Case).where(Case.stage == Stage.DELIVERED, Case.close_by < at).order_by(Case.id).with_for_update()
    ).all()
    for case in cases:
        case.move_to(Stage.CLOSED, at=at, by=SYSTEM.label)
        queue_stage_notice(session, case, at=at, by=SYSTEM, words="15个工作日未评价，已归档")
        end_of_case(session, case, at=at)
    return list(cases)


def return_overdue(session: Session, *, at: datetime) -> list[Material]:
    """A deferred material (容缺) that did not come by its day: its matter is returned (退办)."""
    today = day_of(at)
    rows = session.scalars(
        select(Material)
        .join(Case, Case.id == Material.case_id)
        .where(
            Material.state == MaterialState.DEFERRED,
            Material.supplied_at.is_(None),
            Material.owed_by < today,
            Case.stage.not_in(ENDS),
        )
        .order_by(Material.case_id, Material.id)
    ).all()
    for material in rows:
        case = session.get_one(Case, material.case_id, with_for_update=True, populate_existing=True)
        review = session.scalar(
            select(Review).where(
                Review.case_id == case.id,
                Review.matter_id == material.matter_id,
                Review.state.in_((ReviewState.ACCEPTED, ReviewState.EXTENDED)),
            )
        )
        if review is not None:
            words = LocalizedText("容缺材料逾期未补：%(name)s", name=material.name)
            decide(session, review, outcome=ReviewState.RETURNED, decision_no="", reason=words, by=SYSTEM, at=at)
        material.state = MaterialState.DEFECTIVE
        material.defect = "容缺材料逾期未补"
    return list(rows)


def remind_supplements(session: Session, *, at: datetime) -> int:
    """Two days before a deferred material is due, its enterprise is reminded, once."""
    today = day_of(at)
    rows = session.scalars(
        select(Material)
        .join(Case, Case.id == Material.case_id)
        .where(
            Material.state == MaterialState.DEFERRED,
            Material.supplied_at.is_(None),
            Material.owed_by.between(today, today + REMIND),
            Case.stage.not_in(ENDS),
        )
    ).all()
    for material in rows:
        case = session.get_one(Case, material.case_id)
        assert material.owed_by is not None
        queue_notice(
            session, case, "supplement_due", at=at, key=str(material.id),
            values={"matter": material.name[:20], "day": DayText(material.owed_by)},
        )  # fmt: skip
    return len(rows)


def escalate_referrals(session: Session, *, at: datetime) -> list[Referral]:
    """A handover that nobody accepted within one working day goes to the team lead; the first agent stays the owner."""
    rows = session.scalars(
        select(Referral).where(
            Referral.accept_by < at,
            Referral.accepted_at.is_(None),
            Referral.declined_at.is_(None),
            Referral.escalated_at.is_(None),
        )
    ).all()
    for referral in rows:
        referral.escalated_at = at
        project = session.get_one(Project, referral.project_id)
        queue_desk_notice(
            session, kind=DeskKind.LEAD, division_id=project.home_division_id, text="first_ask_escalated",
            key=str(referral.id), at=at, values={"project": project.name[:20]},
        )  # fmt: skip
    return list(rows)


# ---------------------------------------------------------------- as acts of the schedule


@act(is_routine=True)
@dataclass(frozen=True, slots=True)
class AcceptBySilence:
    """Filings on which an authority was silent for five working days count as accepted (视为受理)."""

    def perform(self, context: ActContext) -> int:
        return len(accept_by_silence(context.session, at=context.at))


@act(is_routine=True)
@dataclass(frozen=True, slots=True)
class ReturnOverdue:
    """Matters whose deferred material did not come in time are returned (退办)."""

    def perform(self, context: ActContext) -> int:
        return len(return_overdue(context.session, at=context.at))


@act(is_routine=True)
@dataclass(frozen=True, slots=True)
class RemindSupplements:
    """Enterprises are reminded of deferred materials that are due in two days."""

    def perform(self, context: ActContext) -> int:
        return remind_supplements(context.session, at=context.at)


@act(is_routine=True)
@dataclass(frozen=True, slots=True)
class EscalateReferrals:
    """Handovers that nobody accepted within a working day go to the team lead."""

    def perform(self, context: ActContext) -> int:
        return len(escalate_referrals(context.session, at=context.at))


@act(is_routine=True)
@dataclass(frozen=True, slots=True)
class CloseUnrated:
    """Delivered cases that nobody graded within 15 working days are closed (归档)."""

    def perform(self, context: ActContext) -> int:
        return len(close_unrated(context.session, at=context.at))


@act(is_routine=True)
@dataclass(frozen=True, slots=True)
class AnchorCustody:
    """The heads of all chains of custody are anchored, once a day."""

    def perform(self, context: ActContext) -> int:
        known = context.session.get(CustodyAnchor, day_of(context.at))
        if known is None:
            anchor(context.session, on=day_of(context.at), at=context.at)
        return 0 if known is not None else 1


DAILY: tuple[type[Act[int]], ...] = (
    AcceptBySilence,
    ReturnOverdue,
    RemindSupplements,
    EscalateReferrals,
    CloseUnrated,
    AnchorCustody,
)
"""What a day brings by itself, in the order in which one may depend on another."""
