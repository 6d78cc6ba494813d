"""Evaluations, rectifications and tickets: which grades are bad, what each step records, who may not own a ticket."""

from datetime import timedelta

import pytest

from dispatch.cases.evaluation import (
    NEXT_RECTIFICATION,
    RECTIFICATION_LABEL,
    Grade,
    GradeNumber,
    Rectification,
    RectificationState,
    Ticket,
)
from dispatch.core.errors import Refused, WrongStage
from tests.dispatch.moments import TEN

LATER = TEN + timedelta(hours=1)
DATED = ("verified_at", "rectified_at", "answered_at")
WRITTEN = ("finding", "measure", "answer", "appeal")


def test_the_last_two_of_the_five_grades_are_bad() -> None:
    assert [int(grade) for grade in Grade] == [5, 4, 3, 2, 1]
    assert [grade for grade in Grade if grade.is_bad] == [Grade.DISSATISFIED, Grade.VERY_DISSATISFIED]


def test_a_grade_is_kept_as_its_number() -> None:
    column = GradeNumber()
    assert column.process_bind_param(Grade.FAIR, None) == 3
    assert type(column.process_bind_param(Grade.FAIR, None)) is int
    assert column.process_result_value(3, None) is Grade.FAIR
    assert column.process_bind_param(None, None) is column.process_result_value(None, None) is None


@pytest.mark.parametrize(
    ("here", "there", "dated", "written"),
    [
        (RectificationState.OPENED, RectificationState.VERIFIED, "verified_at", "finding"),
        (RectificationState.OPENED, RectificationState.APPEALED, None, "appeal"),
        (RectificationState.APPEALED, RectificationState.DISMISSED, None, "finding"),
        (RectificationState.VERIFIED, RectificationState.RECTIFIED, "rectified_at", "measure"),
        (RectificationState.RECTIFIED, RectificationState.ANSWERED, "answered_at", "answer"),
    ],
)
def test_each_step_of_a_rectification_writes_its_own_words_and_day(here, there, dated, written) -> None:
    bad = Rectification(id=1, state=here)
    bad.move_to(there, at=LATER, words="已核实")
    assert bad.state is there
    assert {name: getattr(bad, name) for name in DATED} == {name: LATER if name == dated else None for name in DATED}
    assert {name: getattr(bad, name) for name in WRITTEN} == {
        name: "已核实" if name == written else None for name in WRITTEN
    }


@pytest.mark.parametrize("here", RectificationState)
@pytest.mark.parametrize("there", RectificationState)
def test_a_rectification_takes_no_step_off_its_table(here: RectificationState, there: RectificationState) -> None:
    bad = Rectification(id=1, state=here)
    if there in NEXT_RECTIFICATION[here]:
        bad.move_to(there, at=LATER, words="x")
        assert bad.state is there
    else:
        with pytest.raises(WrongStage):
            bad.move_to(there, at=LATER, words="x")
        assert bad.state is here
    assert set(RECTIFICATION_LABEL) == set(NEXT_RECTIFICATION) == set(RectificationState)


def test_a_step_without_words_is_refused_and_not_taken() -> None:
    bad = Rectification(id=1, state=RectificationState.OPENED)
    with pytest.raises(Refused, match="says what was done"):
        bad.move_to(RectificationState.VERIFIED, at=LATER, words="  ")
    assert (bad.state, bad.verified_at) == (RectificationState.OPENED, None)


def test_who_is_complained_about_never_owns_the_ticket() -> None:
    ticket = Ticket(ticket_no="GD1", about_agent_id=7, owner_agent_id=3)
    with pytest.raises(Refused, match="GD1 is about this agent"):
        ticket.hand_to(7)
    assert ticket.owner_agent_id == 3
    ticket.hand_to(8)
    assert ticket.owner_agent_id == 8
    ticket.hand_to(None)
    assert ticket.owner_agent_id is None
    about_nobody = Ticket(ticket_no="GD2", about_agent_id=None)
    about_nobody.hand_to(None)
    assert about_nobody.owner_agent_id is None
