"""Every due moment follows the calendar in force: those of cases, grades, referrals and tickets, as limits do."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from dispatch.acts.act import perform
from dispatch.acts.daily_rules import CloseUnrated, EscalateReferrals
from dispatch.acts.deriving import DeriveObligations
from dispatch.acts.importing import ImportCalendar
from dispatch.assignment import staffing
from dispatch.cases.derived import differences
from dispatch.cases.evaluation import TicketKind
from dispatch.cases.obligations.keeping import settle
from dispatch.cases.obligations.obligation import Obligation, ObligationKind
from dispatch.cases.project import Project
from dispatch.cases.stages import Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.catalogue.imports import CALENDAR_FILE
from dispatch.core.actor import SYSTEM
from dispatch.core.shanghai_time import in_shanghai
from notifications.message import Message
from tests.dispatch import steps
from tests.dispatch.builders import MONDAY, TEN, an_assigned_case, take_off
from web.wiring.deriving import derive_limits

DAY = timedelta(days=1)


def owed(county, kind: ObligationKind) -> Obligation:
    settle(county.session)
    return county.session.scalars(select(Obligation).where(Obligation.kind == kind)).one()


def kept(case, ticket, referral):
    return case.answer_by, case.prescreen_by, case.close_by, ticket.due_at, referral.accept_by


@pytest.fixture
def of_monday(county):
    """A case that was asked for, given to its agent, offered to another and delivered on Monday, and a complaint."""
    case, _ = an_assigned_case(county)
    project = county.session.get_one(Project, case.project_id)
    referral = staffing.refer(
        county.session, project, from_agent_id=county.agents[0].id, to_agent_id=county.agents[1].id, reason="请假",
        by=county.lead, at=TEN,
    )  # fmt: skip
    ticket = steps.open_ticket(county.session, kind=TicketKind.COMPLAINT, words="慢", case=case, by=county.lead, at=TEN)
    case.stage = Stage.DECIDED
    steps.deliver(county.session, case, by=county.lead, at=TEN, who="王经理")
    return case, ticket, referral


def test_a_holiday_that_is_published_later_moves_every_due_and_its_obligation(county, of_monday, tmp_path: Path):
    case, ticket, referral = of_monday
    calendar = calendar_of(county.session)
    was = kept(case, ticket, referral)
    tuesday = calendar.add_working_days(MONDAY, 1)
    take_off(county.session, tmp_path, tuesday)
    assert {found.what for found in differences(county.session, at=TEN)} > {"answer_by", "close_by", "due_at"}
    case, ticket, referral = (county.session.merge(row) for row in (case, ticket, referral))
    perform(county.session, DeriveObligations(), SYSTEM)
    now = kept(case, ticket, referral)
    moved = [calendar_of(county.session).add_working_days(in_shanghai(day).date(), 1) for day in was]
    assert [in_shanghai(day).date() for day in now] == moved
    assert owed(county, ObligationKind.GRADE).due_at == case.close_by
    assert owed(county, ObligationKind.TICKET).due_at == ticket.due_at
    assert owed(county, ObligationKind.REFERRAL).due_at == referral.accept_by
    assert list(differences(county.session, at=TEN)) == []
    case, ticket, referral = (county.session.merge(row) for row in (case, ticket, referral))
    perform(county.session, ImportCalendar(CALENDAR_FILE), SYSTEM)
    perform(county.session, DeriveObligations(), SYSTEM)
    assert kept(case, ticket, referral) == was


def told_of(county, ticket) -> list[str]:
    rows = county.session.scalars(select(Message).where(Message.text_name == "ticket_moved").order_by(Message.id))
    return [row.values["day"] for row in rows if row.values["ticket_no"] == ticket.ticket_no]


def test_whoever_asked_hears_once_of_another_day_of_the_answer(county, of_monday, tmp_path: Path):
    _, ticket, _ = of_monday
    take_off(county.session, tmp_path, calendar_of(county.session).add_working_days(MONDAY, 1))
    perform(county.session, DeriveObligations(), SYSTEM)
    perform(county.session, DeriveObligations(), SYSTEM)
    day = in_shanghai(ticket.due_at)
    assert told_of(county, ticket) == [f"{day.month}月{day.day}日"]


def test_an_answered_question_has_no_day_to_be_told(county, of_monday, tmp_path: Path):
    _, ticket, _ = of_monday
    steps.answer(county.session, ticket, reply="已加快", by=county.lead, at=TEN)
    take_off(county.session, tmp_path, calendar_of(county.session).add_working_days(MONDAY, 1))
    perform(county.session, DeriveObligations(), SYSTEM)
    assert told_of(county, ticket) == []


def test_what_the_day_does_by_itself_waits_for_the_calendar_in_force(county, of_monday, tmp_path: Path):
    """Nobody has derived what is kept anew yet: the obligations know it all the same."""
    case, _, referral = of_monday
    close_by, accept_by = case.close_by, referral.accept_by
    take_off(county.session, tmp_path, *(in_shanghai(due).date() for due in (close_by, accept_by)))
    perform(county.session, DeriveObligations(), SYSTEM)
    hour = timedelta(hours=1)
    assert perform(county.session, EscalateReferrals(), SYSTEM, at=accept_by + hour) == 0
    assert perform(county.session, CloseUnrated(), SYSTEM, at=close_by + hour) == 0
    assert perform(county.session, EscalateReferrals(), SYSTEM, at=referral.accept_by + hour) == 1
    assert perform(county.session, CloseUnrated(), SYSTEM, at=case.close_by + hour) == 1


def test_two_derivations_at_once_go_one_after_the_other(county_sessions, tmp_path: Path):
    with county_sessions.begin() as session:
        take_off(session, tmp_path, calendar_of(session).add_working_days(MONDAY, 1))
    with county_sessions.begin() as other:
        other.execute(text("SELECT pg_advisory_xact_lock(hashtext('job:derive_limits'))"))
        assert derive_limits(county_sessions, is_waited_for=False) == []
        waiting = threading.Thread(target=derive_limits, args=(county_sessions,))
        waiting.start()
        waiting.join(timeout=0.5)
        assert waiting.is_alive()
    waiting.join(timeout=60)
    assert not waiting.is_alive()
    with county_sessions() as session:
        assert session.scalar(text("SELECT done = wanted FROM derivation"))
