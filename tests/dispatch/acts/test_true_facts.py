"""Materials and tickets: written down late or wrongly, put right, and everybody is told right, once."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from dispatch.acts.act import perform
from dispatch.acts.answering import AnswerTicket, OpenTicket
from dispatch.acts.correcting_facts import CorrectFact
from dispatch.acts.papers import GiveMaterial
from dispatch.cases.case import CaseEvent, Material, MaterialState
from dispatch.cases.due_moments import answer_due
from dispatch.cases.evaluation import Ticket, TicketKind, TicketState
from dispatch.cases.fact_event import FactKind
from dispatch.cases.recorded_event import standing_events
from dispatch.cases.review import Review
from dispatch.cases.stages import Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import Actor
from dispatch.core.errors import NotFound, Refused, WrongStage
from dispatch.path.edits import Relief
from notifications.message import Message
from tests.dispatch import steps
from tests.dispatch.builders import MONDAY, TEN, acting, an_assigned_case

FRIDAY = MONDAY - timedelta(days=3)


@pytest.fixture
def lead(county) -> Actor:
    return acting(county, county.lead)


@pytest.fixture
def asked(county):
    """A case that its agent has, every material given, and who asked for it."""
    return an_assigned_case(county)


@pytest.fixture
def case(asked):
    return asked[0]


def last_event(noun) -> int:
    """The id of the last event that stands."""
    return int(standing_events(noun.facts)[-1].id)


def given(case) -> Material:
    return next(m for m in case.materials if m.state is MaterialState.GIVEN)


def told(session, text: str) -> int:
    return session.scalar(select(func.count()).select_from(Message).where(Message.text_name == text))


def refuse_material(county, case, material: Material) -> None:
    steps.prescreen(county.session, case, by=county.agent_viewer(), at=TEN, defects={material.id: "公章不清"})


def test_a_material_brought_on_friday_is_given_on_friday(county, asked, case, lead) -> None:
    session, material = county.session, given(case)
    case.created_at = TEN - timedelta(days=7)
    case.answer_by = answer_due(calendar_of(session), case.created_at)
    session.flush()
    late = {"case": case.case_no, "material_id": material.id, "sha256": "7" * 64, "filename": "b.pdf"}
    friday_before = FRIDAY - timedelta(days=1)
    with pytest.raises(Refused, match="without a reason"):
        perform(session, GiveMaterial(**late, on=friday_before), lead)
    with pytest.raises(Refused, match="still to come"):
        perform(session, GiveMaterial(**late, on=MONDAY + timedelta(days=1)), lead)
    enterprise = acting(county, asked[1])
    with pytest.raises(Refused, match="says the enterprise"):
        perform(session, GiveMaterial(**late, on=friday_before, late_reason="忘记"), enterprise)
    perform(session, GiveMaterial(**late, on=friday_before, late_reason="窗口收件后漏登"), lead)
    event = material.facts[-1]
    assert (event.happened_on, event.happened_at, event.late_reason) == (friday_before, None, "窗口收件后漏登")
    assert TEN <= event.recorded_at < TEN + timedelta(hours=1)


def test_the_wrong_file_is_replaced_and_a_second_correction_brings_it_back(county, case, lead) -> None:
    session, material = county.session, given(case)
    first = material.sha256
    perform(
        session,
        CorrectFact(fact=last_event(material), reason="传错文件", document="8" * 64, filename="right.pdf"),
        lead,
    )
    assert (material.sha256, material.filename, material.state) == ("8" * 64, "right.pdf", MaterialState.GIVEN)
    perform(session, CorrectFact(fact=last_event(material), reason="原来对", document=first, filename="a.pdf"), lead)
    assert (material.sha256, material.filename) == (first, "a.pdf")
    assert len(material.facts) == 3


def test_a_defect_told_wrongly_is_taken_back_and_the_case_goes_on(county, case, lead) -> None:
    session, material = county.session, given(case)
    refuse_material(county, case, material)
    assert case.stage is Stage.CORRECTION
    wrong = last_event(material)
    perform(session, CorrectFact(fact=wrong, reason="看错材料", never_was=True), lead)
    assert (material.state, material.defect, case.stage) == (MaterialState.GIVEN, None, Stage.ASSIGNED)
    lines = session.scalars(select(CaseEvent).where(CaseEvent.kind == "record_corrected")).all()
    assert len(lines) == 1
    assert "看错材料" in lines[0].words
    assert told(session, "record_corrected") == 1
    with pytest.raises(WrongStage):
        perform(session, CorrectFact(fact=wrong, reason="再改", never_was=True), lead)
    assert told(session, "record_corrected") == 1


def test_a_defect_in_other_words_leaves_the_case_where_it_is(county, case, lead) -> None:
    material = given(case)
    refuse_material(county, case, material)
    perform(county.session, CorrectFact(fact=last_event(material), reason="写错", words="缺签字"), lead)
    assert (material.defect, case.stage) == ("缺签字", Stage.CORRECTION)


def test_a_day_of_a_deferred_material_is_put_right_and_its_relief_goes_with_it(county, case, lead) -> None:
    session, material = county.session, given(case)
    material.deferrable = True
    other = next(m for m in case.materials if m.state is MaterialState.GIVEN and m is not material)
    steps.prescreen(
        session, case, by=county.agent_viewer(), at=TEN, defects={other.id: "公章不清"},
        deferred={material.id: MONDAY + timedelta(days=3)},
    )  # fmt: skip
    review = session.scalar(select(Review).where(Review.case_id == case.id, Review.matter_id == material.matter_id))
    assert review.relief is Relief.DEFERRED
    later = MONDAY + timedelta(days=9)
    perform(session, CorrectFact(fact=last_event(material), reason="看错日期", until=later), lead)
    assert (material.owed_by, material.is_owed) == (later, True)
    perform(session, CorrectFact(fact=last_event(material), reason="没有容缺", never_was=True), lead)
    assert (material.state, review.relief) == (MaterialState.GIVEN, None)


def test_who_may_not_and_what_cannot_be_is_refused(county, asked, case, lead) -> None:
    session, material = county.session, given(case)
    event = last_event(material)
    agent = acting(county, county.agent_viewer())
    with pytest.raises(Refused, match="for a lead"):
        perform(session, CorrectFact(fact=event, reason="看错", never_was=True), agent)
    enterprise = acting(county, asked[1])
    with pytest.raises(NotFound):
        perform(session, CorrectFact(fact=event, reason="看错", never_was=True), enterprise)
    with pytest.raises(Refused, match="nothing is corrected"):
        perform(session, CorrectFact(fact=event, reason="看错"), lead)
    steps.prescreen(session, case, by=county.agent_viewer(), at=TEN)
    with pytest.raises(WrongStage, match="never given"):
        perform(session, CorrectFact(fact=event, reason="看错", never_was=True), lead)
    with pytest.raises(WrongStage, match="step of its case"):
        perform(session, CorrectFact(fact=last_event(material), reason="看错", never_was=True), lead)


def test_a_call_of_friday_is_answered_by_fridays_clock_and_a_wrong_answer_is_taken_back(county, lead) -> None:
    session = county.session
    call = OpenTicket(kind=TicketKind.HELP, words="怎么开户", area="320412000000", phone="+8613800000077", on=FRIDAY)
    number = perform(session, call, lead).ticket_no
    ticket = session.scalar(select(Ticket).where(Ticket.ticket_no == number))
    assert ticket.due_at < TEN.replace(hour=16)
    assert ticket.due_at.date() == MONDAY
    perform(session, AnswerTicket(ticket=number, words="三日内"), lead)
    with pytest.raises(Refused, match="was ticket_answered"):
        perform(session, CorrectFact(fact=last_event(ticket), reason="看错", on=FRIDAY - timedelta(days=1)), lead)
    session.refresh(ticket)
    perform(session, CorrectFact(fact=last_event(ticket), reason="答错工单", never_was=True), lead)
    assert (ticket.state, ticket.reply, ticket.answered_at) == (TicketState.OPEN, None, None)
    assert told(session, "ticket_corrected") == 1
    perform(session, AnswerTicket(ticket=number, words="一周内"), lead)
    assert told(session, "ticket_answered") == 2
    perform(session, CorrectFact(fact=last_event(ticket), reason="又答错工单", never_was=True), lead)
    received = next(event for event in ticket.facts if event.kind is FactKind.TICKET_RECEIVED)
    with pytest.raises(WrongStage, match="has come in"):
        perform(session, CorrectFact(fact=received.id, reason="看错", never_was=True), lead)
    perform(session, CorrectFact(fact=received.id, reason="是周一来电", on=MONDAY), lead)
    assert ticket.due_at.date() == MONDAY + timedelta(days=1)
    assert told(session, "ticket_moved") == 1
