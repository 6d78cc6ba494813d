"""A case's own rules: what a move records, what a step needs, and which of its materials are papers."""

from datetime import timedelta

import pytest

from dispatch.cases.case import Case, Material, MaterialState
from dispatch.cases.stages import ENDS, UNDONE, Stage
from dispatch.catalogue.matter import MaterialMode
from dispatch.core.errors import WrongStage
from tests.dispatch.moments import TEN

LATER = TEN + timedelta(hours=1)


def a_case(stage: Stage) -> Case:
    return Case(case_no="DB1", stage=stage, stage_at=TEN, version=4, changed_by="account:1")


def test_a_move_records_when_and_by_whom_and_is_a_new_version() -> None:
    case = a_case(Stage.REQUESTED)
    case.move_to(Stage.ASSIGNED, at=LATER, by="account:7")
    assert (case.stage, case.stage_at, case.changed_by, case.version) == (Stage.ASSIGNED, LATER, "account:7", 5)
    assert not case.has_ended
    assert case.ended_at is None


def test_a_move_that_may_not_follow_changes_nothing_and_says_where_the_case_is() -> None:
    case = a_case(Stage.REQUESTED)
    with pytest.raises(WrongStage) as error:
        case.move_to(Stage.DELIVERED, at=LATER, by="account:7")
    assert error.value.facts == {"case_no": "DB1", "stage": Stage.REQUESTED}
    assert (case.stage, case.stage_at, case.changed_by, case.version) == (Stage.REQUESTED, TEN, "account:1", 4)


def test_an_end_is_dated() -> None:
    case = a_case(Stage.REQUESTED)
    case.move_to(Stage.WITHDRAWN, at=LATER)
    assert Stage.WITHDRAWN in ENDS
    assert case.has_ended
    assert (case.ended_at, case.changed_by) == (LATER, "")


def test_a_step_back_records_the_same_as_a_move() -> None:
    here, befores = next(iter(UNDONE.items()))
    before = next(iter(befores))
    case = a_case(here)
    case.step_back(before, at=LATER, by="account:9")
    assert (case.stage, case.stage_at, case.changed_by, case.version) == (before, LATER, "account:9", 5)


def test_a_step_names_the_stages_that_it_needs() -> None:
    case = a_case(Stage.ASSIGNED)
    case.must_be(Stage.REQUESTED, Stage.ASSIGNED)
    with pytest.raises(WrongStage, match="needs requested, delivered") as error:
        case.must_be(Stage.REQUESTED, Stage.DELIVERED)
    assert error.value.facts == {"case_no": "DB1"}


def test_only_originals_travel() -> None:
    materials = [Material(name=mode.value, mode=mode) for mode in MaterialMode]
    assert [each.name for each in Case(materials=materials).originals] == ["original_returned", "original_kept"]


@pytest.mark.parametrize("state", MaterialState)
@pytest.mark.parametrize("supplied_at", [None, TEN])
def test_a_material_is_owed_while_it_is_deferred_and_not_in(state: MaterialState, supplied_at) -> None:
    material = Material(state=state, supplied_at=supplied_at)
    assert material.is_owed is (state is MaterialState.DEFERRED and supplied_at is None)
