"""The words of a drawing: each label, description and summary of a path that can be told by hand."""

from dataclasses import replace
from datetime import date

import pytest

from dispatch.core.legal_clock import Lamp
from dispatch.path.approval_graph import Path
from dispatch.path.drawing import text_width
from dispatch.path.drawing_text import box_description, box_label, drawing_summary, wait_description
from dispatch.path.matter_node import AreaEffect, Basis
from dispatch.path.path_step import Counting
from dispatch.path.schedule import schedule
from tests.dispatch.path.small_path import DESIGN, FINAL, FIRE, PLAN, SMALL, a_date

PLANNED = schedule(SMALL, Basis.COMMITTED, Counting.ELAPSED)
DONE = {"decided_on": date(2026, 3, 19), "lamp": Lamp.RED}


@pytest.mark.parametrize(
    ("changes", "dated", "label"),
    [
        ({}, None, "规划 5日"),
        ({}, {}, "规划 5日"),
        ({}, DONE, "规划 5日 ✓"),
        ({}, {"lamp": Lamp.AMBER}, "规划 5日 ▲黄牌"),
        ({}, {"lamp": Lamp.RED}, "规划 5日 ■红牌"),
        ({"effect": AreaEffect.REPLACE}, None, "规划 免"),
        ({"own_days": 5}, {"lamp": Lamp.RED}, "规划 5日 ■红牌 （调整）"),
    ],
)
def test_a_label_says_the_days_how_it_stands_and_who_changed_it(changes, dated, label: str) -> None:
    step = replace(PLAN, **changes)
    assert box_label(step, PLANNED, None if dated is None else a_date("规划", **dated), str) == label


@pytest.mark.parametrize(
    ("changes", "dated", "rest"),
    [
        ({}, None, ""),
        ({"effect": AreaEffect.REPLACE}, None, "；区域评估替代"),
        ({"effect": AreaEffect.SIMPLIFY}, None, "；区域评估简化"),
        ({"own_days": 5, "reason": "已商定"}, None, "；期限由组长调整：已商定"),
        ({}, {}, "；应于3月20日前办结，法定最晚4月15日"),
        ({}, DONE, "；3月19日已办结"),
        (
            {},
            {"expected_on": date(2026, 3, 21), "lamp": Lamp.AMBER, "is_estimate": True},
            "；应于3月20日前办结，法定最晚4月15日；预计3月21日；黄牌；涉及尚未公布的放假安排，为估算",
        ),
    ],
)
def test_a_description_says_everything_that_is_known(changes, dated, rest: str) -> None:
    step = replace(PLAN, **changes)
    described = box_description(step, PLANNED, None if dated is None else a_date("规划", **dated), str)
    promise = "免" if "effect" in changes and changes["effect"] is AreaEffect.REPLACE else "5个工作日"
    assert described == f"规划的全称，资规局，法定：20个工作日，承诺：{promise}；在关键线路上{rest}"


def test_off_the_critical_path_the_slack_is_said_and_work_without_an_office_is_the_enterprises() -> None:
    loose = schedule(
        Path((DESIGN, PLAN, replace(FIRE, waits=FIRE.waits[:1]), FINAL)), Basis.COMMITTED, Counting.ELAPSED
    )
    assert "；机动4个工作日" in box_description(FIRE, loose, None, str)
    own = replace(DESIGN, matter=replace(DESIGN.matter, authority=""))
    assert box_description(own, PLANNED, None, str).startswith("设计的全称，企业，法定：10个工作日，承诺：10个工作日")


def test_a_wait_is_described_only_when_the_lead_changed_it() -> None:
    assert wait_description(SMALL, FIRE, FIRE.waits[0]) == ""
    assert wait_description(SMALL, FIRE, FIRE.waits[1]) == "组长调整：规划 → 消防，办结前补齐；图纸后补"
    assert wait_description(SMALL, FINAL, FINAL.waits[1]) == "组长调整：消防 → 验收，先后关系；组长要求"


def test_the_summary_counts_what_is_done_and_names_what_is_late() -> None:
    bare = "共4个事项，全程15个工作日。关键线路：设计、规划、验收。"
    assert drawing_summary(SMALL, PLANNED, {}) == bare
    assert drawing_summary(SMALL, PLANNED, {"规划": a_date("规划")}) == f"{bare}已办结0个。"
    on = {
        "规划": a_date("规划", **DONE), "消防": a_date("消防", lamp=Lamp.RED), "验收": a_date("验收", lamp=Lamp.AMBER),
    }  # fmt: skip
    assert drawing_summary(SMALL, PLANNED, on) == f"{bare}已办结1个。已超时：消防。"


def test_a_chinese_letter_or_a_mark_is_as_wide_as_high_and_a_latin_one_a_little_over_half() -> None:
    assert text_width("规划▲■✓", 10) == 50
    assert text_width("ab", 100) == pytest.approx(116)
    assert text_width("a规") == pytest.approx(12 + 6.96)
    assert text_width("") == 0
