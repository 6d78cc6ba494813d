"""The map: counties as the base, centres as squares, the day's runs in colours, planned and driven, and a Gantt."""

from collections.abc import Sequence
from typing import Any

from flask import Response, g, render_template, request
from flask_babel import gettext
from markupsafe import Markup, escape

import db
from agents.network import COUNTY_MAP_FILE, UnknownDivision
from dispatch.cases.access_control import area_for
from dispatch.core.errors import NotFound
from dispatch.views import day_map, day_runs
from dispatch.views.day_map import MapDay
from dispatch.views.live_board import BoardRow, BoardStop
from dispatch.views.stop_lines import RunCard, StopLine
from routing.day.hours import HALF_S, Cutoff, seconds_of_day
from web.pages.team.blueprint import bp
from web.pages.team.runs import asked_day, runs_readers
from web.wiring.auth import current_actor, staff_only
from web.wiring.formatting import time_of_day, today
from web.wiring.transactions import transaction

ROW, NAMES, WIDE = 30, 84, 1100


@bp.get("/map", endpoint="map")
@runs_readers
def map_page() -> str:
    """The day's runs of one area and batch."""
    viewer, on = current_actor(), asked_day()
    with transaction() as session:
        now_s = seconds_of_day(db.now(session)) if on == today() else None
        choices = day_map.areas(session, viewer, on)
        code = request.args.get("area", "") or (choices[0].code if choices else "")
        try:
            area = area_for(session, viewer, code) if code else day_map.home_area(session, viewer)
        except UnknownDivision as error:
            raise NotFound(str(error)) from error
        if area is None:
            raise NotFound("there is no area to show")
        wanted = request.args.get("cutoff", "")
        half = Cutoff.PM if now_s is not None and now_s >= HALF_S else Cutoff.AM
        cutoff = Cutoff(wanted) if wanted in set(Cutoff) else half
        shown = day_map.map_day(session, viewer, area, on, cutoff)
        return render_template(
            "team/map.html", page=shown, areas=choices, now_s=now_s, drawn=drawn(shown),
            gantt=gantt(shown.area, shown.runs, now_s),
            CUTOFFS=[(c.value, words, None) for c, words in day_runs.CUTOFF_LABEL.items()], chosen=cutoff.value,
        )  # fmt: skip


@bp.get("/map/counties.geojson")
@staff_only
def counties() -> Response:
    """The offline base map; the same for everybody."""
    g.cacheable = True
    answer = Response(COUNTY_MAP_FILE.read_bytes(), mimetype="application/geo+json")
    answer.cache_control.private, answer.cache_control.max_age = True, 86_400
    return answer


def drawn(page: MapDay) -> dict[str, Any]:
    """What the script draws: points, colours and words that the list beside it shows too."""
    return {
        "centre": [page.lat, page.lon],
        "centres": [[centre.name, centre.lat, centre.lon] for centre in page.centres],
        "waiting": [[s.stop_id, s.lat, s.lon, s.label] for s in page.waiting],
        "runs": [
            {
                "colour": run.colour,
                "courier": run.courier,
                "depot": [run.depot[1], run.depot[0]] if run.depot else None,
                "stops": [
                    [s.stop_id, s.lat, s.lon, s.number, f"{s.label} {time_of_day(s.eta_s)}", s.done_s, s.state]
                    for s in run.stops
                ],
            }
            for run in page.runs
        ],
    }


def gantt(area: str, runs: Sequence[RunCard | BoardRow], now_s: int | None) -> Markup:
    """The day as an SVG: a row a courier, planned stops as numbered bars above, what was done as ticks below."""
    if not runs:
        return Markup("")
    first = min(run.starts_s for run in runs) // 3600 * 3600
    last = -(-max(*(run.ends_s for run in runs), first + 3600) // 3600) * 3600

    def x(second: int) -> float:
        return NAMES + (second - first) / (last - first) * (WIDE - NAMES - 24)

    height = 26 + ROW * len(runs) + 6
    title = escape(gettext("当日时间安排"))
    out = [f'<svg class="gantt" viewBox="0 0 {WIDE} {height}" role="img" aria-label="{escape(area)} {title}">']
    for hour in range(first, last + 1, 3600):
        out.append(f'<line class="hour" x1="{x(hour):.0f}" x2="{x(hour):.0f}" y1="20" y2="{height - 4}"/>')
        out.append(f'<text class="hour" x="{x(hour):.0f}" y="14" text-anchor="middle">{time_of_day(hour)}</text>')
    for n, run in enumerate(runs):
        out.extend(_gantt_row(run, 26 + n * ROW, x))
    if now_s is not None and first <= now_s <= last:
        out.append(f'<line class="now" x1="{x(now_s):.0f}" x2="{x(now_s):.0f}" y1="18" y2="{height - 4}"/>')
    out.append("</svg>")
    return Markup("".join(out))  # noqa: S704 - every word in it is escaped, the rest are numbers


def _gantt_row(run: RunCard | BoardRow, top: int, x: Any) -> list[str]:
    out = [f'<text class="name" x="0" y="{top + 17}">{escape(run.courier)}</text>']
    out.append(
        f'<rect class="duty" x="{x(run.starts_s):.0f}" y="{top + 8}" '
        f'width="{max(1.0, x(run.ends_s) - x(run.starts_s)):.0f}" height="4"/>'
    )
    out.extend(_gantt_stop(run, stop, top, x) for stop in run.stops)
    return out


def _gantt_stop(run: RunCard | BoardRow, stop: StopLine | BoardStop, top: int, x: Any) -> str:
    left, wide = x(stop.eta_s), max(3.0, x(stop.eta_s + stop.service_s) - x(stop.eta_s))
    title = f"<title>{stop.number} {escape(stop.label)} {time_of_day(stop.eta_s)}</title>"
    bar = (
        f'<g class="visit run-{run.colour}" data-stop="{stop.stop_id}">{title}'
        f'<rect x="{left:.1f}" y="{top + 3}" width="{wide:.1f}" height="14" rx="2"/>'
    )
    if wide >= 11:
        bar += f'<text x="{left + wide / 2:.1f}" y="{top + 14}">{stop.number}</text>'
    if stop.done_s is not None:
        kind = "late" if stop.done_s > stop.eta_s + stop.service_s + 900 else "done"
        shape = "failed" if stop.state == "failed" else kind
        bar += f'<rect class="actual {shape}" x="{x(stop.done_s) - 1.5:.1f}" y="{top + 19}" width="3" height="7"/>'
    return bar + "</g>"
