"""Refusals of a county: many acts that may not be, each with its words, in one database and with nothing changed."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.network import Division, ServiceCentre
from dispatch.acts.act import Act, perform
from dispatch.acts.agent_changes import EditAgent
from dispatch.acts.answering import OpenTicket
from dispatch.acts.asking import RequestProject, SiteGiven
from dispatch.acts.booking import BookDelivery, BookPickup, RescheduleLeg
from dispatch.acts.closing import EvaluateCase, GradeGiven
from dispatch.acts.coming import TellComing
from dispatch.acts.courier_desk import TellDispatcher, Topic
from dispatch.acts.courier_phones import ReportPhone
from dispatch.acts.courier_run import HandInToCentre, LoadRun, SignHandoverList
from dispatch.acts.door_facts import RecordFact
from dispatch.acts.filing import SubmitCase
from dispatch.acts.handover_lists import draw_up
from dispatch.acts.path_editing import EditPath
from dispatch.acts.plan_steps import ReportShift, ShiftChange
from dispatch.acts.prescreening import PrescreenCase
from dispatch.acts.referring import DeclineReferral
from dispatch.acts.roadside import PassEnvelopes, Side
from dispatch.acts.rostering import AddShiftRule
from dispatch.acts.run_ends import EndMyRun, EndReason
from dispatch.acts.scanning import ScanParcel
from dispatch.acts.stop_report import ReportStop, StopEventResult
from dispatch.acts.webhooks import MOST_SUBSCRIPTIONS, SkipDelivery, SubscribeWebhook
from dispatch.assignment import staffing
from dispatch.cases.case import Case
from dispatch.cases.evaluation import TicketKind
from dispatch.cases.lookups import reviews_of
from dispatch.cases.project import Enterprise, Project
from dispatch.cases.stages import Stage
from dispatch.cases.visit_word import ComingReason
from dispatch.catalogue.matter import Family
from dispatch.core.actor import Actor, Role
from dispatch.core.errors import DispatchError, NotFound, Refused, Stale, WrongStage
from dispatch.core.ids import (
    AgentId,
    CaseNo,
    ContactId,
    CourierId,
    DeliveryId,
    ListNo,
    MaterialId,
    ProjectNo,
    ReferralId,
    ReviewId,
    RunId,
    StopId,
    Waybill,
)
from dispatch.custody.handover import Holder
from dispatch.custody.handover_list import Direction, HandoverList
from notifications.webhooks.delivery import DeliveryState, WebhookDelivery
from notifications.webhooks.subscription import WebhookSubscription
from routing.day.courier_stop import CourierStop, StopAct, StopState
from tests.dispatch import steps
from tests.dispatch.builders import (
    MONDAY,
    TEN,
    County,
    a_prescreened_case,
    a_request,
    acting,
    an_appointment,
    an_assigned_case,
    an_enterprise,
    on_a_run,
)

Refusal = tuple[Act[Any], Actor, type[DispatchError], str]
NINE, ELEVEN = 9 * 3600, 11 * 3600


def all_refused(session: Session, refusals: Iterable[Refusal]) -> None:
    """Each of these acts is refused with its error, and the next one finds everything as it was."""
    for command, actor, error, words in refusals:
        with pytest.raises(error, match=words) as told, session.begin_nested():
            perform(session, command, actor, at=TEN)
        assert told.value.user_message, command


def test_an_account_whose_courier_is_gone_does_nothing_on_the_road(county: County) -> None:
    gone = Actor(Role.COURIER, account_id=1, name="离职", courier_id=10**9)
    nobody = replace(gone, courier_id=None)
    acts: tuple[tuple[Act[Any], Actor], ...] = (
        (EndMyRun(event_id=uuid.uuid4(), why=EndReason.ILL), gone),
        (TellDispatcher(event_id=uuid.uuid4(), topic=Topic.RUN, note="车坏了"), gone),
        (TellComing(event_id=uuid.uuid4(), stop=1, in_minutes=10, why=ComingReason.TRAFFIC), gone),
        (PassEnvelopes(event_id=uuid.uuid4(), side=Side.GIVE), gone),
        (RecordFact(event_id=uuid.uuid4(), stop=1, act=StopAct.ARRIVED), gone),
        (HandInToCentre(), gone),
        (ReportPhone(device=uuid.uuid4()), nobody),
    )
    all_refused(county.session, [(each, actor, NotFound, "without a courier") for each, actor in acts])


def test_what_a_request_may_not_be_is_said_before_anything_is_written(county: County) -> None:
    session = county.session
    _, first, asker = an_enterprise(session)
    _, _, other = an_enterprise(session, phone="+8613812345677", name="别家有限公司")
    site = SiteGiven(county.town.code, county.town.lon, county.town.lat, address="湖塘镇人民东路1号")
    asked = RequestProject(name="扩产", family=Family.INDUSTRIAL_PERMIT, site=site, matters=("IND-104",))
    retired = Division(
        code="320412199000", name="老镇", pinyin="", level=county.town.level, kind="town", lon=119.9, lat=31.7,
        parent_code=county.division.code, path=f"{county.division.path}.320412199000", retired_on=MONDAY,
        precision=county.town.precision,
    )  # fmt: skip
    session.add(retired)
    session.flush()
    old_site = SiteGiven(retired.code, 119.9, 31.7, address="老镇1号")
    yesterday = MONDAY - timedelta(days=1)
    all_refused(
        session,
        (
            (replace(asked, contact_id=ContactId(first.id)), other, DispatchError, "ontact"),
            (replace(asked, site=old_site), asker, Refused, "was retired"),
            (OpenTicket(kind=TicketKind.QUESTION, words="  "), asker, Refused, "needs words"),
            (OpenTicket(kind=TicketKind.QUESTION, words="?", on=yesterday), asker, Refused, "says the asker"),
            (OpenTicket(kind=TicketKind.QUESTION, words="?"), asker, Refused, "no place"),
        ),
    )
    assert session.get_one(Enterprise, other.enterprise_id or 0).name == "别家有限公司"


def test_a_visit_needs_its_day_its_place_and_something_to_call_for(county: County) -> None:
    session = county.session
    case, viewer = a_prescreened_case(county)
    case_no, project = CaseNo(case.case_no), session.get_one(Project, case.project_id)
    booked = BookPickup(case=case_no, on=MONDAY + timedelta(days=1), opens_s=NINE, closes_s=ELEVEN)
    all_refused(
        session,
        (
            (BookPickup(case=case_no, on=MONDAY), viewer, Refused, "needs on"),
            (
                BookDelivery(case=case_no, on=MONDAY, opens_s=NINE, closes_s=ELEVEN), viewer, WrongStage,
                "awaits no delivery",
            ),
        ),
    )  # fmt: skip
    point, project.site_lon = project.site_lon, None
    project.site_lat, lat = None, project.site_lat
    session.flush()
    all_refused(session, [(booked, viewer, Refused, "no point to call at")])
    project.site_lon, project.site_lat = point, lat
    parcel = steps.hand_in(session, case, by=county.agent_viewer(), at=TEN, scan_id="in:1")
    waybill, day = Waybill(parcel.waybill), MONDAY + timedelta(days=1)
    all_refused(
        session,
        (
            (RescheduleLeg(waybill=waybill, on=day), viewer, Refused, "a leg needs"),
            (RescheduleLeg(waybill=waybill, on=day, opens_s=NINE, closes_s=ELEVEN), viewer, WrongStage, "no stop"),
            (booked, viewer, WrongStage, "awaits no pickup"),
        ),
    )


def test_a_scan_a_load_and_a_list_are_of_their_own_papers(county: County) -> None:
    session, agent = county.session, county.agent_viewer()
    case, _ = a_prescreened_case(county)
    other, _ = a_prescreened_case(county, phone="+8613812345677", name="别家有限公司")
    mine, theirs = (steps.hand_in(session, each, by=agent, at=TEN, scan_id=f"in:{each.id}") for each in (case, other))
    twice = ScanParcel(waybill=Waybill(theirs.waybill), to=Holder.AUTHORITY, scan_id=f"in:{case.id}")
    all_refused(session, [(twice, agent, Refused, "belongs to another parcel")])

    third, viewer = a_third(county)
    parcel = steps.book_pickup(session, third, appointment=an_appointment(), by=viewer, at=TEN)
    run = on_a_run(county, session.get_one(CourierStop, parcel.stop_id))
    with pytest.raises(Refused, match="do not belong to run"):
        perform(
            session,
            LoadRun(run_id=RunId(run.id), taken=(mine.waybill,)),
            acting(county, county.courier_viewer()),
            at=TEN,
        )
    centre = session.get_one(ServiceCentre, mine.centre_id)
    lines = {"courier_id": county.couriers[0].id, "direction": Direction.IN, "on": MONDAY, "batch": "11:30", "at": TEN}
    with pytest.raises(Refused, match="empty batch"):
        draw_up(session, centre=centre, parcels=[], **lines)
    sheet = draw_up(session, centre=centre, parcels=[mine], **lines)
    people = acting(county, county.lead), acting(county, county.courier_viewer())
    for differences, error in (({theirs.waybill: "没有"}, NotFound), ({mine.waybill: " "}, Refused)):
        with pytest.raises(error), session.begin_nested():
            signed(session, sheet, people[0], differences)
    for person in people:
        signed(session, sheet, person, {mine.waybill: "封签破损"})
    assert (mine.holder, len(mine.handovers)) == (Holder.CENTRE, 1), "a line that is refused passes nothing over"
    with pytest.raises(WrongStage, match="is signed"):
        signed(session, sheet, people[0], {})


def signed(session: Session, sheet: HandoverList, by: Actor, differences: Mapping[str, str]) -> None:
    perform(session, SignHandoverList(list=ListNo(sheet.list_no), differences=differences), by, at=TEN)


def a_third(county: County) -> tuple[Case, Actor]:
    return a_prescreened_case(county, phone="+8613812345676", name="第三家有限公司")


def test_a_report_of_a_stop_is_of_that_stop_and_says_why_something_stayed(county: County) -> None:
    session = county.session
    case, viewer = a_prescreened_case(county)
    parcel = steps.book_pickup(session, case, appointment=an_appointment(), by=viewer, at=TEN)
    third, their_viewer = a_third(county)
    later = an_appointment(opens=10, closes=12)
    other = steps.book_pickup(session, third, appointment=later, by=their_viewer, at=TEN)
    stop, another = (session.get_one(CourierStop, each.stop_id) for each in (parcel, other))
    assert stop.id != another.id
    for each in (stop, another):
        on_a_run(county, each)
    courier = county.courier_viewer()

    def report(at: CourierStop, act: StopAct, event_id: uuid.UUID | None = None, **said: Any) -> StopEventResult:
        given: dict[str, Any] = {"event_id": event_id or uuid.uuid4(), "act": act, "code": parcel.code, **said}
        told = ReportStop(stop=StopId(at.id), inspected=True, **given)
        return steps.report_stop(session, at, told, by=courier, at=TEN)

    event = report(stop, StopAct.ARRIVED)
    assert report(stop, StopAct.ARRIVED, event.event_id) == event
    with pytest.raises(Refused, match="belongs to another stop"):
        report(another, StopAct.ARRIVED, event.event_id)
    for said, words in (
        ({"exceptions": (parcel.waybill,)}, "every parcel is left out"),
        ({"waybills": (other.waybill,)}, "are not at stop"),
    ):
        with pytest.raises(DispatchError, match=words):
            report(stop, StopAct.COLLECTED, **said)
    assert report(stop, StopAct.PROBLEM, note="门卫不放行").state is StopState.ARRIVED
    assert (parcel.holder, stop.state) == (Holder.ENTERPRISE, StopState.ARRIVED)


def test_a_desk_reads_what_it_changes_as_it_is_now(county: County) -> None:
    session, lead = county.session, acting(county, county.lead)
    case, viewer = an_assigned_case(county)
    other, _ = an_assigned_case(county, phone="+8613812345677", name="别家有限公司")
    agent, project = county.agents[0], session.get_one(Project, case.project_id)
    edited = EditAgent(
        agent=AgentId(agent.id), version=agent.version + 1, name=agent.name, phone=agent.phone,
        division=county.division.code, capacity=5, weekly_hours=40, stars=3,
    )  # fmt: skip
    offer = staffing.refer(
        session, project, from_agent_id=agent.id, to_agent_id=county.agents[1].id, reason="同站", by=lead, at=TEN
    )
    courier = CourierId(county.couriers[0].id)
    over = AddShiftRule(courier=courier, first_on=MONDAY - timedelta(days=9), last_on=MONDAY - timedelta(days=2))
    idle = ReportShift(courier=courier, what=ShiftChange.OUT, on=MONDAY + timedelta(days=300))
    path = EditPath(project=ProjectNo(project.project_no), kind="set_days", code="IND-105", reason="现场核实")
    defects = {MaterialId(other.materials[0].id): "公章不清"}
    all_refused(
        session,
        (
            (edited, lead, Stale, "is at version"),
            (
                DeclineReferral(project=ProjectNo(project.project_no), referral_id=ReferralId(offer.id)),
                county.agent_viewer(), Refused, "somebody else",
            ),
            (over, lead, Refused, "a rule of the past"),
            (replace(over, last_on=MONDAY - timedelta(days=10)), lead, Refused, "before it starts"),
            (replace(over, last_on=None, starts_s=NINE), lead, Refused, "half of the hours"),
            (idle, lead, NotFound, "does not work on"),
            (ReportShift(courier=courier, what=ShiftChange.LATE), lead, Refused, "late by"),
            (path, lead, Refused, "no working days"),
            (replace(path, kind=None), lead, Refused, "no kind of edit"),
            (PrescreenCase(case=CaseNo(case.case_no), defects=defects), county.agent_viewer(), NotFound, "case_id"),
        ),
    )  # fmt: skip
    ill = perform(session, ReportShift(courier=courier, what=ShiftChange.OUT), lead, at=TEN)
    assert (ill.what, ill.late_min) == (ShiftChange.OUT, 0)
    assert (case.stage, viewer.role) == (Stage.ASSIGNED, Role.ENTERPRISE)


def test_nothing_is_filed_without_a_letter_and_no_bad_grade_given_without_a_word(county: County) -> None:
    session, agent = county.session, county.agent_viewer()
    case, viewer = a_prescreened_case(county)
    steps.hand_in(session, case, by=agent, at=TEN, scan_id="in:1")
    letter = session.get_one(Project, case.project_id).delegations[0]
    letter.valid_from, until, letter.valid_to = MONDAY - timedelta(days=9), letter.valid_to, MONDAY - timedelta(days=1)
    all_refused(session, [(SubmitCase(case=CaseNo(case.case_no)), agent, Refused, "no delegation allows")])
    letter.valid_to = until
    case.stage = Stage.DELIVERED
    bad = tuple(GradeGiven(ReviewId(review.id), 1, " ") for review in reviews_of(session, case))
    all_refused(session, [(EvaluateCase(case=CaseNo(case.case_no), grades=bad), viewer, Refused, "has no words")])


def test_an_address_to_push_to_is_of_a_known_place_and_one_of_a_few(county: County) -> None:
    session = county.session
    case, viewer = a_request(county)
    owner = acting(county, viewer)
    subscribe = SubscribeWebhook(url="https://park.example/hook", purpose="园区平台")
    all_refused(session, [(replace(subscribe, area="320499000000"), owner, DispatchError, "320499")])
    for _ in range(MOST_SUBSCRIPTIONS):
        perform(session, subscribe, owner, at=TEN)
    first = session.scalars(select(WebhookSubscription.id)).first()
    told = WebhookDelivery(
        subscription_id=first, event_id=case.events[0].id, case_id=case.id, due_at=TEN, created_at=TEN,
        state=DeliveryState.DELIVERED,
    )  # fmt: skip
    session.add(told)
    session.flush()
    all_refused(
        session,
        (
            (subscribe, owner, Refused, "too many"),
            (SkipDelivery(delivery=DeliveryId(told.id)), owner, WrongStage, "is delivered"),
        ),
    )
