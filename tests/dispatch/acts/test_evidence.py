"""The evidence register: what was granted or checked once is not asked for again, until it falls or runs out."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from dispatch.acts.act import perform
from dispatch.acts.asking import RequestProject, SiteGiven
from dispatch.acts.correcting import CorrectEvent
from dispatch.acts.correcting_parties import CorrectEnterprise
from dispatch.acts.entering_evidence import EnterEvidence, WithdrawEvidence
from dispatch.acts.merging_projects import MergeProjects
from dispatch.cases.case import Case, Material, MaterialState, Way
from dispatch.cases.derived import differences
from dispatch.cases.evidence import Evidence, EvidenceHolder, EvidenceOrigin, find_evidence
from dispatch.cases.lookups import reviews_of
from dispatch.cases.project import Project
from dispatch.cases.project_merge import preview_merge
from dispatch.cases.review_event import EventKind
from dispatch.cases.review_state import ReviewState
from dispatch.catalogue.matter import Family, MaterialMode
from dispatch.core.actor import Actor
from dispatch.core.errors import NotFound, Refused, WrongStage
from dispatch.views.evidence_page import evidence_of_project, own_evidence
from tests.dispatch import steps
from tests.dispatch.builders import MONDAY, TEN, County, a_prescreened_case, a_request, acting, an_assigned_case


@pytest.fixture
def agent(county: County) -> Actor:
    return acting(county, county.agent_viewer())


@pytest.fixture
def lead(county: County) -> Actor:
    return acting(county, county.lead)


def project_of(county: County, case: Case) -> Project:
    return county.session.get_one(Project, case.project_id)


def granted(county: County, case: Case, agent: Actor) -> None:
    session = county.session
    steps.submit(session, case, receipts={}, by=agent, at=TEN)
    for review in reviews_of(session, case):
        steps.accept(session, review, notice_no="受1号", by=agent, at=TEN)
        steps.decide(session, review, outcome=ReviewState.GRANTED, decision_no="备1号", by=agent, at=TEN)


def all_follows(county: County) -> None:
    county.session.flush()
    assert [str(one) for one in differences(county.session, at=TEN)] == []


def test_a_result_enters_by_itself_and_what_waits_for_it_rests_on_it(county: County, agent: Actor) -> None:
    session = county.session
    case, viewer = a_prescreened_case(county, matters=("IND-101",), pickup_way=Way.ELECTRONIC)
    project = project_of(county, case)
    waiting = steps.open_case(session, project, matters=("IND-107",), by=viewer, at=TEN)
    result = next(m for m in waiting.materials if m.state is MaterialState.AWAITED)
    granted(county, case, agent)
    row = session.scalars(select(Evidence).where(Evidence.origin == EvidenceOrigin.RESULT)).one()
    assert (row.name, row.number, row.issued_on, row.project_id) == (result.name, "备1号", MONDAY, project.id)
    assert (result.state, result.evidence_id) == (MaterialState.HELD, row.id)
    line = next(one for one in own_evidence(session, viewer, on=MONDAY) if one.id == row.id)
    assert (line.used_in, line.is_valid, line.may_be_withdrawn) == ((waiting.case_no,), True, False)
    all_follows(county)


def test_a_grant_taken_back_withdraws_the_result_and_the_material_is_awaited_again(
    county: County, agent: Actor
) -> None:
    session = county.session
    case, viewer = a_prescreened_case(county, matters=("IND-101",), pickup_way=Way.ELECTRONIC)
    waiting = steps.open_case(session, project_of(county, case), matters=("IND-107",), by=viewer, at=TEN)
    result = next(m for m in waiting.materials if m.state is MaterialState.AWAITED)
    granted(county, case, agent)
    (review,) = reviews_of(session, case)
    wrong = CorrectEvent(
        review=review.id, event=review.events[-1].id, turns_out_as=EventKind.DENIED, words="不符合", reason="看错"  # type: ignore[arg-type]
    )  # fmt: skip
    perform(session, wrong, agent, at=TEN)
    row = session.scalars(select(Evidence).where(Evidence.origin == EvidenceOrigin.RESULT)).one()
    assert (row.withdrawn_at, row.withdrawal_reason) == (TEN, "看错")
    assert (result.state, result.evidence_id) == (MaterialState.AWAITED, None)
    right = CorrectEvent(
        review=review.id, event=review.events[-1].id, turns_out_as=EventKind.GRANTED, reason="原来准予"  # type: ignore[arg-type]
    )  # fmt: skip
    perform(session, right, agent, at=TEN)
    assert result.state is MaterialState.HELD
    all_follows(county)


def test_a_checked_copy_is_not_asked_for_again_in_the_project(county: County) -> None:
    session = county.session
    case, viewer = a_prescreened_case(county, matters=("IND-107", "IND-108"))
    copies = {m.name for m in case.materials if m.mode is MaterialMode.COPY and m.sha256}
    kept = session.scalars(select(Evidence).where(Evidence.origin == EvidenceOrigin.PAPER)).all()
    assert {row.name for row in kept} == copies
    assert all(row.sha256 for row in kept)
    again = steps.open_case(session, project_of(county, case), matters=("IND-107",), by=viewer, at=TEN)
    asked = {m.name: m for m in again.materials if m.name in copies}
    assert asked
    assert {m.state for m in asked.values()} == {MaterialState.HELD}
    assert all(m.evidence_id for m in asked.values())


def enter(county: County, case: Case, by: Actor, name: str, **more: object) -> Evidence:
    step = EnterEvidence(
        project=project_of(county, case).project_no, name=name, paper_no="91320412", **more  # type: ignore[arg-type]
    )  # fmt: skip
    return county.session.get_one(Evidence, perform(county.session, step, by, at=TEN).number)


def a_wanted_copy(case: Case) -> Material:
    return next(m for m in case.materials if m.mode is MaterialMode.COPY and m.state is MaterialState.WANTED)


def test_what_was_looked_up_is_held_at_once_and_in_the_next_project(county: County, lead: Actor) -> None:
    session = county.session
    case, _ = a_request(county, matters=("IND-107",))
    material = a_wanted_copy(case)
    row = enter(county, case, lead, material.name, for_all=True, valid_until=MONDAY + timedelta(days=30))
    assert (material.state, material.evidence_id) == (MaterialState.HELD, row.id)
    holder = EvidenceHolder(row.enterprise_id, 0)
    assert find_evidence(session, holder, [material.name], on=MONDAY) == {material.name: row}
    assert find_evidence(session, holder, [material.name], on=MONDAY + timedelta(days=31)) == {}
    assert find_evidence(session, EvidenceHolder(row.enterprise_id + 1, 0), [material.name], on=MONDAY) == {}
    page = evidence_of_project(session, lead, project_of(county, case).project_no, on=date(2030, 1, 1))
    assert [(line.is_valid, line.used_in) for line in page.lines] == [(False, (case.case_no,))]
    all_follows(county)


def test_a_row_that_is_withdrawn_leaves_the_material_wanted(county: County, lead: Actor) -> None:
    session = county.session
    case, _ = a_request(county, matters=("IND-107",))
    material = a_wanted_copy(case)
    row = enter(county, case, lead, material.name)
    drop = WithdrawEvidence(project=project_of(county, case).project_no, number=row.id, reason="已注销")  # type: ignore[arg-type]
    perform(session, drop, lead, at=TEN)
    assert (material.state, material.evidence_id, row.withdrawal_reason) == (MaterialState.WANTED, None, "已注销")
    with pytest.raises(WrongStage):
        perform(session, drop, lead, at=TEN)
    other, _ = an_assigned_case(county, matters=("IND-104",), phone="+8613812345699", name="武进轴承有限公司")
    foreign = WithdrawEvidence(project=project_of(county, other).project_no, number=row.id, reason="别家的")  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        perform(session, foreign, lead, at=TEN)
    all_follows(county)


def test_a_look_up_says_what_proves_it_and_is_not_over(county: County, lead: Actor) -> None:
    case, _ = a_request(county, matters=("IND-107",))
    project = project_of(county, case).project_no
    for wrong in (
        {"paper_no": ""},
        {"paper_no": "1", "issued_on": MONDAY + timedelta(days=1)},
        {"paper_no": "1", "valid_until": MONDAY - timedelta(days=1)},
    ):
        with pytest.raises(Refused):
            perform(county.session, EnterEvidence(project=project, name="营业执照", **wrong), lead, at=TEN)  # type: ignore[arg-type]


def another_enterprises(county: County, case: Case, lead: Actor) -> None:
    step = CorrectEnterprise(
        project=project_of(county, case).project_no, name="常州精密机床有限公司", credit_code="91320412MA1ABCDE81",
        contact_name="钱经理", contact_phone="13912345670", reason="名称相近选错企业",
    )  # fmt: skip
    perform(county.session, step, lead, at=TEN)
    county.session.expire_all()


def test_a_project_of_another_enterprise_takes_its_own_papers_along_and_borrows_none(
    county: County, lead: Actor
) -> None:
    case, _ = a_request(county, matters=("IND-107",))
    borrowed, own = (m for m in case.materials if m.mode is MaterialMode.COPY and m.state is MaterialState.WANTED)
    of_all = enter(county, case, lead, borrowed.name, for_all=True)
    of_project = enter(county, case, lead, own.name)
    wrong = of_all.enterprise_id
    another_enterprises(county, case, lead)
    assert (of_all.enterprise_id, of_project.enterprise_id) == (wrong, project_of(county, case).enterprise_id)
    assert of_project.enterprise_id != wrong
    assert (borrowed.state, borrowed.evidence_id) == (MaterialState.WANTED, None)
    assert (own.state, own.evidence_id) == (MaterialState.HELD, of_project.id)
    all_follows(county)


def test_what_counted_for_a_duplicate_counts_for_the_project_that_is_kept(county: County, lead: Actor) -> None:
    session = county.session
    case, viewer = an_assigned_case(county, matters=("IND-107",))
    site = SiteGiven(county.town.code, county.town.lon, county.town.lat, address="湖塘镇人民东路1号")
    again = RequestProject(name="扩产项目二", family=Family.INDUSTRIAL_PERMIT, site=site, matters=("IND-104",))
    other = steps.request(session, again, by=viewer, at=TEN)
    row = enter(county, other, lead, "可行性研究报告")
    kept, duplicate = project_of(county, case), project_of(county, other)
    step = MergeProjects(
        project=duplicate.project_no, into=kept.project_no, reason="企业重复提交",
        seen=preview_merge(session, duplicate, kept).fingerprint,
    )  # fmt: skip
    perform(session, step, lead, at=TEN)
    session.expire_all()
    assert row.project_id == kept.id
