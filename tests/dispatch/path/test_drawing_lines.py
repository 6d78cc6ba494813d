"""The lines of a drawing: right angles from edge to edge, one for each wait that no other implies, marked by kind."""

from itertools import pairwise

import pytest

from dispatch.core.legal_clock import Lamp
from dispatch.path.approval_graph import Path
from dispatch.path.drawing import GAP, Box, Bracket, Column, DrawnWait, text_width
from dispatch.path.drawing_lines import wait_lines
from dispatch.path.edits import DropWait, SetDays
from dispatch.path.matter_node import Basis
from dispatch.path.path_step import Counting, PathStep, Wait, WaitLink
from dispatch.path.schedule import schedule
from tests.dispatch.path.small_path import a_matter

FIRST = Column(1, "立项", 0.0, 200.0, 5.0, 0, 10)
SECOND = Column(3, "施工", 226.0, 200.0, 231.0, 10, 20)
COLUMNS = [FIRST, SECOND]


def box(code: str, x: float, y: float, *, width: float = 50.0, label: str = "甲", inside: bool = True) -> Box:
    label_x = x + 5 if inside else x + width + 4
    return Box(code, label, code, x, y, width, 22.0, label_x, inside, "authority", False, False, Lamp.GREEN)


def step(code: str, *waits: Wait | str, days: int = 5, group: str = "") -> PathStep:
    on = tuple(Wait(one) if isinstance(one, str) else one for one in waits)
    return PathStep(a_matter(code, days, joint_group=group), on)


def lines(path: Path, *boxes: Box, brackets: tuple[Bracket, ...] = ()) -> tuple[DrawnWait, ...]:
    plan = schedule(path, Basis.COMMITTED, Counting.ELAPSED)
    return wait_lines(path, plan, {one.code: one for one in boxes}, list(brackets), COLUMNS, str)


def one_line(source: Box, target: Box) -> tuple[tuple[float, float], ...]:
    (line,) = lines(Path((step("A"), step("B", "A"))), source, target)
    return line.points


# ---------------------------------------------------------------- where a line goes


@pytest.mark.parametrize(
    ("source", "target", "points"),
    [
        (box("A", 10, 10), box("B", 100, 50), ((56, 32), (56, 61), (100, 61))),
        (box("A", 10, 50), box("B", 100, 10), ((56, 50), (56, 21), (100, 21))),
        (box("A", 10, 10), box("B", 30, 50), ((26, 32), (26, 61), (30, 61))),
        (box("A", 10, 10, width=3), box("B", 100, 50), ((12, 32), (12, 61), (100, 61))),
        (box("A", 10, 10), box("B", 100, 10), ((56, 10), (56, 21), (100, 21))),
    ],
    ids=["down", "up", "under", "from a narrow box", "along"],
)
def test_within_a_phase_a_line_leaves_its_box_above_or_below_and_comes_in_from_the_left(source, target, points):
    assert one_line(source, target) == points


def test_to_another_phase_a_line_leaves_at_the_right_and_turns_in_the_gap():
    assert one_line(box("A", 10, 10), box("B", 240, 50)) == ((60, 21), (226 - GAP / 2, 21), (213, 61), (240, 61))


def test_a_line_begins_behind_a_label_that_stands_beside_its_box():
    points = one_line(box("A", 10, 10, label="规划许可", inside=False), box("B", 240, 50))
    assert points[0] == (64 + text_width("规划许可") + 2, 21)


def test_a_line_from_within_the_phase_turns_just_before_its_box():
    long = box("A", 10, 10, width=230)
    assert one_line(long, box("B", 300, 50)) == ((240, 21), (295, 21), (295, 61), (300, 61))


def test_a_box_at_the_very_edge_belongs_to_its_phase():
    """Positions are sums of fractions: a hair's breadth to the left is still inside."""
    points = one_line(box("A", 225.995, 10), box("B", 300, 50))
    assert len(points) == 3


# ---------------------------------------------------------------- which waits have a line


def places(*codes: str) -> list[Box]:
    return [box(code, 10.0 + 60 * n, 10.0 + 40 * n) for n, code in enumerate(codes)]


def drawn_waits(path: Path, **more) -> list[tuple[str, bool, bool, str]]:
    found = lines(path, *places(*path.codes), **more)
    ends = {one.y + 11: one.code for one in places(*path.codes)}
    return [(ends[line.points[-1][1]], line.is_critical, line.is_dashed, line.change) for line in found]


def test_a_wait_that_others_imply_has_no_line():
    path = Path((step("A"), step("B", "A"), step("C", "B"), step("D", "A", "C")))
    assert drawn_waits(path) == [("B", True, False, ""), ("C", True, False, ""), ("D", True, False, "")]


@pytest.mark.parametrize("wait", [Wait("A", WaitLink.DECISION), Wait("A", WaitLink.START, "组长要求")])
def test_a_wait_for_the_decision_alone_or_by_the_leads_word_is_drawn_although_others_imply_it(wait: Wait):
    path = Path((step("A"), step("B", "A"), step("C", wait, "B")))
    dashed, added = wait.link is WaitLink.DECISION, "added" if wait.why else ""
    assert ("C", False, dashed, added) in drawn_waits(path)
    assert len(drawn_waits(path)) == 3


def test_what_is_critical_lies_on_top():
    path = Path((step("A"), step("B", days=1), step("C", "A", "B")))
    assert drawn_waits(path) == [("C", False, False, ""), ("C", True, False, "")]


def test_a_line_that_the_lead_added_is_spoken_with_the_reason():
    added, plain = lines(Path((step("A"), step("B", Wait("A", why="先勘察"), days=1), step("C", "A"))), *places(*"ABC"))
    assert "先勘察" in added.spoken
    assert plain.spoken == ""


def test_what_the_lead_took_away_lies_under_everything_with_the_reason():
    dropped, of_another = DropWait("B", "A", "图纸已交"), DropWait("B", "X", "不在图上")
    edits = (SetDays("A", 3, "约定"), dropped, of_another, DropWait("X", "A", "不在图上"))
    path = Path((step("A"), step("B"), step("C", "B")), edits=edits)
    removed, kept = lines(path, *places("A", "B", "C"))
    assert (removed.change, removed.is_dashed, removed.is_critical) == ("removed", True, False)
    assert removed.points == ((56, 32), (56, 61), (70, 61))
    assert "A → B；图纸已交" in removed.spoken
    assert kept.change == ""


def test_a_wait_that_stands_again_is_not_drawn_as_taken_away():
    path = Path((step("A"), step("B", "A")), edits=(DropWait("B", "A", "误删"),))
    assert [line.change for line in lines(path, *places("A", "B"))] == [""]


# ---------------------------------------------------------------- joint groups

GROUP = Bracket("PLAN", "方案联审", 4.0, 4.0, 140.0, 80.0)


def joint(*, after: str = "") -> Path:
    """A long matter decides; two of one group are waited for beside it."""
    return Path(
        (step("A", group="PLAN"), step("B", group="PLAN"), step("L", days=50), step("C", "L", "A", "B", group=after))
    )


def test_waits_for_the_members_of_a_group_leave_its_bracket_as_one_line():
    boxes = (box("A", 10, 10), box("B", 70, 50), box("L", 10, 100), box("C", 150, 140))
    found = lines(joint(), *boxes, brackets=(GROUP,))
    assert [line.points for line in found] == [((135, 84), (135, 151), (150, 151)), ((56, 122), (56, 151), (150, 151))]
    above = (box("A", 10, 60), box("B", 70, 90), box("L", 10, 130), box("C", 150, 10))
    low = Bracket("PLAN", "方案联审", 4.0, 50.0, 140.0, 80.0)
    assert lines(joint(), *above, brackets=(low,))[0].points == ((135, 50), (135, 21), (150, 21))
    beyond = (box("A", 10, 10), box("B", 70, 50), box("L", 10, 100), box("C", 240, 140))
    assert lines(joint(), *beyond, brackets=(GROUP,))[0].points == ((140, 44), (213, 44), (213, 151), (240, 151))


def test_within_a_group_and_without_a_bracket_each_wait_has_its_own_line():
    boxes = (box("A", 10, 10), box("B", 70, 50), box("L", 10, 100), box("C", 150, 140))
    assert len(lines(joint(), *boxes)) == 3
    assert len(lines(joint(after="PLAN"), *boxes, brackets=(GROUP,))) == 3


def test_the_critical_wait_for_a_member_leaves_the_member():
    path = Path((step("A", group="PLAN", days=9), step("B", group="PLAN"), step("C", "A", "B")))
    boxes = (box("A", 10, 10), box("B", 70, 50), box("C", 150, 140))
    by_group, critical = lines(path, *boxes, brackets=(GROUP,))
    assert (by_group.is_critical, critical.is_critical) == (False, True)
    assert critical.points == ((56, 32), (56, 151), (150, 151))


def test_every_line_is_made_of_right_angles():
    for line in lines(joint(), *places("A", "B", "L", "C"), brackets=(GROUP,)):
        for (x, y), (next_x, next_y) in pairwise(line.points):
            assert x == next_x or y == next_y
