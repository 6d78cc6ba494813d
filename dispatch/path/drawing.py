"""Path drawing: boxes, lines, brackets and ticks, in pixels, ready for any pen. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from dispatch.core.legal_clock import Lamp

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
