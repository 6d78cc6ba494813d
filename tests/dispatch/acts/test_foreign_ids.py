"""Ids in a body: what is another county's answers as what is not there, and nothing is written."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch.acts.act import perform
from dispatch.acts.asking import RequestProject, SiteGiven
from dispatch.acts.assigning import AssignProject
from dispatch.cases.project import Contact, Enterprise, Project, ProjectMember
from dispatch.catalogue.matter import Family
from dispatch.core.actor import Actor, Role
from dispatch.core.errors import NotFound
from notifications.message import Message
from tests.dispatch.builders import WUJIN, County, a_request
from tests.web.world import another_county

ABSENT = 2**40


def counts(session: Session) -> list[int | None]:
    nouns = (Project, Contact, Enterprise, ProjectMember, Message)
    return [session.scalar(select(func.count()).select_from(noun)) for noun in nouns]


def refused(session: Session, command: object, actor: Actor) -> None:
    before = counts(session)
    with pytest.raises(NotFound):
        perform(session, command, actor)  # type: ignore[arg-type]
    session.flush()
    assert counts(session) == before


@pytest.mark.parametrize("role", [Role.AGENT, Role.LEAD])
def test_nobody_files_for_an_enterprise_out_of_reach(county: County, role: Role) -> None:
    session, other = county.session, another_county(county.session, county)
    case, _ = a_request(county)
    theirs = session.scalars(select(Project).where(Project.id == case.project_id)).one()
    actor = Actor(
        role, agent_id=other.agents[0].id if role is Role.AGENT else None, division_id=other.division.id,
        division_path=other.division.path,
    )  # fmt: skip
    for named in (
        {"enterprise_id": theirs.enterprise_id},
        {"enterprise_id": ABSENT},
        {"contact_id": theirs.contact_id},
    ):
        project = RequestProject(
            name="夺取", family=Family.INDUSTRIAL_PERMIT, site=SiteGiven(WUJIN), matters=("IND-104",), **named
        )  # type: ignore[arg-type]
        refused(session, project, actor)


def test_a_lead_gives_no_project_to_another_countys_agent(county: County) -> None:
    session, other = county.session, another_county(county.session, county)
    case, _ = a_request(county)
    project_no = session.scalars(select(Project.project_no).where(Project.id == case.project_id)).one()
    for agent_id in (other.agents[0].id, ABSENT):
        refused(session, AssignProject(project=project_no, agent_id=agent_id, reason="抽调"), county.lead)
