"""The seven lists (七张清单) of a project, made from its approval path. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from dispatch.core.localized_text import LocalizedText
from dispatch.core.three_clocks import ClockOf
from dispatch.path.approval_graph import Path
from dispatch.path.drawing_text import step_law_words, step_promise_words
from dispatch.path.matter_node import AreaEffect, MatterKind
from dispatch.path.path_step import PathStep, WaitLink
from dispatch.path.schedule import DatedStep, Schedule

PHASES = {0: "办理事项", 1: "立项用地规划许可", 2: "工程建设许可", 3: "施工许可", 4: "竣工验收"}
LEVELS = {"province": "省级", "city": "市级", "county": "县级", "town": "镇级", "village": "村级"}
EFFECTS = {AreaEffect.NONE: "", AreaEffect.SIMPLIFY: "区域评估简化", AreaEffect.REPLACE: "区域评估替代"}
GROUPS = {
    "EVAL": "多评合一",
    "EVAL-LAND": "用地前评估",
    "LAND": "用地一表办",
    "PLAN": "方案联审",
    "MUNI": "市政联办",
    "DRAW": "多图联审",
    "PERMIT": "施工许可并联",
    "ACCEPT": "联合验收",
    "OPEN": "开办并联",
    "CHECK": "审核并联",
}
ANSWER_WD = 1
PRESCREEN_WD = 2
ACCEPTANCE_PHASE = 4


@dataclass(frozen=True, slots=True)
class SheetList:
    """One of the seven: a title, its columns, its rows; every row has as many cells as there are columns."""

    key: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def seven_lists(
    path: Path,
    plan: Schedule,
    dates: Mapping[str, DatedStep] | None = None,
    *,
    agent: str = "",
    liaisons: Mapping[str, str] | None = None,
) -> tuple[SheetList, ...]:
    """All seven, in their order. ``agent`` is the lead's name, ``liaisons`` names who stands at a level's counter."""
    on = dates or {}
    decided = [s for s in path.steps if s.matter.whose is ClockOf.AUTHORITY]
    return (
        _matters(path, decided),
        _intermediaries(path),
        _commitments(decided),
        _supervision(decided),
        _acceptance(path),
        _coordination(path, plan),
        _agents(path, decided, on, agent, liaisons or {}),
    )


def _matters(path: Path, decided: list[PathStep]) -> SheetList:
    shorts = {step.code: step.matter.short for step in path.steps}
    return SheetList(
        "matters",
        "审批事项清单",
        (
            "编号",
            "事项",
            "阶段",
            "审批部门",
            "层级",
            "法定时限",
            "承诺时限",
            "前置事项",
            "联合办理",
            "说明",
        ),
        tuple(
            (
                step.code,
                step.matter.name,
                phase_name(step.matter.phase),
                step.matter.authority,
                LEVELS.get(step.matter.level, step.matter.level),
                step_law_words(step),
                step_promise_words(step),
                "、".join(
                    shorts[wait.on] + ("（决定前补齐）" if wait.link is WaitLink.DECISION else "")
                    for wait in step.waits
                ),
                group_name(step.matter.joint_group),
                "、".join(filter(None, (EFFECTS[step.effect], "告知承诺" if step.by_commitment else "", step.reason))),
            )
            for step in decided
        ),
    )


def _intermediaries(path: Path) -> SheetList:
    serves: dict[str, list[str]] = {}
    for step in path.steps:
        for wait in step.waits:
            serves.setdefault(wait.on, []).append(step.matter.short)
    return SheetList(
        "intermediaries",
        "中介机构服务清单",
        ("编号", "服务", "机构（企业自选）", "约定时限", "用于事项", "区域评估"),
        tuple(
            (
                step.code,
                step.matter.name,
                step.matter.authority,
                step_promise_words(step),
                "、".join(serves.get(step.code, [])),
                EFFECTS[step.effect],
            )
            for step in path.steps
            if step.matter.kind is MatterKind.INTERMEDIARY
        ),
    )


def _commitments(decided: list[PathStep]) -> SheetList:
    by_authority: dict[str, list[PathStep]] = {}
    for step in decided:
        by_authority.setdefault(step.matter.authority, []).append(step)
    return SheetList(
        "commitments",
        "权力边界承诺清单",
        ("部门", "事项", "依据", "承诺时限", "可容缺或告知承诺", "承诺"),
        tuple(
            (
                authority,
                step.matter.short,
                step.matter.basis,
                step_promise_words(step),
                step.matter.relief,
                "不增设清单外的环节和材料；补正一次性告知",
            )
            for authority, steps in by_authority.items()
            for step in steps
        ),
    )


def _supervision(decided: list[PathStep]) -> SheetList:
    def watched(step: PathStep) -> str:
        if step.by_commitment:
            return "告知承诺事项核查，承诺不实的依法撤销"
        if any(wait.link is WaitLink.DECISION for wait in step.waits):
            return "容缺材料按期补齐，逾期退办"
        if step.effect is not AreaEffect.NONE:
            return "核对项目符合区域评估的范围、用途和有效期"
        return "按许可内容开展事中事后监管"

    return SheetList(
        "supervision",
        "监管责任清单",
        ("事项", "监管部门", "监管内容", "不计入时限的法定程序"),
        tuple((s.matter.short, s.matter.authority, watched(s), s.matter.exempt_procedures) for s in decided),
    )


def _acceptance(path: Path) -> SheetList:
    shorts = {step.code: step.matter.short for step in path.steps}
    return SheetList(
        "acceptance",
        "先验先测联合验收清单",
        ("编号", "事项", "部门或机构", "方式", "承诺时限", "在何事项之后"),
        tuple(
            (
                step.code,
                step.matter.name,
                step.matter.authority,
                "联合测绘"
                if step.matter.kind is MatterKind.INTERMEDIARY
                else "联合验收"
                if step.matter.joint_group == "ACCEPT"
                else "单独办理",
                step_promise_words(step),
                "、".join(shorts[wait.on] for wait in step.waits),
            )
            for step in path.steps
            if step.matter.phase == ACCEPTANCE_PHASE
        ),
    )


def _coordination(path: Path, plan: Schedule) -> SheetList:
    steps = {step.code: step for step in path.steps}
    rows: list[tuple[str, str, str, str]] = []
    for group, codes in path.groups().items():
        departments = dict.fromkeys(steps[code].matter.authority for code in codes)
        matters = "、".join(steps[code].matter.short for code in codes)
        rows.append((group_name(group), matters, "、".join(departments), "同步受理、同步审查、统一反馈"))
    for earlier, later in zip(plan.critical_path, plan.critical_path[1:], strict=False):
        before, after = steps[earlier].matter, steps[later].matter
        if before.authority != after.authority:
            parties = f"{before.authority} → {after.authority}"
            rows.append(("关键线路衔接", f"{before.short} → {after.short}", parties, "结果当日移交，无机动时间"))
    rows.extend(
        (
            "区域评估成果",
            steps[use.code].matter.short,
            use.evaluation.zone,
            "免费共享" if use.is_shared else "不能共享：" + "；".join(use.hindrances),
        )
        for use in path.area_uses
        if use.code in steps
    )
    return SheetList("coordination", "审批利益协商协调清单", ("类别", "事项", "有关各方", "协调要求"), tuple(rows))


def _agents(
    path: Path, decided: list[PathStep], on: Mapping[str, DatedStep], agent: str, liaisons: Mapping[str, str]
) -> SheetList:
    shorts = {step.code: step.matter.short for step in path.steps}
    rows = [
        ("项目", "首次答复", agent, f"{ANSWER_WD}个工作日内", ""),
        ("项目", "申报材料预审，一次性告知", agent, f"{PRESCREEN_WD}个工作日内", ""),
    ]
    for step in decided:
        who = agent if step.matter.level == "county" else liaisons.get(step.matter.level, agent)
        after = "、".join(shorts[wait.on] for wait in step.waits if wait.link is WaitLink.START)
        when = _day(on[step.code].starts_on) if step.code in on else f"{after or '项目启动'}之后"
        due = _day(on[step.code].committed_on) if step.code in on else _after_acceptance(step)
        rows.append((step.matter.short, "报送并跟踪至办结", who, when, due))
    return SheetList("agents", "代办人员考核责任清单", ("事项", "责任", "责任人", "报送", "跟踪至"), tuple(rows))


def phase_name(phase: int) -> str:
    return LocalizedText(PHASES[phase]) if phase in PHASES else LocalizedText("第%(n)s阶段", n=phase)


def group_name(group: str) -> str:
    return GROUPS.get(group, group)


def _after_acceptance(step: PathStep) -> str:
    """Until when, while nothing has begun: by the promise, else by the law."""
    if step.promise is None and step.matter.statutory is None:
        return LocalizedText("法律未规定时限")
    words = step_law_words(step) if step.promise is None else step_promise_words(step)
    return LocalizedText("受理后%(limit)s", limit=words)


def _day(on: date) -> str:
    return f"{on.year}年{on.month}月{on.day}日"
