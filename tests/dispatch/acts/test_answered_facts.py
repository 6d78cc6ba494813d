"""Answered facts: path, limits and papers of a project follow what is answered; a result to come is not held before."""

import pytest

from dispatch.acts.act import perform
from dispatch.acts.answering_facts import AnswerFacts
from dispatch.cases.case import Case, MaterialState
from dispatch.cases.derived import differences
from dispatch.cases.lookups import reviews_of
from dispatch.cases.project import Project
from dispatch.cases.project_path import project_path
from dispatch.cases.review_state import ReviewState
from dispatch.cases.stages import Stage
from dispatch.core.errors import Refused, WrongStage
from tests.dispatch import steps
from tests.dispatch.builders import TEN, a_prescreened_case, acting, an_assigned_case


def states(case) -> dict[str, MaterialState]:
    return {material.name: material.state for material in case.materials}


def all_follows(session) -> None:
    session.flush()
    assert [str(one) for one in differences(session, at=TEN)] == []


def test_an_answer_changes_path_limits_and_papers_at_once(county) -> None:
    session = county.session
    case, viewer = an_assigned_case(county, matters=("IND-107", "IND-108"))
    project = session.get_one(Project, case.project_id)
    assert states(case)["水土保持方案报告表"] is not MaterialState.NOT_NEEDED
    assert "水土保持方案报告书" not in states(case)
    answers = {"site_ha": 8, "eia": "registration", "special_fire": True}
    done = perform(session, AnswerFacts(project=project.project_no, facts=answers), acting(county, viewer))
    assert not {"site_ha", "eia"} & set(done.assumed)
    assert states(case)["水土保持方案报告表"] is MaterialState.NOT_NEEDED
    assert states(case)["水土保持方案报告书"] is MaterialState.WANTED
    limits = {review.matter.code: str(review.statutory_limit) for review in reviews_of(session, case)}
    assert limits == {"IND-107": "immediate", "IND-108": "10wd"}
    assert "IND-302" in project_path(session, project, at=TEN).path.codes
    all_follows(session)
    back = {"site_ha": None, "eia": None}
    assert {"site_ha", "eia"} <= set(
        perform(session, AnswerFacts(project=project.project_no, facts=back), acting(county, viewer)).assumed
    )
    case = session.get_one(Case, case.id)
    assert states(case)["水土保持方案报告书"] is MaterialState.NOT_NEEDED
    assert states(case)["水土保持方案报告表"] is MaterialState.GIVEN, "what was given counts again"
    all_follows(session)


@pytest.mark.parametrize(
    "facts", [{"land": "bought"}, {"site_ha": -1}, {"hires_staff": True}, {"shared_energy": True}, {"weather": "fine"}]
)
def test_an_answer_that_is_none_is_refused_and_changes_nothing(county, facts) -> None:
    session = county.session
    case, viewer = an_assigned_case(county, matters=("IND-107",))
    project = session.get_one(Project, case.project_id)
    before = dict(project.facts)
    with pytest.raises(Refused) as refused:
        perform(session, AnswerFacts(project=project.project_no, facts=facts), acting(county, viewer))
    assert refused.value.facts["field"] == "facts"
    assert project.facts == before


def test_the_result_of_another_matter_is_awaited_until_that_is_granted(county) -> None:
    session = county.session
    case, _ = a_prescreened_case(county, matters=("IND-101", "IND-107"))
    assert states(case)["企业投资项目备案证"] is MaterialState.AWAITED
    case.stage = Stage.COLLECTED
    steps.submit(session, case, receipts={}, by=county.agent_viewer(), at=TEN)
    review = next(r for r in reviews_of(session, case) if r.matter.code == "IND-101")
    steps.accept(session, review, notice_no="受1", by=county.agent_viewer(), at=TEN)
    steps.decide(session, review, outcome=ReviewState.GRANTED, decision_no="备1", by=county.agent_viewer(), at=TEN)
    assert states(case)["企业投资项目备案证"] is MaterialState.HELD
    all_follows(session)


def test_a_closed_project_keeps_its_facts(county) -> None:
    session = county.session
    case, viewer = an_assigned_case(county, matters=("IND-107",))
    project = session.get_one(Project, case.project_id)
    steps.withdraw(session, case, reason="不办了", by=viewer, at=TEN)
    with pytest.raises(WrongStage):
        perform(session, AnswerFacts(project=project.project_no, facts={"land": "none"}), acting(county, county.lead))
