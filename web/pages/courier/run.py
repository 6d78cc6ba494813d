"""The courier's phone: today's run, one stop a screen, the load, and what the phone needs to work without signal."""

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    g,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from dispatch.acts.act_fields import MOST_PHOTOS
from dispatch.acts.courier_run import DriveStopFirst, LoadRun, ProposeEntrance
from dispatch.acts.stop_report import ReportStop
from dispatch.cases.access_control import stop_for
from dispatch.core.errors import DispatchError, NotFound, Refused
from dispatch.core.ids import RunId, StopId
from dispatch.views import courier_day, courier_load
from routing.day.courier_stop import FAIL_LABEL
from routing.day.errors import RunError
from routing.day.hours import seconds_of_day
from web.wiring import files
from web.wiring.act_door import command_from_form, offers, take
from web.wiring.auth import courier_only, current_actor
from web.wiring.errors import of
from web.wiring.files import BadUpload
from web.wiring.formatting import business_clock, in_words, time_of_day
from web.wiring.transactions import transaction

bp = Blueprint("courier", __name__, url_prefix="/run")

SERVICE_WORKER = Path(__file__).parents[2] / "static" / "courier-sw.js"
KEPT_AFTER_SHIFT = timedelta(hours=2)
KEPT_AT_MOST = timedelta(hours=14)


@bp.get("")
@courier_only
def home() -> Response:
    """Today's run: the list, and every stop's card behind it, so that one page is all a phone has to keep."""
    viewer = current_actor()
    with transaction() as session:
        day = courier_day.my_day(session, viewer)
        waiting = courier_load.to_load(session, viewer)
        handed_in = courier_load.to_hand_in(session, viewer)
    stops = [stop for run in day.runs for stop in run.stops]
    todo = [stop for stop in stops if stop.to_do]
    now_s = seconds_of_day(business_clock()[0])
    response = make_response(
        render_template(
            "courier/home.html", day=day, stops=stops, todo=todo, now_s=now_s, clock_ms=_offset_ms(),
            to_load=sum(len(lines) for lines in waiting.values()), to_hand_in=handed_in, reasons=FAIL_LABEL,
            new_id=uuid.uuid4,
        )
    )  # fmt: skip
    response.headers["X-Keep-Until"] = str(_keep_until_ms(day.shift_ends_s, now_s))
    return response


def _offset_ms() -> int:
    """How far the program's clock is from real time: 0 but in a demo."""
    return round((business_clock()[0] - datetime.now(UTC)).total_seconds() * 1000)


def _keep_until_ms(shift_ends_s: int | None, now_s: int) -> int:
    """Until when, by real time, the phone may keep what it shows: two hours after the shift."""
    left = timedelta(seconds=0 if shift_ends_s is None else max(0, shift_ends_s - now_s)) + KEPT_AFTER_SHIFT
    return round((datetime.now(UTC) + min(left, KEPT_AT_MOST)).timestamp() * 1000)


# ---------------------------------------------------------------- one stop


def _stop_page(stop_id: int, *, refused: str = "", status: int = 200) -> tuple[str, int]:
    """One stop on a page of its own, with what was typed and why it was not taken."""
    viewer = current_actor()
    with transaction() as session:
        card = courier_day.my_stop(session, viewer, stop_for(session, viewer, stop_id))
    page = render_template(
        "courier/stop.html", stop=card, refused=refused, typed=request.form, reasons=FAIL_LABEL, new_id=uuid.uuid4,
        now_s=seconds_of_day(business_clock()[0]), clock_ms=_offset_ms(),
    )  # fmt: skip
    return page, status


@bp.get("/stops/<int:stop_id>")
@courier_only
def stop(stop_id: int) -> tuple[str, int]:
    """One stop."""
    return _stop_page(stop_id)


@bp.post("/stops/<int:stop_id>/acts")
@courier_only
@offers(ReportStop)
def act(stop_id: int) -> AnyResponse | tuple[str, int]:
    """What happened, from a plain form: a phone with scripts sends the same to the API, later if it must."""
    try:
        photos, signature = _proofs_kept(stop_id)
        event_id = {} if request.form.get("event_id") else {"event_id": uuid.uuid4()}
        proofs = {"photos": tuple(photos), "signature": signature}
        take(command_from_form(ReportStop, request.form, stop=stop_id, **proofs, **event_id))
    except NotFound:
        raise
    except BadUpload as error:
        return _stop_page(stop_id, refused=in_words(error.user_message), status=422)
    except (DispatchError, RunError) as error:
        return _stop_page(stop_id, refused=in_words(error.user_message), status=of(error).status)
    flash(gettext("已记录"), "success")
    return redirect(url_for("courier.home"))


def _proofs_kept(stop_id: int) -> tuple[list[str], str | None]:
    """The digests of the photos and the signature that came with a plain form, stored. Raises NotFound, BadFile."""
    given = {name: [file for file in request.files.getlist(name) if file.filename] for name in ("photo", "signature")}
    if any(given.values()):
        with transaction() as session:
            stop_for(session, current_actor(), stop_id)  # nothing is stored for somebody who may not
    photos = [files.keep_picture(file) for file in given["photo"][: MOST_PHOTOS + 1]]
    return photos, next((files.keep_picture(file) for file in given["signature"]), None)


@bp.post("/stops/<int:stop_id>/pin")
@offers(ProposeEntrance)
def pin(stop_id: int) -> AnyResponse | tuple[str, int]:
    """The pin is wrong: where the entrance is, by the phone's own position, for the lead to confirm."""
    try:
        take(command_from_form(ProposeEntrance, request.form, stop=stop_id))
    except NotFound:
        raise
    except Refused:
        return _stop_page(stop_id, refused=gettext("没有取得手机定位，请到门口后再试"), status=422)
    except RunError as error:
        return _stop_page(stop_id, refused=in_words(error.user_message), status=422)
    flash(gettext("已把当前位置报给调度"), "success")
    return redirect(url_for("courier.home") + f"#stop-{stop_id}")


@bp.post("/stops/<int:stop_id>/first")
@offers(DriveStopFirst)
def go_first(stop_id: int) -> AnyResponse | tuple[str, int]:
    """Go there next. Only a window that would break is warned of, and the courier decides."""
    travel, anyway = current_app.extensions["daiban.travel"], "anyway" in request.form
    try:
        broken = take(DriveStopFirst(stop=StopId(stop_id), travel=travel, anyway=anyway)).broken
    except RunError as error:
        return _stop_page(stop_id, refused=in_words(error.user_message), status=409)
    if broken and not anyway:
        lines = [(b.label, time_of_day(b.eta_s), time_of_day(b.closes_s)) for b in broken]
        return render_template("courier/order.html", stop_id=stop_id, broken=lines), 200
    flash(gettext("已调整顺序"), "success")
    return redirect(url_for("courier.home"))


# ---------------------------------------------------------------- start of shift


@bp.get("/load")
@courier_only
def load() -> str:
    """What to take along: each envelope's number is typed or scanned."""
    return _load_page({}, {})


@bp.post("/load")
@offers(LoadRun)
def load_scan() -> AnyResponse | str | tuple[str, int]:
    """One more number, or all that was scanned goes along and the rest stays."""
    run_id = request.form.get("run_id", type=int) or 0
    taken = list(dict.fromkeys(request.form.getlist("taken")))
    typed = request.form.get("waybill", "").strip()
    try:
        if request.form.get("step") != "done":
            with transaction() as session:
                taken = courier_load.one_more(session, current_actor(), run_id, typed, taken)
            return _load_page({run_id: taken}, {})
        list_no = take(LoadRun(run_id=RunId(run_id), taken=tuple(taken))).list_no
    except Refused as error:
        return _load_page({run_id: taken}, {run_id: (in_words(error.user_message), typed)}), 422
    except RunError as error:
        return _load_page({run_id: taken}, {run_id: (in_words(error.user_message), typed)}), 409
    flash(gettext("装车清单已生成，请与中心窗口双方签收") if list_no else gettext("没有装车的邮件"), "success")
    return redirect(url_for("handovers.sheet", list_no=list_no) if list_no else url_for("courier.home"))


def _load_page(taken: dict[int, list[str]], refused: dict[int, tuple[str, str]]) -> str:
    with transaction() as session:
        waiting = courier_load.to_load(session, current_actor())
    return render_template("courier/load.html", waiting=waiting, taken=taken, refused=refused)


# ---------------------------------------------------------------- what the phone installs


@bp.get("/sw.js")
def service_worker() -> Response:
    """The service worker, served from where it may look after /run."""
    response = Response(SERVICE_WORKER.read_text(encoding="utf-8"), mimetype="text/javascript")
    response.headers["Service-Worker-Allowed"] = "/run"
    response.headers["Cache-Control"] = "no-cache"
    g.cacheable = True
    return response


@bp.get("/manifest.webmanifest")
def manifest() -> Response:
    """What makes the page installable on a phone's home screen."""
    icons = [
        {"src": url_for("static", filename=f"courier-{size}.png"), "sizes": f"{size}x{size}", "type": "image/png",
         "purpose": purpose}
        for size in (192, 512) for purpose in ("any", "maskable")
    ]  # fmt: skip
    answer = jsonify(
        {
            "name": "代办通·今日线路", "short_name": "今日线路", "lang": "zh-CN", "id": "/run", "start_url": "/run",
            "scope": "/run", "display": "standalone", "orientation": "portrait", "background_color": "#ffffff",
            "theme_color": "#123f7a", "icons": icons,
        }
    )  # fmt: skip
    answer.mimetype = "application/manifest+json"
    g.cacheable = True
    return answer


@bp.get("/ended")
def ended() -> str:
    """What a phone shows when nothing of the day is kept and there is no signal."""
    g.cacheable = True
    return render_template("courier/ended.html")
