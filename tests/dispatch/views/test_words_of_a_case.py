"""What a case says to its enterprise at every stage: the bar, the next step, whose turn it is, where originals are."""

from datetime import date, timedelta

import pytest

from dispatch.cases.case import Case, Way
from dispatch.cases.review import Review
from dispatch.cases.review_state import ReviewState
from dispatch.cases.stages import LABEL, MILESTONES, Stage
from dispatch.custody.handover import Holder
from dispatch.custody.parcel import Parcel
from dispatch.views.case_matters import _note_of
from dispatch.views.case_milestones import milestones
from dispatch.views.case_next_step import next_step
from dispatch.views.enterprise_papers import LegRow, _where
from dispatch.views.enterprise_turns import Turn, turn_of
from dispatch.views.one_plan import _left_out
from dispatch.views.track import canonical_query_code, masked
from routing.day.courier_stop import CourierStop, StopKind
from routing.day.hours import Cutoff
from tests.dispatch.builders import MONDAY, TEN
from tests.dispatch.cases.stories import STORIES, review_of


def a_case(stage: Stage, *, pickup: Way = Way.COURIER, delivery: Way = Way.COURIER) -> Case:
    return Case(
        stage=stage, pickup_way=pickup, delivery_way=delivery, answer_by=TEN, prescreen_by=TEN + timedelta(days=1),
        close_by=TEN + timedelta(days=9),
    )  # fmt: skip


def a_leg(on: date | None) -> LegRow:
    return LegRow(
        waybill="JC320412008CS", leg="揽收", inward=True, state="booked", on=on, window=(9 * 3600, 11 * 3600),
        announced=False, is_placed=True, coming=None, courier="张三", code=None, person="王经理", payer="",
        contents=(), seal_no=None, can_reschedule=True, is_over=False, has_moved=False, papers_at=None,
    )  # fmt: skip


# ---------------------------------------------------------------- the next step

WAITS_FOR = {
    Stage.REQUESTED: "指派代办员",
    Stage.ASSIGNED: "预审材料",
    Stage.PRESCREENED: "报送",
    Stage.PICKUP_PLANNED: "揽投员上门",
    Stage.COLLECTED: "报送",
    Stage.SUBMITTED: "受理",
    Stage.UNDER_REVIEW: "作出决定",
    Stage.DECIDED: "送达办理结果",
    Stage.DELIVERY_PLANNED: "揽投员上门",
    Stage.EVALUATED: "谢谢您的评价",
    Stage.CLOSED: "已归档",
    Stage.REFUSED: "已结束",
    Stage.WITHDRAWN: "已结束",
}


@pytest.mark.parametrize("stage", WAITS_FOR)  # at the other two it is the enterprise's turn
def test_where_somebody_else_has_to_act_the_page_says_who_and_by_when(stage: Stage) -> None:
    step = next_step(a_case(stage), Turn.NOTHING, [], [], None)
    assert WAITS_FOR[stage] in str(step.words)
    assert (step.by is not None) == (stage in {Stage.REQUESTED, Stage.ASSIGNED})


@pytest.mark.parametrize("turn", set(Turn) - {Turn.NOTHING})
def test_what_the_enterprise_has_to_do_comes_before_everything_else(turn: Turn) -> None:
    step = next_step(a_case(Stage.PRESCREENED), turn, [], [a_leg(MONDAY)], None)
    assert "您" in str(step.words) or "授权人" in str(step.words)
    assert (step.by is not None) == (turn in {Turn.GIVE_PAPERS, Turn.RATE})


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        (Stage.PRESCREENED, "揽收码"),
        (Stage.PICKUP_PLANNED, "请备好验证码"),
        (Stage.DELIVERY_PLANNED, "请备好验证码"),
        (Stage.DECIDED, "投递码"),
        (Stage.UNDER_REVIEW, "审查"),
    ],
)
def test_a_visit_that_is_booked_is_named_where_the_stage_waits_for_it(stage: Stage, words: str) -> None:
    assert words in str(next_step(a_case(stage), Turn.NOTHING, [], [a_leg(MONDAY)], None).words)
    assert next_step(a_case(stage), Turn.NOTHING, [], [a_leg(None)], None).words


def test_corrections_that_an_authority_wants_come_before_its_limits() -> None:
    def reviews(state: ReviewState) -> list[Review]:
        return [review_of(STORIES[state][0])]

    case = a_case(Stage.UNDER_REVIEW)
    asked, runs = (
        next_step(case, Turn.NOTHING, reviews(state), [], None)
        for state in (ReviewState.SUPPLEMENT, ReviewState.ACCEPTED)
    )
    assert "要求补正" in str(asked.words) and asked.by is None
    assert runs.by is not None
    filed = reviews(ReviewState.SUBMITTED)
    assert next_step(a_case(Stage.SUBMITTED), Turn.NOTHING, filed, [], None).by == filed[0].correction_due_at


NOTES = {
    ReviewState.SUPPLEMENT: "需补正：缺总平面图",
    ReviewState.PAUSED: "期间不计时",
    ReviewState.EXTENDED: "经批准延期10个工作日",
    ReviewState.DENIED: "行政复议",
    ReviewState.NOT_ACCEPTED: "不属于本机关职权",
    ReviewState.RETURNED: "退办：",
    ReviewState.SUBMITTED: "逾期视为受理",
}


@pytest.mark.parametrize("state", STORIES)
def test_a_matter_says_what_its_state_means_for_the_enterprise(state: ReviewState) -> None:
    for story in STORIES[state]:
        note = str(_note_of(review_of(story), ()))
        assert NOTES.get(state, "") in note
        assert bool(note) == (state in NOTES)


def test_a_matter_that_silence_accepted_says_so_and_a_pause_without_its_row_says_nothing() -> None:
    silent = review_of(STORIES[ReviewState.ACCEPTED][0])
    silent.deemed_accepted = True
    assert "依法视为受理" in str(_note_of(silent, ()))
    paused = review_of(STORIES[ReviewState.PAUSED][0])
    paused.pauses = []
    assert _note_of(paused, ()) == ""


# ---------------------------------------------------------------- whose turn, and the bar


@pytest.mark.parametrize(
    ("stage", "asked", "turn"),
    [
        (Stage.REQUESTED, {"has_letter": False}, Turn.SIGN_LETTER),
        (Stage.ASSIGNED, {"wanted": 2}, Turn.GIVE_PAPERS),
        (Stage.ASSIGNED, {}, Turn.NOTHING),
        (Stage.CORRECTION, {}, Turn.CORRECT),
        (Stage.PRESCREENED, {"has_letter": False}, Turn.SIGN_LETTER),
        (Stage.PRESCREENED, {}, Turn.BOOK_PICKUP),
        (Stage.PRESCREENED, {"pickup": Way.COUNTER}, Turn.BRING_PAPERS),
        (Stage.PRESCREENED, {"pickup": Way.ELECTRONIC}, Turn.NOTHING),
        (Stage.PRESCREENED, {"pickups": 1}, Turn.NOTHING),
        (Stage.DECIDED, {}, Turn.BOOK_DELIVERY),
        (Stage.DECIDED, {"delivery": Way.COUNTER}, Turn.FETCH_RESULTS),
        (Stage.DECIDED, {"deliveries": 1}, Turn.NOTHING),
        (Stage.DELIVERED, {}, Turn.RATE),
        (Stage.UNDER_REVIEW, {}, Turn.NOTHING),
    ],
)
def test_whose_turn_it_is_follows_from_the_stage_and_what_is_there(stage: Stage, asked: dict, turn: Turn) -> None:
    there = {
        "pickup": Way.COURIER,
        "delivery": Way.COURIER,
        "wanted": 0,
        "has_letter": True,
        "pickups": 0,
        "deliveries": 0,
    }
    assert turn_of(stage, **(there | asked)) is turn


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize("way", Way)
def test_the_bar_has_one_place_that_is_now_unless_the_case_is_over(stage: Stage, way: Way) -> None:
    bar = milestones(a_case(stage, pickup=way, delivery=way))
    assert [step.state for step in bar].count("now") == (stage not in {Stage.EVALUATED, Stage.CLOSED})
    assert [step.state for step in bar] == sorted((step.state for step in bar), key=["done", "now", "ahead"].index)
    if stage in {*MILESTONES, Stage.CLOSED} and way is Way.COURIER:
        assert LABEL[stage] in [step.label for step in bar]


# ---------------------------------------------------------------- where originals are, and what a plan leaves out


@pytest.mark.parametrize(
    ("holder", "ref", "words"),
    [
        (Holder.COURIER, "courier:7", "张三（在途）"),
        (Holder.CENTRE, "centre:1", "武进区政务服务中心"),
        (Holder.CENTRE, "centre:2", "政务服务中心"),
        (Holder.AUTHORITY, "authority:7", "审批部门"),
        (Holder.AUTHORITY, "authority:武进区住建局", "武进区住建局"),
        (Holder.TRUNK, "centre:2", "干线运输途中"),
        (Holder.ENTERPRISE, "", "在您手中"),
    ],
)
def test_an_original_is_with_somebody_who_has_a_name(holder: Holder, ref: str, words: str) -> None:
    parcel = Parcel(holder=holder, holder_ref=ref)
    assert words in str(_where(parcel, a_leg(MONDAY), {"1": "武进区政务服务中心"}))


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({}, "排不进当班路线"),
        ({"tried": 3}, "已试 3 名揽投员"),
        ({"nearest": {"courier": "李四", "pieces": 2, "grams": 300}}, "还差2 件、300 克"),
        ({"windows": [[8 * 3600, 16 * 3600]]}, "转入下午班"),
        ({"held": 7, "tried": 1}, "其余下时间排不下"),
        ({"held": 7, "gone": True}, "先安排当面交接"),
    ],
)
def test_a_stop_that_a_plan_leaves_out_says_why_in_the_words_that_help_most(known: dict, words: str) -> None:
    stop = CourierStop(
        id=1, kind=StopKind.DELIVERY, label="恒远", contact_name="王", address="延政路9号",
        windows=known.get("windows", [[8 * 3600, 11 * 3600]]),
    )  # fmt: skip
    left = {"stop_id": 1, "reason": "no", "nearest": known.get("nearest")}
    left["candidates"] = [f"courier:{7 + n}" for n in range(known.get("tried", 0))]
    before = {1: (known["held"], "张三", None)} if "held" in known else {}
    gone = {known["held"]} if known.get("gone") else set()
    assert words in str(_left_out(left, {1: stop}, before, gone, set(), Cutoff.AM).why)


# ---------------------------------------------------------------- looked up from outside


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("王", "王*"),
        ("恒远", "恒*"),
        ("常州恒远", "常***"),
        ("常州恒远精机有限公司", "常州****公司"),
        ("恒远精机厂", "恒远*机厂"),
    ],
)
def test_a_name_is_shown_by_its_ends(name: str, shown: str) -> None:
    assert masked(name) == shown


@pytest.mark.parametrize(
    "typed", ["您的查询码为 ABCD-EFGH，请妥善保管", "query code: abcd efgh", "ＡＢＣＤＥＦＧＨ", "无此码", ""]
)
def test_a_query_code_is_found_however_it_was_pasted(typed: str) -> None:
    assert canonical_query_code(typed) == ("" if typed in {"无此码", ""} else "ABCDEFGH")
