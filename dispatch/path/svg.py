"""Path SVG: the drawing of an approval path as one accessible picture, on screen and black on white on A4. Pure."""

from __future__ import annotations

from html import escape
from itertools import pairwise

from dispatch.core.legal_clock import Lamp
from dispatch.core.localized_text import LocalizedText, Translate
from dispatch.path.drawing import MARGIN, SMALL, Box, Drawing, text_width

# Presentation attributes, not a style sheet: they survive a strict content policy, and a page's own CSS overrides them.
# Shape and word carry every meaning a second time, so that a black and white print loses nothing.
FONT = "PingFang SC, Microsoft YaHei, Noto Sans CJK SC, sans-serif"
INK, GREY, ACCENT, ALARM = "#1a1a1a", "#5a6472", "#0b3a75", "#8f1d14"
LOOK = {
    "authority": f'fill="#fff" stroke="{GREY}" stroke-width="1.2"',
    "enterprise": f'fill="#fff" stroke="{GREY}" stroke-width="1.2" stroke-dasharray="5 3"',
    "not-counted": f'fill="#fff" stroke="{GREY}" stroke-width="1.4" stroke-dasharray="1.5 3"',
    "replaced": f'fill="#e9ecf0" stroke="{GREY}" stroke-width="1" stroke-dasharray="1 2"',
    "done": f'fill="#dfe4ea" stroke="{GREY}" stroke-width="1.2"',
    "amber": f'fill="#ffe9a8" stroke="{GREY}" stroke-width="1.2"',
    "red": f'fill="#f9c9c4" stroke="{GREY}" stroke-width="1.2"',
}
CRITICAL = f'fill="none" stroke="{ACCENT}" stroke-width="3"'
LINE = 'fill="none" stroke="#a3abb6" stroke-width="1"'
CHANGED_LINE = {
    "added": 'fill="none" stroke="#b45309" stroke-width="1.8"',
    "removed": 'fill="none" stroke="#b45309" stroke-width="1.2" stroke-dasharray="1.5 4"',
}
CRITICAL_LINE = f'fill="none" stroke="{ACCENT}" stroke-width="2.6"'
HALO = 'stroke="#f7f8fa" stroke-width="3" paint-order="stroke"'
AXIS_Y = 52.0
LEGEND = (
    ("authority", True, "", LocalizedText("关键线路")),
    ("authority", False, "", LocalizedText("部门审批")),
    ("enterprise", False, "", LocalizedText("中介与企业")),
    ("not-counted", False, "", LocalizedText("土地招拍挂、招标（不计入时限）")),
    ("replaced", False, "", LocalizedText("区域评估替代")),
    ("done", False, "✓ ", LocalizedText("已办结")),
    ("amber", False, "▲", LocalizedText("黄牌 剩2个工作日以内")),
    ("red", False, "■", LocalizedText("红牌 已超时")),
)


def svg(sheet: Drawing, *, say: Translate = str) -> str:
    """One standalone SVG element without script or style sheet. A page shows one: its ids begin with ``path-``."""
    foot = sheet.height - 34
    return "".join(
        (
            *_head(sheet),
            *_panels(sheet, foot),
            *_lines(sheet),
            *_brackets(sheet),
            *map(_box, sheet.boxes),
            *_group_names(sheet),
            *_today(sheet, foot),
            *_legend(foot + 22, any(line.change for line in sheet.lines), say),
            "</svg>",
        )
    )


def _head(sheet: Drawing) -> list[str]:
    size = f'viewBox="0 0 {sheet.width:.0f} {sheet.height:.0f}" width="100%"'
    arrow = f'<path d="M0 0L8 4L0 8z" fill="{GREY}"/>'
    box = 'viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" markerUnits="userSpaceOnUse"'
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" class="approval-path" ',
        f'aria-labelledby="path-title path-desc" font-family="{FONT}" font-size="12" fill="{INK}">',
        f'<title id="path-title">{escape(sheet.title)}</title><desc id="path-desc">{escape(sheet.summary)}</desc>',
        f'<defs><marker id="path-arrow" {box} orient="auto">{arrow}</marker></defs>',
    ]


def _panels(sheet: Drawing, foot: float) -> list[str]:
    out = []
    for column in sheet.columns:
        right = column.x + column.width
        out += [
            f'<rect class="panel" x="{column.x:.1f}" y="6" width="{column.width:.1f}" height="{foot - 6:.1f}" rx="6" ',
            'fill="#f7f8fa" stroke="#d9dde3"/>',
            f'<text class="phase" x="{column.x + 10:.1f}" y="25" font-size="14" font-weight="600">',
            f"{escape(column.title)}</text>",
            f'<line x1="{column.axis_x:.1f}" y1="{AXIS_Y}" x2="{right - 6:.1f}" y2="{AXIS_Y}" stroke="#8a9099"/>',
        ]
    for tick in sheet.ticks:
        out += [
            f'<line x1="{tick.x:.1f}" y1="47" x2="{tick.x:.1f}" y2="{AXIS_Y}" stroke="#8a9099"/>',
            f'<text class="tick" x="{tick.x + 3:.1f}" y="46" font-size="{SMALL:.0f}" fill="#4a4f57">',
            f"{escape(tick.label)}</text>",
        ]
    return out


def _lines(sheet: Drawing) -> list[str]:
    out = []
    for line in sheet.lines:
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in line.points)
        look = CHANGED_LINE.get(line.change) or (CRITICAL_LINE if line.is_critical else LINE)
        dash = ' stroke-dasharray="4 3"' if line.is_dashed and line.change != "removed" else ""
        drawn = f'<polyline points="{points}" {look}{dash} marker-end="url(#path-arrow)"/>'
        if line.change:
            x, y = line.points[-2] if line.change == "added" else _middle(line.points)
            sign = f'<text x="{x:.1f}" y="{y + 4:.1f}" text-anchor="middle" fill="#b45309" font-weight="700" {HALO}>'
            sign += f"{'+' if line.change == 'added' else '×'}</text>"
            drawn = f'<g class="changed {line.change}"><title>{escape(line.spoken)}</title>{drawn}{sign}</g>'
        out.append(drawn)
    return out


def _middle(points: tuple[tuple[float, float], ...]) -> tuple[float, float]:
    """Halfway along the longest stretch."""
    (ax, ay), (bx, by) = max(pairwise(points), key=lambda two: abs(two[0][0] - two[1][0]) + abs(two[0][1] - two[1][1]))
    return (ax + bx) / 2, (ay + by) / 2


def _brackets(sheet: Drawing) -> list[str]:
    out = []
    for bracket in sheet.brackets:
        top, bottom, left, right = bracket.y, bracket.y + bracket.height, bracket.x, bracket.right
        shape = f"M{left + 5:.1f} {top:.1f}H{left:.1f}V{bottom:.1f}H{left + 5:.1f}"
        shape += f"M{right - 5:.1f} {top:.1f}H{right:.1f}V{bottom:.1f}H{right - 5:.1f}"
        out.append(f'<path class="group" d="{shape}" fill="none" stroke="{GREY}" stroke-width="1.4"/>')
    return out


def _group_names(sheet: Drawing) -> list[str]:
    return [
        f'<text x="{b.right - 8:.1f}" y="{b.y + b.height + 4:.1f}" text-anchor="end" font-size="{SMALL:.0f}" '
        f'fill="#4a4f57" {HALO}>{escape(b.label)}</text>'
        for b in sheet.brackets
    ]


def _box(box: Box) -> str:
    style = "done" if box.is_done else box.style if box.lamp is Lamp.GREEN else box.lamp.value
    frame = f'x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="2"'
    thick = f"<rect {frame} {CRITICAL}/>" if box.is_critical else ""
    halo = "" if box.label_inside else f" {HALO}"
    return (
        f'<g class="matter {style}"><title>{escape(box.spoken)}</title><rect {frame} {LOOK[style]}/>{thick}'
        f'<text x="{box.label_x:.1f}" y="{box.y + 15.5:.1f}"{halo}>{escape(box.label)}</text></g>'
    )


def _today(sheet: Drawing, foot: float) -> list[str]:
    out = []
    for x in sheet.today_x:
        dash = 'stroke-width="1.6" stroke-dasharray="6 3"'
        out.append(f'<line x1="{x:.1f}" y1="{AXIS_Y}" x2="{x:.1f}" y2="{foot - 2:.1f}" stroke="{ALARM}" {dash}/>')
        out.append(
            f'<text x="{x + 3:.1f}" y="{foot - 6:.1f}" font-size="{SMALL:.0f}" font-weight="600" fill="{ALARM}" {HALO}>'
            f"{escape(sheet.today_label)}</text>"
        )
    return out


def _legend(y: float, is_changed: bool, say: Translate) -> list[str]:
    out, x = [], MARGIN
    for style, critical, shape, meaning in LEGEND:
        words = shape + say(meaning)
        frame = f'x="{x:.1f}" y="{y - 11:.1f}" width="22" height="13" rx="2"'
        out.append(f"<rect {frame} {LOOK[style]}/>" + (f"<rect {frame} {CRITICAL}/>" if critical else ""))
        out.append(f'<text x="{x + 28:.1f}" y="{y:.1f}" font-size="{SMALL:.0f}">{escape(words)}</text>')
        x += 28 + text_width(words, SMALL) + 22
    if is_changed:
        for change, sign, meaning in (
            ("added", "+", LocalizedText("组长增加")),
            ("removed", "×", LocalizedText("组长取消")),
        ):
            words = say(meaning)
            out.append(
                f'<line x1="{x:.1f}" y1="{y - 4:.1f}" x2="{x + 22:.1f}" y2="{y - 4:.1f}" {CHANGED_LINE[change]}/>'
            )
            out.append(f'<text x="{x + 28:.1f}" y="{y:.1f}" font-size="{SMALL:.0f}">{sign} {words}</text>')
            x += 28 + text_width(words, SMALL) + 30
    return out
