"""Enterprise and office write to each other in the case: told once until it is read, answered in time, nothing lost."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from db import keyed_hash
from dispatch.acts.act import perform
from dispatch.acts.case_messages import (
    CaseMessageResult,
    ReadCaseMessages,
    SettleCaseMessage,
    WithdrawEnterpriseMessage,
    WithdrawOfficeMessage,
    WriteCaseMessage,
)
from dispatch.acts.early_ends import WithdrawCase
from dispatch.cases import person_data
from dispatch.cases.case import Case
from dispatch.cases.case_message import CaseMessage
from dispatch.cases.derived import differences
from dispatch.cases.obligations.keeping import settle
from dispatch.cases.obligations.obligation import Obligation, ObligationKind, OwnerKind
from dispatch.core.actor import Actor, Role
from dispatch.core.errors import DispatchError, NotFound, Refused, Stale, WrongStage
from dispatch.views.case_messages import CaseConversation, case_messages
from notifications.message import Message, State
from tests.dispatch.builders import MONDAY, TEN, County, a_request, acting, an_assigned_case


@pytest.fixture
def agent(county: County) -> Actor:
    return acting(county, county.agent_viewer())


@pytest.fixture
def case(county: County) -> Case:
    return an_assigned_case(county)[0]


@pytest.fixture
def enterprise(case: Case) -> Actor:
    return Actor(Role.ENTERPRISE, name="王经理", enterprise_id=case.project.enterprise_id)


def write(county: County, case: Case, by: Actor, words: str = "何时踏勘？", *, hours: int = 0, **given: Any) -> int:
    command = WriteCaseMessage(case=case.case_no, words=words, **given)  # type: ignore[arg-type]
    return perform(county.session, command, by, at=TEN + timedelta(hours=hours)).message_id


def step(county: County, command: Any, case: Case, number: int, by: Actor, **given: Any) -> CaseMessageResult:
    taken = command(case=case.case_no, case_message=number, **given)
    result: CaseMessageResult = perform(county.session, taken, by, at=TEN + timedelta(hours=3))
    return result


def read(county: County, case: Case, by: Actor, **given: Any) -> int:
    return perform(county.session, ReadCaseMessages(case=case.case_no, **given), by, at=TEN).read  # type: ignore[arg-type]


def told(county: County, text: str) -> list[State]:
    county.session.flush()
    return list(county.session.scalars(select(Message.state).where(Message.text_name == text).order_by(Message.id)))


def owed(county: County) -> list[Obligation]:
    settle(county.session)
    query = select(Obligation).where(Obligation.kind == ObligationKind.MESSAGE).order_by(Obligation.id)
    return list(county.session.scalars(query.execution_options(populate_existing=True)))


def seen(county: County, case: Case, by: Actor) -> CaseConversation:
    return case_messages(county.session, by, case.case_no)


def test_a_question_is_owed_by_the_agent_within_a_working_day(
    county: County, case: Case, agent: Actor, enterprise: Actor
) -> None:
    write(county, case, enterprise)
    [question] = owed(county)
    assert (question.owner_kind, question.owner_id) == (OwnerKind.PERSON, agent.agent_id)
    assert (question.due_on, question.closed_at) == (MONDAY + timedelta(days=1), None)
    assert told(county, "message_for_agent") == [State.QUEUED]
    write(county, case, agent, "周三上午十点", hours=2)
    [question] = owed(county)
    assert question.closed_at == TEN + timedelta(hours=2)
    assert told(county, "message_written") == [State.QUEUED]
    assert list(differences(county.session, at=TEN + timedelta(hours=2))) == []


def test_after_hours_the_day_counts_from_the_next_working_day(county: County, case: Case, enterprise: Actor) -> None:
    write(county, case, enterprise, hours=10)
    [question] = owed(county)
    assert question.due_on == MONDAY + timedelta(days=2)


def test_the_other_side_is_told_once_until_it_has_read(
    county: County, case: Case, agent: Actor, enterprise: Actor
) -> None:
    for words in ("一", "二", "三"):
        write(county, case, enterprise, words)
    assert len(told(county, "message_for_agent")) == 1
    assert seen(county, case, agent).unread == 3
    assert (read(county, case, agent), read(county, case, agent)) == (3, 0)
    write(county, case, enterprise, "四")
    assert len(told(county, "message_for_agent")) == 2
    assert len([one for one in owed(county) if one.closed_at is None]) == 4  # read is not answered


def test_a_reader_marks_only_what_was_on_the_page(county: County, case: Case, agent: Actor, enterprise: Actor) -> None:
    first = write(county, case, enterprise, "一")
    write(county, case, enterprise, "二")
    assert read(county, case, agent, seen=first) == 1
    with pytest.raises(Stale):
        write(county, case, agent, "答复一", seen=first)
    assert seen(county, case, agent).unread == 1


def test_what_nobody_has_read_is_taken_back_with_its_notice(
    county: County, case: Case, agent: Actor, enterprise: Actor
) -> None:
    wrong, right = write(county, case, enterprise, "写错了"), write(county, case, enterprise, "何时踏勘？")
    for _ in range(2):  # twice is once
        assert step(county, WithdrawEnterpriseMessage, case, wrong, enterprise).answer_by is None
    # The right one still waits for a reader, so that it is told in the wrong one's place.
    assert told(county, "message_for_agent") == [State.SUPPRESSED, State.QUEUED]
    [gone, there] = seen(county, case, agent).lines
    assert (gone.words, there.words) == ("", "何时踏勘？")
    assert seen(county, case, enterprise).lines[0].words == "写错了"
    read(county, case, agent)
    with pytest.raises(WrongStage):
        step(county, WithdrawEnterpriseMessage, case, right, enterprise)
    assert [one.closed_at is None for one in owed(county)] == [False, True]


def test_an_answer_that_is_taken_back_answers_nothing(
    county: County, case: Case, agent: Actor, enterprise: Actor
) -> None:
    write(county, case, enterprise)
    answer = write(county, case, agent, "答错了", hours=1)
    step(county, WithdrawOfficeMessage, case, answer, agent)
    [question] = owed(county)
    assert question.closed_at is None
    assert told(county, "message_written") == [State.SUPPRESSED]


def test_what_was_answered_by_phone_is_settled_with_the_reason(
    county: County, case: Case, agent: Actor, enterprise: Actor
) -> None:
    question = write(county, case, enterprise)
    for reason in ("已电话答复", "第二次"):  # the first time counts
        step(county, SettleCaseMessage, case, question, agent, reason=reason)
    [line] = seen(county, case, enterprise).lines
    assert (line.settled_because, line.answer_by) == ("已电话答复", None)
    assert [one.closed_at for one in owed(county)] == [TEN + timedelta(hours=3)]
    answer = write(county, case, agent, "补充", hours=4)
    with pytest.raises(Refused):
        step(county, SettleCaseMessage, case, answer, agent, reason="x")


def test_nobody_takes_back_what_the_other_side_wrote(
    county: County, case: Case, agent: Actor, enterprise: Actor
) -> None:
    question = write(county, case, enterprise)
    with pytest.raises(Refused):
        step(county, WithdrawOfficeMessage, case, question, agent)
    with pytest.raises(NotFound):
        step(county, SettleCaseMessage, case, question, enterprise, reason="x")


def test_an_ended_case_still_gets_its_answer(county: County, case: Case, agent: Actor, enterprise: Actor) -> None:
    lead = acting(county, county.lead)
    perform(county.session, WithdrawCase(case=case.case_no, reason="不办了"), lead, at=TEN)  # type: ignore[arg-type]
    write(county, case, enterprise, "原件何时退回？", hours=1)
    assert [one.closed_at for one in owed(county)] == [None]


def test_a_case_without_an_agent_tells_the_team(county: County) -> None:
    case, _ = a_request(county)
    write(county, case, Actor(Role.ENTERPRISE, enterprise_id=case.project.enterprise_id))
    [question] = owed(county)
    assert question.owner_kind is OwnerKind.TEAM


def test_a_text_is_kept_in_one_form_without_hidden_marks(county: County, case: Case, enterprise: Actor) -> None:
    write(county, case, enterprise, " \u202e何时\u200b踏勘？\r\n第二行 ")
    [line] = seen(county, case, enterprise).lines
    assert line.words == "何时踏勘？\n第二行"
    with pytest.raises(Refused):
        write(county, case, enterprise, "\u200b \u202e")


def test_other_places_and_couriers_neither_read_nor_write(
    county: County, case: Case, agent: Actor, enterprise: Actor
) -> None:
    question = write(county, case, enterprise)
    strangers = (
        Actor(Role.ENTERPRISE, enterprise_id=0),
        Actor(Role.LEAD, division_id=0, division_path="0"),
        Actor(Role.COURIER, courier_id=1),
    )
    for stranger in strangers:
        with pytest.raises((NotFound, DispatchError)):
            write(county, case, stranger)
        with pytest.raises((NotFound, DispatchError)):
            step(county, WithdrawEnterpriseMessage, case, question, stranger)
        with pytest.raises(NotFound):
            seen(county, case, stranger)


def test_a_person_is_forgotten_in_the_messages_too(county: County, case: Case, agent: Actor, enterprise: Actor) -> None:
    write(county, case, enterprise, "我是李会计")
    number, lead = keyed_hash(case.contact.phone), acting(county, county.lead)
    perform(county.session, WithdrawCase(case=case.case_no, reason="不办了"), lead, at=TEN)  # type: ignore[arg-type]
    person_data.forget(county.session, number, at=TEN + timedelta(hours=2), today=MONDAY)
    county.session.flush()
    [kept] = county.session.scalars(select(CaseMessage))
    assert kept.words == person_data.FORGOTTEN
