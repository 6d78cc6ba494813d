"""What a handover at the door is shown by, what is left out of it, and what a new plan changed."""

import io
import uuid
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from dispatch.cases.case import Case, CaseEvent
from dispatch.custody import verification
from dispatch.custody.handover import Handover
from dispatch.custody.parcel import Parcel, ParcelState
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import CourierStop, StopEvent, StopState
from routing.day.day_plan import DayPlan, PlanState
from tests.dispatch import steps
from tests.dispatch.builders import TEN, a_prescreened_case, an_appointment, the_county
from tests.fixtures.papers import a_pdf
from tests.web.conftest import signed_in_client
from tests.web.pages.courier.tuesday import TUESDAY, Day
from web.wiring import files


def a_picture(form: str = "JPEG", grey: int = 120) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (60, 40), (grey, grey, grey)).save(out, form)
    return out.getvalue()


def handed(day: Day, **more: object) -> dict[str, object]:
    return {
        "act": "delivered", "event_id": str(uuid.uuid4()), "code": day.delivery_code, "identity_checked": "1",
        "found": day.delivery_waybill, **more,
    }  # fmt: skip


def test_photo_and_signature_are_kept_and_their_digests_stand_in_the_chain(
    app: Flask, courier: FlaskClient, day: Day, sessions: sessionmaker[Session]
):
    form = handed(
        day, photo=(io.BytesIO(a_picture()), "a.jpg"), signature=(io.BytesIO(a_picture("PNG", 0)), "s.png")
    )  # fmt: skip
    assert courier.post(f"/run/stops/{day.delivery}/acts", data=form).status_code == 302
    with sessions() as session, app.app_context():
        link = session.scalars(
            select(Handover).join(Parcel).where(Parcel.waybill == day.delivery_waybill).order_by(Handover.seq.desc())
        ).first()
        assert link is not None and len(link.proofs) == 3  # the code's digest, and both pictures
        assert sorted(files.path_of(d).suffix for d in link.proofs if files.is_kept(d)) == [".jpg", ".png"]
        assert list(verification.verify(session)) == []


def test_a_lead_sees_what_was_kept_at_the_door(
    courier: FlaskClient, desk_lead: FlaskClient, day: Day, sessions: sessionmaker[Session]
):
    form = {"act": "failed", "reason": "nobody_in", "photo": (io.BytesIO(a_picture()), "door.jpg")}
    assert courier.post(f"/run/stops/{day.delivery}/acts", data=form).status_code == 302
    with sessions() as session:
        parcel = session.scalars(select(Parcel).where(Parcel.waybill == day.delivery_waybill)).one()
        case_no = session.get_one(Case, parcel.case_id).case_no
        digest = session.scalars(select(StopEvent)).one().proofs[0]
    assert f"/proofs/{digest}" in desk_lead.get(f"/team/cases/{case_no}").get_data(as_text=True)
    with desk_lead.get(f"/team/cases/{case_no}/proofs/{digest}") as picture:
        assert (picture.status_code, picture.mimetype) == (200, "image/jpeg")
    assert desk_lead.get(f"/team/cases/{case_no}/proofs/{'ab' * 32}").status_code == 404


def test_a_phone_uploads_first_and_names_what_was_kept(
    app: Flask, courier: FlaskClient, day: Day, sessions: sessionmaker[Session]
):
    address = f"/api/v1/stops/{day.delivery}"
    said = handed(day, identity_checked=True, found=[day.delivery_waybill])
    assert courier.post(f"{address}/events", json=said | {"photos": ["ab" * 32]}).status_code == 422
    assert courier.post(f"{address}/events", json=said | {"photos": ["张三的身份证"]}).status_code == 422
    assert courier.post(f"{address}/proofs").status_code == 400
    pdf = {"file": (io.BytesIO(a_pdf()), "a.pdf")}
    assert courier.post(f"{address}/proofs", data=pdf).status_code == 422
    other = signed_in_client(app, day.other)
    assert other.post(f"{address}/proofs", data={"file": (io.BytesIO(a_picture()), "a.jpg")}).status_code == 404
    kept = courier.post(f"{address}/proofs", data={"file": (io.BytesIO(a_picture()), "a.jpg")})
    assert kept.status_code == 201
    said |= {"photos": [kept.get_json()["sha256"]]}
    assert courier.post(f"{address}/events", json=said).status_code == 201
    with sessions() as session:
        event = session.scalars(select(StopEvent).where(StopEvent.stop_id == day.delivery)).one()
        assert kept.get_json()["sha256"] in event.proofs


def test_a_picture_that_another_uploaded_or_of_another_stop_is_no_proof(app: Flask, courier: FlaskClient, day: Day):
    other = signed_in_client(app, day.other)

    def sent(client: FlaskClient, grey: int, stop: int | None) -> str:
        picture = a_picture(grey=grey)
        where = f"/api/v1/runs/uploads/{uuid.uuid4()}?offset=0&total={len(picture)}" + (f"&stop={stop}" if stop else "")
        answer = client.put(where, data=picture)
        assert answer.status_code == 200
        return str(answer.get_json()["sha256"])

    theirs, elsewhere = sent(other, 1, None), sent(courier, 2, day.pickup)
    mine, loose = sent(courier, 3, day.delivery), sent(courier, 4, None)
    fact = {"act": "arrived", "stop": day.delivery}
    nobodys = courier.post("/api/v1/runs/facts", json=fact | {"event_id": str(uuid.uuid4()), "photos": ["ab" * 32]})
    for digest in (theirs, elsewhere):
        answer = courier.post("/api/v1/runs/facts", json=fact | {"event_id": str(uuid.uuid4()), "photos": [digest]})
        assert (answer.status_code, answer.get_json()["detail"]) == (422, nobodys.get_json()["detail"])
    event = str(uuid.uuid4())
    answer = courier.post("/api/v1/runs/facts", json=fact | {"event_id": event, "photos": [mine], "signature": loose})
    assert (answer.status_code, answer.get_json()["taken"]) == (200, True)
    for digest, expected in ((theirs, 422), (elsewhere, 422), (mine, 200)):
        attached = courier.post(f"/api/v1/runs/facts/{event}/photos", json={"photos": [digest]})
        assert attached.status_code == expected
    again = {"act": "arrived", "stop": day.pickup, "event_id": str(uuid.uuid4()), "signature": loose}
    assert courier.post("/api/v1/runs/facts", json=again).status_code == 422  # it became the first stop's


def test_a_broken_picture_is_refused_beside_the_form(courier: FlaskClient, day: Day):
    form = handed(day, photo=(io.BytesIO(b"\xff\xd8\xffnothing"), "a.jpg"))
    answer = courier.post(f"/run/stops/{day.delivery}/acts", data=form)
    assert (answer.status_code, "已损坏" in answer.get_data(as_text=True)) == (422, True)


@pytest.fixture
def second(sessions: sessionmaker[Session], day: Day) -> str:
    """One more envelope at the pickup's address: its waybill."""
    with sessions.begin() as session:
        case, viewer = a_prescreened_case(the_county(session))
        parcel = steps.book_pickup(session, case, appointment=an_appointment(), by=viewer, at=TEN)
        parcel.stop_id = day.pickup
        return parcel.waybill


def test_what_is_left_out_needs_its_reason_and_comes_again_the_next_working_day(
    courier: FlaskClient, day: Day, second: str, sessions: sessionmaker[Session]
):
    address = f"/run/stops/{day.pickup}/acts"
    form = {"act": "collected", "code": day.pickup_code, "inspected": "1", "exceptions": second}
    assert "请选择除外的原因" in courier.post(address, data=form).get_data(as_text=True)
    all_of_it = form | {"exceptions": [second, day.pickup_waybill], "reason": "papers_not_ready"}
    assert "请改记“没办成”" in courier.post(address, data=all_of_it).get_data(as_text=True)
    said = form | {"reason": "papers_not_ready", "note": "图纸未盖章"}
    assert courier.post(address, data=said).status_code == 302
    with sessions() as session:
        left = session.scalars(select(Parcel).where(Parcel.waybill == second)).one()
        again = session.get_one(CourierStop, left.stop_id)
        assert (left.state, again.state, again.on) == (ParcelState.BOOKED, StopState.OPEN, TUESDAY + timedelta(days=1))
        assert session.get_one(CourierStop, day.pickup).state is StopState.DONE
        words = session.scalars(select(CaseEvent.words).where(CaseEvent.case_id == left.case_id)).all()
        assert "揽收未成：材料未备齐，11月25日再次上门" in words
        assert "揽投员说明：图纸未盖章" in words
    assert courier.post(address, data={"act": "undone"}).status_code == 302
    with sessions() as session:
        assert session.scalars(select(Parcel.stop_id).where(Parcel.waybill == second)).one() == day.pickup
        assert session.get_one(CourierStop, day.pickup).attempts == 0


def test_a_new_plan_says_in_words_what_it_changed(courier: FlaskClient, day: Day, sessions: sessionmaker[Session]):
    with sessions.begin() as session:
        run = session.get_one(CourierRun, day.run_id)
        plan = session.get_one(DayPlan, run.plan_id)
        before = DayPlan(
            division_id=plan.division_id, on=plan.on, cutoff=plan.cutoff, state=PlanState.SUPERSEDED, requested_at=TEN
        )
        session.add(before)
        session.flush()
        before.result, plan.result = _routes(run, day.pickup, 10**9), _routes(run, day.pickup, day.delivery)
        plan.replaces_id = before.id
    page = courier.get("/run").get_data(as_text=True)
    assert "李组长重新安排了路线，新增1站，减少1站；下一站：常州精机有限公司" in page


def _routes(run: CourierRun, *stop_ids: int) -> dict[str, object]:
    return {"routes": [{"courier_id": run.courier_id, "visits": [{"stop_id": n} for n in stop_ids]}], "unserved": []}
