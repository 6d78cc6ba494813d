"""The courier's pages: the day, one stop, the load, handover lists; what plain forms do, and what is never shown."""

import json
import uuid
from datetime import UTC, datetime, time, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

import db
from dispatch.core.shanghai_time import utc
from dispatch.custody.handover import Holder
from dispatch.custody.handover_list import HandoverList
from dispatch.custody.parcel import Parcel, ParcelState
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import CourierStop, StopAct, StopEvent, StopState
from routing.day.day_plan import DayPlan
from tests.web.conftest import signed_in_client
from tests.web.pages.courier.tuesday import TUESDAY, Day


def events(sessions: sessionmaker[Session], stop_id: int) -> list[StopEvent]:
    with sessions() as session:
        return list(session.scalars(select(StopEvent).where(StopEvent.stop_id == stop_id).order_by(StopEvent.id)))


def state(sessions: sessionmaker[Session], stop_id: int) -> StopState:
    with sessions() as session:
        return session.get_one(CourierStop, stop_id).state


def parcel(sessions: sessionmaker[Session], waybill: str) -> Parcel:
    with sessions() as session:
        return session.scalars(select(Parcel).where(Parcel.waybill == waybill)).one()


def collect(day: Day, **more: str) -> dict[str, str]:
    return {"act": "collected", "event_id": str(uuid.uuid4()), "code": day.pickup_code, "inspected": "1", **more}


def test_the_day_shows_addresses_windows_and_papers_but_no_code_and_no_project(courier: FlaskClient, day: Day):
    answer = courier.get("/run")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    for shown in (
        "湖塘镇人民东路1号",
        "09:00–11:00",
        "还剩 ",
        day.pickup_waybill[-6:-2],
        "李组长重新安排了路线",
        "uri.amap.com",
    ):
        assert shown in page
    for hidden in (day.pickup_code, day.delivery_code, "精密机床扩产项目", "320412-20261123", "IND-10"):
        assert hidden not in page
    api = courier.get("/api/v1/runs/mine").get_json()
    assert [stop["id"] for stop in api["runs"][0]["stops"]] == [day.pickup, day.delivery]
    assert day.pickup_code not in json.dumps(api)


def test_the_phone_is_told_until_when_it_may_keep_the_page(courier: FlaskClient):
    until = datetime.fromtimestamp(int(courier.get("/run").headers["X-Keep-Until"]) / 1000, UTC)
    ahead = until - datetime.now(UTC)
    assert timedelta(hours=9) < ahead <= timedelta(hours=10)  # ten o'clock; the shift ends at six; two hours more


def test_the_service_worker_looks_after_the_run_and_nothing_else(app: Flask):
    with app.test_client().get("/run/sw.js") as answer:
        assert answer.headers["Service-Worker-Allowed"] == "/run"
        assert answer.mimetype == "text/javascript"
    manifest = app.test_client().get("/run/manifest.webmanifest")
    assert manifest.mimetype == "application/manifest+json"
    assert manifest.get_json()["scope"] == "/run"
    for icon in manifest.get_json()["icons"]:
        with app.test_client().get(icon["src"]) as picture:
            assert picture.status_code == 200
    assert app.test_client().get("/run/ended").status_code == 200


def test_another_courier_finds_nothing(app: Flask, day: Day):
    other = signed_in_client(app, day.other)
    assert "还没有线路" in other.get("/run").get_data(as_text=True)
    assert other.get(f"/run/stops/{day.pickup}").status_code == 404
    for what in ("acts", "pin", "first"):
        assert (
            other.post(f"/run/stops/{day.pickup}/{what}", data=collect(day, lon="119.96", lat="31.72")).status_code
            == 404
        )
    assert other.post("/run/load", data={"run_id": day.run_id}).status_code == 404


def test_a_plain_form_collects_once_however_often_it_is_sent(
    courier: FlaskClient, day: Day, sessions: sessionmaker[Session]
):
    form = collect(day, seal_no="S1")
    assert courier.post(f"/run/stops/{day.pickup}/acts", data=form).status_code == 302
    assert courier.post(f"/run/stops/{day.pickup}/acts", data=form).status_code == 302
    assert [event.act for event in events(sessions, day.pickup)] == [StopAct.COLLECTED]
    held = parcel(sessions, day.pickup_waybill)
    assert (held.state, held.seal_no, held.chain_length) == (ParcelState.ON_THE_WAY, "S1", 1)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"code": "000000"}, "验证码不对"),
        ({"code": ""}, "请输入企业提供的验证码"),
        ({"inspected": None}, "封装前请当面验视"),
        ({"act": "dance"}, "填写有误"),
        ({"exceptions": "EA999999999CN"}, "邮件号校验位不对"),
        ({"exceptions": "EA123456785CN"}, "该邮件不属于这一站"),
    ],
)
def test_what_is_refused_is_said_beside_the_form_and_nothing_typed_is_lost(
    courier: FlaskClient, day: Day, sessions: sessionmaker[Session], changed: dict[str, str | None], words: str
):
    form = {k: v for k, v in {**collect(day, seal_no="S77"), **changed}.items() if v is not None}
    answer = courier.post(f"/run/stops/{day.pickup}/acts", data=form)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert words in page
    assert 'value="S77"' in page
    assert (events(sessions, day.pickup), state(sessions, day.pickup)) == ([], StopState.PLANNED)


def test_a_delivery_needs_the_identity_and_the_code(courier: FlaskClient, day: Day, sessions: sessionmaker[Session]):
    form = {"act": "delivered", "event_id": str(uuid.uuid4()), "code": day.delivery_code}
    not_loaded = courier.post(f"/run/stops/{day.delivery}/acts", data=form | {"identity_checked": "1"})
    assert "这件没有装车扫描" in not_loaded.get_data(as_text=True)
    form |= {"found": day.delivery_waybill}
    refused = courier.post(f"/run/stops/{day.delivery}/acts", data=form)
    assert "投递前请核验收件人身份证件" in refused.get_data(as_text=True)
    assert state(sessions, day.delivery) is StopState.PLANNED
    assert courier.post(f"/run/stops/{day.delivery}/acts", data=form | {"identity_checked": "1"}).status_code == 302
    assert parcel(sessions, day.delivery_waybill).holder is Holder.ENTERPRISE


def test_a_failed_attempt_needs_its_reason_and_a_problem_leaves_the_stop_open(
    courier: FlaskClient, day: Day, sessions: sessionmaker[Session]
):
    address = f"/run/stops/{day.pickup}/acts"
    assert "请选择未成功的原因" in courier.post(address, data={"act": "failed"}).get_data(as_text=True)
    assert courier.post(address, data={"act": "problem", "note": "门卫不让进"}).status_code == 302
    assert state(sessions, day.pickup) is StopState.PLANNED
    assert courier.post(address, data={"act": "failed", "reason": "nobody_in"}).status_code == 302
    assert "无人在场" in courier.get("/run").get_data(as_text=True)


def test_a_correction_is_free_for_a_moment_and_then_needs_its_reason(
    courier: FlaskClient, day: Day, sessions: sessionmaker[Session]
):
    address = f"/run/stops/{day.pickup}/acts"
    courier.post(address, data=collect(day))
    assert courier.post(address, data={"act": "undone"}).status_code == 302
    assert state(sessions, day.pickup) is StopState.PLANNED
    courier.post(address, data=collect(day))
    with sessions.begin() as session:
        db.set_clock(session, utc(TUESDAY, time(10, 50)))
    assert "更正请写明原因" in courier.post(address, data={"act": "undone"}).get_data(as_text=True)
    assert courier.post(address, data={"act": "undone", "note": "材料装错"}).status_code == 302
    assert parcel(sessions, day.pickup_waybill).chain_length == 4


def test_both_clocks_are_kept_and_the_drift_is_the_phones_own(
    courier: FlaskClient, day: Day, sessions: sessionmaker[Session]
):
    slow = datetime.now(UTC) - timedelta(minutes=7)
    said = {
        "event_id": str(uuid.uuid4()), "act": "collected", "code": day.pickup_code, "inspected": True,
        "device_at": (slow - timedelta(minutes=30)).isoformat(), "sent_at": slow.isoformat(),
    }  # fmt: skip
    assert courier.post(f"/api/v1/stops/{day.pickup}/events", json=said).status_code == 201
    event = events(sessions, day.pickup)[0]
    assert event.drift_s == pytest.approx(420, abs=30)
    assert event.device_at is not None
    assert (event.at - event.device_at).total_seconds() == pytest.approx(7 * 60, abs=30)
    assert (event.recorded_at - event.at).total_seconds() == pytest.approx(30 * 60, abs=30)


def test_a_corrected_entrance_is_proposed_and_a_far_one_is_not(
    courier: FlaskClient, day: Day, sessions: sessionmaker[Session]
):
    address = f"/run/stops/{day.pickup}/pin"
    for wrong in ({}, {"lon": "x", "lat": "1"}, {"lon": "nan", "lat": "31.7"}, {"lon": "118.7", "lat": "32.0"}):
        assert courier.post(address, data=wrong).status_code == 422
    assert courier.post(address, data={"lon": "119.96123412", "lat": "31.7212"}).status_code == 302
    with sessions() as session:
        stop = session.get_one(CourierStop, day.pickup)
        assert (stop.proposed_lon, stop.proposed_lat, stop.lon) == (119.961234, 31.7212, 119.96)


def test_another_order_is_the_couriers_own_and_only_a_broken_window_warns(
    courier: FlaskClient, day: Day, sessions: sessionmaker[Session]
):
    address = f"/run/stops/{day.delivery}/first"
    assert courier.post(address).status_code == 302
    with sessions.begin() as session:
        assert [session.get_one(CourierStop, n).position for n in (day.delivery, day.pickup)] == [1, 2]
        stop = session.get_one(CourierStop, day.delivery)
        stop.announced_opens_s, stop.announced_closes_s = 36_000, 37_800  # ten to half past
        session.get_one(CourierStop, day.pickup).service_s = 3600
        db.set_clock(session, utc(TUESDAY, time(10)))
    answer = courier.post(f"/run/stops/{day.pickup}/first")
    assert (answer.status_code, "调整后会误时段" in answer.get_data(as_text=True)) == (200, True)
    with sessions() as session:
        assert session.get_one(CourierStop, day.pickup).position == 2
    assert courier.post(f"/run/stops/{day.pickup}/first", data={"anyway": "1"}).status_code == 302
    with sessions() as session:
        assert session.get_one(CourierStop, day.pickup).position == 1


# ---------------------------------------------------------------- the load and the lists


@pytest.mark.parametrize(
    ("typed", "words"),
    [("EA123456789CN", "邮件号校验位不对"), ("hello", "邮件号格式不对"), ("EA123456785CN", "不在本线路的应装邮件中")],
)
def test_a_number_that_does_not_belong_is_refused_and_stays_typed(
    courier: FlaskClient, day: Day, typed: str, words: str
):
    answer = courier.post("/run/load", data={"run_id": day.run_id, "waybill": typed})
    page = answer.get_data(as_text=True)
    assert (answer.status_code, words in page, f'value="{typed}"' in page) == (422, True, True)


def test_what_was_scanned_goes_on_a_list_that_both_sides_sign(
    courier: FlaskClient, desk_lead: FlaskClient, day: Day, sessions: sessionmaker[Session]
):
    page = courier.post("/run/load", data={"run_id": day.run_id, "waybill": day.delivery_waybill[2:11]})
    assert f'name="taken" value="{day.delivery_waybill}"' in page.get_data(as_text=True)
    twice = courier.post(
        "/run/load", data={"run_id": day.run_id, "waybill": day.delivery_waybill, "taken": day.delivery_waybill}
    )
    assert "已核对过" in twice.get_data(as_text=True)
    done = courier.post("/run/load", data={"run_id": day.run_id, "taken": waiting(courier), "step": "done"})
    assert done.status_code == 302
    sheet = courier.get(done.location).get_data(as_text=True)
    assert day.delivery_waybill in sheet and "签收</button>" not in sheet
    assert parcel(sessions, day.delivery_waybill).holder is Holder.CENTRE
    assert day.delivery_waybill in desk_lead.get(done.location).get_data(as_text=True)
    assert desk_lead.post(f"{done.location}/signature").status_code == 302
    assert parcel(sessions, day.delivery_waybill).holder is Holder.COURIER
    assert desk_lead.post(f"{done.location}/signature").status_code == 409
    assert "没有要装车的邮件" in courier.get("/run/load").get_data(as_text=True)


def test_a_partial_load_asks_by_name_and_can_be_taken_back(
    courier: FlaskClient, desk_lead: FlaskClient, day: Day, sessions: sessionmaker[Session]
):
    """One tap empties nothing: what would stay is named first, and until the centre signs all can be undone."""
    form = {"run_id": day.run_id, "step": "done"}
    asked = courier.post("/run/load", data=form)
    page = asked.get_data(as_text=True)
    assert asked.status_code == 200 and day.delivery_waybill in page and "确定留下吗" in page
    assert state(sessions, day.delivery) is StopState.PLANNED
    with sessions.begin() as session:
        run = session.get_one(CourierRun, day.run_id)
        plan = session.get_one(DayPlan, run.plan_id)
        visits = [{"stop_id": n, "start_s": 36_000} for n in (day.pickup, day.delivery)]
        plan.result = {"routes": [{"courier_id": run.courier_id, "visits": visits}], "unserved": []}
    assert courier.post("/run/load", data=form | {"left": waiting(courier)}).status_code == 302
    assert state(sessions, day.delivery) is StopState.OPEN
    assert courier.post(f"/run/load/{day.run_id}/undo").status_code == 302
    assert state(sessions, day.delivery) is StopState.PLANNED
    done = courier.post("/run/load", data=form | {"taken": waiting(courier)})
    assert "撤回装车" in courier.get("/run/load").get_data(as_text=True)
    assert courier.post(f"/run/load/{day.run_id}/undo").status_code == 302
    assert day.delivery_waybill in courier.get("/run/load").get_data(as_text=True)
    assert desk_lead.post(f"{done.location}/signature").status_code == 302
    assert parcel(sessions, day.delivery_waybill).holder is Holder.CENTRE, "what was taken back does not pass over"
    again = courier.post("/run/load", data=form | {"taken": waiting(courier)})
    desk_lead.post(f"{again.location}/signature")
    assert parcel(sessions, day.delivery_waybill).holder is Holder.COURIER
    refused = courier.post(f"/run/load/{day.run_id}/undo", follow_redirects=True)
    assert "中心已签收" in refused.get_data(as_text=True)


def test_an_envelope_that_is_missing_at_hand_in_has_its_reason_and_its_reader(
    courier: FlaskClient, desk_lead: FlaskClient, day: Day, sessions: sessionmaker[Session]
):
    courier.post(f"/run/stops/{day.pickup}/acts", data=collect(day))
    listed = courier.get("/handovers").get_data(as_text=True)
    assert f'name="missing-{day.pickup_waybill}"' in listed
    sheet = courier.post("/handovers", data={f"missing-{day.pickup_waybill}": "路上遗失，正在找"}).location
    assert desk_lead.post(f"{sheet}/signature").status_code == 302
    assert parcel(sessions, day.pickup_waybill).holder is Holder.COURIER
    assert "路上遗失，正在找" in desk_lead.get("/team/couriers").get_data(as_text=True)


def waiting(courier: FlaskClient) -> list[str]:
    page = courier.get("/run/load").get_data(as_text=True)
    return [part.split('"')[0] for part in page.split('data-waybill="')[1:]]


def test_what_was_not_scanned_is_not_on_the_run(courier: FlaskClient, day: Day, sessions: sessionmaker[Session]):
    left = {"run_id": day.run_id, "step": "done", "left": "another that was asked about"}
    assert "确定留下吗" in courier.post("/run/load", data=left).text, "what nobody was asked about is asked first"
    assert courier.post("/run/load", data=left | {"left": waiting(courier)}).status_code == 302
    assert (state(sessions, day.delivery), state(sessions, day.pickup)) == (StopState.OPEN, StopState.PLANNED)
    assert courier.get(f"/run/stops/{day.delivery}").status_code == 404


def test_papers_are_handed_in_and_a_difference_refuses_its_line_only(
    courier: FlaskClient, desk_lead: FlaskClient, day: Day, sessions: sessionmaker[Session]
):
    courier.post(f"/run/stops/{day.pickup}/acts", data=collect(day))
    assert "1 件待交回" in courier.get("/run").get_data(as_text=True)
    made = courier.post("/handovers")
    assert "手上有" not in courier.get("/handovers").get_data(as_text=True)
    assert made.location.rsplit("/", 1)[1] in desk_lead.get("/handovers").get_data(as_text=True)
    refused = {f"difference-{day.pickup_waybill}": "封签破损"}
    assert desk_lead.post(f"{made.location}/signature", data=refused).status_code == 302
    assert "差异：封签破损" in desk_lead.get(made.location).get_data(as_text=True)
    assert parcel(sessions, day.pickup_waybill).holder is Holder.COURIER
    again = courier.post("/handovers")
    assert desk_lead.post(f"{again.location}/signature").status_code == 302
    assert parcel(sessions, day.pickup_waybill).holder is Holder.CENTRE
    with sessions() as session:
        assert session.scalar(select(func.count(HandoverList.id))) == 2


def test_an_empty_hand_in_and_anothers_list_are_told(app: Flask, courier: FlaskClient, day: Day):
    assert courier.post("/handovers").status_code == 302
    assert "没有需要交接的邮件" in courier.get("/handovers").get_data(as_text=True)
    assert courier.get("/handovers/JJ-nobody").status_code == 404
    done = courier.post("/run/load", data={"run_id": day.run_id, "taken": waiting(courier), "step": "done"})
    other = signed_in_client(app, day.other)
    assert other.get(done.location).status_code == 404
    assert other.post(f"{done.location}/signature").status_code == 404
