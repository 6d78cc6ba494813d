"""A wrong number was told a code for the door: it opens nothing more, and the right number is told another, once."""

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import select

import db
from dispatch.acts.act import perform
from dispatch.acts.correcting_parties import CorrectContact
from dispatch.acts.door_facts import RecordFact
from dispatch.acts.stop_report import ReportStop, RetiredCodeGiven, WrongCode
from dispatch.cases.case import Case
from dispatch.cases.courier_report import CourierReport, ReportState, WhyHeld
from dispatch.cases.project import Project
from dispatch.cases.visit_word import VisitWord
from dispatch.core.ids import ProjectNo, StopId
from dispatch.custody import verification
from dispatch.custody.handover import Holder
from dispatch.custody.parcel import Parcel
from dispatch.views.track import tracked
from notifications.message import Message, State
from routing.day.courier_stop import StopAct, StopState
from tests.dispatch.builders import acting
from tests.dispatch.road import NOON, on_the_road
from web.wiring import database_schema

database_schema.load_rooms()  # the line that an act leaves names an account of web's

RIGHT = "+8613900000077"


@pytest.fixture
def out(county):
    made = on_the_road(county)
    made.lead = acting(county, county.lead)
    for stop in made.stops:  # as a committed plan leaves it
        stop.announced_opens_s, stop.announced_closes_s = 9 * 3600, 11 * 3600
    made.session.flush()
    return made


def correct_contact(out, parcel: Parcel, phone: str = RIGHT) -> None:
    case = out.session.get_one(Case, parcel.case_id)
    project = out.session.get_one(Project, case.project_id)
    step = CorrectContact(project=ProjectNo(project.project_no), name="赵经理", phone=phone, reason="号码抄错")
    perform(out.session, step, out.lead)


def told(out, text: str, parcel: Parcel) -> list[Message]:
    query = select(Message).where(Message.text_name == text, Message.case_id == parcel.case_id)
    return list(out.session.scalars(query.order_by(Message.id)))


def delivered(out, code: str, **more):
    return ReportStop(
        stop=StopId(out.stops[1].id), event_id=uuid.uuid4(), act=StopAct.DELIVERED, code=code, identity_checked=True,
        **more,
    )  # fmt: skip


def test_the_old_code_is_refused_with_a_clear_word_and_costs_no_try(out):
    old = out.home.code
    correct_contact(out, out.home)
    assert out.home.code not in {None, old}
    for _ in range(7):
        with pytest.raises(RetiredCodeGiven) as refused:
            perform(out.session, delivered(out, old), out.one)
    assert "作废" in refused.value.user_message
    assert out.session.scalar(select(Parcel.code_tries).where(Parcel.id == out.home.id)) == 0
    assert (out.home.holder, out.stops[1].state) == (Holder.COURIER, StopState.PLANNED)
    with pytest.raises(WrongCode):
        perform(out.session, delivered(out, "000000" if out.home.code != "000000" else "111111"), out.one)
    perform(out.session, delivered(out, str(out.home.code)), out.one)
    assert out.home.holder is Holder.ENTERPRISE
    assert list(verification.verify(out.session)) == []


def test_the_right_number_is_told_the_new_code_once(out):
    out.session.flush()
    for message in told(out, "delivery", out.home):
        message.state = State.DELIVERED
    out.session.flush()
    old = out.home.code
    correct_contact(out, out.home)
    first, second = told(out, "delivery", out.home)
    assert (second.to_phone, second.state) == (RIGHT, State.QUEUED)
    assert second.values["code"] == out.home.code
    assert old not in str(first.values), "what the wrong number was told is covered"
    assert len(told(out, "contact_corrected", out.home)) == 1
    word = out.session.scalars(
        select(VisitWord).where(VisitWord.stop_id == out.stops[1].id, VisitWord.superseded_at.is_(None))
    ).one()
    assert word.message_id == second.id


def test_a_code_that_still_waited_to_be_told_never_reaches_the_wrong_number(out):
    correct_contact(out, out.pickup)
    first, second = told(out, "pickup", out.pickup)
    assert first.state is State.SUPPRESSED
    assert (second.to_phone, second.values["code"]) == (RIGHT, out.pickup.code)
    assert second.values["courier"] == out.county.couriers[0].name


def test_another_case_at_the_same_door_keeps_its_code(out):
    code = out.pickup.code
    correct_contact(out, out.home)
    assert out.pickup.code == code
    assert len(told(out, "pickup", out.pickup)) == 1


def test_a_new_name_alone_changes_no_code(out):
    code, contact = out.home.code, out.session.get_one(Case, out.home.case_id).contact
    correct_contact(out, out.home, phone=contact.phone)
    assert out.home.code == code
    assert len(told(out, "delivery", out.home)) == 1


def test_a_courier_who_took_the_old_code_without_signal_finds_it_on_the_desk(out):
    old = out.home.code
    correct_contact(out, out.home)
    happened = NOON - timedelta(minutes=20) - (db.now(out.session) - db.real_now(out.session))
    said = RecordFact(
        stop=out.stops[1].id, event_id=uuid.uuid4(), act=StopAct.DELIVERED, code=old, identity_checked=True,
        signature="ab" * 32, photos=("cd" * 32,), device_at=happened, sent_at=db.real_now(out.session),
    )  # fmt: skip
    held = perform(out.session, said, out.one)
    assert (held.taken, held.why) == (False, WhyHeld.RETIRED_CODE)
    assert "作废" in held.words
    report = out.session.scalars(select(CourierReport)).one()
    assert (report.hold_reason, report.state) == (WhyHeld.RETIRED_CODE, ReportState.OPEN)
    assert report.proofs == sorted(["ab" * 32, "cd" * 32])
    assert out.home.holder is Holder.COURIER
    later = RecordFact(
        stop=out.stops[1].id, event_id=uuid.uuid4(), act=StopAct.DELIVERED, code=out.home.code, identity_checked=True
    )
    assert perform(out.session, later, out.one).taken
    out.session.refresh(report)
    assert report.state is ReportState.OVERTAKEN
    assert list(verification.verify(out.session)) == []


def test_a_stop_without_a_window_keeps_the_new_code_to_itself_until_it_is_announced(out):
    stop, old = out.stops[0], out.pickup.code
    stop.announced_opens_s = stop.announced_closes_s = None
    out.session.flush()
    correct_contact(out, out.pickup)
    assert out.pickup.code != old
    assert [m.state for m in told(out, "pickup", out.pickup)] == [State.SUPPRESSED]
    with pytest.raises(RetiredCodeGiven):
        perform(
            out.session,
            ReportStop(stop=StopId(stop.id), event_id=uuid.uuid4(), act=StopAct.COLLECTED, code=old, inspected=True,
                       identity_checked=True),
            out.one,
        )  # fmt: skip


def test_the_old_query_code_finds_nothing(out):
    case = out.session.get_one(Case, out.home.case_id)
    old = case.query_code
    correct_contact(out, out.home)
    assert case.query_code != old
    last_four = case.contact.phone[-4:]
    assert tracked(out.session, code=case.query_code, last_four=last_four, at=NOON) is not None
    assert tracked(out.session, code=old, last_four=last_four, at=NOON) is None
