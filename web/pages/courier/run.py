"""The courier's phone: today's run, one stop a screen, the load, and what the phone needs to work without signal."""

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

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
from pydantic import ValidationError
from werkzeug.wrappers import Response as AnyResponse

import db
from dispatch.acts import handover_lists
from dispatch.cases.access_control import stop_for
from dispatch.core.errors import DispatchError, NotFound, Refused
from dispatch.custody.waybill import check_waybill
from dispatch.views import courier_day, courier_load
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import FAIL_LABEL
from routing.day.errors import RunError
from routing.day.hours import seconds_of_day
from routing.day.order import reorder
from routing.day.stops import propose_entrance
from web.wiring import files
from web.wiring.auth import courier_only, current_actor
from web.wiring.errors import of
from web.wiring.files import BadUpload
from web.wiring.formatting import business_clock, in_words, time_of_day
from web.wiring.stop_reports import MOST_PHOTOS, StopEventIn, report_stop
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
def act(stop_id: int) -> AnyResponse | tuple[str, int]:
    """What happened, from a plain form: a phone with scripts sends the same to the API, later if it must."""
    form = request.form
    try:
        photos, signature = _proofs_kept(stop_id)
        said = StopEventIn.model_validate(
            {
                "event_id": form.get("event_id") or uuid.uuid4(), "act": form.get("act", ""),
                "reason": form.get("reason") or None, "note": form.get("note", "").strip() or None,
                "exceptions": form.getlist("exceptions"), "code": form.get("code", "").strip() or None,
                "identity_checked": "identity_checked" in form, "inspected": "inspected" in form,
                "seal_no": form.get("seal_no", "").strip() or None, "photos": photos, "signature": signature,
            }
        )  # fmt: skip
        report_stop(current_actor(), stop_id, said)
    except NotFound as error:
        if "waybills" not in str(error):
            raise
        return _stop_page(stop_id, refused=in_words(error.user_message), status=422)
    except ValidationError:
        return _stop_page(stop_id, refused=gettext("填写有误，请核对后再提交"), status=422)
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
@courier_only
def pin(stop_id: int) -> AnyResponse | tuple[str, int]:
    """The pin is wrong: where the entrance is, by the phone's own position, for the lead to confirm."""
    try:
        lon, lat = float(request.form["lon"]), float(request.form["lat"])
        with transaction() as session:
            propose_entrance(stop_for(session, current_actor(), stop_id, lock=True), lon=lon, lat=lat)
    except (KeyError, ValueError):
        return _stop_page(stop_id, refused=gettext("没有取得手机定位，请到门口后再试"), status=422)
    except RunError as error:
        return _stop_page(stop_id, refused=in_words(error.user_message), status=422)
    flash(gettext("已把当前位置报给调度"), "success")
    return redirect(url_for("courier.home") + f"#stop-{stop_id}")


@bp.post("/stops/<int:stop_id>/first")
@courier_only
def go_first(stop_id: int) -> AnyResponse | tuple[str, int]:
    """Go there next. Only a window that would break is warned of, and the courier decides."""
    travel = current_app.extensions["daiban.travel"]
    try:
        with transaction() as session:
            found = stop_for(session, current_actor(), stop_id)
            if found.run_id is None:
                raise NotFound(f"stop {stop_id} is on no run")
            at_s = seconds_of_day(db.now(session))
            broken = reorder(
                session, session.get_one(CourierRun, found.run_id), [stop_id], at_s=at_s, travel=travel,
                anyway="anyway" in request.form,
            )  # fmt: skip
    except RunError as error:
        return _stop_page(stop_id, refused=in_words(error.user_message), status=409)
    if broken and "anyway" not in request.form:
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
@courier_only
def load_scan() -> AnyResponse | str | tuple[str, int]:
    """One more number, or all that was scanned goes along and the rest stays."""
    run_id = request.form.get("run_id", type=int) or 0
    taken = list(dict.fromkeys(request.form.getlist("taken")))
    typed = request.form.get("waybill", "").strip()
    try:
        with transaction() as session:
            run = courier_load.my_run(session, current_actor(), run_id)
            if request.form.get("step") != "done":
                _one_more(session, run, typed, taken)
                return _load_page({run_id: taken}, {})
            sheet = handover_lists.load(session, run, scanned=taken, by=current_actor(), at=db.now(session))
            address = url_for("handovers.sheet", list_no=sheet.list_no) if sheet else url_for("courier.home")
    except Refused as error:
        return _load_page({run_id: taken}, {run_id: (in_words(error.user_message), typed)}), 422
    except RunError as error:
        return _load_page({run_id: taken}, {run_id: (in_words(error.user_message), typed)}), 409
    flash(gettext("装车清单已生成，请与中心窗口双方签收") if sheet else gettext("没有装车的邮件"), "success")
    return redirect(address)


def _one_more(session: Any, run: CourierRun, typed: str, taken: list[str]) -> None:
    waybill = check_waybill(f"EA{typed}CN" if len(typed) == 9 and typed.isdigit() else typed)
    if waybill in taken:
        raise Refused(f"{waybill} was scanned", user_message=f"{waybill} 已核对过")
    if waybill not in {parcel.waybill for parcel in handover_lists.outgoing(session, run)}:
        raise Refused(f"{waybill} is not of run {run.id}", user_message=f"{waybill} 不在本线路的应装邮件中")
    taken.append(waybill)


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
