"""A project's own rules: who acts for it now, and which delegation letter is in force for what."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from dispatch.cases.project import (
    TARGET_WD,
    AmountWan,
    Delegation,
    Enterprise,
    Power,
    Project,
    ProjectMember,
    ProjectState,
    TeamRole,
)
from dispatch.catalogue.matter import Family
from dispatch.core.errors import WrongStage
from tests.dispatch.moments import TEN

FIRST, LAST = date(2026, 3, 2), date(2026, 9, 1)


def a_letter(**changes) -> Delegation:
    facts = {
        "powers": [Power.SUBMIT.value, Power.RECEIVE.value],
        "valid_from": FIRST,
        "valid_to": LAST,
        "signed_at": TEN,
    } | changes
    return Delegation(**facts)


@pytest.mark.parametrize(
    ("on", "holds"),
    [(FIRST - timedelta(days=1), False), (FIRST, True), (LAST, True), (LAST + timedelta(days=1), False)],
)
def test_a_letter_holds_from_its_first_to_its_last_day_for_the_powers_it_names(on: date, holds: bool) -> None:
    letter = a_letter()
    assert letter.is_in_force(on) is holds
    assert letter.allows(Power.SUBMIT, on) is holds
    assert not letter.allows(Power.CORRECT, on)


def test_a_revoked_letter_holds_no_more() -> None:
    letter = a_letter(revoked_at=TEN, revocation_reason="换人")
    assert not letter.is_in_force(FIRST)
    assert not letter.allows(Power.SUBMIT, FIRST)


def test_the_letter_of_a_day_is_the_one_in_force_on_it() -> None:
    old, new = a_letter(valid_to=date(2026, 5, 31)), a_letter(valid_from=date(2026, 6, 1))
    project = Project(delegations=[old, new])
    assert project.delegation_on(date(2026, 5, 31)) is old
    assert project.delegation_on(date(2026, 6, 1)) is new
    assert project.delegation_on(date(2026, 9, 2)) is None


def test_who_left_the_team_acts_no_more() -> None:
    gone = ProjectMember(agent_id=1, role=TeamRole.LEAD, until=TEN)
    lead = ProjectMember(agent_id=2, role=TeamRole.LEAD)
    helpers = [ProjectMember(agent_id=3, role=TeamRole.LIAISON), ProjectMember(agent_id=4, role=TeamRole.LIAISON)]
    past = ProjectMember(agent_id=5, role=TeamRole.LIAISON, until=TEN)
    project = Project(members=[past, gone, helpers[0], lead, helpers[1]])
    assert project.lead is lead
    assert project.liaisons == helpers
    assert Project(members=[gone, *project.liaisons]).lead is None


def test_a_project_is_closed_when_it_closes_and_each_move_is_a_new_version() -> None:
    project = Project(project_no="XM1", state=ProjectState.WAITING, version=1)
    with pytest.raises(WrongStage, match="XM1 is waiting"):
        project.move_to(ProjectState.WAITING, at=TEN)
    assert project.version == 1
    project.move_to(ProjectState.CLOSED, at=TEN)
    assert (project.state, project.closed_at, project.version) == (ProjectState.CLOSED, TEN, 2)


def test_the_targets_are_three_five_and_fifty_working_days() -> None:
    assert TARGET_WD == {
        Family.BUSINESS_OPENING: 3, Family.PROPERTY_REGISTRATION: 5, Family.INDUSTRIAL_PERMIT: 50,
    }  # fmt: skip


def test_a_sum_comes_back_to_the_yuan_and_without_zeros_at_its_end() -> None:
    column = AmountWan()
    assert (column.impl.precision, column.impl.scale) == (12, 4)
    assert str(column.process_result_value(Decimal("3000.5000"), None)) == "3000.5"
    assert column.process_result_value(None, None) is None


def test_names_and_codes_are_kept_in_their_one_form() -> None:
    enterprise = Enterprise(name=" 甲 公司(武进) ", credit_code=" 91320412ma1m9y5l2x ")
    assert (enterprise.name, enterprise.credit_code) == ("甲公司（武进）", "91320412MA1M9Y5L2X")
    project = Project(name="二期 厂房", project_code="24013204120112345678")
    assert (project.name, project.project_code) == ("二期厂房", "2401-320412-01-12-345678")
    assert Enterprise(name="乙", credit_code="").credit_code is None
    assert Project(name="丙", project_code=None).project_code is None
