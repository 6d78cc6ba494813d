"""Drawing layout: phases as columns, matters as boxes, joint groups in brackets. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from dispatch.core.legal_clock import Lamp
from dispatch.core.localized_text import DayText, LocalizedText, Translate
from dispatch.core.three_clocks import ClockOf
from dispatch.core.working_days import Calendar
from dispatch.path.approval_graph import Path
from dispatch.path.drawing import (
    BOX,
    BRACKET,
    GAP,
    HEAD,
    MARGIN,
    NARROWEST_DAY,
    ROW,
    WIDEST_DAY,
    WIDTH,
    Box,
    Bracket,
    Column,
    Drawing,
    Tick,
    text_width,
)
from dispatch.path.drawing_lines import wait_lines
from dispatch.path.drawing_text import box_description, box_label, drawing_summary
from dispatch.path.matter_node import AreaEffect
from dispatch.path.path_step import PathStep
from dispatch.path.schedule import DatedStep, Schedule
from dispatch.path.seven_lists import group_name, phase_name


def lay_out(
    path: Path,
    plan: Schedule,
    *,
    title: str,
    dates: Mapping[str, DatedStep] | None = None,
    calendar: Calendar | None = None,
    start_on: date | None = None,
    today: date | None = None,
    say: Translate = str,
) -> Drawing:
    """Lay the path out: phases as columns, each with its stretch of the axis, matters as boxes, groups in brackets.

    Everything is laid out in the words that ``say`` makes of it, because longer words need more room.
    """
    on = dates or {}
    rows = _rows(path, plan)
    day_width = WIDEST_DAY
    while day_width > NARROWEST_DAY and _total(path, plan, on, rows, day_width, say) > WIDTH:
        day_width -= 0.25
    columns: list[Column] = []
    boxes: dict[str, Box] = {}
    brackets: list[Bracket] = []
    x = MARGIN
    for phase, codes in rows.items():
        column = _column(phase, codes, path, plan, on, x, day_width, say)
        columns.append(column)
        for place, code in enumerate(codes):
            boxes[code] = _box(path.step(code), plan, on.get(code), column, place, day_width, say)
        brackets.extend(_brackets(path, codes, boxes, say))
        x += column.width + GAP
    deepest = max((len(codes) for codes in rows.values()), default=1)
    height = HEAD + deepest * ROW + 52
    today_offset = None
    if calendar is not None and start_on is not None and today is not None:
        today_offset = max(0, calendar.working_days_between(start_on, today))
    return Drawing(
        width=max(WIDTH, x - GAP + MARGIN),
        height=height,
        title=title,
        summary=say(drawing_summary(path, plan, on)),
        columns=tuple(columns),
        boxes=tuple(boxes[code] for codes in rows.values() for code in codes),
        lines=wait_lines(path, plan, boxes, brackets, columns, say),
        brackets=tuple(brackets),
        ticks=tuple(t for column in columns for t in _ticks(column, day_width, calendar, start_on, say)),
        today_x=()
        if today_offset is None
        else tuple(
            column.axis_x + (today_offset - column.from_day) * day_width
            for column in columns
            if column.from_day <= today_offset <= column.to_day
        ),
        today_label="" if today is None else say(LocalizedText("今天 %(day)s", day=DayText(today))),
    )


def _rows(path: Path, plan: Schedule) -> dict[int, list[str]]:
    """Matters of each phase from top to bottom: members of a joint group together, each group where it begins."""
    rows: dict[int, list[str]] = {}
    for phase in sorted({step.matter.phase for step in path.steps}):
        steps = [step for step in path.steps if step.matter.phase == phase]
        begins: dict[str, int] = {}
        for step in steps:
            key = step.matter.joint_group or step.code
            begins[key] = min(begins.get(key, plan.of(step.code).start), plan.of(step.code).start)
        steps.sort(
            key=lambda s: (
                begins[s.matter.joint_group or s.code],
                s.matter.joint_group or s.code,
                plan.of(s.code).start,
                s.code,
            )
        )
        rows[phase] = [step.code for step in steps]
    return rows


def _span(codes: list[str], plan: Schedule) -> tuple[int, int]:
    timings = [plan.of(code) for code in codes]
    return min(t.start for t in timings), max(t.finish for t in timings)


def _label_end(
    step: PathStep, plan: Schedule, dated: DatedStep | None, first: int, day_width: float, say: Translate
) -> float:
    """How far right of the axis' beginning a box and its label reach."""
    timing = plan.of(step.code)
    left, width = (timing.start - first) * day_width, max(6.0, (timing.finish - timing.start) * day_width)
    needed = text_width(box_label(step, plan, dated, say)) + 10
    return left + width if needed <= width else left + width + needed


def _column(
    phase: int,
    codes: list[str],
    path: Path,
    plan: Schedule,
    on: Mapping[str, DatedStep],
    x: float,
    day_width: float,
    say: Translate,
) -> Column:
    first, last = _span(codes, plan)
    reach = max(_label_end(path.step(code), plan, on.get(code), first, day_width, say) for code in codes)
    title = say(phase_name(phase))
    width = max(reach + BRACKET * 2, text_width(title, 14.0) + 20)
    return Column(phase, title, x, width, x + BRACKET, first, last)


def _total(
    path: Path,
    plan: Schedule,
    on: Mapping[str, DatedStep],
    rows: Mapping[int, list[str]],
    day_width: float,
    say: Translate,
) -> float:
    widths = (_column(phase, codes, path, plan, on, 0.0, day_width, say).width for phase, codes in rows.items())
    return sum(widths) + GAP * (len(rows) - 1) + 2 * MARGIN


def _box(
    step: PathStep,
    plan: Schedule,
    dated: DatedStep | None,
    column: Column,
    place: int,
    day_width: float,
    say: Translate,
) -> Box:
    timing = plan.of(step.code)
    x = column.axis_x + (timing.start - column.from_day) * day_width
    width = max(6.0, (timing.finish - timing.start) * day_width)
    label = box_label(step, plan, dated, say)
    inside = text_width(label) + 10 <= width
    style = {
        ClockOf.AUTHORITY: "authority",
        ClockOf.ENTERPRISE: "enterprise",
        ClockOf.NOT_COUNTED: "not-counted",
    }[step.matter.whose]
    if step.effect is AreaEffect.REPLACE:
        style = "replaced"
    return Box(
        code=step.code,
        label=label,
        spoken=box_description(step, plan, dated, say),
        x=x,
        y=HEAD + place * ROW,
        width=width,
        height=BOX,
        label_x=x + 5 if inside else x + width + 4,
        label_inside=inside,
        style=style,
        is_critical=timing.is_critical and (timing.days > 0 or step.code in plan.critical_path),
        is_done=dated is not None and dated.is_done,
        lamp=dated.lamp if dated is not None else Lamp.GREEN,
    )


def _brackets(path: Path, codes: list[str], boxes: Mapping[str, Box], say: Translate) -> list[Bracket]:
    found = []
    members: dict[str, list[str]] = {}
    for code in codes:
        if group := path.step(code).matter.joint_group:
            members.setdefault(group, []).append(code)
    for group, inside in members.items():
        if len(inside) < 2:
            continue
        top = min(boxes[code].y for code in inside) - 3
        bottom = max(boxes[code].y + boxes[code].height for code in inside) + 3
        left = min(boxes[code].x for code in inside) - 8
        right = max(
            boxes[c].x + boxes[c].width if boxes[c].label_inside else boxes[c].label_x + text_width(boxes[c].label)
            for c in inside
        )
        found.append(Bracket(group, say(group_name(group)), left, top, right + 6, bottom - top))
    return found


def _ticks(
    column: Column, day_width: float, calendar: Calendar | None, start_on: date | None, say: Translate
) -> list[Tick]:
    length = column.to_day - column.from_day
    room = 58.0 if start_on is not None else 30.0
    step = next((n for n in (1, 2, 5, 10, 20, 50) if n * day_width >= room), 100)
    found = []
    for day in range(column.from_day, column.to_day + 1):
        if day != column.from_day and ((day - column.from_day) % step or length - (day - column.from_day) < 0):
            continue
        label = say(LocalizedText("%(n)s日", n=day))
        if calendar is not None and start_on is not None:
            that_day = calendar.add_working_days(start_on, day)
            label += f" {that_day.month}/{that_day.day}"
        found.append(Tick(column.axis_x + (day - column.from_day) * day_width, label))
    return found
