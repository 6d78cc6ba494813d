"""A project that was written down twice becomes one: everything moves or ends, and both numbers find it."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from agents.roster import Agent
from dispatch.acts.act import perform
from dispatch.acts.asking import OpenCase, RequestProject, SiteGiven
from dispatch.acts.merging_projects import MergedProjects, MergeProjects
from dispatch.assignment import staffing
from dispatch.cases.case import Case
from dispatch.cases.derived import differences
from dispatch.cases.lookups import reviews_of
from dispatch.cases.project import Intermediary, Project, ProjectMember, ProjectState, TeamRole
from dispatch.cases.project_merge import preview_merge
from dispatch.cases.review_state import ReviewState
from dispatch.cases.stages import Stage
from dispatch.catalogue.matter import Family
from dispatch.core.actor import SYSTEM, Actor
from dispatch.core.errors import Refused, Stale, WrongStage
from dispatch.views.enterprise_projects import projects
from dispatch.views.finding import FoundKind, find
from notifications.message import Message
from tests.dispatch import steps
from tests.dispatch.builders import MONDAY, TEN, acting, an_assigned_case


@pytest.fixture
def lead(county) -> Actor:
    return acting(county, county.lead)


@pytest.fixture
def kept(county) -> tuple[Case, Actor]:
    """The project that stays, with its agent and letter."""
    return an_assigned_case(county, matters=("IND-104", "IND-105"))


def twice(county, viewer: Actor, *, matters: tuple[str, ...] = ("IND-104",), name: str = "精密机床扩产项目二") -> Case:
    """The same project asked for once more under another name."""
    site = SiteGiven(county.town.code, county.town.lon, county.town.lat, address="湖塘镇人民东路1号")
    request = RequestProject(name=name, family=Family.INDUSTRIAL_PERMIT, site=site, matters=matters)
    return steps.request(county.session, request, by=viewer, at=TEN)


def merge(county, by: Actor, duplicate: Case, into: Case) -> MergedProjects:
    session = county.session
    seen = preview_merge(session, duplicate.project, into.project).fingerprint
    step = MergeProjects(
        project=duplicate.project.project_no, into=into.project.project_no, seen=seen, reason="企业重复提交"
    )
    return perform(session, step, by)


def codes(session, case: Case) -> list[str]:
    return [review.matter.code for review in reviews_of(session, case)]


def all_follows(session) -> None:
    session.flush()
    assert [str(one) for one in differences(session, at=TEN)] == []


def test_what_only_the_duplicate_asks_for_goes_on_with_the_kept_agent_and_letter(county, lead, kept) -> None:
    session, (case, viewer) = county.session, kept
    other = twice(county, viewer, matters=("IND-104", "IND-201"))
    duplicate, project = other.project, case.project
    done = merge(county, lead, other, case)
    assert (done.project_no, done.moved, done.ended) == (project.project_no, 1, 0)
    assert other.project is project
    assert codes(session, other) == ["IND-201"]
    assert codes(session, case) == ["IND-104", "IND-105"]
    assert (other.stage, other.prescreen_by is not None) == (Stage.ASSIGNED, True)
    assert (duplicate.state, duplicate.merged_into_id) == (ProjectState.CLOSED, project.id)
    told = session.scalars(select(Message).where(Message.text_name == "projects_merged")).all()
    assert len(told) == 1
    assert any("并入" in event.words for event in other.events)
    all_follows(session)


def test_a_case_that_asks_for_nothing_else_ends_without_a_word_of_its_own(county, lead, kept) -> None:
    session, (case, viewer) = county.session, kept
    other = twice(county, viewer)
    done = merge(county, lead, other, case)
    assert (done.moved, done.ended) == (1, 1)
    assert other.stage is Stage.WITHDRAWN
    assert {review.state for review in reviews_of(session, other)} == {ReviewState.WITHDRAWN}
    assert session.scalars(select(Message).where(Message.text_name == "withdrawn")).all() == []
    assert case.project.state is ProjectState.ACTIVE
    all_follows(session)


def test_both_numbers_find_the_kept_one_and_the_list_has_one(county, lead, kept) -> None:
    session, (case, viewer) = county.session, kept
    other = twice(county, viewer)
    numbers = (other.project.project_no, case.project.project_no)
    merge(county, lead, other, case)
    for number in numbers:
        hits = [hit.key for hit in find(session, lead, number).hits if hit.kind is FoundKind.PROJECT]
        assert hits == [case.project.project_no]
    assert [one.project_no for one in projects(session, viewer, at=TEN)] == [case.project.project_no]


def test_the_duplicates_agent_is_free_or_takes_the_kept_one_over(county, lead, kept) -> None:
    session, (case, viewer) = county.session, kept
    other = twice(county, viewer, matters=("IND-201",))
    staffing.assign(session, other.project, agent_id=county.agents[1].id, by=SYSTEM, at=TEN)
    second = session.get_one(Agent, county.agents[1].id)
    assert second.held == 1
    merge(county, lead, other, case)
    session.refresh(second)
    assert second.held == 0
    assert case.project.lead.agent_id == county.agents[0].id
    waiting = twice(county, viewer, matters=("IND-202",), name="另一个重复")
    third = twice(county, viewer, matters=("IND-203",), name="有人承办的重复")
    staffing.assign(session, third.project, agent_id=county.agents[2].id, by=SYSTEM, at=TEN)
    merge(county, lead, third, waiting)
    assert waiting.project.lead.agent_id == county.agents[2].id
    assert waiting.stage is third.stage is Stage.ASSIGNED
    assert session.get_one(Agent, county.agents[2].id).held == 1
    all_follows(session)


def test_the_letter_and_the_code_move_where_the_kept_one_has_none(county, lead, kept) -> None:
    session, (case, viewer) = county.session, kept
    other = twice(county, viewer, matters=("IND-201",))
    case.project.project_code = "2611-320412-04-01-123456"
    code = case.project.project_code
    session.flush()
    letter = case.project.delegation_on(MONDAY)
    merge(county, lead, case, other)
    session.expire_all()
    assert other.project.project_code == code
    assert other.project.delegation_on(MONDAY) is letter
    all_follows(session)


def test_a_matter_that_both_have_filed_keeps_them_apart(county, lead, kept) -> None:
    session, (case, viewer) = county.session, kept
    other = twice(county, viewer, matters=("IND-104",))
    for one in (case, other):
        review = next(r for r in reviews_of(session, one) if r.matter.code == "IND-104")
        steps.simulate_review(session, review, by=lead, at=TEN)
    with pytest.raises(Refused) as refused:
        merge(county, lead, other, case)
    assert "都已开始办理" in refused.value.user_message


def test_what_the_duplicate_has_filed_leaves_the_kept_case_that_had_not(county, lead, kept) -> None:
    session, (case, viewer) = county.session, kept
    other = twice(county, viewer, matters=("IND-104",))
    steps.simulate_review(session, reviews_of(session, other)[0], by=county.lead, at=TEN)
    merge(county, lead, other, case)
    assert codes(session, other) == ["IND-104"]
    assert codes(session, case) == ["IND-105"]
    all_follows(session)


def test_what_was_read_must_still_be_so_and_the_two_must_be_one_project(county, lead, kept) -> None:
    session, (case, viewer) = county.session, kept
    other = twice(county, viewer, matters=("IND-201",))
    named = {"project": other.project.project_no, "into": case.project.project_no, "reason": "重复"}
    with pytest.raises(Stale, match="not the one that was read"):
        perform(session, MergeProjects(**named, seen="0" * 16), lead)
    with pytest.raises(Refused):
        perform(session, MergeProjects(**{**named, "into": other.project.project_no}), lead)
    foreign, _ = an_assigned_case(county, phone="+8613812345679", name="武进轴承有限公司")
    with pytest.raises(Refused) as refused:
        merge(county, lead, foreign, case)
    assert "不是同一企业" in refused.value.user_message
    merge(county, lead, other, case)
    duplicate = session.scalars(select(Project).where(Project.merged_into_id.is_not(None))).one()
    with pytest.raises(Refused, match="was merged"):
        perform(session, OpenCase(project=duplicate.project_no, matters=("IND-202",)), lead)
    with pytest.raises(WrongStage, match="was merged"):
        staffing.assign(session, duplicate, agent_id=county.agents[1].id, by=SYSTEM, at=TEN + timedelta(hours=1))


def test_intermediaries_work_of_the_same_name_becomes_one_or_keeps_both_rows(county, kept, lead) -> None:
    session = county.session
    case, viewer = kept
    other = twice(county, viewer)
    ours, theirs = case.project, other.project
    session.add_all(
        [
            Intermediary(project_id=ours.id, name="测绘", firm="甲测绘"),
            Intermediary(project_id=theirs.id, name="测绘", firm="甲测绘", promised_wd=9),
            Intermediary(project_id=ours.id, name="设计", firm="乙设计", promised_wd=20),
            Intermediary(project_id=theirs.id, name="设计", firm="丙设计", promised_wd=30),
            Intermediary(project_id=theirs.id, name="检测", firm="丁检测"),
        ]
    )
    session.flush()
    session.expire_all()
    preview = preview_merge(session, theirs, ours)
    again = f"设计（{theirs.project_no}）"
    assert [(work.name, work.becomes, work.is_joined) for work in preview.works] == [
        ("测绘", "测绘", True), ("设计", again, False), ("检测", "检测", False),
    ]  # fmt: skip
    merge(county, lead, other, case)
    session.expire_all()
    found = {work.name: (work.firm, work.promised_wd) for work in ours.intermediaries}
    assert found == {
        "测绘": ("甲测绘", 9), "设计": ("乙设计", 20), again: ("丙设计", 30), "检测": ("丁检测", None),
    }  # fmt: skip


def a_liaison(county, project: Project, agent: Agent, counter: str) -> None:
    agent.held += 1
    project.members.append(
        ProjectMember(
            agent_id=agent.id, role=TeamRole.LIAISON, counter=counter, since=TEN, told_at=TEN, recorded_at=TEN,
            recorded_by="组长",
        )
    )  # fmt: skip
    county.session.flush()


def test_liaisons_of_other_counters_go_over_with_their_slots_and_the_rest_end(county, kept, lead) -> None:
    session = county.session
    case, viewer = kept
    other = twice(county, viewer)
    city, province, duplicate = "320400000000", "320000000000", other.project
    first, second, third = county.agents[:3]
    a_liaison(county, case.project, second, city)
    a_liaison(county, other.project, third, city)
    a_liaison(county, other.project, third, province)
    preview = preview_merge(session, other.project, case.project)
    assert [(one.agent, one.counter, one.goes_on) for one in preview.liaisons] == [
        (third.name, city, False), (third.name, province, True),
    ]  # fmt: skip
    merge(county, lead, other, case)
    session.expire_all()
    acting_now = {(member.counter, member.agent_id) for member in case.project.liaisons}
    assert acting_now == {(city, second.id), (province, third.id)}
    assert duplicate.liaisons == []
    assert (first.held, second.held, third.held) == (1, 1, 1)
    told = session.scalars(select(Message).where(Message.text_name == "project_for_agent")).all()
    assert [m.to_phone for m in told].count(third.phone) == 1


def test_a_merge_that_was_read_before_a_work_came_in_is_not_done(county, kept, lead) -> None:
    session = county.session
    case, viewer = kept
    other = twice(county, viewer)
    seen = preview_merge(session, other.project, case.project).fingerprint
    session.add(Intermediary(project_id=other.project_id, name="测绘"))
    session.flush()
    session.expire_all()
    step = MergeProjects(
        project=other.project.project_no, into=case.project.project_no, seen=seen, reason="企业重复提交"
    )
    with pytest.raises(Stale):
        perform(session, step, lead)
