"""The calibration page's figures and the seven lists, from rows of a county."""

from datetime import timedelta

import pytest

from dispatch.cases.duration_training import PromiseRecord
from dispatch.path.seven_lists import SheetList
from dispatch.views.calibration import calibration_page
from dispatch.views.lists import lists_page
from tests.dispatch.builders import TEN, a_request, an_assigned_case


def judged(county, case, *, share, took, promised=20, pert=0.99):
    """A promise whose case took so many working days in the end."""
    county.session.add(
        PromiseRecord(
            case_id=case.id, said_at=TEN, start_on=TEN.date(), expected_on=TEN.date() + timedelta(days=28),
            promised_wd=promised, share=share, pert_share=pert, is_yardstick=True, is_estimate=False,
            is_from_cases=True, kept=list(range(5, 31)), seen={}, took_wd=took, ended_at=TEN,
        )
    )  # fmt: skip
    county.session.flush()


def test_nothing_judged_makes_no_scores(county):
    page = calibration_page(county.session, county.lead)
    assert (page.cases, page.ours, page.pert, page.base) == (0, None, None, None)


def test_scores_stand_beside_simpler_forecasts_with_their_number(county):
    case, _ = a_request(county)
    county.session.flush()
    for took in (12, 15, 18, 25):
        judged(county, case, share=0.75, took=took)
    page = calibration_page(county.session, county.lead)
    assert (page.cases, page.kept) == (4, 3)
    assert page.ours == pytest.approx((3 * 0.25**2 + 0.75**2) / 4)
    assert page.pert == pytest.approx((3 * 0.01**2 + 0.99**2) / 4)
    assert page.base > page.ours
    assert [row.cases for row in page.deciles] == [4] * 10
    (stated,) = page.stated
    assert (stated.level, stated.observed) == (0.75, 0.75)


def test_what_is_not_ones_own_is_not_counted(county):
    case, viewer = a_request(county)
    county.session.flush()
    judged(county, case, share=0.85, took=10)
    assert calibration_page(county.session, viewer).cases == 1
    assert calibration_page(county.session, county.courier_viewer()).cases == 0


def test_the_seven_lists_of_a_project_name_its_agent(county):
    case, _ = an_assigned_case(county)
    page = lists_page(county.session, county.lead, case.project.project_no, at=TEN)
    assert [sheet.key for sheet in page.lists] == [
        "matters", "intermediaries", "commitments", "supervision", "acceptance", "coordination", "agents",
    ]  # fmt: skip
    last: SheetList = page.lists[-1]
    assert county.agents[0].name in {row[2] for row in last.rows}
