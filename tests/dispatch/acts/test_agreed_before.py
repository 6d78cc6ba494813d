"""What was agreed by word on Friday and entered on Monday counts from Friday: a handover, its refusal, a batch."""

from datetime import date, time, timedelta

import pytest

from dispatch.acts.act import perform
from dispatch.acts.assigning import ApplyBatch, AssignProject, preview_batch
from dispatch.acts.referring import AcceptReferral, DeclineReferral, ReferProject
from dispatch.assignment.propose import propose
from dispatch.cases.derived import differences
from dispatch.cases.due_moments import prescreen_due, referral_due
from dispatch.cases.project import Project, Referral
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.errors import Refused
from dispatch.core.ids import AgentId, ProjectNo, ReferralId
from dispatch.core.shanghai_time import utc
from tests.dispatch.builders import TEN, a_request, acting

FRIDAY = date(2026, 11, 20)
THREE, FOUR = utc(FRIDAY, time(15)), utc(FRIDAY, time(16))
LONG_AGO = {"on": date(2026, 11, 18), "second": 15 * 3600}


def requested(county, **more):
    case, _ = a_request(county, at=utc(date(2026, 11, 17), time(9)), **more)
    return case, county.session.get_one(Project, case.project_id)


@pytest.fixture
def project(county) -> Project:
    """A project that its first agent has had since Wednesday."""
    _, project = requested(county)
    agent = county.agents[0]
    step = AssignProject(project=ProjectNo(project.project_no), agent_id=AgentId(agent.id), reason="熟悉")
    perform(county.session, step, acting(county, county.lead), at=utc(date(2026, 11, 18), time(9)))
    return project


def offered(county, project: Project, **when) -> Referral:
    step = ReferProject(
        project=ProjectNo(project.project_no), agent_id=AgentId(county.agents[1].id), reason="专业", **when
    )
    done = perform(county.session, step, acting(county, county.lead), at=TEN)
    return county.session.get_one(Referral, done.id)


def answered(county, project: Project, offer: Referral, step, **when) -> None:
    command = step(project=ProjectNo(project.project_no), referral_id=ReferralId(offer.id), **when)
    perform(county.session, command, acting(county, county.lead), at=TEN)


def all_follows(county) -> None:
    assert [str(one) for one in differences(county.session, at=TEN)] == []


def test_a_handover_that_was_asked_and_taken_on_friday_counts_from_friday(county, project) -> None:
    offer = offered(county, project, on=FRIDAY, second=15 * 3600)
    assert (offer.offered_at, offer.recorded_at, offer.recorded_by) == (THREE, TEN, county.lead.label)
    assert offer.accept_by == referral_due(calendar_of(county.session), THREE)
    answered(county, project, offer, AcceptReferral, on=FRIDAY, second=16 * 3600)
    first, second = project.members
    assert (first.until, second.since, second.recorded_at, offer.accepted_at) == (FOUR, FOUR, TEN, FOUR)
    all_follows(county)


def test_a_handover_that_was_declined_on_friday_was_declined_on_friday(county, project) -> None:
    offer = offered(county, project, on=FRIDAY)
    answered(county, project, offer, DeclineReferral, on=FRIDAY, second=16 * 3600)
    assert (offer.declined_at, offer.recorded_at) == (FOUR, TEN)
    all_follows(county)


@pytest.mark.parametrize("step", [AcceptReferral, DeclineReferral])
def test_nobody_answers_before_being_asked_or_in_the_future(county, project, step) -> None:
    offer = offered(county, project, on=FRIDAY, second=15 * 3600)
    with pytest.raises(Refused):
        answered(county, project, offer, step, on=FRIDAY, second=14 * 3600)
    with pytest.raises(Refused):
        answered(county, project, offer, step, on=TEN.date() + timedelta(days=1))


def test_what_was_asked_long_ago_needs_its_reason(county, project) -> None:
    with pytest.raises(Refused):
        offered(county, project, **LONG_AGO)
    offer = offered(county, project, **LONG_AGO, late_reason="外出未登记")
    assert offer.late_reason == "外出未登记"


def batch(county, **when):
    seen = propose(county.session, at=TEN, path=county.lead.division_path).fingerprint
    return perform(county.session, ApplyBatch(seen=seen, **when), acting(county, county.lead), at=TEN)


def test_a_batch_that_was_agreed_on_friday_counts_from_friday(county) -> None:
    cases = [requested(county, phone=f"+861381234560{n}", name=f"第{n}有限公司") for n in range(2)]
    assert preview_batch(county.session, ApplyBatch(), acting(county, county.lead)).applied is None
    assert batch(county, on=FRIDAY, second=15 * 3600).applied.done == 2
    for case, project in cases:
        county.session.refresh(case)
        assert (project.lead.since, project.lead.recorded_at) == (THREE, TEN)
        assert case.prescreen_by == prescreen_due(calendar_of(county.session), THREE)
    all_follows(county)


def test_a_batch_cannot_be_older_than_what_it_gives(county) -> None:
    requested(county)
    a_request(county, phone="+8613812345609", name="新来有限公司", at=TEN - timedelta(hours=1))
    with pytest.raises(Refused):
        batch(county, on=FRIDAY)
    with pytest.raises(Refused):
        batch(county, on=date(2026, 11, 18))
