"""The enterprise's projects: the list, and one with its cases, letters and firms."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import and_, select, true
from sqlalchemy.orm import Session

from agents.network import Division
from agents.roster import Agent
from dispatch.cases.access_control import project_for, visible_projects
from dispatch.cases.project import (
    FAMILY_LABEL,
    PROJECT_LABEL,
    Intermediary,
    Project,
    ProjectMember,
    ProjectState,
    TeamRole,
)
from dispatch.core.actor import Actor
from dispatch.core.canonical import plain_text
from dispatch.core.shanghai_time import in_shanghai
from dispatch.views.enterprise_agent import Helper, helper_of
from dispatch.views.enterprise_case_rows import CaseRow, case_rows
from dispatch.views.enterprise_letters import DelegationLetterView, letters_of
from dispatch.views.enterprise_turns import Turn
from dispatch.views.loading import PROJECT_PARTS
from dispatch.views.project_corrections import ProjectCorrectionLine, correction_lines, kept_number


@dataclass(frozen=True, slots=True)
class EnterpriseProjectLine:
    """A project on the list, with its cases."""

    project_no: str
    name: str
    family: str
    place: str
    state: str
    agent: str | None
    created_at: datetime
    cases: tuple[CaseRow, ...]

    @property
    def waits_for_us(self) -> int:
        return sum(case.turn is not Turn.NOTHING for case in self.cases)

    def names(self, words: str) -> bool:
        """Whether the project or one of its cases has these characters in its name or number."""
        wanted = plain_text(words).casefold()
        return any(wanted in one.casefold() for one in (self.name, self.project_no, *(c.case_no for c in self.cases)))

    def waits_for(self, turn: Turn) -> bool:
        return any(case.turn is turn for case in self.cases)


def projects(
    session: Session, viewer: Actor, *, at: datetime, batch_id: int | None = None
) -> list[EnterpriseProjectLine]:
    """The viewer's projects, or those of a batch, what waits for the enterprise first, then the newest."""
    of_batch = true() if batch_id is None else Project.batch_id == batch_id
    found = session.execute(
        select(
            Project.id, Project.project_no, Project.name, Project.family, Project.state, Project.created_at,
            Division.name.label("place"), Agent.name.label("agent"),
        )
        .join(Division, Division.id == Project.division_id)
        .outerjoin(
            ProjectMember,
            and_(
                ProjectMember.project_id == Project.id,
                ProjectMember.role == TeamRole.LEAD,
                ProjectMember.until.is_(None),
            ),
        )
        .outerjoin(Agent, Agent.id == ProjectMember.agent_id)
        .where(visible_projects(viewer), Project.merged_into_id.is_(None), of_batch)
        .order_by(Project.id.desc())
    ).all()  # fmt: skip
    cases = case_rows(session, viewer, [row.id for row in found], at=at)
    rows = [
        EnterpriseProjectLine(
            row.project_no, row.name, FAMILY_LABEL[row.family], row.place, PROJECT_LABEL[row.state], row.agent,
            row.created_at, tuple(cases.get(row.id, ())),
        )
        for row in found
    ]  # fmt: skip
    return sorted(rows, key=lambda row: row.waits_for_us == 0)


@dataclass(frozen=True, slots=True)
class EnterpriseProjectPage:
    """One project: its facts, who acts, its cases, the letters, the firms that work for it."""

    project_no: str
    version: int
    project_code: str | None
    name: str
    family: str
    place: str
    address: str
    investment_wan: Decimal | None
    state: str
    ended: bool
    created_at: datetime
    helper: Helper | None
    cases: tuple[CaseRow, ...]
    letters: tuple[DelegationLetterView, ...]
    firms: tuple[Intermediary, ...]
    corrections: tuple[ProjectCorrectionLine, ...]
    merged_into: str | None

    @property
    def letter(self) -> DelegationLetterView | None:
        """The letter in force."""
        return next((letter for letter in self.letters if letter.in_force), None)


def project_page(
    session: Session, viewer: Actor, project_no: str, *, at: datetime
) -> tuple[EnterpriseProjectPage, Project]:
    """The project and what its page shows. Raises NotFound."""
    project = project_for(session, viewer, project_no, loaded=PROJECT_PARTS)
    page = EnterpriseProjectPage(
        project_no=project.project_no,
        version=project.version,
        project_code=project.project_code,
        name=project.name,
        family=FAMILY_LABEL[project.family],
        place=place_in_words(session, project.division_id),
        address=(project.site_address or "").removeprefix(session.get_one(Division, project.division_id).name),
        investment_wan=project.investment_wan,
        state=PROJECT_LABEL[project.state],
        ended=project.state is ProjectState.CLOSED,
        created_at=project.created_at,
        helper=helper_of(session, project, at=at),
        cases=tuple(case_rows(session, viewer, [project.id], at=at).get(project.id, ())),
        letters=letters_of(session, project, in_shanghai(at).date()),
        firms=tuple(project.intermediaries),
        corrections=correction_lines(session, project),
        merged_into=kept_number(session, project),
    )
    return page, project


def place_in_words(session: Session, division_id: int) -> str:
    """常州市武进区湖塘镇: from the city down."""
    division = session.get_one(Division, division_id)
    names = session.execute(
        select(Division.name).where(Division.code.in_(division.path.split(".")[1:])).order_by(Division.level)
    ).scalars()
    return "".join(names) or division.name
