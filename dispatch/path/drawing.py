"""Path drawing: an approval path laid out as boxes and lines, ready for any pen. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from dispatch.core.clock import Calendar, ClockOf, Lamp
from dispatch.core.localized_text import DayText, ListText, LocalizedText, Translate
from dispatch.path.approval_graph import AreaEffect, DropWait, Path, PathStep, Wait, WaitLink
from dispatch.path.schedule import DatedStep, Schedule
from dispatch.path.seven_lists import group_name, phase_name

WIDTH = 1400.0
MARGIN = 12.0
GAP = 26.0  # between phases, where lines turn
HEAD = 62.0
ROW = 30.0
BOX = 22.0
TEXT = 12.0
SMALL = 11.0
BRACKET = 16.0
WIDEST_DAY, NARROWEST_DAY = 16.0, 3.0
LAMP_WORDS = {Lamp.AMBER: ("▲", LocalizedText("黄牌")), Lamp.RED: ("■", LocalizedText("红牌"))}
DONE = "✓"
CHANGED = LocalizedText("（调整）")


@dataclass(frozen=True, slots=True)
class Column:
    """A phase (阶段) with its own stretch of the working-day axis."""

    phase: int
    title: str
    x: float
    width: float
    axis_x: float
    from_day: int
    to_day: int


@dataclass(frozen=True, slots=True)
class Box:
    """A matter, as long as its working days."""

    code: str
    label: str
    spoken: str  # the whole of it, for a screen reader and a pointer
    x: float
    y: float
    width: float
    height: float
    label_x: float
    label_inside: bool
    style: str  # authority, enterprise, not-counted, replaced
    is_critical: bool
    is_done: bool
    lamp: Lamp


@dataclass(frozen=True, slots=True)
class DrawnWait:
    """A wait, drawn as a right-angled line; dashed when only the decision waits. ``change``: what the lead did."""

    points: tuple[tuple[float, float], ...]
    is_critical: bool
    is_dashed: bool
    change: str = ""  # "", "added", "removed"
    spoken: str = ""


@dataclass(frozen=True, slots=True)
class Bracket:
    """A joint group (联合审): its members between two brackets, with its name."""

    group: str
    label: str
    x: float
    y: float
    right: float
    height: float


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on a phase's axis: the working day, and its date when the calendar is known."""

    x: float
    label: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything to draw, in pixels of a sheet ``width`` by ``height``."""

    width: float
    height: float
    title: str
    summary: str
    columns: tuple[Column, ...]
    boxes: tuple[Box, ...]
    lines: tuple[DrawnWait, ...]
    brackets: tuple[Bracket, ...]
    ticks: tuple[Tick, ...]
    today_x: tuple[float, ...]
    today_label: str


def text_width(text: str, size: float = TEXT) -> float:
    """Near enough for layout: a Chinese character is as wide as it is high, a Latin one a little over half."""
    return sum(size if ord(letter) > 0x2E80 or letter in "▲■✓" else size * 0.58 for letter in text)


def drawing(
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
        summary=say(_summary(path, plan, on)),
        columns=tuple(columns),
        boxes=tuple(boxes[code] for codes in rows.values() for code in codes),
        lines=_lines(path, plan, boxes, brackets, columns, say),
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


def _label(step: PathStep, plan: Schedule, dated: DatedStep | None, say: Translate) -> str:
    days = plan.of(step.code).days
    words = [
        step.matter.short,
        say(LocalizedText("免") if step.effect is AreaEffect.REPLACE else LocalizedText("%(n)s日", n=days)),
    ]
    if dated is not None and dated.is_done:
        words.append(DONE)
    elif dated is not None and dated.lamp in LAMP_WORDS:
        shape, word = LAMP_WORDS[dated.lamp]
        words.append(shape + say(word))
    if step.own_days is not None:
        words.append(say(CHANGED))
    return " ".join(words)


def _span(codes: list[str], plan: Schedule) -> tuple[int, int]:
    timings = [plan.of(code) for code in codes]
    return min(t.start for t in timings), max(t.finish for t in timings)


def _label_end(
    step: PathStep, plan: Schedule, dated: DatedStep | None, first: int, day_width: float, say: Translate
) -> float:
    """How far right of the axis' beginning a box and its label reach."""
    timing = plan.of(step.code)
    left, width = (timing.start - first) * day_width, max(6.0, (timing.finish - timing.start) * day_width)
    needed = text_width(_label(step, plan, dated, say)) + 10
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
    label = _label(step, plan, dated, say)
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
        spoken=_spoken(step, plan, dated, say),
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


def _spoken(step: PathStep, plan: Schedule, dated: DatedStep | None, say: Translate) -> str:
    timing, office = plan.of(step.code), step.matter.authority or LocalizedText("企业")
    parts: list[str] = [
        LocalizedText("%(matter)s，%(office)s，%(n)s个工作日", matter=step.matter.name, office=office, n=timing.days),
        LocalizedText("在关键线路上") if timing.is_critical else LocalizedText("机动%(n)s个工作日", n=timing.slack),
    ]
    if step.effect is AreaEffect.REPLACE:
        parts.append(LocalizedText("区域评估替代"))
    elif step.effect is AreaEffect.SIMPLIFY:
        parts.append(LocalizedText("区域评估简化"))
    if step.own_days is not None:
        parts.append(LocalizedText("期限由组长调整：%(reason)s", reason=step.reason))
    if dated is not None:
        if dated.decided_on is not None:
            parts.append(LocalizedText("%(day)s已办结", day=DayText(dated.decided_on)))
        else:
            limits = {"legal": DayText(dated.statutory_on), "promised": DayText(dated.committed_on)}
            parts.append(LocalizedText("法定%(legal)s，承诺%(promised)s", **limits))
            if dated.expected_on is not None:
                parts.append(LocalizedText("预计%(day)s", day=DayText(dated.expected_on)))
            if dated.lamp in LAMP_WORDS:
                parts.append(LAMP_WORDS[dated.lamp][1])
            if dated.is_estimate:
                parts.append(LocalizedText("涉及尚未公布的放假安排，为估算"))
    return say(ListText(parts, "；"))


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


def _lines(
    path: Path, plan: Schedule, boxes: Mapping[str, Box], brackets: list[Bracket], columns: list[Column], say: Translate
) -> tuple[DrawnWait, ...]:
    """Waits that no longer chain implies; waits of a whole group for the same matter leave the bracket as one line."""
    before: dict[str, set[str]] = {}
    for step in path.steps:
        direct = {wait.on for wait in step.waits}
        before[step.code] = direct.union(*(before[code] for code in direct))
    by_group = {bracket.group: bracket for bracket in brackets}
    chain = set(zip(plan.critical_path, plan.critical_path[1:], strict=False))
    merged: dict[tuple[str, str], DrawnWait] = {}
    for step in path.steps:
        for wait in step.waits:
            others = {w.on for w in step.waits if w.on != wait.on}
            if wait.link is WaitLink.START and not wait.why and any(wait.on in before[other] for other in others):
                continue
            critical = (wait.on, step.code) in chain
            group = path.step(wait.on).matter.joint_group
            bracket = by_group.get(group) if group else None
            same_group = group == step.matter.joint_group
            source = boxes[wait.on]
            if bracket is None or same_group or critical or wait.why:
                key, points = wait.on, _from_box(source, boxes[step.code], columns)
            else:
                key = group
                points = _from_group(bracket, source, boxes[step.code], columns)
            line = DrawnWait(
                points,
                critical,
                wait.link is WaitLink.DECISION,
                "added" if wait.why else "",
                say(_why(path, step, wait)),
            )
            if (key, step.code) not in merged or critical:
                merged[key, step.code] = line
    return (*_removed(path, boxes, columns, say), *sorted(merged.values(), key=lambda line: line.is_critical))


def _why(path: Path, step: PathStep, wait: Wait) -> str:
    if not wait.why:
        return ""
    names = f"{path.step(wait.on).matter.short} → {step.matter.short}"
    if wait.link is WaitLink.DECISION:
        return LocalizedText("组长调整：%(names)s，办结前补齐；%(why)s", names=names, why=wait.why)
    return LocalizedText("组长调整：%(names)s，先后关系；%(why)s", names=names, why=wait.why)


def _removed(path: Path, boxes: Mapping[str, Box], columns: list[Column], say: Translate) -> list[DrawnWait]:
    """What the lead took away is still seen, under everything else."""
    there = {(wait.on, step.code) for step in path.steps for wait in step.waits}
    names = {step.code: step.matter.short for step in path.steps}
    return [
        DrawnWait(
            _from_box(boxes[edit.on], boxes[edit.code], columns),
            False,
            True,
            "removed",
            say(
                LocalizedText("组长取消：%(a)s → %(b)s；%(why)s", a=names[edit.on], b=names[edit.code], why=edit.reason)
            ),
        )
        for edit in path.edits
        if isinstance(edit, DropWait) and edit.on in boxes and edit.code in boxes and (edit.on, edit.code) not in there
    ]


def _from_box(source: Box, target: Box, columns: list[Column]) -> tuple[tuple[float, float], ...]:
    """Out of the box, past its own label: from its edge within a column, from behind the label to another."""
    right, middle = source.x + source.width, source.y + source.height / 2
    if _column_of(source, columns) is _column_of(target, columns):
        x = max(source.x + 2, min(right, target.x) - 4)
        end_y = target.y + target.height / 2
        edge = source.y + source.height if end_y > middle else source.y
        return ((x, edge), (x, end_y), (target.x, end_y))
    return _bend(
        right if source.label_inside else source.label_x + text_width(source.label) + 2, middle, target, columns
    )


def _from_group(bracket: Bracket, member: Box, target: Box, columns: list[Column]) -> tuple[tuple[float, float], ...]:
    """Out of the right side to another column; within its own, from its foot (or head) straight to the row."""
    if _column_of(member, columns) is not _column_of(target, columns):
        return _bend(bracket.right, bracket.y + bracket.height / 2, target, columns)
    end_y = target.y + target.height / 2
    below = end_y > bracket.y + bracket.height / 2
    x = max(bracket.x, min(bracket.right, target.x) - 5)
    return ((x, bracket.y + bracket.height if below else bracket.y), (x, end_y), (target.x, end_y))


def _column_of(box: Box, columns: list[Column]) -> Column:
    return next(column for column in reversed(columns) if column.x <= box.x + 0.01)


def _bend(x: float, y: float, target: Box, columns: list[Column]) -> tuple[tuple[float, float], ...]:
    """Right, up or down just before the target (in the gap before its column when it comes from another), then in."""
    end_x, end_y = target.x, target.y + target.height / 2
    column = _column_of(target, columns)
    turn = column.x - GAP / 2 if x < column.x else min(end_x - 5, max(x + 3, end_x - 5))
    return ((x, y), (turn, y), (turn, end_y), (end_x, end_y))


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


def _summary(path: Path, plan: Schedule, on: Mapping[str, DatedStep]) -> ListText:
    names = {step.code: step.matter.short for step in path.steps}
    words: list[str] = [
        LocalizedText("共%(n)s个事项，全程%(days)s个工作日。", n=len(path.steps), days=plan.horizon),
        LocalizedText("关键线路：%(names)s。", names=ListText(names[code] for code in plan.critical_path)),
    ]
    done = sum(1 for dated in on.values() if dated.is_done)
    late = [names[code] for code, dated in on.items() if not dated.is_done and dated.lamp is Lamp.RED]
    if on:
        words.append(LocalizedText("已办结%(n)s个。", n=done))
    if late:
        words.append(LocalizedText("已超时：%(names)s。", names=ListText(late)))
    return ListText(words, "")
