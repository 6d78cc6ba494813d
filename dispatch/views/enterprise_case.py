"""The page of one case: six answers first, then its matters, papers, originals, legs and timeline."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from agents.network import Division
from dispatch.cases.access_control import case_for
from dispatch.cases.case import OUTCOME_LABEL, Case, MaterialState, Way
from dispatch.cases.duration_training import PromiseRecord
from dispatch.cases.evaluation import GRADE_LABEL, RECTIFICATION_LABEL, Evaluation, Grade
from dispatch.cases.review import REVIEW_ENDS, REVIEW_LABEL, Review, ReviewState
from dispatch.cases.stages import LABEL, MILESTONES, NEXT, Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.catalogue.implementation import Handling, handlings_of
from dispatch.catalogue.matter import Matter
from dispatch.core.actor import Actor
from dispatch.core.localized_text import DayText, LocalizedText, Translate, WindowText, from_json
from dispatch.core.shanghai_time import in_shanghai
from dispatch.custody.parcel import Leg, ParcelState
from dispatch.forecast.promise import Promise
from dispatch.views.enterprise import (
    DelegationLetterView,
    Helper,
    Turn,
    helper_of,
    lamp_for,
    letters_of,
    place_in_words,
    turn_of,
)
from dispatch.views.enterprise_papers import LegRow, Original, PaperRow, legs_of, originals_of, papers_of
from dispatch.views.enterprise_path import DrawnPath, drawn_path

NO_ESTIMATE = LocalizedText("目前还没有预计日期：同类办件的记录还不够，不作估计")
RIGHTS = LocalizedText("如不服，可自收到决定之日起60日内申请行政复议，或6个月内依法提起行政诉讼")


@dataclass(frozen=True, slots=True)
class Milestone:
    """One step of the bar: done, now or ahead."""

    label: str
    state: str


@dataclass(frozen=True, slots=True)
class ThreeLines:
    """法定时限, 部门承诺时限, 预计办结: always together, in this order."""

    legal: str
    committed: str
    expected: str
    is_estimate: bool
    left: int | None
    lamp: str | None


@dataclass(frozen=True, slots=True)
class MatterRow:
    """One matter of the case with its authority, limits and outcome."""

    review_id: int
    short: str
    name: str
    authority: str
    counter: str
    state: str
    lamp: str | None
    statutory_wd: int
    committed_wd: int
    due_on: date | None
    note: str
    decided_at: datetime | None
    decision_no: str | None
    denied: bool
    grade: str | None
    grade_is_bad: bool
    rectification: str | None
    rectified: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Charge:
    """A statutory fee: what the law asks, on which basis, of whom. Never for the proxy service."""

    matter: str
    cents: int | None
    basis: str
    payer: str


@dataclass(frozen=True, slots=True)
class TimelineLine:
    """One line of the timeline."""

    at: datetime
    words: str
    actor: str


@dataclass(frozen=True, slots=True)
class EnterpriseCasePage:
    """Everything the page of a case shows."""

    id: int
    case_no: str
    project_no: str
    project_name: str
    place: str
    stage: Stage
    label: str
    stage_at: datetime
    created_at: datetime
    version: int
    query_code: str
    ended: bool
    outcome: str | None
    is_denied: bool
    ending_reason: str | None
    milestones: tuple[Milestone, ...]
    turn: Turn
    next_words: LocalizedText
    next_by: datetime | None
    helper: Helper | None
    promise: ThreeLines
    matters: tuple[MatterRow, ...]
    charges: tuple[Charge, ...]
    originals: tuple[Original, ...]
    legs: tuple[LegRow, ...]
    papers: tuple[PaperRow, ...]
    timeline: tuple[TimelineLine, ...]
    letter: DelegationLetterView | None
    path: DrawnPath | None
    can_withdraw: bool
    can_book_pickup: bool
    can_book_delivery: bool
    pickup_way: Way
    delivery_way: Way

    @property
    def to_upload(self) -> int:
        return sum(paper.is_wanted for paper in self.papers)

    @property
    def defects(self) -> int:
        return sum(paper.state == MaterialState.DEFECTIVE for paper in self.papers)


def case_page(
    session: Session, viewer: Actor, case_no: str, *, at: datetime, say: Translate = str
) -> EnterpriseCasePage:
    """The case as its enterprise sees it. Raises NotFound."""
    case = case_for(session, viewer, case_no)
    project, today = case.project, in_shanghai(at).date()
    home = session.get_one(Division, case.division_id)
    found = list(
        session.scalars(
            select(Review)
            .where(Review.case_id == case.id)
            .options(selectinload(Review.pauses), selectinload(Review.matter))
            .order_by(Review.id)
        )
    )
    handlings = handlings_of(session, [review.matter for review in found], home)
    legs = legs_of(session, case)
    letters = letters_of(session, project, today)
    letter = next((one for one in letters if one.in_force), None)
    helper = helper_of(session, project, at=at)
    codes = {review.matter.code for review in found if review.state is not ReviewState.WITHDRAWN}
    path = drawn_path(session, project, at=at, only=codes, start_on=_begins(case, found), say=say) if codes else None
    live = [leg for leg, _ in legs if leg.state is not ParcelState.CANCELLED]
    pickups = [parcel for parcel in live if parcel.leg is not Leg.DELIVERY]
    deliveries = [parcel for parcel in live if parcel.leg is Leg.DELIVERY]
    papers = papers_of(case, {review.matter_id: review.matter.short_name for review in found})
    turn = turn_of(
        case.stage, pickup=case.pickup_way, delivery=case.delivery_way, wanted=sum(p.is_wanted for p in papers),
        has_letter=letter is not None, pickups=len(pickups), deliveries=len(deliveries),
    )  # fmt: skip
    rows = tuple(row for _, row in legs)
    words, by = _next(case, turn, found, rows, helper)
    return EnterpriseCasePage(
        id=case.id,
        case_no=case.case_no,
        project_no=project.project_no,
        project_name=project.name,
        place=place_in_words(session, project.division_id),
        stage=case.stage,
        label=LABEL[case.stage],
        stage_at=case.stage_at,
        created_at=case.created_at,
        version=case.version,
        query_code=case.query_code,
        ended=case.has_ended,
        outcome=None if case.outcome is None else OUTCOME_LABEL[case.outcome],
        is_denied=any(review.state is ReviewState.DENIED for review in found),
        ending_reason=case.ending_reason,
        milestones=milestones(case),
        turn=turn,
        next_words=words,
        next_by=by,
        helper=helper,
        promise=_promise(session, case, path, today),
        matters=_matters(session, case, found, at),
        charges=_charges([review.matter for review in found], handlings),
        originals=originals_of(case, legs, session),
        legs=rows,
        papers=papers,
        timeline=tuple(
            TimelineLine(event.at, from_json(event.words, event.detail), event.actor)
            for event in reversed(case.events)
            if not event.internal
        ),
        letter=letter,
        path=path,
        can_withdraw=Stage.WITHDRAWN in NEXT[case.stage],
        can_book_pickup=case.stage is Stage.PRESCREENED and not pickups and bool(case.originals),
        can_book_delivery=case.stage is Stage.DECIDED and not deliveries and case.delivery_way is not Way.ELECTRONIC,
        pickup_way=case.pickup_way,
        delivery_way=case.delivery_way,
    )


def _begins(case: Case, found: Sequence[Review]) -> date:
    """From when the case's path counts: its filing with the authorities, else its request."""
    filed = [review.filed_at for review in found if review.filed_at is not None]
    return in_shanghai(min(filed, default=case.created_at)).date()


def milestones(case: Case) -> tuple[Milestone, ...]:
    """The bar: steps that this case has no need of are left out."""
    at_stage: Stage = Stage.PRESCREENED if case.stage is Stage.CORRECTION else case.stage
    steps = [
        step
        for step in MILESTONES
        if not (step in {Stage.PICKUP_PLANNED, Stage.COLLECTED} and case.pickup_way is Way.ELECTRONIC)
        and not (step is Stage.PICKUP_PLANNED and case.pickup_way is Way.COUNTER)
        and not (step is Stage.DELIVERY_PLANNED and case.delivery_way is not Way.COURIER)
    ]
    if at_stage not in steps:
        if at_stage is Stage.CLOSED:
            return (*(Milestone(LABEL[step], "done") for step in steps[:-1]), Milestone(LABEL[Stage.CLOSED], "done"))
        if case.has_ended:
            return (Milestone(LABEL[Stage.REQUESTED], "done"), Milestone(LABEL[case.stage], "now"))
        before = MILESTONES[: MILESTONES.index(at_stage)]
        at_stage = next(step for step in reversed(steps) if step in before)
    place = steps.index(at_stage)
    is_last = at_stage is Stage.EVALUATED
    return tuple(
        Milestone(
            LABEL[case.stage] if n == place else LABEL[step],
            "done" if n < place or is_last else "now" if n == place else "ahead",
        )
        for n, step in enumerate(steps)
    )


def _promise(session: Session, case: Case, path: DrawnPath | None, today: date) -> ThreeLines:
    calendar = calendar_of(session)
    legal: str = LocalizedText("受理后%(n)s个工作日内", n=path.statutory_wd) if path else LocalizedText("待确定")
    committed: str = LocalizedText("受理后%(n)s个工作日内", n=path.committed_wd) if path else LocalizedText("待确定")
    if case.legal_due_on is not None:
        legal = DayText(case.legal_due_on, today)
    if case.committed_due_on is not None:
        committed = DayText(case.committed_due_on, today)
    expected: str = NO_ESTIMATE
    if case.expected_on is not None and case.expected_share is not None:
        newest = (
            select(PromiseRecord.is_from_cases)
            .where(PromiseRecord.case_id == case.id)
            .order_by(PromiseRecord.id.desc())
            .limit(1)
        )
        seen = bool(session.scalar(newest))  # without like cases behind it, no past year is cited
        expected = Promise(case.expected_on, case.expected_share, today, case.is_estimate, is_from_cases=seen).words(
            today
        )
    running = case.stage in {Stage.SUBMITTED, Stage.UNDER_REVIEW} and case.committed_due_on is not None
    left = calendar.working_days_between(today, case.committed_due_on) if running and case.committed_due_on else None
    if case.decided_at is not None:
        expected = LocalizedText("已于%(day)s全部办结", day=DayText(in_shanghai(case.decided_at).date(), today))
    elif case.has_ended:
        expected = LocalizedText("办件已结束，不再计算")
    return ThreeLines(legal, committed, expected, case.is_estimate, left, None if left is None else lamp_for(left))


def _matters(session: Session, case: Case, found: Sequence[Review], at: datetime) -> tuple[MatterRow, ...]:
    calendar = calendar_of(session)
    graded = {
        one.review_id: one
        for one in session.scalars(
            select(Evaluation)
            .where(Evaluation.case_id == case.id, Evaluation.withdrawn_at.is_(None))
            .options(selectinload(Evaluation.rectification))
        )
    }
    rows: list[MatterRow] = []
    for review in found:
        mine = graded.get(review.id)
        follow = mine.rectification if mine is not None else None
        runs = review.state in {ReviewState.ACCEPTED, ReviewState.PAUSED, ReviewState.EXTENDED}
        rows.append(
            MatterRow(
                review_id=review.id,
                short=review.matter.short_name,
                name=review.matter.name,
                authority=review.authority,
                counter=review.counter,
                state=REVIEW_LABEL[review.state],
                lamp=review.lamp(calendar, at).value if runs else None,
                statutory_wd=review.statutory_wd,
                committed_wd=review.committed_wd,
                due_on=in_shanghai(review.committed_due_at).date() if runs and review.committed_due_at else None,
                note=_note_of(review),
                decided_at=review.decided_at if review.state in REVIEW_ENDS else None,
                decision_no=review.decision_no,
                denied=review.state in {ReviewState.DENIED, ReviewState.NOT_ACCEPTED, ReviewState.RETURNED},
                grade=None if mine is None else GRADE_LABEL[mine.grade],
                grade_is_bad=mine is not None and Grade(mine.grade).is_bad,
                rectification=None if follow is None else RECTIFICATION_LABEL[follow.state],
                rectified=()
                if follow is None
                else tuple(words for words in (follow.finding, follow.measure, follow.answer) if words),
            )
        )
    return tuple(rows)


def _note_of(review: Review) -> str:
    """What the enterprise should know of this matter now."""
    match review.state:
        case ReviewState.SUPPLEMENT:
            return LocalizedText("需补正：%(words)s", words=review.correction_words or "")
        case ReviewState.PAUSED:
            running = next((pause for pause in reversed(review.pauses) if pause.ended_on is None), None)
            return (
                LocalizedText("特别程序，预计%(day)s结束，期间不计时", day=DayText(running.expected_end_on))
                if running
                else ""
            )
        case ReviewState.EXTENDED:
            return LocalizedText(
                "经批准延期%(n)s个工作日：%(reason)s", n=review.extension_wd or 0, reason=review.extension_reason or ""
            )
        case ReviewState.DENIED | ReviewState.NOT_ACCEPTED:
            return LocalizedText("理由：%(reason)s。%(rights)s", reason=review.decision_reason or "", rights=RIGHTS)
        case ReviewState.RETURNED:
            return LocalizedText("退办：%(reason)s", reason=review.decision_reason or LocalizedText("容缺材料逾期未补"))
        case ReviewState.SUBMITTED if review.correction_due_at is not None:
            on = DayText(in_shanghai(review.correction_due_at).date())
            return LocalizedText("审批部门应在%(day)s前受理或一次性告知补正，逾期视为受理", day=on)
        case ReviewState.ACCEPTED if review.deemed_accepted:
            return LocalizedText("五个工作日内未告知补正，依法视为受理")
    return ""


def _charges(matters: Sequence[Matter], handlings: dict[str, Handling]) -> tuple[Charge, ...]:
    return tuple(
        Charge(matter.short_name, handling.legal_fee_cents, handling.fee_basis, handling.fee_payer)
        for matter in matters
        if (handling := handlings[matter.code]).legal_fee_cents or handling.fee_basis
    )


def _next(
    case: Case, turn: Turn, found: Sequence[Review], legs: Sequence[LegRow], helper: Helper | None
) -> tuple[LocalizedText, datetime | None]:
    """What is next, and by when somebody promised it."""
    who = LocalizedText("代办员%(name)s", name=helper.card.name) if helper else LocalizedText("代办中心")
    centre = helper.centre if helper else LocalizedText("政务服务中心")
    coming = next((leg for leg in legs if leg.on is not None and not leg.is_over), None)
    match turn:
        case Turn.SIGN_LETTER:
            return LocalizedText("请您签署委托书：没有委托书，代办员不能代您提交"), None
        case Turn.GIVE_PAPERS:
            return LocalizedText(
                "请您上传还缺的材料；齐了之后由代办员一次看完，缺什么一次说清"
            ), case.prescreen_by or case.answer_by
        case Turn.CORRECT:
            return LocalizedText("请您按提示补正材料，全部补好后点“补正完成”"), None
        case Turn.BOOK_PICKUP:
            return LocalizedText("预审已通过。请您选一个上门揽收的时间"), None
        case Turn.BRING_PAPERS:
            return LocalizedText("预审已通过。请您把原件送到%(centre)s代办窗口", centre=centre), None
        case Turn.BOOK_DELIVERY:
            return LocalizedText("全部事项已办结。请您选一个投递结果的时间"), None
        case Turn.FETCH_RESULTS:
            return LocalizedText(
                "全部事项已办结。请委托书上的授权人到%(centre)s领取结果",
                centre=centre,
            ), None
        case Turn.RATE:
            return LocalizedText("请您为每个事项评一个等级；到期未评的自动归档"), case.close_by
    match case.stage:
        case Stage.REQUESTED:
            return LocalizedText("代办中心为您指派代办员并答复"), case.answer_by
        case Stage.ASSIGNED:
            return LocalizedText("%(who)s预审材料，缺什么一次说清", who=who), case.prescreen_by
        case Stage.PRESCREENED if coming is not None:
            return LocalizedText("已约%(when)s揽收；排定线路后短信告知揽投员、时段和揽收码", when=_when(coming)), None
        case Stage.PRESCREENED | Stage.COLLECTED:
            return LocalizedText("%(who)s向审批部门报送", who=who), None
        case Stage.PICKUP_PLANNED | Stage.DELIVERY_PLANNED:
            return LocalizedText(
                "%(when)s揽投员上门，请备好验证码，由授权人当面交接", when=_when(coming) if coming else ""
            ), None
        case Stage.SUBMITTED:
            limits = [r.correction_due_at for r in found if r.state is ReviewState.SUBMITTED and r.correction_due_at]
            return LocalizedText("审批部门受理，或一次性告知补正；五个工作日不答复即视为受理"), max(
                limits, default=None
            )
        case Stage.UNDER_REVIEW:
            if any(review.state is ReviewState.SUPPLEMENT for review in found):
                return LocalizedText("审批部门要求补正，请与%(who)s联系（内容见下方事项）", who=who), None
            limits = [r.committed_due_at for r in found if r.state not in REVIEW_ENDS and r.committed_due_at]
            return LocalizedText("审批部门依法审查并作出决定"), max(limits, default=None)
        case Stage.DECIDED if coming is not None:
            return LocalizedText("已约%(when)s投递；排定线路后短信告知时段和投递码", when=_when(coming)), None
        case Stage.DECIDED:
            return LocalizedText("%(who)s送达办理结果", who=who), None
        case Stage.WITHDRAWN | Stage.REFUSED:
            return LocalizedText("本办件已结束。需要时可在原项目下再提办件"), None
    return LocalizedText("本办件已办完，谢谢您的评价" if case.stage is Stage.EVALUATED else "本办件已归档"), None


def _when(leg: LegRow) -> str:
    if leg.on is None:
        return ""
    return LocalizedText("%(day)s%(window)s", day=DayText(leg.on), window=WindowText(*leg.window) if leg.window else "")
