"""Area evaluations at their limits: the last day that serves, the first that does not, and figures that are none."""

from datetime import date, timedelta

import pytest

from dispatch.path.area_effects import VALID_YEARS, AreaUse, EvaluatedSite, ZoneEvaluation

INSIDE = EvaluatedSite(frozenset({"经开区"}))
DAY = timedelta(days=1)


def an_evaluation(**changes) -> ZoneEvaluation:
    return ZoneEvaluation(**{"kind": "relics", "zone": "经开区", "approved_on": date(2023, 5, 10)} | changes)


def test_an_evaluation_serves_from_its_approval_for_five_years_and_costs_nothing() -> None:
    evaluation = an_evaluation()
    assert (VALID_YEARS, evaluation.expires_on, evaluation.cost_saved_yuan) == (5, date(2028, 5, 10), 0)
    assert evaluation.hindrances(INSIDE, date(2023, 5, 10)) == ()
    assert evaluation.hindrances(INSIDE, date(2028, 5, 9)) == ()
    assert evaluation.hindrances(INSIDE, date(2028, 5, 10)) == ("自2028-05-10起已过有效期",)
    assert evaluation.hindrances(INSIDE, date(2023, 5, 9)) == ("2023-05-10才批准",)


def test_a_last_day_that_the_zone_stated_shortens_the_five_years_and_never_lengthens_them() -> None:
    assert an_evaluation(valid_to=date(2025, 1, 31)).expires_on == date(2025, 2, 1)
    assert an_evaluation(valid_to=date(2040, 1, 31)).expires_on == date(2028, 5, 10)
    assert an_evaluation(valid_years=3).expires_on == date(2026, 5, 10)


def test_five_years_after_a_leap_day_end_with_february() -> None:
    assert an_evaluation(approved_on=date(2024, 2, 29)).expires_on == date(2029, 3, 1)
    assert an_evaluation(approved_on=date(2024, 2, 29), valid_years=4).expires_on == date(2028, 2, 29)


@pytest.mark.parametrize("change", [{"cost_saved_yuan": -1}, {"valid_years": 0}, {"valid_years": -1}])
def test_cost_and_validity_cannot_be_negative(change: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="cannot be negative"):
        an_evaluation(**change)
    assert an_evaluation(cost_saved_yuan=0, valid_years=1).expires_on == date(2024, 5, 10)


def test_every_hindrance_is_named_in_its_order() -> None:
    site = EvaluatedSite(frozenset({"高新区"}), use_unchanged=False, industry="印染")
    evaluation = an_evaluation(negative_list=frozenset({"印染"}))
    assert evaluation.hindrances(site, date(2023, 5, 9)) == (
        "用地未全部位于经开区内", "用地用途已改变", "印染列入经开区负面清单", "2023-05-10才批准",
    )  # fmt: skip
    assert EvaluatedSite(frozenset()).use_unchanged


def test_an_evaluation_is_shared_when_nothing_hinders_it() -> None:
    assert AreaUse("IND-112", an_evaluation(), date(2026, 1, 1), ()).is_shared
    assert not AreaUse("IND-112", an_evaluation(), date(2026, 1, 1), ("用地用途已改变",)).is_shared
