"""Drawing lines: the waits of a path as right-angled lines between its boxes. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from dispatch.core.localized_text import LocalizedText, Translate
from dispatch.path.approval_graph import Path
from dispatch.path.drawing import GAP, Box, Bracket, Column, DrawnWait, text_width
from dispatch.path.drawing_text import wait_description
from dispatch.path.edits import DropWait
from dispatch.path.path_step import WaitLink
from dispatch.path.schedule import Schedule


def wait_lines(
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
                say(wait_description(path, step, wait)),
            )
            if (key, step.code) not in merged or critical:
                merged[key, step.code] = line
    return (*_removed(path, boxes, columns, say), *sorted(merged.values(), key=lambda line: line.is_critical))


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
    turn = column.x - GAP / 2 if x < column.x else end_x - 5
    return ((x, y), (turn, y), (turn, end_y), (end_x, end_y))
