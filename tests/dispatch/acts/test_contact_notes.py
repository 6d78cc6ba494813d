"""What was said with the enterprise is noted by the office, read by the office alone, and come back to in time."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from db import keyed_hash
from dispatch.acts.act import perform
from dispatch.acts.contact_notes import CorrectContactNote, NoteContact, NotedContact, SettleFollowUp
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


def correct(county: County, case: Case, made: NotedContact, by: Actor, *, days: int = 0, **given: Any) -> NotedContact:
    command = CorrectContactNote(case=case.case_no, contact_note=made.note_id, **({"reason": "记错了"} | given))  # type: ignore[arg-type]
    return perform(county.session, command, by, at=TEN + timedelta(days=days, minutes=1))


def test_a_wrong_note_is_replaced_and_kept_and_only_the_right_one_is_owed(
    county: County, case: Case, agent: Actor
) -> None:
    made = note(county, case, agent, follow_up_on=FRIDAY)
    right = correct(
        county, case, made, agent, words="约周二补交", way=ContactWay.VISIT, is_theirs=True, person="李会计",
        follow_up_on=FRIDAY - timedelta(days=1),
    )  # fmt: skip
    assert [one.due_on for one in owed(county)] == [FRIDAY - timedelta(days=1)]
    seen = {line.id: line for line in case_contacts(county.session, agent, case.case_no).lines}
    wrong, stands = seen[made.note_id], seen[right.note_id]
    assert (wrong.stands, wrong.is_open, wrong.correction_reason) == (False, False, "记错了")
    assert (stands.words, stands.way, stands.person, stands.is_theirs) == ("约周二补交", "当面", "李会计", True)
    assert stands.happened_at == wrong.happened_at
    with pytest.raises(WrongStage):
        correct(county, case, made, agent, words="又改")
    with pytest.raises(Refused):
        correct(county, case, right, agent, words="约周二补交")
    assert list(differences(county.session, at=TEN)) == []


def test_a_contact_that_never_was_leaves_nothing_to_come_back_to(county: County, case: Case, agent: Actor) -> None:
    made = note(county, case, agent, follow_up_on=FRIDAY)
    correct(county, case, made, agent, never_was=True)
    assert owed(county) == []
    with pytest.raises(WrongStage):
        perform(county.session, SettleFollowUp(case=case.case_no, contact_note=made.note_id), agent, at=TEN)  # type: ignore[arg-type]
    assert list(differences(county.session, at=TEN)) == []


def test_what_was_settled_by_mistake_is_owed_again(county: County, case: Case, agent: Actor, lead: Actor) -> None:
    made = note(county, case, agent, follow_up_on=FRIDAY)
    perform(county.session, SettleFollowUp(case=case.case_no, contact_note=made.note_id), agent, at=TEN)  # type: ignore[arg-type]
    again = correct(county, case, made, lead, days=1, not_followed=True, reason="点错了")
    [open_one] = owed(county)
    assert (open_one.subject_id, open_one.closed_at, open_one.due_on) == (again.note_id, None, FRIDAY)
    correct(county, case, again, lead, days=1, nothing_left=True)
    assert owed(county) == []


def test_an_agent_corrects_todays_own_note_and_a_lead_any(
    county: County, case: Case, agent: Actor, lead: Actor
) -> None:
    made = note(county, case, agent)
    with pytest.raises(Refused, match="lead"):
        correct(county, case, made, agent, days=1, words="改")
    assert correct(county, case, made, lead, days=1, words="改").note_id != made.note_id


def test_fridays_follow_up_is_settled_on_monday_with_its_day_and_the_reason(
    county: County, case: Case, agent: Actor
) -> None:
    made = note(county, case, agent, follow_up_on=FRIDAY)
    late = {"case": case.case_no, "contact_note": made.note_id, "on": MONDAY + timedelta(days=1), "second": 15 * 3600}
    with pytest.raises(Refused):
        perform(county.session, SettleFollowUp(**late), agent, at=TEN + timedelta(days=4))
    done = perform(county.session, SettleFollowUp(**late, late_reason="忘记登记"), agent, at=TEN + timedelta(days=4))
    assert done.followed_at == TEN + timedelta(days=1, hours=5)
    assert [one.closed_at for one in owed(county)] == [done.followed_at]
