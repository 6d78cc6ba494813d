"""Filing: what the agent files with the authorities, draws up in simulation, and files again after corrections."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy.orm import Session

from dispatch.acts.act import STAFF, ActContext, act
from dispatch.acts.act_fields import CalendarDate, Number, Reason, SecondOfDay
from dispatch.acts.case_result import CaseResult, case_result
from dispatch.acts.recording import JUST_NOW, Happening, PaperStep, record
from dispatch.acts.review_result import ReviewResult, review_result
from dispatch.cases.case import Case, Way
from dispatch.cases.lookups import parcels_of, reviews_of
from dispatch.cases.notify import add_timeline_event, day_of, queue_notice, queue_stage_notice
from dispatch.cases.project import Power, Project
from dispatch.cases.project_order import NOTHING_FIRST, is_relieved, open_prerequisites, out_of_order
from dispatch.cases.review import Review
from dispatch.cases.review_event import EventFacts, EventKind
from dispatch.cases.review_state import UNFILED
from dispatch.cases.stages import Stage
from dispatch.core.actor import Actor
from dispatch.core.errors import Refused, WrongStage
from dispatch.core.ids import CaseNo, ReviewId
from dispatch.core.localized_text import ListText, LocalizedText
from dispatch.custody.handover import Holder
from dispatch.custody.parcel import Leg

WAVES = (Stage.SUBMITTED, Stage.UNDER_REVIEW)
"""Some of the case's matters are filed; what waited for them may follow."""
MAY_FILE = (Stage.PRESCREENED, Stage.COLLECTED, *WAVES)


def _submit(
    session: Session, case: Case, *, receipts: Mapping[int, str], by: Actor, at: datetime, when: Happening = JUST_NOW
) -> Case:
    """The agent files with the authorities: ``receipts`` gives the filing receipt of each review by its id."""
    project = session.get_one(Project, case.project_id)
    check_may_file(session, project, case, at=at)
    reviews = _ready(session, project, case, receipts, on=when.on or day_of(at), at=at)
    for review in reviews:
        filed = EventFacts(kind=EventKind.FILED, document_no=receipts.get(review.id, ""))
        record(session, review, filed, when, by=by, at=at)
    authorities = sorted({review.authority for review in reviews})
    words = LocalizedText("已报送：%(names)s", names=ListText(authorities))
    tell_filed(session, case, reviews, words=words, place=authorities[0] if authorities else "", by=by, at=at)
    return case


def check_may_file(session: Session, project: Project, case: Case, *, at: datetime) -> None:
    """The case is as far that something of it may be filed: its papers are in, and a letter allows it.

    Raises WrongStage or Refused."""
    case.must_be(*MAY_FILE)
    if case.stage is Stage.PRESCREENED and case.pickup_way is not Way.ELECTRONIC:
        raise WrongStage(f"case {case.case_no}: the originals are not in yet", case_no=case.case_no)
    letter = project.delegation_on(day_of(at))
    if letter is None or not letter.allows(Power.SUBMIT, day_of(at)):
        raise Refused(f"case {case.case_no}: no delegation allows filing", user_message="委托书未授权代为申报或已失效")
    on_the_way = [p.waybill for p in parcels_of(session, case) if p.leg is Leg.PICKUP and p.holder is Holder.COURIER]
    if on_the_way:
        raise Refused(
            f"parcels {on_the_way} are still with the courier", user_message="原件还在揽投员处，请先在中心签收"
        )


def _ready(
    session: Session, project: Project, case: Case, receipts: Mapping[int, str], *, on: date, at: datetime
) -> list[Review]:
    """What may be filed now: the rest follows once what it waits for is granted. Raises WrongStage, Refused by name."""
    unfiled = [r for r in reviews_of(session, case) if r.state in UNFILED]
    if not unfiled:
        raise WrongStage(f"case {case.case_no}: everything is filed", user_message="本件各事项均已报送")
    open_ones = open_prerequisites(session, project, at=at, by=on)
    waiting = {
        review.id: left
        for review in unfiled
        if (left := open_ones.get(review.matter.code, NOTHING_FIRST).to_file)
        and not is_relieved(review, EventKind.FILED, on)
    }
    ready = [review for review in unfiled if review.id not in waiting]
    if refused := [r for r in unfiled if r.id in waiting and (receipts.get(r.id) or not ready)]:
        raise out_of_order(refused[0], waiting[refused[0].id], is_filing=True)
    return ready


def tell_filed(
    session: Session, case: Case, reviews: Sequence[Review], *, words: str, place: str, by: Actor, at: datetime
) -> None:
    """The first filing moves the case; a later one is a line, and the same notice."""
    values = {"count": str(len(reviews)), "centre": place}
    if case.stage not in WAVES:
        case.move_to(Stage.SUBMITTED, at=at, by=by.label)
        queue_stage_notice(session, case, at=at, by=by, words=words, **values)
        return
    case.version += 1
    case.changed_by = by.label
    add_timeline_event(session, case, kind="filed_next", by=by, at=at, words=words)
    queue_notice(session, case, "submitted", at=at, key=f"filed:{reviews[0].id}", values=values)


def _simulate_review(session: Session, review: Review, *, by: Actor, at: datetime, when: Happening = JUST_NOW) -> None:
    """Simulated approval (模拟审批): a draft opinion before the land is granted, made formal by filing."""
    case = session.get_one(Case, review.case_id)
    record(session, review, EventFacts(kind=EventKind.SIMULATED), when, by=by, at=at)
    add_timeline_event(
        session,
        case,
        kind="simulated",
        by=by,
        at=at,
        words=LocalizedText("%(matter)s进入模拟审批", matter=review.matter.short_name),
        review_id=review.id,
        event_id=review.events[-1].id,
    )


def _refile(
    session: Session, review: Review, *, receipt_no: str, by: Actor, at: datetime, when: Happening = JUST_NOW
) -> None:
    """The corrections are in: filed again, and five days begin anew."""
    case = session.get_one(Case, review.case_id)
    record(session, review, EventFacts(kind=EventKind.FILED, document_no=receipt_no), when, by=by, at=at)
    add_timeline_event(
        session,
        case,
        kind="refiled",
        by=by,
        at=at,
        words=LocalizedText("%(matter)s已补正并再次报送", matter=review.matter.short_name),
        review_id=review.id,
        event_id=review.events[-1].id,
    )


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitCase:
    """The agent files what may be filed now with its authorities; ``receipts`` holds the filing receipt of each review.

    What waits for another matter of the project is filed by a further step, once that is granted.

    ``on``, ``second``: when the counter took it in."""

    case: CaseNo
    version: int | None = None
    on: CalendarDate | None = None
    second: SecondOfDay | None = None
    late_reason: Reason = ""
    receipts: Mapping[ReviewId, Number] = field(default_factory=dict)

    def perform(self, context: ActContext) -> CaseResult:
        case = context.row(Case, self.case)
        receipts = {int(review_id): number for review_id, number in self.receipts.items()}
        when = Happening(on=self.on, second=self.second, late_reason=self.late_reason)
        _submit(context.session, case, receipts=receipts, by=context.actor, at=context.at, when=when)
        return case_result(case)


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class SimulateReview(PaperStep):
    """Simulated approval (模拟审批): a draft opinion before the land is granted, made formal by filing."""

    def perform(self, context: ActContext) -> ReviewResult:
        review = context.row(Review, self.review)
        _simulate_review(context.session, review, by=context.actor, at=context.at, when=self.when())
        return review_result(review)


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class RefileReview(PaperStep):
    """The corrections are in and the matter is filed again: five days begin anew."""

    notice_no: Number = ""

    def perform(self, context: ActContext) -> ReviewResult:
        review = context.row(Review, self.review)
        _refile(context.session, review, receipt_no=self.notice_no, by=context.actor, at=context.at, when=self.when())
        return review_result(review)
