"""A drawing keeps what it promises: order, lengths by days, brackets around groups, and marks that need no colour."""

from dataclasses import replace
from datetime import date
from xml.etree import ElementTree

import pytest

from dispatch.core.legal_clock import Lamp
from dispatch.core.limit import Limit
from dispatch.path.approval_graph import Path
from dispatch.path.drawing import Box, Bracket, Drawing, DrawnWait
from dispatch.path.drawing_layout import lay_out
from dispatch.path.matter_node import AreaEffect, Basis, MatterKind
from dispatch.path.path_step import Counting, PathStep, Wait
from dispatch.path.schedule import schedule
from dispatch.path.svg import svg
from tests.dispatch.path.small_path import CALENDAR, DESIGN, FINAL, FIRE, PLAN, SMALL, START, a_date, a_matter

NEAR = pytest.approx


def drawn(path: Path = SMALL, **changes) -> Drawing:
    return lay_out(path, schedule(path, Basis.COMMITTED, Counting.ELAPSED), **{"title": "甲公司"} | changes)


def boxes_of(sheet: Drawing) -> dict[str, Box]:
    return {box.code: box for box in sheet.boxes}


def tree_of(sheet: Drawing, **changes) -> ElementTree.Element:
    return ElementTree.fromstring(svg(sheet, **changes))


def texts(root: ElementTree.Element) -> list[str]:
    return [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")]


# ---------------------------------------------------------------- layout


def test_phases_stand_beside_each_other_in_order_with_their_days() -> None:
    sheet = drawn()
    assert [(c.phase, c.title, c.from_day, c.to_day) for c in sheet.columns] == [
        (1, "立项用地规划许可", 0, 15), (3, "施工许可", 10, 15), (4, "竣工验收", 15, 15),
    ]  # fmt: skip
    for left, right in zip(sheet.columns, sheet.columns[1:], strict=False):
        assert left.x + left.width < right.x
    assert (sheet.title, sheet.summary) == ("甲公司", "共4个事项，全程15个工作日。关键线路：设计、规划、验收。")


def test_a_box_begins_on_its_day_and_is_as_long_as_its_days() -> None:
    boxes, (first, second, _) = boxes_of(drawn()), drawn().columns
    design, plan = boxes["设计"], boxes["规划"]
    assert design.x == NEAR(first.axis_x)
    assert plan.x == NEAR(design.x + design.width)
    assert design.width == NEAR(2 * plan.width)
    assert boxes["消防"].x == NEAR(second.axis_x)
    assert boxes["消防"].width == NEAR(plan.width)
    assert plan.y > design.y
    assert [(box.label_inside, box.label_x < box.x + box.width) for box in boxes.values()] == [
        (box.label_inside, box.label_inside) for box in boxes.values()
    ]
    assert boxes["设计"].label_inside
    assert not boxes["验收"].label_inside


def test_a_box_says_whose_time_it_is_and_what_became_of_it() -> None:
    dates = {"规划": a_date("规划", decided_on=date(2026, 3, 19)), "消防": a_date("消防", lamp=Lamp.RED)}
    tender = PathStep(a_matter("招标", 20, kind=MatterKind.TRANSACTION, legal_minimum=Limit(20)), ())
    spared = replace(PLAN, effect=AreaEffect.REPLACE, waits=())
    boxes = boxes_of(drawn(dates=dates))
    assert {code: box.style for code, box in boxes.items()} == {
        "设计": "enterprise", "规划": "authority", "消防": "authority", "验收": "authority",
    }  # fmt: skip
    assert {code: (box.is_done, box.lamp) for code, box in boxes.items()} == {
        "设计": (False, Lamp.GREEN), "规划": (True, Lamp.GREEN), "消防": (False, Lamp.RED), "验收": (False, Lamp.GREEN),
    }  # fmt: skip
    others = boxes_of(drawn(Path((tender, spared))))
    assert {code: box.style for code, box in others.items()} == {"招标": "not-counted", "规划": "replaced"}
    assert (others["招标"].is_critical, others["规划"].is_critical) == (True, False)
    assert all(box.is_critical for box in boxes.values())


def test_a_matter_of_no_days_is_critical_only_on_the_chain_that_is_shown() -> None:
    nothing = PathStep(a_matter("备案", 0), ())
    assert not boxes_of(drawn(Path((nothing, DESIGN, replace(nothing, waits=DESIGN.waits))[:2])))["备案"].is_critical
    assert boxes_of(drawn(Path((nothing,))))["备案"].is_critical


def test_members_of_a_group_stand_together_where_the_first_begins_inside_their_bracket() -> None:
    early = PathStep(a_matter("乙", 5, joint_group="PLAN"), ())
    late = PathStep(a_matter("丙", 5, joint_group="PLAN"), FINAL.waits[:1])
    alone = PathStep(a_matter("甲", 5, joint_group="LAND"), ())
    sheet = drawn(Path((DESIGN, PLAN, alone, early, late)))
    assert [box.code for box in sheet.boxes] == ["甲", "乙", "规划", "丙", "设计"]
    (bracket,) = sheet.brackets
    assert (bracket.group, bracket.label) == ("PLAN", "方案联审")
    for box in sheet.boxes:
        inside = bracket.y < box.y and box.y + box.height < bracket.y + bracket.height
        assert inside is (box.code in {"乙", "规划", "丙"})
        if inside:
            assert bracket.x < box.x
            assert box.x + box.width < bracket.right
    assert drawn(Path((DESIGN, PLAN))).brackets == ()


def test_a_long_path_is_drawn_narrower_until_it_fits_and_wider_than_the_sheet_at_last() -> None:
    days = [
        drawn(Path((PathStep(a_matter("长", n, statutory=None), ()),))).boxes[0].width / n for n in (10, 60, 100, 400)
    ]
    assert days[0] == days[1] == 16
    assert 3 < days[2] < 16
    assert 3 <= days[3] < days[2]
    first, then = (a_matter(name, 400, statutory=None) for name in ("长", "又长"))
    assert drawn(Path((PathStep(first, ()), PathStep(then, (Wait("长"),))))).width > 2_400


def test_an_axis_has_a_mark_where_there_is_room_and_names_the_day() -> None:
    assert [tick.label for tick in drawn().ticks] == [
        "0日", "2日", "4日", "6日", "8日", "10日", "12日", "14日", "10日", "12日", "14日", "15日",
    ]  # fmt: skip
    dated = drawn(calendar=CALENDAR, start_on=START)
    assert [tick.label for tick in dated.ticks][:3] == ["0日 3/2", "5日 3/9", "10日 3/16"]


def test_today_stands_in_every_phase_that_is_under_way_and_never_before_the_start() -> None:
    facts = {"calendar": CALENDAR, "start_on": START}
    sheet = drawn(**facts, today=date(2026, 3, 18))  # the twelfth working day after the start
    first, second, _ = sheet.columns
    assert sheet.today_x == (NEAR(first.axis_x + 12 * 16), NEAR(second.axis_x + 2 * 16))
    assert sheet.today_label == "今天 3月18日"
    early = drawn(**facts, today=date(2026, 2, 2))
    assert early.today_x == (NEAR(early.columns[0].axis_x),)
    assert drawn(**facts).today_x == ()
    assert drawn(**facts).today_label == ""


# ---------------------------------------------------------------- picture


def a_sheet(**changes) -> Drawing:
    facts = {
        "width": 100.0, "height": 100.0, "title": "<甲>", "summary": "一&二", "columns": (), "boxes": (), "lines": (),
        "brackets": (), "ticks": (), "today_x": (), "today_label": "",
    } | changes  # fmt: skip
    return Drawing(**facts)


def a_box(**changes) -> Box:
    facts = {
        "code": "A", "label": "甲<1>", "spoken": "甲&乙", "x": 10.0, "y": 10.0, "width": 30.0, "height": 22.0,
        "label_x": 15.0, "label_inside": True, "style": "enterprise", "is_critical": False, "is_done": False,
        "lamp": Lamp.GREEN,
    } | changes  # fmt: skip
    return Box(**facts)


@pytest.mark.parametrize(
    ("changes", "style", "frames"),
    [
        ({}, "enterprise", 1),
        ({"is_critical": True}, "enterprise", 2),
        ({"lamp": Lamp.AMBER}, "amber", 1),
        ({"lamp": Lamp.RED, "is_critical": True}, "red", 2),
        ({"lamp": Lamp.RED, "is_done": True}, "done", 1),
    ],
)
def test_a_box_shows_its_lamp_until_it_is_done_and_a_second_frame_when_critical(changes, style, frames) -> None:
    root = tree_of(a_sheet(boxes=(a_box(**changes),)))
    (group,) = (element for element in root.iter() if "matter" in (element.get("class") or ""))
    assert group.get("class") == f"matter {style}"
    assert [child.tag.rsplit("}")[-1] for child in group] == ["title", *["rect"] * frames, "text"]
    assert (group[0].text, group[-1].text) == ("甲&乙", "甲<1>")


def test_a_label_beside_its_box_has_a_halo_and_one_inside_has_none() -> None:
    for is_inside in (True, False):
        root = tree_of(a_sheet(boxes=(a_box(label_inside=is_inside),)))
        (label,) = (each for each in root.iter() if each.text == "甲<1>")
        assert (label.get("paint-order") is None) is is_inside


def a_line(**changes) -> DrawnWait:
    facts = {"points": ((0.0, 0.0), (10.0, 0.0), (10.0, 50.0)), "is_critical": False, "is_dashed": False} | changes
    return DrawnWait(**facts)


@pytest.mark.parametrize(
    ("changes", "dash", "is_thick"),
    [
        ({}, None, False),
        ({"is_dashed": True}, "4 3", False),
        ({"is_critical": True}, None, True),
        ({"change": "added", "is_dashed": True}, "4 3", False),
        ({"change": "removed", "is_dashed": True}, "1.5 4", False),
    ],
)
def test_a_line_is_dashed_when_only_the_decision_waits_and_thick_when_critical(changes, dash, is_thick) -> None:
    root = tree_of(a_sheet(lines=(a_line(**changes),)))
    (line,) = root.iter("{http://www.w3.org/2000/svg}polyline")
    assert line.get("stroke-dasharray") == dash
    assert (float(line.get("stroke-width")) > 2) is is_thick
    assert (line.get("points"), line.get("marker-end")) == ("0.0,0.0 10.0,0.0 10.0,50.0", "url(#path-arrow)")


def test_what_the_lead_changed_bears_a_sign_its_words_and_a_line_in_the_legend() -> None:
    lines = (a_line(change="added", spoken="先勘察"), a_line(change="removed", spoken="并联"), a_line())
    root = tree_of(a_sheet(lines=lines))
    groups = [each for each in root.iter() if (each.get("class") or "").startswith("changed")]
    assert [(each.get("class"), each[0].text, each[-1].text) for each in groups] == [
        ("changed added", "先勘察", "+"), ("changed removed", "并联", "×"),
    ]  # fmt: skip
    added, removed = (each[-1] for each in groups)
    assert (added.get("x"), removed.get("x"), removed.get("y")) == (
        "10.0",
        "10.0",
        "29.0",
    )
    assert texts(root)[-2:] == ["+ 组长增加", "× 组长取消"]
    assert texts(tree_of(a_sheet(lines=(a_line(),)))) == [
        "关键线路", "部门审批", "中介与企业", "土地招拍挂、招标（不计入时限）", "区域评估替代", "✓ 已办结",
        "▲黄牌 剩2个工作日以内", "■红牌 已超时",
    ]  # fmt: skip


def test_the_picture_has_a_title_a_description_and_ids_for_both() -> None:
    root = tree_of(a_sheet())
    assert root.get("aria-labelledby") == "path-title path-desc"
    assert [(each.get("id"), each.text) for each in root[:2]] == [("path-title", "<甲>"), ("path-desc", "一&二")]


def test_the_whole_sheet_is_drawn_with_today_brackets_phases_and_marks() -> None:
    sheet = drawn(Path((DESIGN, PLAN, replace(FIRE, matter=replace(FIRE.matter, phase=1)), FINAL)),
                  calendar=CALENDAR, start_on=START, today=date(2026, 3, 18))  # fmt: skip
    root = tree_of(sheet)
    assert [each.text for each in root.iter() if each.get("class") == "phase"] == ["立项用地规划许可", "竣工验收"]
    assert sum(each.get("class") == "group" for each in root.iter()) == len(sheet.brackets) == 1
    assert sum(each.get("class") == "tick" for each in root.iter()) == len(sheet.ticks)
    assert texts(root).count("方案联审") == 1
    assert texts(root).count("今天 3月18日") == len(sheet.today_x) == 1


def coordinates(root: ElementTree.Element) -> list[tuple[float, float]]:
    """Every point that is placed: of boxes, words, straight lines and bends."""
    found: list[tuple[float, float]] = []
    for one in root.iter():
        given = {name: float(one.get(name)) for name in ("x", "y", "x1", "y1", "x2", "y2") if one.get(name)}
        found += [(given[x], given[y]) for x, y in (("x", "y"), ("x1", "y1"), ("x2", "y2")) if x in given]
        if one.get("points"):
            found += [tuple(map(float, point.split(","))) for point in one.get("points").split()]
    return found


def a_full_sheet() -> Drawing:
    added = DrawnWait(((300.0, 80.0), (320.0, 80.0), (320.0, 140.0)), False, False, "added", "先勘察")
    sheet = drawn(Path((DESIGN, PLAN, replace(FIRE, matter=replace(FIRE.matter, phase=1)), FINAL)),
                  calendar=CALENDAR, start_on=START, today=date(2026, 3, 18))  # fmt: skip
    return replace(sheet, lines=(*sheet.lines, added))


def test_all_that_is_drawn_stands_on_the_sheet() -> None:
    sheet = a_full_sheet()
    for x, y in coordinates(tree_of(sheet)):
        assert 0 <= x <= sheet.width
        assert 0 <= y <= sheet.height


def elements(root: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return list(root.iter(f"{{http://www.w3.org/2000/svg}}{name}"))


def test_the_legend_runs_from_left_to_right_each_sign_before_its_words() -> None:
    root = tree_of(a_full_sheet())
    words = [each for each in elements(root, "text") if float(each.get("y")) > a_full_sheet().height - 20]
    rects = [each for each in elements(root, "rect") if each.get("width") == "22" and each.get("height") == "13"]
    signs = sorted({float(each.get("x")) for each in rects})
    places = [float(each.get("x")) for each in words]
    assert len(words) == 10
    assert len(signs) == 8
    assert len(rects) == 9, "the critical one has a second frame"
    assert places == sorted(places)
    for sign, place, after in zip(signs, places[:8], [*signs[1:], places[8]], strict=True):
        assert sign + 22 < place < after
    line_added, line_removed = elements(root, "line")[-2:]
    for line, place in ((line_added, places[8]), (line_removed, places[9])):
        assert float(line.get("x1")) < float(line.get("x2")) < place
        assert line.get("y1") == line.get("y2") < words[0].get("y")
    for rect in rects:
        assert float(rect.get("y")) < float(words[0].get("y")) <= float(rect.get("y")) + 13


def test_today_is_a_line_down_through_its_phase_with_its_day_beside_it() -> None:
    sheet = a_full_sheet()
    root = tree_of(sheet)
    lines = [each for each in elements(root, "line") if each.get("stroke-dasharray") == "6 3"]
    assert [float(each.get("x1")) for each in lines] == [NEAR(x, abs=0.1) for x in sheet.today_x]
    panel = next(each for each in elements(root, "rect") if each.get("class") == "panel")
    foot = float(panel.get("y")) + float(panel.get("height"))
    for line, label in zip(lines, [one for one in elements(root, "text") if one.text == "今天 3月18日"], strict=True):
        assert line.get("x1") == line.get("x2")
        assert float(line.get("y1")) < float(label.get("y")) < float(line.get("y2")) < foot
        assert float(line.get("x1")) < float(label.get("x"))


def test_a_bracket_opens_at_the_left_closes_at_the_right_and_bears_its_name_at_the_foot() -> None:
    bracket = Bracket("PLAN", "方案联审", 10.0, 20.0, 90.0, 40.0)
    root = tree_of(a_sheet(brackets=(bracket,)))
    (shape,) = (each.get("d") for each in elements(root, "path") if each.get("class") == "group")
    assert shape == "M15.0 20.0H10.0V60.0H15.0M85.0 20.0H90.0V60.0H85.0"
    (name,) = (each for each in elements(root, "text") if each.text == "方案联审")
    assert (name.get("x"), name.get("y"), name.get("text-anchor")) == ("82.0", "64.0", "end")


def test_what_was_taken_away_is_crossed_out_in_the_middle_of_its_longest_stretch() -> None:
    points = ((0.0, 10.0), (10.0, 10.0), (10.0, 90.0), (40.0, 90.0))
    root = tree_of(a_sheet(lines=(a_line(change="removed", points=points),)))
    (sign,) = (each for each in elements(root, "text") if each.text == "×")
    assert (sign.get("x"), sign.get("y")) == ("10.0", "54.0")


def test_words_stand_inside_their_box_on_their_axis_and_under_their_heads() -> None:
    root = tree_of(a_sheet(boxes=(a_box(),)))
    (label,) = (each for each in elements(root, "text") if each.text == "甲<1>")
    assert 10 < float(label.get("y")) < 32
    sheet = a_full_sheet()
    root = tree_of(sheet)
    ticks = [float(each.get("x")) for each in elements(root, "text") if each.get("class") == "tick"]
    assert all(tick.x < x for tick, x in zip(sheet.ticks, ticks, strict=True))
    axes = [
        each for each in elements(root, "line") if each.get("stroke") == "#8a9099" and each.get("x1") != each.get("x2")
    ]
    heads = [each for each in elements(root, "text") if each.get("class") == "phase"]
    for column, axis, head in zip(sheet.columns, axes, heads, strict=True):
        assert column.x < float(head.get("x")) < column.x + column.width
        assert column.x < float(axis.get("x1")) < float(axis.get("x2")) < column.x + column.width
