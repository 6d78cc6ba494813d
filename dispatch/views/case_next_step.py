"""What is next in a case, and by when somebody promised it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dispatch.cases.case import Case
from dispatch.cases.review import Review
from dispatch.cases.review_state import REVIEW_ENDS, ReviewState
from dispatch.cases.stages import Stage
from dispatch.core.localized_text import DayText, LocalizedText, WindowText
from dispatch.views.enterprise_agent import Helper
from dispatch.views.enterprise_papers import LegRow
from dispatch.views.enterprise_turns import Turn


@dataclass(frozen=True, slots=True)
class NextStep:
    """What is next in words, and by when somebody promised it."""

    words: LocalizedText
    by: datetime | None = None


OVER = {
    Stage.WITHDRAWN: LocalizedText("本办件已结束。需要时可在原项目下再提办件"),
    Stage.REFUSED: LocalizedText("本办件已结束。需要时可在原项目下再提办件"),
    Stage.EVALUATED: LocalizedText("本办件已办完，谢谢您的评价"),
}


def next_step(
    case: Case, turn: Turn, found: Sequence[Review], legs: Sequence[LegRow], helper: Helper | None
) -> NextStep:
    """What the enterprise has to do; else what it waits for."""
    if turn is not Turn.NOTHING:
        return _ours(case, turn, helper.centre if helper else LocalizedText("政务服务中心"))
    coming = next((leg for leg in legs if leg.on is not None and not leg.is_over), None)
    if coming is not None and (step := _visit(case.stage, coming)) is not None:
        return step
    who = LocalizedText("代办员%(name)s", name=helper.card.name) if helper else LocalizedText("代办中心")
    return _theirs(case, found, who)


def _ours(case: Case, turn: Turn, centre: str) -> NextStep:
    """What the enterprise itself has to do."""
    words = {
        Turn.SIGN_LETTER: LocalizedText("请您签署委托书：没有委托书，代办员不能代您提交"),
        Turn.GIVE_PAPERS: LocalizedText("请您上传还缺的材料；齐了之后由代办员一次看完，缺什么一次说清"),
        Turn.CORRECT: LocalizedText("请您按提示补正材料，全部补好后点“补正完成”"),
        Turn.BOOK_PICKUP: LocalizedText("预审已通过。请您选一个上门揽收的时间"),
        Turn.BRING_PAPERS: LocalizedText("预审已通过。请您把原件送到%(centre)s代办窗口", centre=centre),
        Turn.BOOK_DELIVERY: LocalizedText("全部事项已办结。请您选一个投递结果的时间"),
        Turn.FETCH_RESULTS: LocalizedText("全部事项已办结。请委托书上的授权人到%(centre)s领取结果", centre=centre),
        Turn.RATE: LocalizedText("请您为每个事项评一个等级；到期未评的自动归档"),
    }[turn]
    by = {Turn.GIVE_PAPERS: case.prescreen_by or case.answer_by, Turn.RATE: case.close_by}
    return NextStep(words, by.get(turn))


def _visit(stage: Stage, coming: LegRow) -> NextStep | None:
    """The courier's visit that is booked; None at a stage that does not wait for it."""
    when = _when(coming)
    match stage:
        case Stage.PRESCREENED:
            return NextStep(LocalizedText("已约%(when)s揽收；排定线路后短信告知揽投员、时段和揽收码", when=when))
        case Stage.PICKUP_PLANNED | Stage.DELIVERY_PLANNED:
            return NextStep(LocalizedText("%(when)s揽投员上门，请备好验证码，由授权人当面交接", when=when))
        case Stage.DECIDED:
            return NextStep(LocalizedText("已约%(when)s投递；排定线路后短信告知时段和投递码", when=when))
    return None


def _theirs(case: Case, found: Sequence[Review], who: str) -> NextStep:
    """What the centre, the agent or the authorities do now."""
    match case.stage:
        case Stage.REQUESTED:
            return NextStep(LocalizedText("代办中心为您指派代办员并答复"), case.answer_by)
        case Stage.ASSIGNED:
            return NextStep(LocalizedText("%(who)s预审材料，缺什么一次说清", who=who), case.prescreen_by)
        case Stage.PRESCREENED | Stage.COLLECTED:
            return NextStep(LocalizedText("%(who)s向审批部门报送", who=who))
        case Stage.PICKUP_PLANNED | Stage.DELIVERY_PLANNED:
            return NextStep(LocalizedText("%(when)s揽投员上门，请备好验证码，由授权人当面交接", when=""))
        case Stage.SUBMITTED:
            limits = [r.correction_due_at for r in found if r.state is ReviewState.SUBMITTED and r.correction_due_at]
            words = LocalizedText("审批部门受理，或一次性告知补正；五个工作日不答复即视为受理")
            return NextStep(words, max(limits, default=None))
        case Stage.UNDER_REVIEW:
            return _under_review(found, who)
        case Stage.DECIDED:
            return NextStep(LocalizedText("%(who)s送达办理结果", who=who))
    return NextStep(OVER.get(case.stage, LocalizedText("本办件已归档")))


def _under_review(found: Sequence[Review], who: str) -> NextStep:
    if any(review.state is ReviewState.SUPPLEMENT for review in found):
        return NextStep(LocalizedText("审批部门要求补正，请与%(who)s联系（内容见下方事项）", who=who))
    limits = [r.committed_due_at for r in found if r.state not in REVIEW_ENDS and r.committed_due_at]
    return NextStep(LocalizedText("审批部门依法审查并作出决定"), max(limits, default=None))


def _when(leg: LegRow) -> str:
    if leg.on is None:
        return ""
    return LocalizedText("%(day)s%(window)s", day=DayText(leg.on), window=WindowText(*leg.window) if leg.window else "")
