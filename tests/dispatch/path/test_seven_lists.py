"""The seven lists, cell by cell, of a path that can be told by hand."""

from dataclasses import replace

from dispatch.path.approval_graph import Path
from dispatch.path.matter_node import AreaEffect, Basis, MatterKind
from dispatch.path.path_step import Counting
from dispatch.path.schedule import schedule
from dispatch.path.seven_lists import SheetList, group_name, phase_name, seven_lists
from tests.dispatch.path.small_path import DESIGN, FINAL, FIRE, PLAN, SMALL, a_date

PROMISE = "不增设清单外的环节和材料；补正一次性告知"
PLANNED = schedule(SMALL, Basis.COMMITTED, Counting.ELAPSED)


def lists_of(path: Path = SMALL, **changes) -> dict[str, SheetList]:
    plan = schedule(path, Basis.COMMITTED, Counting.ELAPSED)
    return {sheet.key: sheet for sheet in seven_lists(path, plan, **changes)}


def test_the_matters_are_those_that_an_authority_decides() -> None:
    assert lists_of()["matters"].rows == (
        ("规划", "规划的全称", "立项用地规划许可", "资规局", "市级", "20个工作日", "5个工作日", "设计", "方案联审", ""),
        (
            "消防", "消防的全称", "施工许可", "住建局", "县级", "20个工作日", "1个工作日", "设计、规划（决定前补齐）",
            "方案联审", "区域评估简化",
        ),
        (
            "验收", "验收的全称", "竣工验收", "住建局", "县级", "20个工作日", "即时", "规划、消防", "联合验收",
            "告知承诺、信用良好",
        ),
    )  # fmt: skip


def test_the_firms_work_names_what_waits_for_it() -> None:
    assert lists_of()["intermediaries"].rows == (("设计", "设计的全称", "设计院", "10个工作日", "规划、消防", ""),)


def test_each_authority_promises_its_matters_together() -> None:
    interleaved = Path((DESIGN, replace(FIRE, waits=()), PLAN, FINAL))
    assert lists_of(interleaved)["commitments"].rows == (
        ("住建局", "消防", "法", "1个工作日", "可容缺", PROMISE),
        ("住建局", "验收", "法", "即时", "", PROMISE),
        ("资规局", "规划", "法", "5个工作日", "", PROMISE),
    )


def test_what_is_watched_follows_from_how_the_matter_was_eased() -> None:
    assert lists_of()["supervision"].rows == (
        ("规划", "资规局", "按许可内容开展事中事后监管", ""),
        ("消防", "住建局", "容缺材料按期补齐，逾期退办", ""),
        ("验收", "住建局", "告知承诺事项核查，承诺不实的依法撤销", "听证"),
    )
    shared = Path((DESIGN, replace(PLAN, effect=AreaEffect.REPLACE)))
    assert lists_of(shared)["supervision"].rows[0][2] == "核对项目符合区域评估的范围、用途和有效期"


def test_acceptance_tells_surveys_joint_and_single_matters_apart() -> None:
    assert lists_of()["acceptance"].rows == (("验收", "验收的全称", "住建局", "联合验收", "即时", "规划、消防"),)
    survey = replace(DESIGN, matter=replace(DESIGN.matter, phase=4))
    alone = replace(PLAN, matter=replace(PLAN.matter, phase=4))
    rows = lists_of(Path((survey, alone)))["acceptance"].rows
    assert [row[3] for row in rows] == ["联合测绘", "单独办理"]


def test_coordination_names_joint_groups_critical_handovers_and_shared_evaluations() -> None:
    assert lists_of()["coordination"].rows == (
        ("方案联审", "规划、消防", "资规局、住建局", "同步受理、同步审查、统一反馈"),
        ("关键线路衔接", "设计 → 规划", "设计院 → 资规局", "结果当日移交，无机动时间"),
        ("关键线路衔接", "规划 → 验收", "资规局 → 住建局", "结果当日移交，无机动时间"),
        ("区域评估成果", "消防", "经开区", "免费共享"),
        ("区域评估成果", "规划", "经开区", "不能共享：用地用途已改变；才批准"),
    )
    same = Path((PLAN, replace(FINAL, matter=replace(FINAL.matter, authority="资规局"), waits=FINAL.waits[:1])))
    assert lists_of(replace(same, steps=(replace(PLAN, waits=()), same.steps[1])))["coordination"].rows == ()


def test_the_agent_answers_for_each_matter_and_a_liaison_where_one_stands() -> None:
    lists = lists_of(agent="王芳", liaisons={"city": "李强"})
    assert lists["agents"].rows == (
        ("项目", "首次答复", "王芳", "1个工作日内", ""),
        ("项目", "申报材料预审，一次性告知", "王芳", "2个工作日内", ""),
        ("规划", "报送并跟踪至办结", "李强", "设计之后", "受理后5个工作日"),
        ("消防", "报送并跟踪至办结", "王芳", "设计之后", "受理后1个工作日"),
        ("验收", "报送并跟踪至办结", "王芳", "规划、消防之后", "受理后即时"),
    )
    nobody_there = lists_of(Path((replace(PLAN, waits=()),)), agent="王芳")
    assert nobody_there["agents"].rows[2][2:4] == ("王芳", "项目启动之后")


def test_dates_stand_in_place_of_what_must_come_before() -> None:
    rows = lists_of(dates={"规划": a_date("规划")})["agents"].rows
    assert rows[2][3:] == ("2026年3月16日", "2026年3月20日")
    assert rows[3][3:] == ("设计之后", "受理后1个工作日")


def test_a_phase_or_a_group_that_nobody_named_keeps_its_number_or_code() -> None:
    assert [phase_name(phase) for phase in range(6)] == [
        "办理事项", "立项用地规划许可", "工程建设许可", "施工许可", "竣工验收", "第5阶段",
    ]  # fmt: skip
    assert (group_name("OPEN"), group_name("OTHER")) == ("开办并联", "OTHER")
    assert DESIGN.matter.kind is MatterKind.INTERMEDIARY
    assert PLANNED.critical_path == ("设计", "规划", "验收")
