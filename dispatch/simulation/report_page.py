"""Simulation page: a replay as one page to keep or print, without script or style sheet: its table and charts. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from html import escape

from dispatch.simulation.comparison import Comparison, MeanFigure
from dispatch.simulation.replay import ReplayDay

# A dash and a mark beside each colour: a black and white print loses nothing.
LOOKS = (("#8f1d14", "6 4", "▲"), ("#5a6472", "1.5 3", "■"), ("#0b3a75", "", "●"))
INK, GREY = "#1a1a1a", "#a3abb6"
HALO = 'stroke="#fff" stroke-width="3" paint-order="stroke"'  # a mark stays seen on its interval
WIDE, LEFT, RIGHT, TALL, ROW = 720, 44, 16, 200, 24
SERIES = (
    ("waiting", "当日未派出，仍在等待"),
    ("in_progress", "在办名额"),
    ("unevenness", "负荷不均（变异系数）"),
)


def page(found: Comparison, *, title: str, warm_up: int = 0) -> str:
    """The whole page. ``warm_up``: days at the beginning that no figure counts; they stand shaded in the charts."""
    names = [name for name, _ in found.rows]
    figures = list(zip(*(row for _, row in found.rows), strict=True))
    parts = [
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">',
        f'<title>{escape(title)}</title></head><body style="font-family:sans-serif">',
        f"<h1>{escape(title)}</h1>",
        f"<p>重放{found.replays}次；括号内为95%区间，仅一次时没有。灰底的日子用于预热，不计入。</p>",
        _table(found.table()),
        f"<p>{_legend(names)}</p>",
        *(_intervals(names, each) for each in figures),
        *(_course(names, found, key, words, warm_up) for key, words in SERIES),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _table(rows: Sequence[Sequence[str]]) -> str:
    head, *body = rows
    cells = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    lines = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in row[1:])}</tr>'
        for row in body
    )
    return f'<table border="1" cellpadding="6"><thead><tr>{cells}</tr></thead><tbody>{lines}</tbody></table>'


def _legend(names: Sequence[str]) -> str:
    return "　".join(
        f'<span style="color:{colour}">{mark}</span> {escape(name)}' for name, (colour, _, mark) in _looks(names)
    )


def _looks(names: Sequence[str]) -> Iterable[tuple[str, tuple[str, str, str]]]:
    return ((name, LOOKS[at % len(LOOKS)]) for at, name in enumerate(names))


def _intervals(names: Sequence[str], figures: Sequence[MeanFigure]) -> str:
    """One figure under every rule: a mark at its mean, a line over its interval."""
    most = max([figure.mean if figure.high is None else figure.high for figure in figures], default=0.0) or 1.0
    left = 190
    height = 30 + ROW * len(names) + 18

    def x(value: float) -> str:
        return f"{left + (WIDE - left - 150) * value / most:.1f}"

    parts = [_head(height, figures[0].title)]
    for at, ((name, (colour, _, mark)), figure) in enumerate(zip(_looks(names), figures, strict=True)):
        y = 44 + ROW * at
        parts.append(f'<text x="8" y="{y + 4}" fill="{INK}">{escape(name)}</text>')
        parts.append(f'<line x1="{left}" y1="{y}" x2="{WIDE - 150}" y2="{y}" stroke="{GREY}" stroke-width="0.5"/>')
        if figure.low is not None and figure.high is not None:
            ends = f'x1="{x(figure.low)}" y1="{y}" x2="{x(figure.high)}" y2="{y}"'
            parts.append(f'<line {ends} stroke="{colour}" stroke-width="4"/>')
        place = f'x="{x(figure.mean)}" y="{y + 5}" text-anchor="middle"'
        parts.append(f'<text {place} {HALO} fill="{colour}">{mark}</text>')
        parts.append(f'<text x="{WIDE - 142}" y="{y + 4}" fill="{INK}">{escape(figure.words())}</text>')
    parts.append("</svg>")
    return "".join(parts)


def _course(names: Sequence[str], found: Comparison, key: str, words: str, warm_up: int) -> str:
    """One figure day by day, of the first replay, a line for each rule."""
    days = [found.days[name] for name in names]
    values = [[float(getattr(day, key)) for day in each] for each in days]
    last = max((day.day for each in days for day in each), default=0)
    most = max((value for each in values for value in each), default=0.0) or 1.0

    def x(day: int) -> float:
        return LEFT + (WIDE - LEFT - RIGHT) * (day + 0.5) / (last + 1)

    def y(value: float) -> float:
        return TALL - 24 - (TALL - 54) * value / most

    parts = [_head(TALL, f"{words}（第一次重放，逐工作日）")]
    if warm_up:
        width = x(min(warm_up, last + 1)) - x(0)
        parts.append(f'<rect x="{LEFT}" y="30" width="{width:.1f}" height="{TALL - 54}" fill="#e9ecf0"/>')
    for value in (0.0, most / 2, most):
        at = f"{y(value):.1f}"
        parts.append(f'<line x1="{LEFT}" y1="{at}" x2="{WIDE - RIGHT}" y2="{at}" stroke="{GREY}" stroke-width="0.5"/>')
        parts.append(f'<text x="{LEFT - 4}" y="{at}" fill="{INK}" font-size="11" text-anchor="end">{value:.4g}</text>')
    for day in sorted({0, last // 2, last}):
        place = f'x="{x(day):.1f}" y="{TALL - 6}"'
        parts.append(f'<text {place} fill="{INK}" font-size="11" text-anchor="middle">{day + 1}</text>')
    for (_, (colour, dash, mark)), each, row in zip(_looks(names), days, values, strict=True):
        parts.append(_line(each, row, colour, dash, mark, x, y))
    parts.append("</svg>")
    return "".join(parts)


def _line(
    days: Sequence[ReplayDay],
    values: Sequence[float],
    colour: str,
    dash: str,
    mark: str,
    x: Callable[[int], float],
    y: Callable[[float], float],
) -> str:
    points = [(x(day.day), y(value)) for day, value in zip(days, values, strict=True)]
    if not points:
        return ""
    along = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    a, b = points[-1]
    return (
        f'<polyline points="{along}" fill="none" stroke="{colour}" stroke-width="1.8"{dashes}/>'
        f'<text x="{a:.1f}" y="{b + 4:.1f}" fill="{colour}" font-size="11" text-anchor="middle">{mark}</text>'
    )


def _head(height: int, title: str) -> str:
    name = escape(title, quote=True)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {height}" width="{WIDE}" height="{height}" '
        f'role="img" aria-label="{name}" font-size="13" style="display:block;margin:12px 0;max-width:100%;height:auto">'
        f'<text x="8" y="18" fill="{INK}" font-weight="bold">{name}</text>'
    )
