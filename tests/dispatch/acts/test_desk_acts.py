"""The team lead's desk: each act does its step, touches nothing of another county, and is taken once."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from agents.network import Division, Level, Precision, ServiceCentre
from agents.roster import Agent, Category, Duty, DutyKind, skills_of
from dispatch.acts.absences import RecordLeave
from dispatch.acts.act import perform
from dispatch.acts.act_record import ActRecord
from dispatch.acts.answering import AnswerTicket, CallBackTicket, OpenTicket
from dispatch.acts.assigning import (
    ApplyBatch,
    AssignProject,
    NotifyPlaced,
    PlaceWaiting,
    RelieveAgents,
    preview_batch,
)
from dispatch.acts.notices import (
    EditText,
    ErasePerson,
    ExportPerson,
    ResendMessage,
    ResumeNotices,
    RevertText,
    StopNotices,
    UnmaskNumber,
)
from dispatch.acts.people import AddAgent, AddCourier
from dispatch.acts.rectifying import RectifyGrade
from dispatch.acts.referring import AcceptReferral, DeclineReferral, ReferProject
from dispatch.acts.scanning import ScanParcel, SendOn
from dispatch.assignment import propose
from dispatch.assignment.absence import propose_relief
from dispatch.cases.case import Case
from dispatch.cases.due_moments import rectify_grade_due, verify_grade_due
from dispatch.cases.evaluation import (
    Evaluation,
    Grade,
    Rectification,
    RectificationState,
    Ticket,
    TicketKind,
    TicketState,
)
from dispatch.cases.project import Project, ProjectMember, ProjectState, Referral
from dispatch.cases.stages import Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import SYSTEM, Actor, Role
from dispatch.core.errors import NotFound, Refused, Stale, WrongStage
from dispatch.custody.handover import Holder
from notifications.message import Message, State
from notifications.people import PersonRequest, Unmasking
from notifications.suppression import SuppressedNumber
from notifications.texts import BadWords, current
from routing.day.couriers import Courier, Shift
from tests.dispatch import steps
from tests.dispatch.builders import MONDAY, TEN, a_prescreened_case, a_request, an_agent, an_assigned_case
from web.wiring.accounts import Account

SENT_TO = "+8613812345678"


@pytest.fixture
def lead(county):
    """The county's lead, with an account to act by."""
    return acting(county, county.lead)


def acting(county, actor):
    account = Account(role=actor.role, name=actor.name)
    county.session.add(account)
    county.session.flush()
    return replace(actor, account_id=account.id)


@pytest.fixture
def operator(county):
    return acting(county, Actor(Role.OPERATOR, name="系统"))


@pytest.fixture
def elsewhere(county):
    """Another city's county with its lead and an agent."""
    session = county.session
    there = Division(
        code="320583000000", name="昆山市", pinyin="kunshan", level=Level.COUNTY, parent_code="320000000000",
        path="320000000000.320583000000", kind="county", lon=120.98, lat=31.38, precision=Precision.EXACT,
    )  # fmt: skip
    session.add(there)
    session.flush()
    agent = an_agent(session, "昆山代办员", division=there)
    stranger = Actor(Role.LEAD, name="别处", division_id=there.id, division_path=there.path)
    return there, agent, acting(county, stranger)


@pytest.fixture
def waiting(county):
    case, _ = a_request(county)
    return county.session.get_one(Project, case.project_id)


@pytest.fixture
def assigned(county):
    case, viewer = an_assigned_case(county)
    county.session.flush()
    return case, viewer


def count(session, noun):
    return session.scalar(select(func.count()).select_from(noun))


# ---------------------------------------------------------------- assigning


def test_a_lead_gives_a_project_to_an_agent_of_the_own_reach(county, lead, waiting):
    agent = county.agents[1]
    result = perform(
        county.session, AssignProject(project=waiting.project_no, agent_id=agent.id, reason="熟悉园区", lock=True), lead
    )
    assert (result.agent_id, waiting.lead.locked, waiting.lead.chosen_by) == (agent.id, True, lead.label)
    record = county.session.scalars(select(ActRecord).where(ActRecord.act == "AssignProject")).one()
    assert record.named == sorted([f"project:{waiting.id}", f"agent:{agent.id}"])


def test_an_agent_of_another_county_is_not_there(county, lead, waiting, elsewhere):
    _, agent, stranger = elsewhere
    for command, actor in (
        (AssignProject(project=waiting.project_no, agent_id=agent.id, reason="近"), lead),
        (AssignProject(project=waiting.project_no, agent_id=agent.id, reason="近"), stranger),
        (ReferProject(project=waiting.project_no, agent_id=agent.id, reason="近"), lead),
        (AssignProject(project=waiting.project_no, mode="auto"), stranger),
        (RecordLeave(agent=agent.id, starts_on=MONDAY, ends_on=MONDAY), lead),
    ):
        with pytest.raises(NotFound):
            perform(county.session, command, actor)
    assert (waiting.state, agent.held) == (ProjectState.WAITING, 0)
    assert (count(county.session, ProjectMember), count(county.session, Referral)) == (0, 0)
    assert count(county.session, Duty) == 0


def test_a_choice_by_hand_needs_its_agent_its_reason_and_the_newest_version(county, lead, waiting):
    agent_id = county.agents[0].id
    with pytest.raises(Refused):
        perform(county.session, AssignProject(project=waiting.project_no, agent_id=agent_id, reason="  "), lead)
    with pytest.raises(Refused):
        perform(county.session, AssignProject(project=waiting.project_no, reason="近"), lead)
    with pytest.raises(Stale):
        perform(
            county.session, AssignProject(project=waiting.project_no, agent_id=agent_id, reason="近", version=9), lead
        )
    assert waiting.lead is None


def test_a_project_is_placed_once_for_one_client_id_and_both_sides_are_told(county, lead, waiting):
    client_id = uuid4()
    command = AssignProject(project=waiting.project_no, mode="auto")
    first = perform(county.session, command, lead, client_id=client_id)
    assert perform(county.session, command, lead, client_id=client_id) == first
    assert first.agent_id is not None
    told = county.session.scalars(
        select(Message.text_name).where(Message.text_name.in_(("assigned", "project_for_agent")))
    ).all()
    assert sorted(told) == ["assigned", "project_for_agent"]


def test_a_batch_is_what_was_read_within_the_reach_and_signed_by_its_lead(county, lead, waiting, elsewhere):
    there, _, stranger = elsewhere
    seen = propose.propose(county.session, at=TEN, path=lead.division_path).fingerprint
    for given in (None, "older"):
        with pytest.raises(Stale):
            perform(county.session, ApplyBatch(seen=given), lead)
    with pytest.raises(NotFound):
        perform(county.session, ApplyBatch(seen=seen, area=there.code), lead)
    with pytest.raises(NotFound):
        perform(county.session, ApplyBatch(seen=seen), replace(lead, division_path=None))
    assert (
        perform(
            county.session,
            ApplyBatch(seen=propose.propose(county.session, at=TEN, path=there.path).fingerprint),
            stranger,
        ).moves
        == ()
    )
    assert waiting.state is ProjectState.WAITING
    assert len(preview_batch(county.session, ApplyBatch(), SYSTEM).moves) == 1
    done = perform(county.session, ApplyBatch(seen=seen), lead)
    assert (done.applied.done, waiting.state) == (1, ProjectState.ACTIVE)
    case = county.session.scalars(select(Case)).one()
    assert (case.stage, case.changed_by) == (Stage.ASSIGNED, lead.label)


def test_what_the_clock_places_is_told_and_leaves_a_line_that_names_it(county, waiting):
    before = count(county.session, ActRecord)
    placed = perform(county.session, PlaceWaiting(project_id=waiting.id), SYSTEM)
    assert placed == waiting.lead.agent_id
    line = county.session.scalars(select(ActRecord).order_by(ActRecord.id.desc())).first()
    assert (line.act, line.actor, line.named) == ("PlaceWaiting", SYSTEM.label, [f"project:{waiting.id}"])
    assert perform(county.session, PlaceWaiting(project_id=waiting.id), SYSTEM) == 0
    assert perform(county.session, NotifyPlaced(), SYSTEM) == 0
    assert count(county.session, ActRecord) == before + 1
    with pytest.raises(NotFound):
        perform(county.session, PlaceWaiting(project_id=waiting.id), county.lead)


# ---------------------------------------------------------------- referring


def test_an_offer_is_taken_over_by_the_colleague_only(county, assigned):
    project = county.session.get_one(Project, assigned[0].project_id)
    first, second, third = (acting(county, county.agent_viewer(n)) for n in range(3))
    offer = perform(
        county.session,
        ReferProject(project=project.project_no, agent_id=county.agents[1].id, reason="出差"),
        first,
    )
    with pytest.raises(NotFound):
        perform(county.session, AcceptReferral(project=project.project_no, referral_id=offer.id), third)
    taken = perform(county.session, AcceptReferral(project=project.project_no, referral_id=offer.id), second)
    assert project.lead.agent_id == county.agents[1].id
    assert taken.accepted_at is not None
    with pytest.raises(WrongStage):
        perform(county.session, DeclineReferral(project=project.project_no, referral_id=offer.id), second)


def test_a_declined_offer_leaves_the_first_agent_and_tells_the_desk(county, assigned, elsewhere):
    project = county.session.get_one(Project, assigned[0].project_id)
    first, second = (acting(county, county.agent_viewer(n)) for n in range(2))
    offer = perform(
        county.session, ReferProject(project=project.project_no, agent_id=county.agents[1].id, reason="出差"), first
    )
    with pytest.raises(NotFound):
        perform(county.session, DeclineReferral(project=project.project_no, referral_id=offer.id), elsewhere[2])
    assert (
        perform(county.session, DeclineReferral(project=project.project_no, referral_id=offer.id), second).declined_at
        is not None
    )
    assert project.lead.agent_id == county.agents[0].id
    texts = select(func.count()).select_from(Message).where(Message.text_name == "first_ask_escalated")
    assert county.session.scalar(texts) == 1
    with pytest.raises(WrongStage):
        perform(
            county.session,
            AcceptReferral(project=project.project_no, referral_id=offer.id),
            acting(county, county.lead),
        )


# ---------------------------------------------------------------- leave


def test_a_long_leave_is_recorded_and_relieved_as_it_was_proposed(county, lead, assigned):
    away = county.agents[0]
    leave = RecordLeave(agent=away.id, starts_on=MONDAY, ends_on=MONDAY + timedelta(days=14), kind=DutyKind.SICK)
    assert perform(county.session, leave, lead).is_long
    with pytest.raises(Refused):
        perform(
            county.session,
            RecordLeave(agent=away.id, starts_on=MONDAY, ends_on=MONDAY - timedelta(days=1)),
            lead,
        )
    with pytest.raises(Stale):
        perform(county.session, RelieveAgents(seen=""), lead)
    seen = propose_relief(county.session, at=TEN, path=lead.division_path).proposal.fingerprint
    assert perform(county.session, RelieveAgents(seen=seen), lead).done == 1
    project = county.session.get_one(Project, assigned[0].project_id)
    assert project.lead.agent_id != away.id


# ---------------------------------------------------------------- new people


def test_people_are_entered_at_places_of_the_reach(county, lead, elsewhere):
    skilled = AddAgent(division=county.town.code, name="新来的", phone="13912340001", skills=(Category.LAND,))
    made = perform(county.session, skilled, lead)
    agent = county.session.get_one(Agent, made)
    assert (agent.division_id, agent.phone, agent.capacity) == (county.town.id, "+8613912340001", 6)
    assert skills_of(county.session, [agent.id])[agent.id] == {"land": 2}
    made = perform(county.session, AddCourier(division=county.division.code, name="小李", phone="13912340002"), lead)
    assert count(county.session, Shift) >= 26
    assert county.session.get_one(Courier, made).division_id == county.division.id
    agents = count(county.session, Agent)
    for command in (AddAgent, AddCourier):
        with pytest.raises(NotFound):
            perform(county.session, command(division=elsewhere[0].code, name="别处", phone="13912340003"), lead)
        for wrong in ({"phone": "123"}, {"name": "  "}, {"division": "320412100201"}):
            fields = {"division": county.town.code, "name": "新来的", "phone": "13912340003"} | wrong
            with pytest.raises(Refused):
                perform(county.session, command(**fields), lead)
    assert count(county.session, Agent) == agents


# ---------------------------------------------------------------- tickets and grades


def test_a_ticket_is_opened_answered_and_called_back_within_the_reach(county, lead, assigned, elsewhere):
    case, viewer = assigned
    asker = acting(county, viewer)
    opened = perform(
        county.session,
        OpenTicket(
            kind=TicketKind.QUESTION, words="何时办结？", case_no=case.case_no, phone="+8613900001111", from_12345=True
        ),
        asker,
    )
    ticket = county.session.scalars(select(Ticket)).one()
    assert (ticket.from_12345, ticket.phone, ticket.owner_agent_id) == (False, None, county.agents[0].id)
    no = opened.ticket_no
    for step in (AnswerTicket(ticket=no, words="三日内"), CallBackTicket(ticket=no, words="满意")):
        with pytest.raises(NotFound):
            perform(county.session, step, elsewhere[2])
    with pytest.raises(WrongStage):
        perform(county.session, CallBackTicket(ticket=no, words="满意"), lead)
    with pytest.raises(Refused):
        perform(county.session, AnswerTicket(ticket=no, words=" "), lead)
    perform(county.session, AnswerTicket(ticket=no, words="三日内"), lead)
    with pytest.raises(WrongStage):
        perform(county.session, AnswerTicket(ticket=no, words="两日内"), lead)
    assert perform(county.session, CallBackTicket(ticket=no, words="满意"), lead).state is TicketState.CALLED_BACK
    assert ticket.reply == "三日内"


def test_an_enterprise_that_names_no_case_asks_its_own_county_and_never_anothers_case(county, lead, assigned):
    case, viewer = assigned
    asker = acting(county, viewer)
    perform(county.session, OpenTicket(kind=TicketKind.HELP, words="怎么开户"), asker)
    ticket = county.session.scalars(select(Ticket)).one()
    assert (ticket.division_id, ticket.case_id) == (county.division.id, None)
    other = acting(county, replace(viewer, enterprise_id=0))
    with pytest.raises(NotFound):
        perform(county.session, OpenTicket(kind=TicketKind.HELP, words="？", case_no=case.case_no), other)
    with pytest.raises(Refused):
        perform(county.session, OpenTicket(kind=TicketKind.HELP, words="？"), lead)
    assert count(county.session, Ticket) == 1


def test_a_bad_grade_is_rectified_by_others_than_the_rated(county, assigned, elsewhere):
    case, _ = assigned
    evaluation = Evaluation(
        case_id=case.id, review_id=case.reviews[0].id if hasattr(case, "reviews") else 1,
        agent_id=county.agents[0].id, grade=Grade.DISSATISFIED, at=TEN,
    )  # fmt: skip
    county.session.add(evaluation)
    county.session.flush()
    calendar = calendar_of(county.session)
    row = Rectification(
        evaluation_id=evaluation.id, opened_at=TEN, verify_by=verify_grade_due(calendar, TEN),
        rectify_by=rectify_grade_due(calendar, TEN),
    )  # fmt: skip
    county.session.add(row)
    county.session.flush()
    step = RectifyGrade(rectification=row.id, step=RectificationState.VERIFIED, words="属实")
    supervisor = acting(county, replace(county.lead, role=Role.SUPERVISOR))
    with pytest.raises(NotFound):
        perform(county.session, step, acting(county, county.lead))  # a lead does not judge the own team
    with pytest.raises(NotFound):
        perform(county.session, step, replace(elsewhere[2], role=Role.SUPERVISOR))
    with pytest.raises(Refused):
        perform(county.session, step, acting(county, county.agent_viewer()))
    client_id = uuid4()
    done = perform(county.session, step, supervisor, client_id=client_id)
    assert perform(county.session, step, supervisor, client_id=client_id) == done
    assert (row.state, row.finding) == (RectificationState.VERIFIED, "属实")


# ---------------------------------------------------------------- messages, numbers, personal data, texts


def test_a_message_is_resent_and_unmasked_for_a_reason_within_the_reach(county, lead, assigned, elsewhere):
    message = county.session.scalars(select(Message).where(Message.text_name == "assigned")).one()
    for command in (ResendMessage, UnmaskNumber):
        with pytest.raises(NotFound):
            perform(county.session, command(message=message.id, reason="回拨核实"), elsewhere[2])
        with pytest.raises(Refused):
            perform(county.session, command(message=message.id, reason=" x"), lead)
    with pytest.raises(Refused):
        perform(county.session, ResendMessage(message=message.id, reason="未收到"), lead)  # it is on its way
    message.state = State.FAILED_TEMPORARY
    again = perform(county.session, ResendMessage(message=message.id, reason="未收到"), lead)
    assert county.session.get_one(Message, again.id).resend_of_id == message.id
    shown = perform(county.session, UnmaskNumber(message=message.id, reason="回拨核实"), lead, client_id=uuid4())
    assert shown.number == SENT_TO
    assert county.session.scalars(select(Unmasking)).one().reason == "回拨核实"
    kept = county.session.scalars(select(ActRecord.answer).where(ActRecord.answer.is_not(None))).all()
    assert kept == [{"result": {"message": message.id}}]


def test_a_number_is_left_alone_and_written_to_again_for_a_reason(county, lead, assigned):
    for command in (StopNotices, ResumeNotices):
        for wrong in ({"reason": ""}, {"phone": "123"}):
            with pytest.raises(Refused):
                perform(county.session, command(**({"phone": "13812345678", "reason": "本人来电"} | wrong)), lead)
    perform(county.session, StopNotices(phone="13812345678", reason="本人来电"), lead)
    row = county.session.scalars(select(SuppressedNumber)).one()
    assert (row.by_account, row.note) == (lead.account_id, "本人来电")
    perform(county.session, ResumeNotices(phone="13812345678", reason="本人来电"), lead)
    assert county.session.scalars(select(SuppressedNumber).where(SuppressedNumber.lifted_at.is_(None))).all() == []
    with pytest.raises(NotFound):
        perform(county.session, StopNotices(phone="13812345678", reason="来电"), county.agent_viewer())


def test_personal_data_go_to_an_identified_owner_and_are_not_kept_with_the_act(county, lead, operator, assigned):
    for command in (ExportPerson, ErasePerson):
        with pytest.raises(NotFound):
            perform(county.session, command(phone=SENT_TO, reason="本人书面请求", known=True), lead)
        with pytest.raises(NotFound):
            perform(county.session, command(phone=SENT_TO, reason="本人书面请求", known=True), SYSTEM)
        for wrong in ({"known": False}, {"reason": ""}, {"phone": "nobody"}):
            fields = {"phone": SENT_TO, "reason": "本人书面请求", "known": True} | wrong
            with pytest.raises(Refused):
                perform(county.session, command(**fields), operator)
    assert count(county.session, PersonRequest) == 0
    found = perform(
        county.session, ExportPerson(phone=SENT_TO, reason="本人书面请求", known=True), operator, client_id=uuid4()
    )
    assert found.messages == len(found.rows) > 0
    kept = county.session.scalars(select(ActRecord.answer).where(ActRecord.answer.is_not(None))).one()
    assert kept == {"result": {"messages": found.messages}}
    gone = perform(county.session, ErasePerson(phone=SENT_TO, reason="本人书面请求", known=True), operator)
    assert gone.messages == found.messages


def test_a_text_is_changed_with_its_reason_and_reverted(county, operator, lead):
    own = current(county.session, "collected", "zh").words
    edit = EditText(text_name="collected", locale="zh", words=own + "请放心。", note="语气")
    with pytest.raises(NotFound):
        perform(county.session, edit, lead)
    for wrong in (replace(edit, text_name="nothing"), replace(edit, locale="fr")):
        with pytest.raises(NotFound):
            perform(county.session, wrong, operator)
    with pytest.raises(Refused):
        perform(county.session, replace(edit, note=""), operator)
    with pytest.raises(BadWords):
        perform(county.session, replace(edit, words="详见 http://a.cn"), operator)
    first = perform(county.session, edit, operator)
    assert current(county.session, "collected", "zh").words == own + "请放心。"
    reverted = perform(county.session, RevertText(text_name="collected", locale="zh", note="恢复"), operator)
    assert reverted > first
    assert current(county.session, "collected", "zh").words == own


# ---------------------------------------------------------------- sending on


def test_papers_are_sent_on_up_the_levels_and_to_no_centre_of_another_city(county, lead, elsewhere):
    case, _ = a_prescreened_case(county)
    parcel = steps.hand_in(county.session, case, by=county.agent_viewer(), at=TEN, scan_id="c")
    city = county.session.scalars(select(ServiceCentre).where(ServiceCentre.centre_no == "SC005")).one()
    there = ServiceCentre(
        centre_no="SC901", division_id=elsewhere[0].id, name="昆山市政务服务中心", pinyin="", level="county",
        lon=120.98, lat=31.38, precision="admin_seat",
    )  # fmt: skip
    county.session.add(there)
    county.session.flush()
    with pytest.raises(NotFound):
        perform(county.session, SendOn(waybill=parcel.waybill, to_centre_id=there.id), lead)
    with pytest.raises(Refused):
        perform(county.session, SendOn(waybill=parcel.waybill, to_centre_id=parcel.centre_id), lead)
    arrived = ScanParcel(waybill=parcel.waybill, to=Holder.CENTRE, ref=f"centre:{there.id}")
    with pytest.raises(NotFound):  # nor taken in there
        perform(county.session, arrived, lead)
    with pytest.raises(Refused):  # a centre is named by the act for it
        perform(county.session, ScanParcel(waybill=parcel.waybill, to=Holder.TRUNK, ref=f"centre:{city.id}"), lead)
    client_id = uuid4()
    send = SendOn(waybill=parcel.waybill, to_centre_id=city.id)
    sent = perform(county.session, send, lead, client_id=client_id)
    assert perform(county.session, send, lead, client_id=client_id) == sent
    assert (parcel.holder, parcel.to_centre_id) == (Holder.TRUNK, city.id)
