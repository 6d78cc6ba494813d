"""The courier's phone: today's run, one stop a screen, the load, and what the phone needs to work without signal."""

import base64
import json
import uuid
from datetime import UTC, datetime, timedelta

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
from flask_wtf.csrf import generate_csrf
from werkzeug.wrappers import Response as AnyResponse

import db
from dispatch.acts.act_fields import MOST_PHOTOS
from dispatch.acts.coming import TellComing
from dispatch.acts.courier_desk import SeeAnswer, TellDispatcher
from dispatch.acts.courier_run import DriveStopFirst, LoadRun, ProposeEntrance, UndoLoad
from dispatch.acts.courier_words import ReadCourierWord
from dispatch.acts.roadside import PassEnvelopes, Side
from dispatch.acts.run_ends import END_LABEL, EndMyRun
from dispatch.acts.stop_report import ReportStop
from dispatch.cases.access_control import stop_for
from dispatch.cases.visit_word import COMING_LABEL
from dispatch.core.errors import DispatchError, NotFound, Refused
from dispatch.core.ids import CourierReportId, CourierWordId, RunId, StopId
from dispatch.views import courier_day, courier_load, courier_tomorrow, roadside
from routing.day.courier_stop import FAIL_LABEL, FailReason
from routing.day.errors import RunError
from routing.day.hours import seconds_of_day
from web.wiring import assets, files, jobs
from web.wiring.act_door import command_from_form, offers, take
from web.wiring.auth import courier_only, current_actor
from web.wiring.errors import of
from web.wiring.files import BadUpload
from web.wiring.formatting import business_clock, in_words, time_of_day
from web.wiring.kept_uploads import of_stop
from web.wiring.transactions import transaction

bp = Blueprint("courier", __name__, url_prefix="/run")

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
        passes = roadside.open_passes(session, viewer)
        held, colleagues = roadside.held_by(session, viewer, passes), roadside.colleagues(session, viewer)
    stops = [stop for run in day.runs for stop in run.stops]
    todo = [stop for stop in stops if stop.to_do]
    now_s = seconds_of_day(business_clock()[0])
    response = make_response(
        render_template(
            "courier/home.html", day=day, stops=stops, todo=todo, now_s=now_s,
            to_load=sum(len(lines) for lines in waiting.values()), to_hand_in=len(handed_in), reasons=FAIL_LABEL,
            coming_reasons=COMING_LABEL, new_id=uuid.uuid4, passes=passes, held=held, colleagues=colleagues,
            END_LABEL=END_LABEL,
        )
    )  # fmt: skip
    return _kept(response, day.shift_ends_s)


@bp.get("/tomorrow")
@courier_only
def tomorrow() -> Response:
    """The next working day: the run, or what is expected; kept on the phone beside today's."""
    viewer = current_actor()
    with transaction() as session:
        ahead, today = courier_tomorrow.tomorrow(session, viewer), courier_tomorrow.shift_ends(session, viewer)
    return _kept(make_response(render_template("courier/tomorrow.html", day=ahead)), today)


def _kept(response: Response, shift_ends_s: int | None) -> Response:
    """A page that the phone may keep: until when, whose it is, and of which version."""
    now_s = seconds_of_day(business_clock()[0])
    response.headers["X-Keep-Until"] = str(_keep_until_ms(shift_ends_s, now_s))
    response.headers["X-Courier"] = str(current_actor().courier_id)
    response.headers["X-Program"] = assets.version()
    return response


@bp.get("/session")
@courier_only
def session() -> Response:
    """Whose session this is, a fresh form token, the server's moment, and the version of the program."""
    return jsonify(
        courier=current_actor().courier_id, token=generate_csrf(), program=assets.version(),
        now_ms=round(business_clock()[0].timestamp() * 1000),
    )  # fmt: skip


@bp.app_template_global()
def phone_key() -> str:
    """The key by which this courier's phone seals what it keeps: the same on every sign-in, nobody else's."""
    return base64.b64encode(db.keyed_hash(f"phone:{current_actor().courier_id}")).decode()


@bp.app_template_global("clock_offset_ms")
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
        coming_reasons=COMING_LABEL,
        now_s=seconds_of_day(business_clock()[0]),
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
        given = {"photos": tuple(photos), "signature": signature, "reasons": _reasons(), **event_id}
        take(command_from_form(ReportStop, request.form, stop=stop_id, **given))
    except NotFound:
        raise
    except BadUpload as error:
        return _stop_page(stop_id, refused=in_words(error.user_message), status=422)
    except (DispatchError, RunError) as error:
        return _stop_page(stop_id, refused=in_words(error.user_message), status=of(error).status)
    flash(gettext("已记录"), "success")
    return redirect(url_for("courier.home"))


def _reasons() -> dict[str, FailReason]:
    """Why each envelope stayed behind, where its own reason was chosen."""
    chosen = {name.removeprefix("reason-"): value for name, value in request.form.items() if name.startswith("reason-")}
    return {waybill: FailReason(value) for waybill, value in chosen.items() if value in set(FailReason)}


def _proofs_kept(stop_id: int) -> tuple[list[str], str | None]:
    """The digests of the photos and the signature that came with a plain form, stored. Raises NotFound, BadFile."""
    given = {name: [file for file in request.files.getlist(name) if file.filename] for name in ("photo", "signature")}
    if any(given.values()):
        with transaction() as session:
            stop_for(session, current_actor(), stop_id)  # nothing is stored for somebody who may not
    subject = of_stop(stop_id)
    photos = [files.keep_picture(file, subject) for file in given["photo"][: MOST_PHOTOS + 1]]
    return photos, next((files.keep_picture(file, subject) for file in given["signature"]), None)


@bp.post("/coming")
@offers(TellComing)
def coming() -> AnyResponse:
    """Who waits at a stop is told when the courier comes."""
    try:
        done = take(command_from_form(TellComing, request.form))
        flash(gettext("已告知对方") if done.taken else gettext(done.words), "success" if done.taken else "error")
    except DispatchError as error:
        flash(in_words(error.user_message), "error")
    return redirect(url_for("courier.home"))


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


@bp.post("/reports")
@offers(TellDispatcher)
def tell_dispatcher() -> AnyResponse:
    """Something for the dispatcher that is no act at a stop."""
    try:
        take(command_from_form(TellDispatcher, request.form))
        flash(gettext("已记录，将发给调度"), "success")
    except Refused as error:
        flash(in_words(error.user_message), "error")
    return redirect(url_for("courier.home"))


@bp.post("/reports/<int:report_id>/seen")
@offers(SeeAnswer)
def see_answer(report_id: int) -> AnyResponse:
    """The answer was read."""
    take(SeeAnswer(report=CourierReportId(report_id)))
    return redirect(url_for("courier.home"))


@bp.post("/end")
@offers(EndMyRun)
def end_run() -> AnyResponse:
    """The courier cannot go on today."""
    try:
        ended = take(command_from_form(EndMyRun, request.form))
    except DispatchError as error:
        flash(in_words(error.user_message), "error")
        return redirect(url_for("courier.home"))
    for plan_id in ended.plans:
        jobs.publish(jobs.PLAN, plan_id)
    flash(gettext("已告诉调度：今天的线路到此为止"), "success")
    return redirect(url_for("courier.home"))


@bp.post("/passes")
@offers(PassEnvelopes)
def pass_on() -> AnyResponse:
    """Envelopes are given to a colleague, or taken from one; those that are ticked, and numbers that are typed."""
    typed = tuple(word for line in request.form.getlist("waybills") for word in line.replace("，", " ").split())
    try:
        done = take(command_from_form(PassEnvelopes, request.form, waybills=typed))
    except DispatchError as error:
        flash(in_words(error.user_message), "error")
        return redirect(url_for("courier.home"))
    given = request.form.get("side") == Side.GIVE.value
    said = gettext("已记录交出，等同事确认接收") if given else gettext("已记录接收")
    flash(said if done.taken else gettext(done.words), "success" if done.taken else "error")
    return redirect(url_for("courier.home"))


@bp.post("/words/<int:told_id>/read")
@offers(ReadCourierWord)
def read_word(told_id: int) -> AnyResponse:
    """What the dispatcher said was read."""
    take(command_from_form(ReadCourierWord, request.form, word=CourierWordId(told_id)))
    return redirect(url_for("courier.home"))


# ---------------------------------------------------------------- start of shift


@bp.get("/load")
@courier_only
def load() -> Response:
    """What to take along: each envelope's number is typed or scanned."""
    return _kept(make_response(_load_page({}, {})), None)


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
        left = tuple(request.form.getlist("left"))
        done = take(LoadRun(run_id=RunId(run_id), taken=tuple(taken), left=left))
        if done.left:
            return render_template("courier/load_ask.html", run_id=run_id, taken=taken, left=done.left)
        list_no = done.list_no
    except Refused as error:
        return _load_page({run_id: taken}, {run_id: (in_words(error.user_message), typed)}), 422
    except RunError as error:
        return _load_page({run_id: taken}, {run_id: (in_words(error.user_message), typed)}), 409
    flash(gettext("装车清单已生成，请与中心窗口双方签收") if list_no else gettext("没有装车的邮件"), "success")
    return redirect(url_for("handovers.sheet", list_no=list_no) if list_no else url_for("courier.home"))


@bp.post("/load/<int:run_id>/undo")
@offers(UndoLoad)
def undo_load(run_id: int) -> AnyResponse:
    """The load is taken back while the centre has not signed."""
    try:
        take(UndoLoad(run_id=RunId(run_id)))
        flash(gettext("装车已撤回，请重新核对"), "success")
    except Refused as error:
        flash(in_words(error.user_message), "error")
    return redirect(url_for("courier.load"))


def _load_page(taken: dict[int, list[str]], refused: dict[int, tuple[str, str]]) -> str:
    with transaction() as session:
        waiting = courier_load.to_load(session, current_actor())
        undo = courier_load.loads_to_undo(session, current_actor())
    return render_template("courier/load.html", waiting=waiting, taken=taken, refused=refused, undo=undo)


# ---------------------------------------------------------------- what the phone installs


@bp.get("/sw.js")
def service_worker() -> Response:
    """The service worker, served from where it may look after /run."""
    files_json = json.dumps([*assets.phone_files(), url_for("courier.manifest")])
    head = f"const VERSION = {json.dumps(assets.version())};\nconst FILES = {files_json};\n"
    script = (assets.STATIC / "courier" / "worker.js").read_text(encoding="utf-8")
    response = Response(head + script, mimetype="text/javascript")
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
