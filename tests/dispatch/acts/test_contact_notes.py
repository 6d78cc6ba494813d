"""What was said with the enterprise is noted by the office, read by the office alone, and come back to in time."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from db import keyed_hash
from dispatch.acts.act import perform
from dispatch.acts.contact_notes import NoteContact, NotedContact, SettleFollowUp
from dispatch.acts.early_ends import WithdrawCase
from dispatch.cases import person_data
from dispatch.cases.case import Case
from dispatch.cases.contact_note import ContactNote, ContactWay
from dispatch.cases.derived import differences
from dispatch.cases.obligations.keeping import settle
from dispatch.cases.obligations.obligation import Obligation, ObligationKind, OwnerKind
from dispatch.core.actor import Actor, Role
from dispatch.core.errors import DispatchError, NotFound, Refused, WrongStage
from dispatch.views.case_contacts import case_contacts
from notifications.phone import mask
from tests.dispatch.builders import MONDAY, TEN, County, acting, an_assigned_case

FRIDAY = MONDAY + timedelta(days=4)


@pytest.fixture
def agent(county: County) -> Actor:
    return acting(county, county.agent_viewer())


@pytest.fixture
def lead(county: County) -> Actor:
    return acting(county, county.lead)


@pytest.fixture
def case(county: County) -> Case:
    return an_assigned_case(county)[0]


def note(county: County, case: Case, by: Actor, *, days: int = 0, **given: Any) -> NotedContact:
    said: Mapping[str, Any] = {"words": "约周三补交平面图"} | given
    return perform(county.session, NoteContact(case=case.case_no, **said), by, at=TEN + timedelta(days=days))  # type: ignore[arg-type]


def owed(county: County) -> list[Obligation]:
    settle(county.session)
    query = select(Obligation).where(Obligation.kind == ObligationKind.FOLLOW_UP)
    return list(county.session.scalars(query.execution_options(populate_existing=True)))


def test_a_call_is_noted_with_the_contact_and_read_by_the_office(county: County, case: Case, agent: Actor) -> None:
    made = note(county, case, agent)
    assert (made.happened_at, made.follow_up_on) == (TEN, None)
    seen = case_contacts(county.session, agent, case.case_no)
    [line] = seen.lines
    assert (line.person, line.words, line.way) == (case.contact.name, "约周三补交平面图", "电话")
    assert (seen.phone, seen.may_call) == (case.contact.phone, True)
    assert owed(county) == []


def test_a_supervisor_reads_the_notes_and_no_number(county: County, case: Case, agent: Actor) -> None:
    note(county, case, agent)
    supervisor = Actor(Role.SUPERVISOR, division_id=county.division.id, division_path=county.division.path)
    seen = case_contacts(county.session, supervisor, case.case_no)
    assert (seen.phone, seen.may_call, len(seen.lines)) == (mask(case.contact.phone), False, 1)


def test_what_was_left_is_owed_by_its_day_until_somebody_came_back(county: County, case: Case, agent: Actor) -> None:
    made = note(county, case, agent, was_missed=True, way=ContactWay.MESSAGE, follow_up_on=FRIDAY)
    [open_one] = owed(county)
    assert (open_one.owner_kind, open_one.owner_id, open_one.due_on) == (OwnerKind.PERSON, agent.agent_id, FRIDAY)
    assert open_one.closed_at is None
    for _ in range(2):  # twice is once
        settle = SettleFollowUp(case=case.case_no, contact_note=made.note_id)  # type: ignore[arg-type]
        done = perform(county.session, settle, agent, at=TEN + timedelta(days=2))
        assert done.followed_at == TEN + timedelta(days=2)
    [closed] = owed(county)
    assert closed.closed_at == TEN + timedelta(days=2)
    assert list(differences(county.session, at=TEN + timedelta(days=2))) == []


def test_an_ended_case_leaves_nothing_to_come_back_to(county: County, case: Case, agent: Actor, lead: Actor) -> None:
    note(county, case, agent, follow_up_on=FRIDAY)
    perform(county.session, WithdrawCase(case=case.case_no, reason="不办了"), lead, at=TEN + timedelta(hours=1))  # type: ignore[arg-type]
    [closed] = owed(county)
    assert closed.closed_at is not None
    with pytest.raises(WrongStage):
        note(county, case, agent, days=1, follow_up_on=FRIDAY)
    assert note(county, case, agent, days=1).follow_up_on is None


def test_fridays_call_is_noted_on_monday_with_its_day_and_the_reason(county: County, case: Case, agent: Actor) -> None:
    late = {"on": MONDAY + timedelta(days=1), "second": 15 * 3600}
    with pytest.raises(Refused):
        note(county, case, agent, days=4, **late)
    made = note(county, case, agent, days=4, **late, late_reason="外出未登记")
    assert made.happened_at == TEN + timedelta(days=1, hours=5)


@pytest.mark.parametrize(
    "given",
    [
        {"on": MONDAY + timedelta(days=1)},
        {"on": date(2025, 1, 6), "late_reason": "补登"},
        {"follow_up_on": MONDAY - timedelta(days=1)},
        {"follow_up_on": MONDAY + timedelta(days=400)},
    ],
)
def test_a_day_that_cannot_be_is_refused(county: County, case: Case, agent: Actor, given: Mapping[str, Any]) -> None:
    with pytest.raises(Refused):
        note(county, case, agent, **given)


def test_nothing_is_to_be_settled_where_nothing_was_left(county: County, case: Case, agent: Actor) -> None:
    made = note(county, case, agent)
    with pytest.raises(Refused):
        perform(county.session, SettleFollowUp(case=case.case_no, contact_note=made.note_id), agent, at=TEN)  # type: ignore[arg-type]


def test_the_enterprise_and_other_places_neither_read_nor_write(county: County, case: Case, agent: Actor) -> None:
    made = note(county, case, agent, follow_up_on=FRIDAY)
    enterprise = Actor(Role.ENTERPRISE, enterprise_id=case.project.enterprise_id)
    elsewhere = Actor(Role.LEAD, division_id=0, division_path="0")
    for other in (enterprise, elsewhere):
        for command in (
            NoteContact(case=case.case_no, words="x"),  # type: ignore[arg-type]
            SettleFollowUp(case=case.case_no, contact_note=made.note_id),  # type: ignore[arg-type]
        ):
            with pytest.raises((DispatchError, NotFound)):
                perform(county.session, command, other, at=TEN)
    with pytest.raises(NotFound):
        case_contacts(county.session, elsewhere, case.case_no)


def test_a_person_is_forgotten_in_the_notes_too(county: County, case: Case, agent: Actor, lead: Actor) -> None:
    note(county, case, agent, person="李会计")
    number = keyed_hash(case.contact.phone)
    places = person_data.held(county.session, number, today=MONDAY)
    assert [place.stays_because for place in places if place.where == "联系记录"] == [person_data.CASE_RUNS]
    perform(county.session, WithdrawCase(case=case.case_no, reason="不办了"), lead, at=TEN + timedelta(hours=1))  # type: ignore[arg-type]
    person_data.forget(county.session, number, at=TEN + timedelta(hours=2), today=MONDAY)
    county.session.flush()
    [kept] = county.session.scalars(select(ContactNote))
    assert (kept.person, kept.words) == (person_data.FORGOTTEN, person_data.FORGOTTEN)
    supervisor = Actor(Role.SUPERVISOR, division_id=county.division.id, division_path=county.division.path)
    assert [case_contacts(county.session, each, case.case_no).phone for each in (lead, supervisor)] == ["", ""]
