"""The state machines of case, review, parcel, stop, plan and project: no dead end, no shortcut, nothing unreachable."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.cases.case import Case
from dispatch.cases.project import NEXT_PROJECT, PROJECT_LABEL, Project, ProjectState
from dispatch.cases.recorded_event import Recording
from dispatch.cases.review import RELIEVED
from dispatch.cases.review_state import NEXT_REVIEW, REVIEW_ENDS, REVIEW_LABEL, ReviewState
from dispatch.cases.stages import ENDS, LABEL, MILESTONES, NEXT, NOTICE, UNDONE, Stage
from dispatch.core.errors import DispatchError
from dispatch.custody.handover import HOLDER_LABEL, Holder
from dispatch.custody.parcel import NEXT_PARCEL, PARCEL_LABEL, Leg, Parcel, ParcelState
from notifications.text_catalogue import text_named
from routing.day.courier_stop import NEXT_STOP, STOP_STATE_LABEL, CourierStop, StopState
from routing.day.day_plan import NEXT_PLAN, PLAN_LABEL, DayPlan, PlanState
from routing.day.errors import RunError
from tests.dispatch.cases.stories import CALENDAR, EVENTS, STORIES, review_of
from tests.dispatch.moments import TEN

Table = Mapping[Any, frozenset[Any]]


class Machine:
    """A table, where it begins, where it may rest for ever, and the noun that walks it."""

    def __init__(
        self, table: Table, start: StrEnum, ends: set[Any], labels: Mapping[Any, str], walk: Callable[[Any, Any], Any]
    ) -> None:
        self.table, self.start, self.ends, self.labels, self.walk = table, start, ends, labels, walk


def walk_case(here: Stage, there: Stage) -> Stage:
    case = Case(case_no="1", stage=here, version=1)
    case.move_to(there, at=TEN)
    assert (case.version, case.ended_at) == (2, TEN if there in ENDS else None)
    return case.stage


def walk_review(here: ReviewState, there: ReviewState) -> ReviewState:
    """A review moves by its events: the first story that leads there, with the first event that leads on."""
    for story in STORIES[here]:
        for event in (one for one in EVENTS if one.kind not in RELIEVED):  # which move nothing
            review = review_of(story, same_day=True)
            assert review.state is here
            try:
                review.record(event, Recording(at=TEN, by="agent"), CALENDAR)
            except DispatchError:
                assert (review.state, review.version) == (here, 1 + len(story))
                continue
            assert review.version == 2 + len(story)
            if review.state is there:
                return there
    return _refuse()


def walk_parcel(here: ParcelState, there: ParcelState) -> ParcelState:
    """A parcel moves by handing over: its state follows from who holds it."""
    if there is ParcelState.BOOKED or (here is there):
        return there if there in NEXT_PARCEL[here] else _refuse()
    parcel = Parcel(
        waybill="1", leg=Leg.PICKUP, state=here, holder=Holder.ENTERPRISE, holder_ref="", chain_length=2, chain_head=b""
    )
    if there is ParcelState.CANCELLED:
        parcel.cancel()
    else:
        holder = {
            ParcelState.ON_THE_WAY: Holder.COURIER, ParcelState.AT_CENTRE: Holder.CENTRE,
            ParcelState.WITH_AUTHORITY: Holder.AUTHORITY, ParcelState.HANDED_OVER: Holder.ENTERPRISE,
        }[there]  # fmt: skip
        parcel.hand_over(to=holder, ref="other", scan_id="s", at=TEN, by="account:1")
    return parcel.state


def _refuse() -> Any:
    raise DispatchError("not in the table")


def walk_stop(here: StopState, there: StopState) -> StopState:
    stop = CourierStop(id=1, state=here, version=1)
    stop.move_to(there)
    assert stop.version == 2
    return stop.state


def walk_plan(here: PlanState, there: PlanState) -> PlanState:
    plan = DayPlan(id=1, state=here, version=1)
    plan.move_to(there)
    return plan.state


def walk_project(here: ProjectState, there: ProjectState) -> ProjectState:
    project = Project(project_no="1", state=here, version=1)
    project.move_to(there, at=TEN)
    assert project.closed_at == (TEN if there is ProjectState.CLOSED else None)
    return project.state


MACHINES = {
    "case": Machine(NEXT, Stage.REQUESTED, set(ENDS), LABEL, walk_case),
    "review": Machine(NEXT_REVIEW, ReviewState.PREPARED, set(REVIEW_ENDS), REVIEW_LABEL, walk_review),
    "parcel": Machine(
        NEXT_PARCEL, ParcelState.BOOKED, {ParcelState.HANDED_OVER, ParcelState.CANCELLED}, PARCEL_LABEL, walk_parcel
    ),
    "stop": Machine(
        NEXT_STOP, StopState.OPEN, {StopState.DONE, StopState.RELEASED, StopState.CANCELLED}, STOP_STATE_LABEL,
        walk_stop,
    ),
    "plan": Machine(
        NEXT_PLAN, PlanState.QUEUED,
        {PlanState.COMMITTED, PlanState.SUPERSEDED, PlanState.FAILED, PlanState.CANCELLED}, PLAN_LABEL, walk_plan,
    ),
    "project": Machine(NEXT_PROJECT, ProjectState.WAITING, {ProjectState.CLOSED}, PROJECT_LABEL, walk_project),
}  # fmt: skip
every_machine = pytest.mark.parametrize("machine", MACHINES.values(), ids=list(MACHINES))


def reachable(table: Table, start: object) -> set[Any]:
    seen, edge = {start}, [start]
    while edge:
        for following in table[edge.pop()] - seen:
            seen.add(following)
            edge.append(following)
    return seen


@every_machine
def test_every_state_has_its_line_its_label_and_a_way_in(machine: Machine) -> None:
    states = set(type(machine.start))
    assert set(machine.table) == set(machine.labels) == states
    assert reachable(machine.table, machine.start) == states


@every_machine
def test_every_state_has_a_way_to_an_end(machine: Machine) -> None:
    for state in type(machine.start):
        assert reachable(machine.table, state) & machine.ends, f"{state} is a dead end"
    assert {state for state, following in machine.table.items() if not following} <= machine.ends


@every_machine
def test_a_move_is_taken_exactly_when_the_table_has_it(machine: Machine) -> None:
    for here in type(machine.start):
        for there in type(machine.start):
            if there in machine.table[here]:
                assert machine.walk(here, there) is there
            else:
                with pytest.raises((DispatchError, RunError)):
                    machine.walk(here, there)


@given(st.lists(st.sampled_from(Stage), max_size=30))
def test_no_order_of_moves_leads_a_case_off_its_table(moves: list[Stage]) -> None:
    case = Case(case_no="1", stage=Stage.REQUESTED, version=1)
    for stage in moves:
        before, version = case.stage, case.version
        try:
            case.move_to(stage, at=TEN)
        except DispatchError:
            assert (case.stage, case.version) == (before, version)
            assert stage not in NEXT[before]
        else:
            assert stage in NEXT[before]
            assert before not in ENDS
            assert case.version == version + 1
    assert case.has_ended == (case.stage in ENDS) == (case.ended_at is not None)


@given(st.sampled_from(Stage), st.sampled_from(Stage))
def test_only_what_a_courier_corrects_goes_back(here: Stage, there: Stage) -> None:
    case = Case(case_no="1", stage=here, version=1)
    if there in UNDONE.get(here, frozenset()):
        case.step_back(there, at=TEN, by="")
        assert here in NEXT[there]
    else:
        with pytest.raises(DispatchError):
            case.step_back(there, at=TEN, by="")


def test_every_stage_tells_the_enterprise_by_a_text_that_exists() -> None:
    assert set(NOTICE) == set(Stage)
    for stage in Stage:
        assert text_named(NOTICE[stage]).name == NOTICE[stage]


def test_the_milestones_are_the_path_in_order() -> None:
    assert set(MILESTONES) == set(Stage) - {Stage.CORRECTION, Stage.CLOSED, Stage.REFUSED, Stage.WITHDRAWN}
    for earlier, later in pairwise(MILESTONES):
        assert later in NEXT[earlier]
    assert set(HOLDER_LABEL) == set(Holder)
