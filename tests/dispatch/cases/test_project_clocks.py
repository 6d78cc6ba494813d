"""A project's three clocks from its rows: authorities' days, nobody's days of a special procedure, everybody's rest."""

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select

from dispatch.acts.asking import RequestProject, SiteGiven
from dispatch.acts.pausing import PauseNotice
from dispatch.cases import derived, lookups
from dispatch.cases.case import Way
from dispatch.cases.duration_training import PromiseRecord
from dispatch.cases.project import Project
from dispatch.cases.project_clocks import clocks_so_far
from dispatch.cases.project_path import project_path
from dispatch.cases.review_event import EventFacts, EventKind, Recording
from dispatch.cases.review_state import ReviewState
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.catalogue.matter import Family, Matter
from dispatch.core.actor import Actor, Role
from dispatch.core.ids import ContactId
from dispatch.core.shanghai_time import in_shanghai
from dispatch.core.special_procedure import PauseKind
from dispatch.core.three_clocks import ClockOf
from dispatch.path.matter_node import WHOSE
from dispatch.views.case_time_limits import commitment_chance
from dispatch.views.path_figures import path_figures
from dispatch.views.report_clocks import family_clocks
from tests.dispatch import steps
from tests.dispatch.builders import TEN, a_prescreened_case, an_enterprise

DAY = timedelta(days=1)


@pytest.fixture
def case(county):
    """Filed and accepted on Monday at ten, the day of the request."""
    case, _ = a_prescreened_case(county, pickup_way=Way.ELECTRONIC)
    steps.submit(county.session, case, receipts={}, by=county.agent_viewer(), at=TEN)
    for review in lookups.reviews_of(county.session, case):
        steps.accept(county.session, review, notice_no=f"受{review.id}", by=county.agent_viewer(), at=TEN)
    county.session.flush()
    return case


def clocks(county, case, *, at):
    project = county.session.get_one(Project, case.project_id)
    mine = project_path(county.session, project, at=at)
    return clocks_so_far(county.session, project, mine)


def test_days_with_an_authority_are_its_own_and_the_three_clocks_are_all_that_passed(county, case):
    after = clocks(county, case, at=TEN + 4 * DAY)
    assert (after.days.approval_wd, after.days.enterprise_wd, after.days.not_counted_wd) == (4, 0, 0)
    assert after.days.elapsed_wd == 4
    assert not after.is_over


def test_a_special_procedure_is_nobodys_time_while_no_other_matter_is_with_an_authority(county, case):
    first, *others = lookups.reviews_of(county.session, case)
    for review in others:
        steps.decide(
            county.session, review, outcome=ReviewState.GRANTED, decision_no="准1", by=county.agent_viewer(), at=TEN
        )
    pause = PauseNotice(PauseKind.EXPERT_REVIEW, "评1", (TEN + 2 * DAY).date(), maximum_wd=30)
    steps.pause(county.session, first, pause, by=county.agent_viewer(), at=TEN + DAY)
    steps.resume(county.session, first, by=county.agent_viewer(), at=TEN + 2 * DAY)
    after = clocks(county, case, at=TEN + 4 * DAY)
    assert (after.days.approval_wd, after.days.not_counted_wd, after.days.elapsed_wd) == (2, 2, 4)


def test_the_figures_beside_the_path_add_up_and_say_what_working_in_parallel_brings(county, case):
    project = county.session.get_one(Project, case.project_id)
    figures = path_figures(county.session, project, project_path(county.session, project, at=TEN))
    planned = figures.planned
    assert planned.elapsed_wd == planned.approval_wd + planned.enterprise_wd + planned.not_counted_wd > 0
    assert figures.in_series_wd >= figures.in_parallel_wd > 0


def an_opening(county):
    """A project of business opening with a review for every matter of its path, none filed yet."""
    _, contact, viewer = an_enterprise(county.session, phone="+8613900000088", name="常州新设有限公司")
    matters = county.session.scalars(
        select(Matter).where(Matter.family == Family.BUSINESS_OPENING, Matter.retired_on.is_(None))
    )
    codes = tuple(matter.code for matter in matters if WHOSE[matter.kind] is ClockOf.AUTHORITY)
    request = RequestProject(
        name="新设企业", family=Family.BUSINESS_OPENING, site=SiteGiven(county.town.code), matters=codes,
        contact_id=ContactId(contact.id),
    )  # fmt: skip
    case = steps.request(county.session, request, by=viewer, at=TEN)
    return lookups.reviews_of(county.session, case)


def granted(county, review, *, accepted_at: datetime, decided_at: datetime) -> None:
    """The matter was filed and accepted at one moment, and granted at another."""
    at = {EventKind.FILED: accepted_at, EventKind.ACCEPTED: accepted_at, EventKind.GRANTED: decided_at}
    for kind, moment in at.items():
        facts = EventFacts(kind=kind, document_no="1", happened_on=in_shanghai(moment).date(), happened_at=moment)
        review.record(facts, Recording(at=moment, by="agent"), calendar_of(county.session))
    derived.refresh_dates(county.session, review.case)


def test_the_report_counts_a_whole_project_once_its_last_counted_matter_is_decided(county):
    viewer = Actor(Role.LEAD, account_id=1, name="组长", division_path=county.division.path)

    def counted(first=date(2026, 11, 1)):
        county.session.flush()
        last = first.replace(day=30)
        return {one.family: one for one in family_clocks(county.session, viewer, first, last, at=TEN + 30 * DAY)}

    last, *others = an_opening(county)
    for review in others:
        granted(county, review, accepted_at=TEN, decided_at=TEN + DAY)
    assert counted()[Family.BUSINESS_OPENING].projects == 0, "one matter is not decided"
    assert counted()[Family.BUSINESS_OPENING].approval_wd is None
    granted(county, last, accepted_at=TEN + 2 * DAY, decided_at=TEN + 3 * DAY)
    whole = counted()[Family.BUSINESS_OPENING]
    assert (whole.projects, whole.target_wd, whole.elapsed_wd) == (1, 3, 3)
    assert (whole.approval_wd, whole.enterprise_wd) == (2, 1), "on the second day no authority had anything"
    assert counted(date(2026, 12, 1))[Family.BUSINESS_OPENING].projects == 0, "it ended in November"


def test_the_commitments_chance_is_that_of_the_last_promise_and_gone_when_all_is_decided(county, case):
    assert commitment_chance(county.session, case) is None, "no like case stands behind what was said"
    for said in county.session.scalars(select(PromiseRecord).where(PromiseRecord.case_id == case.id)):
        said.is_from_cases = True
    chance = commitment_chance(county.session, case)
    assert chance is not None
    assert 0 < chance <= 1
    if case.committed_due_on >= case.expected_on:
        assert chance >= case.expected_share - 0.02
    for review in lookups.reviews_of(county.session, case):
        steps.decide(
            county.session, review, outcome=ReviewState.GRANTED, decision_no="准1", by=county.agent_viewer(),
            at=TEN + 3 * DAY,
        )  # fmt: skip
    assert commitment_chance(county.session, case) is None
