"""A lead's own limits and edits that no longer fit, on a path that can be told by hand."""

import pytest

from dispatch.core.limit import Limit
from dispatch.path.approval_graph import Path
from dispatch.path.build_path import applicable
from dispatch.path.edits import AddMatter, AddWait, DropMatter, DropWait, SetDays
from dispatch.path.errors import BadDays, PathError, UnknownMatter
from dispatch.path.matter_node import Basis, MatterKind
from dispatch.path.path_step import Counting, PathStep, Wait
from tests.dispatch.path.small_path import DESIGN, FINAL, PLAN, SMALL, a_matter

COMMITTED, STATUTORY = Basis.COMMITTED, Basis.STATUTORY


@pytest.mark.parametrize("days", [1, 20])
def test_a_limit_of_ones_own_lies_between_a_day_and_the_statute_which_stays(days: int) -> None:
    step = SMALL.edited(SetDays("规划", days, "已商定")).step("规划")
    assert (step.own_days, step.reason) == (days, "已商定")
    assert step.days(COMMITTED, Counting.ELAPSED) == days
    assert step.days(STATUTORY, Counting.ELAPSED) == 20


@pytest.mark.parametrize("days", [0, 21])
def test_a_limit_beyond_the_statute_or_of_no_day_is_refused(days: int) -> None:
    with pytest.raises(BadDays, match="not within 1 and 20wd"):
        SMALL.edited(SetDays("规划", days, "已商定"))


def test_a_firm_may_take_longer_than_planned_and_a_listing_lasts_its_minimum() -> None:
    assert SMALL.edited(SetDays("设计", 90, "合同")).step("设计").own_days == 90
    listing = Path((PathStep(a_matter("招拍挂", 20, kind=MatterKind.TRANSACTION, legal_minimum=Limit(20)), ()),))
    with pytest.raises(BadDays, match="legal minimum"):
        listing.edited(SetDays("招拍挂", 5, "已商定"))
    unlimited = Path((PathStep(a_matter("备案", 3, statutory=None), ()),))
    assert unlimited.edited(SetDays("备案", 40, "已商定")).step("备案").own_days == 40


def test_an_edit_that_no_longer_fits_is_left_out_and_named_with_its_fault() -> None:
    gone, kept = DropWait("验收", "设计", "并联"), AddWait("验收", "设计", "先设计")
    path = SMALL.with_what_fits([gone, kept])
    assert path.edits == (kept,)
    ((edit, fault),) = path.unmet
    assert edit is gone
    assert isinstance(fault, UnknownMatter)
    assert [wait.on for wait in path.step("验收").waits] == ["规划", "消防", "设计"]
    assert path.edited(kept).step("验收").waits == path.step("验收").waits


def test_only_some_matters_wait_through_those_that_go() -> None:
    path = SMALL.just(["设计", "验收"])
    assert path.codes == ("设计", "验收")
    assert [wait.on for wait in path.step("验收").waits] == ["设计"]
    dropped = SMALL.edited(DropMatter("规划", "不涉及"))
    assert {wait.on: wait.why for wait in dropped.step("验收").waits} == {"消防": "组长要求", "设计": "不涉及"}


def test_a_matter_is_added_once_and_only_behind_what_is_there() -> None:
    more = a_matter("人防", 4, prerequisites=("规划",))
    added = SMALL.edited(AddMatter(more, "有地下室")).step("人防")
    assert (added.waits, added.reason) == ((Wait("规划"),), "有地下室")
    with pytest.raises(PathError, match="already in the path"):
        SMALL.edited(AddMatter(PLAN.matter, "再来"))
    with pytest.raises(UnknownMatter, match="人防 waits for 勘察"):
        SMALL.edited(AddMatter(a_matter("人防", 4, prerequisites=("勘察",)), "有地下室"))


def test_the_matters_that_apply_wait_for_their_nearest_ancestors_that_do() -> None:
    first, second = DESIGN.matter, a_matter("规划", 5, prerequisites=("设计",))
    last = a_matter("验收", 3, prerequisites=("规划",))
    assert [(m.code, m.prerequisites) for m in applicable((first, second, last), ["设计", "验收"])] == [
        ("设计", ()), ("验收", ("设计",)),
    ]  # fmt: skip
    with pytest.raises(UnknownMatter, match="no matter 人防"):
        applicable((first,), ["人防"])
    with pytest.raises(UnknownMatter, match="does not have"):
        applicable((last,), ["验收"])


def test_what_a_path_does_not_have_is_named() -> None:
    with pytest.raises(UnknownMatter, match="人防 is not in this path"):
        SMALL.step("人防")
    assert SMALL.in_series_wd(COMMITTED) == 10 + 5 + 1 + 0
    assert FINAL.days(COMMITTED, Counting.ELAPSED) == 0
