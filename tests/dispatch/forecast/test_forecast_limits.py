"""Beliefs and probabilities that cannot be are refused when they are read."""

from dataclasses import replace

import pytest

from dispatch.forecast.beliefs import read_priors
from dispatch.forecast.calibration import Closed, base_rate
from dispatch.path.matter_node import MatterKind


def test_every_kind_of_matter_needs_a_belief() -> None:
    priors = read_priors()
    kinds = {kind: belief for kind, belief in priors.kinds.items() if kind is not MatterKind.FILING}
    with pytest.raises(ValueError, match="no belief about filing"):
        replace(priors, kinds=kinds)


@pytest.mark.parametrize(("department", "project", "fits"), [(0.5, 0.5, False), (0.5, 0.49, True), (0.9, 0.2, False)])
def test_the_correlations_leave_room_for_chance(department: float, project: float, fits: bool) -> None:
    changes = {"department_correlation": department, "project_correlation": project}
    if fits:
        assert replace(read_priors(), **changes).project_correlation == project
    else:
        with pytest.raises(ValueError, match="room for chance"):
            replace(read_priors(), **changes)


@pytest.mark.parametrize(("below", "upto"), [(-0.1, 0.5), (0.6, 0.5), (0.5, 1.1)])
def test_what_was_said_of_a_day_rises_from_nought_to_one(below: float, upto: float) -> None:
    with pytest.raises(ValueError, match="rise from 0 to 1"):
        Closed(below, upto)
    assert (Closed(0, 1).upto, Closed(0.5, 0.5).below) == (1, 0.5)


def test_the_share_so_far_imagines_one_case_of_each_kind() -> None:
    assert base_rate([]) == 0.5
    assert base_rate([True, True, False]) == pytest.approx(3 / 5)
