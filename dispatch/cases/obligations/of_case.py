"""Of a case: what its facts say is or was owed, one function a kind."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, time
from types import MappingProxyType
from typing import Any

from sqlalchemy import Row

from dispatch.cases.case import MaterialState, Way
from dispatch.cases.case_message import answered_at
from dispatch.cases.due_moments import (
    answer_due,
    grade_due,
    message_due,
    prescreen_due,
    rectify_grade_due,
    referral_due,
    verify_grade_due,
)
from dispatch.cases.evaluation import RectificationState
from dispatch.cases.lookups import moment
from dispatch.cases.obligations.case_facts import ON_PAPER, CaseFacts
from dispatch.cases.obligations.obligation import AFTER_THE_END, ObligationKind, Owed, Owner, OwnerKind, Subject
from dispatch.cases.review_state import REVIEW_ENDS, ReviewState
from dispatch.cases.stages import Stage
from dispatch.core.shanghai_time import in_shanghai, utc
from dispatch.custody.parcel import Leg, ParcelState

Kind = ObligationKind
HOUSE = (Stage.PRESCREENED, Stage.PICKUP_PLANNED)
ARRIVED = (Stage.DELIVERED, Stage.EVALUATED, Stage.CLOSED)
OUT = frozenset({ParcelState.ON_THE_WAY, ParcelState.AT_CENTRE, ParcelState.WITH_AUTHORITY})
UNVERIFIED = frozenset({RectificationState.OPENED, RectificationState.APPEALED})


def owed_in(facts: CaseFacts) -> list[Owed]:
    """Everything that the case owes or owed. An ended case owes nothing more but what may follow the end."""
    found = [owed for fold in FOLDS.values() for owed in fold(facts)]
    if not facts.has_ended:
        return found
    return [
        owed
        if owed.closed_at is not None or owed.kind in AFTER_THE_END
        else replace(owed, closed_at=facts.ended_at, closed_by="case.ended")
        for owed in found
    ]


def end_of(day: date) -> datetime:
    """A day that is meant as a whole is over at its last second in Jiangsu."""
    return utc(day, time(23, 59, 59))


def _owed(facts: CaseFacts, kind: Kind, subject: Subject, subject_id: int, owner: Owner, **more: Any) -> Owed:
    case = facts.case
    return Owed(
        kind=kind, subject=subject, subject_id=subject_id, case_id=case.id, project_id=case.project_id,
        division_id=case.home_division_id, owner_kind=owner.kind, owner_id=owner.id, owner_name=owner.name, **more,
    )  # fmt: skip


def _of_case(facts: CaseFacts, kind: Kind, owner: Owner, **more: Any) -> Owed:
    return _owed(facts, kind, Subject.CASE, facts.case.id, owner, **more)


def _of_review(facts: CaseFacts, kind: Kind, review: Row[Any], owner: Owner, **more: Any) -> Owed:
    return _owed(facts, kind, Subject.REVIEW, review.id, owner, **more)


def _authority(review: Row[Any]) -> Owner:
    return Owner(OwnerKind.AUTHORITY, review.authority_division_id, review.authority)


def _ended(at: datetime | None, by: str) -> dict[str, Any]:
    return {"closed_at": at, "closed_by": None if at is None else by}


def _left(facts: CaseFacts, *stages: Stage) -> dict[str, Any]:
    """Ended by the stage that followed, if one did."""
    following = facts.left(*stages)
    return {} if following is None else _ended(following.since, f"case.{following.stage}")


# ---------------------------------------------------------------- the centre and its agent


def first_answer(facts: CaseFacts) -> Iterator[Owed]:
    """The centre answers a request within a working day: it gives the project an agent, or refuses with a reason."""
    yield _of_case(
        facts, Kind.FIRST_ANSWER, facts.team, due_at=answer_due(facts.calendar, facts.case.created_at),
        opened_by="case.requested",
        opened_at=facts.entered(Stage.REQUESTED) or facts.case.created_at,
        **(_left(facts, Stage.REQUESTED) or _passed(facts, Stage.REQUESTED)),
    )  # fmt: skip


def _passed(facts: CaseFacts, stage: Stage) -> dict[str, Any]:
    """The first known stage has ended it, where the timeline does not tell of ``stage``."""
    return {} if facts.case.stage is stage else _ended(facts.spells[0].since, f"case.{facts.spells[0].stage}")


def referral(facts: CaseFacts) -> Iterator[Owed]:
    """Who is asked to take a project over answers within a working day; after that the team's lead does."""
    for offer in facts.referrals:
        asked = facts.team if offer.escalated_at is not None else Owner(OwnerKind.PERSON, offer.to_agent_id)
        closed = offer.accepted_at or offer.declined_at
        yield _owed(
            facts, Kind.REFERRAL, Subject.REFERRAL, offer.id, asked,
            due_at=referral_due(facts.calendar, offer.offered_at),
            opened_by="referral.offered", opened_at=offer.offered_at,
            **_ended(closed, "referral.accepted" if offer.accepted_at else "referral.declined"),
        )  # fmt: skip


def prescreen(facts: CaseFacts) -> Iterator[Owed]:
    """The agent looks through the papers once and names every defect."""
    if (since := facts.entered(Stage.ASSIGNED)) is not None:
        yield _of_case(
            facts, Kind.PRESCREEN, facts.agent, due_at=prescreen_due(facts.calendar, since),
            opened_by="case.assigned", opened_at=since, **_left(facts, Stage.ASSIGNED),
        )  # fmt: skip


def filing(facts: CaseFacts) -> Iterator[Owed]:
    """What is ready is filed with its authority: the originals are in, or there are none."""
    electronic = facts.case.pickup_way is Way.ELECTRONIC
    ready_at = facts.entered(Stage.PRESCREENED if electronic else Stage.COLLECTED)
    if ready_at is None or facts.case.stage in {Stage.ASSIGNED, Stage.CORRECTION}:
        return
    for review in facts.reviews:
        closed = review.filed_at or (review.decided_at if review.state in REVIEW_ENDS else None)
        yield _of_review(
            facts, Kind.FILING, review, facts.agent, opened_by="case.ready", opened_at=ready_at,
            **_ended(closed, "review.filed"),
        )  # fmt: skip


def delivery(facts: CaseFacts) -> Iterator[Owed]:
    """A decision is delivered within ten days. Administrative Licensing Law art. 44."""
    arrived = facts.case.delivered_at if facts.case.stage in ARRIVED else None
    if arrived is None and facts.case.stage in ARRIVED:
        arrived = facts.entered(*ARRIVED)
    for review in facts.reviews:
        if review.deliver_by is not None and review.decided_at is not None:
            yield _of_review(
                facts, Kind.DELIVERY, review, facts.agent, due_at=review.deliver_by, opened_by="review.decided",
                opened_at=review.decided_at, **_ended(arrived, "case.delivered"),
            )  # fmt: skip


def papers_home(facts: CaseFacts) -> Iterator[Owed]:
    """Originals that are out when their case ends are brought home: on the next working day, or as it is booked."""
    if not facts.has_ended:
        return
    calendar, ended_on = facts.calendar, in_shanghai(facts.ended_at).date()
    due_at = calendar.closes_at(calendar.next_workday(ended_on))
    for parcel in facts.parcels:
        came_home = parcel.moved_at if parcel.state is ParcelState.HANDED_OVER else None
        if parcel.state not in OUT and (came_home is None or came_home < facts.ended_at):
            continue
        booked = _visit(parcel)
        yield _owed(
            facts, Kind.PAPERS_HOME, Subject.PARCEL, parcel.id, facts.team,
            due_at=due_at if booked is None else max(due_at, booked), opened_by="case.ended",
            opened_at=facts.ended_at, **_ended(came_home, "parcel.handed_over"),
        )  # fmt: skip


def _visit(parcel: Row[Any]) -> datetime | None:
    """When the booked visit is over at the latest."""
    if parcel.on is None or not parcel.windows:
        return None
    return moment(parcel.on, max(int(closes) for _, closes in parcel.windows))


# ---------------------------------------------------------------- the enterprise


def correction(facts: CaseFacts) -> Iterator[Owed]:
    """The enterprise mends what the prescreen found. No rule sets a day."""
    if (since := facts.entered(Stage.CORRECTION)) is not None:
        yield _of_case(
            facts, Kind.CORRECTION, facts.enterprise, opened_by="case.correction", opened_at=since,
            **_left(facts, Stage.CORRECTION),
        )  # fmt: skip


def booking(facts: CaseFacts) -> Iterator[Owed]:
    """The enterprise books the pickup of its originals, or brings them."""
    if facts.case.pickup_way is Way.ELECTRONIC or (since := facts.entered(*HOUSE)) is None:
        return
    if not any(material.mode in ON_PAPER for material in facts.materials):
        return
    booked = [p.created_at for p in facts.parcels if p.leg in {Leg.PICKUP, Leg.EXCHANGE, Leg.COUNTER}]
    closed = _ended(max(booked), "parcel.booked") if booked else _left(facts, *HOUSE)
    yield _of_case(
        facts, Kind.BOOKING, facts.enterprise, opened_by="case.prescreened", opened_at=since, **closed
    )  # fmt: skip


def supplement(facts: CaseFacts) -> Iterator[Owed]:
    """The authority asked for corrections: they are filed again. No rule sets a day."""
    for review in facts.reviews:
        if review.state is ReviewState.SUPPLEMENT:
            yield _of_review(
                facts, Kind.SUPPLEMENT, review, facts.enterprise, opened_by="review.supplement_asked",
                opened_at=review.correction_asked_at,
            )  # fmt: skip


def deferred(facts: CaseFacts) -> Iterator[Owed]:
    """A material that was let through on an undertaking (容缺受理) comes by its day, or its matter is returned."""
    since = facts.entered(Stage.PRESCREENED) or facts.case.created_at
    for material in facts.materials:
        if material.owed_by is None:
            continue
        due_at = end_of(material.owed_by)
        closed = {} if material.supplied_at is None else _ended(material.supplied_at, "material.supplied")
        if not closed and material.state is not MaterialState.DEFERRED:
            closed = _ended(due_at, "material.returned")
        yield _owed(
            facts, Kind.DEFERRED, Subject.MATERIAL, material.id, facts.enterprise, due_at=due_at,
            opened_by="material.deferred", opened_at=since, **closed,
        )  # fmt: skip


def grade(facts: CaseFacts) -> Iterator[Owed]:
    """The enterprise grades each matter (好差评) within 15 working days; else the case is closed without."""
    if (since := facts.entered(Stage.DELIVERED)) is not None:
        yield _of_case(
            facts, Kind.GRADE, facts.enterprise, due_at=grade_due(facts.calendar, facts.case.delivered_at or since),
            opened_by="case.delivered",
            opened_at=since, **_left(facts, Stage.DELIVERED),
        )  # fmt: skip


# ---------------------------------------------------------------- the authority


def silence(facts: CaseFacts) -> Iterator[Owed]:
    """Within five working days the authority accepts or asks for corrections; after that its silence accepts."""
    for review in facts.reviews:
        if review.filed_at is None or review.correction_due_at is None:
            continue
        closed = None
        if review.state is not ReviewState.SUBMITTED:
            closed = review.accepted_at or review.correction_asked_at or review.decided_at
        yield _of_review(
            facts, Kind.SILENCE, review, _authority(review), due_at=review.correction_due_at,
            opened_by="review.filed", opened_at=review.filed_at, **_ended(closed, "review.answered"),
        )  # fmt: skip


def decision(facts: CaseFacts) -> Iterator[Owed]:
    """The authority decides within the limit that binds: what it promised, never longer than the law gives."""
    for review in facts.reviews:
        if review.accepted_at is not None:
            yield _of_review(
                facts, Kind.DECISION, review, _authority(review), due_at=review.committed_due_at,
                opened_by="review.accepted", opened_at=review.accepted_at,
                **_ended(review.decided_at, "review.decided"),
            )  # fmt: skip


def pause_end(facts: CaseFacts) -> Iterator[Owed]:
    """A special procedure (特别程序) ends on the day that its notice expects."""
    for review in facts.reviews:
        if (pause := facts.pauses.get(review.id)) is None:
            continue
        ended = None if pause.ended_on is None else utc(pause.ended_on, time(0))
        if ended is None and review.state in REVIEW_ENDS:
            ended = review.decided_at
        yield _of_review(
            facts, Kind.PAUSE_END, review, _authority(review), due_at=end_of(pause.expected_end_on),
            opened_by="review.paused", opened_at=utc(pause.starts_on, time(0)), **_ended(ended, "review.resumed"),
        )  # fmt: skip


def commitment(facts: CaseFacts) -> Iterator[Owed]:
    """What was granted on a commitment (告知承诺) is verified by its day."""
    for review in facts.reviews:
        if review.verify_by is not None and review.decided_at is not None:
            verified = review.verified_at or review.revoked_at
            yield _of_review(
                facts, Kind.COMMITMENT, review, _authority(review), due_at=end_of(review.verify_by),
                opened_by="review.decided", opened_at=review.decided_at, **_ended(verified, "review.verified"),
            )  # fmt: skip


# ---------------------------------------------------------------- couriers and supervision


def pickup(facts: CaseFacts) -> Iterator[Owed]:
    """A courier comes in the window that was booked; until a plan names one, the team sees to it."""
    for parcel in facts.parcels:
        if parcel.leg not in {Leg.PICKUP, Leg.EXCHANGE} or (due_at := _visit(parcel)) is None:
            continue
        owner = facts.team if parcel.courier_id is None else Owner(OwnerKind.COURIER, parcel.courier_id)
        collected = None if parcel.state is ParcelState.BOOKED else parcel.moved_at or parcel.created_at
        yield _owed(
            facts, Kind.PICKUP, Subject.PARCEL, parcel.id, owner, due_at=due_at, opened_by="parcel.booked",
            opened_at=parcel.created_at, **_ended(collected, "parcel.collected"),
        )  # fmt: skip


def verify_grade(facts: CaseFacts) -> Iterator[Owed]:
    """Supervision verifies a bad grade within one working day."""
    for one in facts.rectifications:
        is_open = one.verified_at is None and one.state in UNVERIFIED
        yield _owed(
            facts, Kind.VERIFY_GRADE, Subject.RECTIFICATION, one.id, facts.team,
            due_at=verify_grade_due(facts.calendar, one.opened_at),
            opened_by="evaluation.given", opened_at=one.opened_at,
            **_ended(None if is_open else one.verified_at or one.answered_at or one.opened_at, "grade.verified"),
        )  # fmt: skip


def rectify_grade(facts: CaseFacts) -> Iterator[Owed]:
    """What a bad grade was given for is mended within fifteen working days, and the enterprise is called back."""
    for one in facts.rectifications:
        if one.verified_at is not None or one.state not in UNVERIFIED:
            yield _owed(
                facts, Kind.RECTIFY_GRADE, Subject.RECTIFICATION, one.id, facts.team,
                due_at=rectify_grade_due(facts.calendar, one.opened_at),
                opened_by="grade.verified", opened_at=one.verified_at or one.opened_at,
                **_ended(one.answered_at, "grade.answered"),
            )  # fmt: skip


def follow_up(facts: CaseFacts) -> Iterator[Owed]:
    """What was left to come back to, when the enterprise was spoken to, is done by its day."""
    for note in facts.follow_ups:
        yield _owed(
            facts, Kind.FOLLOW_UP, Subject.CONTACT_NOTE, note.id, facts.agent, due_at=end_of(note.follow_up_on),
            opened_by="contact.noted", opened_at=note.recorded_at, **_ended(note.followed_at, "contact.followed_up"),
        )  # fmt: skip


def message(facts: CaseFacts) -> Iterator[Owed]:
    """What the enterprise wrote in its case is answered within a working day, or dealt with otherwise."""
    for one in facts.messages:
        if one.is_theirs:
            yield _owed(
                facts, Kind.MESSAGE, Subject.CASE_MESSAGE, one.id, facts.agent,
                due_at=message_due(facts.calendar, one.written_at), opened_by="message.written",
                opened_at=one.written_at, **_ended(answered_at(one, facts.messages), "message.answered"),
            )  # fmt: skip


FOLDS: Mapping[Kind, Callable[[CaseFacts], Iterator[Owed]]] = MappingProxyType(
    {
        Kind.FIRST_ANSWER: first_answer,
        Kind.REFERRAL: referral,
        Kind.PRESCREEN: prescreen,
        Kind.CORRECTION: correction,
        Kind.BOOKING: booking,
        Kind.PICKUP: pickup,
        Kind.FILING: filing,
        Kind.SUPPLEMENT: supplement,
        Kind.SILENCE: silence,
        Kind.DECISION: decision,
        Kind.PAUSE_END: pause_end,
        Kind.DEFERRED: deferred,
        Kind.DELIVERY: delivery,
        Kind.PAPERS_HOME: papers_home,
        Kind.GRADE: grade,
        Kind.VERIFY_GRADE: verify_grade,
        Kind.RECTIFY_GRADE: rectify_grade,
        Kind.COMMITMENT: commitment,
        Kind.FOLLOW_UP: follow_up,
        Kind.MESSAGE: message,
    }
)
"""What is folded from a case. Tickets, calendars and shifts stand beside cases (``of_others.py``)."""
