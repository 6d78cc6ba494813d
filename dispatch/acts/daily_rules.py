"""What a day brings by itself: silence that accepts, grades that never come, papers owed, referrals unanswered."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.acts.acceptance import accept_silently
from dispatch.acts.act import Act, ActContext, act
from dispatch.acts.closing import end_of_case
from dispatch.acts.deciding import decide
from dispatch.acts.deriving import ExtendRunningPauses
from dispatch.acts.expiring_evidence import RemindExpiringEvidence
from dispatch.acts.recording import record_fact
from dispatch.acts.rostering import MakeShifts
from dispatch.cases.case import Case, Material
from dispatch.cases.fact_event import Fact, FactKind
from dispatch.cases.notify import (
    DeskKind,
    add_timeline_event,
    day_of,
    queue_desk_notice,
    queue_notice,
    queue_stage_notice,
)
from dispatch.cases.obligations.obligation import Obligation, ObligationKind
from dispatch.cases.obligations.reach import open_subjects, overdue_subjects
from dispatch.cases.project import Project, Referral
from dispatch.cases.review import Review
from dispatch.cases.review_state import ReviewState
from dispatch.cases.stages import Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import SYSTEM
from dispatch.core.localized_text import DayText, LocalizedText
from dispatch.custody.anchors import CustodyAnchor, anchor
from dispatch.custody.transparency_log import publish

REMIND = timedelta(days=2)


def _accept_by_silence(session: Session, *, at: datetime) -> list[Review]:
    """Filings on which the authority was silent for five working days count as accepted (视为受理)."""
    calendar, accepted = calendar_of(session), []
    for review_id in overdue_subjects(session, ObligationKind.SILENCE, at=at):
        review = session.get_one(Review, review_id)
        session.get_one(Case, review.case_id, with_for_update=True, populate_existing=True)
        review.derive(calendar, day_of(at))  # the calendar may have moved what is kept of the limit
        if not review.is_deemed_accepted(at):
            continue
        accept_silently(session, review, at=at)
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
        accepted.append(review)
    return accepted


def _close_unrated(session: Session, *, at: datetime) -> list[Case]:
    """Delivered cases that nobody rated within 15 working days are closed (归档), with thanks."""
    ids = overdue_subjects(session, ObligationKind.GRADE, at=at)
    query = select(Case).where(Case.id.in_(ids), Case.stage == Stage.DELIVERED).order_by(Case.id).with_for_update()
    cases = session.scalars(query.execution_options(populate_existing=True)).all()
    for case in cases:
        case.move_to(Stage.CLOSED, at=at, by=SYSTEM.label)
        queue_stage_notice(session, case, at=at, by=SYSTEM, words="15个工作日未评价，已归档")
        end_of_case(session, case, at=at)
    return list(cases)


def _return_overdue(session: Session, *, at: datetime) -> list[Material]:
    """A deferred material (容缺) that did not come by its day: its matter is returned (退办)."""
    returned: list[Material] = []
    for material_id in overdue_subjects(session, ObligationKind.DEFERRED, at=at):
        material = session.get_one(Material, material_id)
        case = session.get_one(Case, material.case_id, with_for_update=True, populate_existing=True)
        session.refresh(material)
        if not material.is_owed or case.has_ended:  # it came, or the case ended, while this waited for the case
            continue
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
        fact = Fact(kind=FactKind.MATERIAL_REFUSED, words="容缺材料逾期未补")
        record_fact(session, material, fact, by=SYSTEM, at=at)
        returned.append(material)
    return returned


def _remind_supplements(session: Session, *, at: datetime) -> int:
    """Two days before a deferred material is due, its enterprise is reminded, once."""
    today = day_of(at)
    soon = open_subjects(session, ObligationKind.DEFERRED, Obligation.due_on.between(today, today + REMIND))
    for material_id in soon:
        material = session.get_one(Material, material_id)
        case = session.get_one(Case, material.case_id)
        assert material.owed_by is not None  # the obligation is folded from this day
        queue_notice(
            session, case, "supplement_due", at=at, key=f"{material.id}:{material.owed_by}",
            values={"matter": material.name, "day": DayText(material.owed_by)},
        )  # fmt: skip
    return len(soon)


def _escalate_referrals(session: Session, *, at: datetime) -> list[Referral]:
    """A handover that nobody accepted within one working day goes to the team lead; the first agent stays the owner."""
    overdue = overdue_subjects(session, ObligationKind.REFERRAL, at=at)
    rows = [session.get_one(Referral, referral_id) for referral_id in overdue]
    unanswered = [referral for referral in rows if referral.escalated_at is None]
    for referral in unanswered:
        referral.escalated_at = at
        project = session.get_one(Project, referral.project_id)
        queue_desk_notice(
            session, kind=DeskKind.LEAD, division_id=project.home_division_id, text="first_ask_escalated",
            key=str(referral.id), at=at, values={"project": project.name},
        )  # fmt: skip
    return unanswered


# ---------------------------------------------------------------- as acts of the schedule


@act(is_routine=True)
@dataclass(frozen=True, slots=True)
class AcceptBySilence:
    """Filings on which an authority was silent for five working days count as accepted (视为受理)."""

    def perform(self, context: ActContext) -> int:
        return len(_accept_by_silence(context.session, at=context.at))


@act(is_routine=True)
@dataclass(frozen=True, slots=True)
class ReturnOverdue:
    """Matters whose deferred material did not come in time are returned (退办)."""

    def perform(self, context: ActContext) -> int:
        return len(_return_overdue(context.session, at=context.at))


@act(is_routine=True)
@dataclass(frozen=True, slots=True)
class RemindSupplements:
    """Enterprises are reminded of deferred materials that are due in two days."""

    def perform(self, context: ActContext) -> int:
        return _remind_supplements(context.session, at=context.at)


@act(is_routine=True)
@dataclass(frozen=True, slots=True)
class EscalateReferrals:
    """Handovers that nobody accepted within a working day go to the team lead."""

    def perform(self, context: ActContext) -> int:
        return len(_escalate_referrals(context.session, at=context.at))


@act(is_routine=True)
@dataclass(frozen=True, slots=True)
class CloseUnrated:
    """Delivered cases that nobody graded within 15 working days are closed (归档)."""

    def perform(self, context: ActContext) -> int:
        return len(_close_unrated(context.session, at=context.at))


@act(is_routine=True)
@dataclass(frozen=True, slots=True)
class AnchorCustody:
    """The heads of all chains of custody are anchored, once a day."""

    def perform(self, context: ActContext) -> int:
        known = context.session.get(CustodyAnchor, day_of(context.at))
        if known is None:
            anchor(context.session, on=day_of(context.at), at=context.at)
        return 0 if known is not None else 1


@act(is_routine=True)
@dataclass(frozen=True, slots=True)
class PublishCheckpoint:
    """New handovers enter the log that anybody can check, under a signed checkpoint."""

    def perform(self, context: ActContext) -> int:
        return publish(context.session, at=context.at)


DAILY: tuple[type[Act[int]], ...] = (
    ExtendRunningPauses,
    AcceptBySilence,
    ReturnOverdue,
    RemindSupplements,
    RemindExpiringEvidence,
    EscalateReferrals,
    CloseUnrated,
    AnchorCustody,
    PublishCheckpoint,
    MakeShifts,
)
"""What a day brings by itself, in the order in which one may depend on another."""
