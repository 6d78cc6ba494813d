"""A small path whose every cell and label can be told by hand: a design, two joint matters, one that follows."""

from datetime import date

from dispatch.core.legal_clock import Lamp
from dispatch.core.limit import Limit
from dispatch.path.approval_graph import Path
from dispatch.path.area_effects import AreaUse, ZoneEvaluation
from dispatch.path.matter_node import AreaEffect, MatterKind, MatterNode
from dispatch.path.path_step import PathStep, Wait, WaitLink
from dispatch.path.schedule import DatedStep
from tests.dispatch.calendars import shipped_calendar

CALENDAR = shipped_calendar()
START = date(2026, 3, 2)


def a_matter(code: str, days: int, **changes) -> MatterNode:
    facts = {
        "code": code, "name": f"{code}的全称", "short": code, "phase": 1, "kind": MatterKind.APPROVAL,
        "statutory": Limit(20), "committed": Limit(days), "today": Limit(days), "authority": "住建局", "basis": "法",
    } | changes  # fmt: skip
    return MatterNode(**facts)


ZONE = ZoneEvaluation("relics", "经开区", date(2024, 1, 1))
DESIGN = PathStep(
    a_matter("设计", 10, kind=MatterKind.INTERMEDIARY, authority="设计院", joint_group="", statutory=Limit(10)), ()
)
PLAN = PathStep(a_matter("规划", 5, authority="资规局", joint_group="PLAN", level="city"), (Wait("设计"),))
FIRE = PathStep(
    a_matter("消防", 2, joint_group="PLAN", phase=3, relief="可容缺", area_limit=Limit(1)),
    (Wait("设计"), Wait("规划", WaitLink.DECISION, "图纸后补")),
    effect=AreaEffect.SIMPLIFY,
)
FINAL = PathStep(
    a_matter("验收", 3, phase=4, joint_group="ACCEPT", exempt_procedures="听证"),
    (Wait("规划"), Wait("消防", WaitLink.START, "组长要求")),
    by_commitment=True,
    reason="信用良好",
)
SMALL = Path(
    (DESIGN, PLAN, FIRE, FINAL),
    area_uses=(
        AreaUse("消防", ZONE, START, ()),
        AreaUse("规划", ZONE, START, ("用地用途已改变", "才批准")),
        AreaUse("不在", ZONE, START, ()),
    ),
)


def a_date(code: str, **changes) -> DatedStep:
    facts = {
        "code": code, "starts_on": date(2026, 3, 16), "statutory_on": date(2026, 4, 15),
        "committed_on": date(2026, 3, 20), "expected_on": None, "decided_on": None, "lamp": Lamp.GREEN,
        "is_estimate": False,
    } | changes  # fmt: skip
    return DatedStep(**facts)
