"""Request: an enterprise asks, a project is opened, a case lists its matters and materials."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.network import Division, division_with, home_county
from agents.roster import Agent
from db import keyed_hash
from dispatch.assignment.staffing import PRESCREEN_WD, tell_assigned
from dispatch.cases.case import Case, Material, MaterialState, Way
from dispatch.cases.lookups import due, next_number
from dispatch.cases.notify import add_timeline_event, day_of, query_code, queue_notice
from dispatch.cases.project import Contact, Enterprise, Project, ProjectState, Referral
from dispatch.cases.review import Review
from dispatch.cases.stages import Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.catalogue.implementation import handling_of
from dispatch.catalogue.matter import Family, MaterialMode, Matter, Requirement
from dispatch.core.actor import Actor, Role
from dispatch.core.errors import Refused
from dispatch.core.localized_text import ListText, LocalizedText

ANSWER_WD = 1  # the centre's own promises, beside the authorities' limits


@dataclass(frozen=True, slots=True)
class ProjectSite:
    """Where the project stands: a division of the network, and if known a WGS-84 point and the written address."""

    division_code: str
    lon: float | None = None
    lat: float | None = None
    address: str = ""


@dataclass(frozen=True, slots=True)
class ProjectIntake:
    """What an enterprise asks for: a project with its first case."""

    name: str
    family: Family
    site: ProjectSite
    matters: Sequence[str]
    investment_wan: int | None = None
    project_code: str | None = None
    phase: int = 1
    facts: Mapping[str, Any] = field(default_factory=dict)
    language: str = "zh"
    pickup_way: Way = Way.COURIER
    delivery_way: Way = Way.COURIER
    is_state_secret: bool = False


def request(
    session: Session, *, enterprise: Enterprise, contact: Contact, intake: ProjectIntake, by: Actor, at: datetime
) -> Case:
    """An enterprise asks for free proxy handling (代办): a project is opened with its first case."""
    if intake.is_state_secret:
        raise Refused(
            "projects with state secrets are not taken", user_message="涉密项目不得通过本系统办理，请到窗口咨询"
        )
    if not intake.name.strip():
        raise Refused("a project needs a name", user_message="请填写项目名称")
    if intake.project_code and not (len(intake.project_code) == 24 and intake.project_code.replace("-", "").isalnum()):
        raise Refused(f"{intake.project_code!r} is no project code", user_message="项目代码应为24位")
    if intake.project_code and session.scalar(select(Project.id).where(Project.project_code == intake.project_code)):
        raise Refused(
            f"project code {intake.project_code} is taken", user_message="该项目代码已有代办项目，请在原项目下新增办件"
        )
    division = division_with(session, intake.site.division_code)
    if division.retired_on is not None:
        raise Refused(
            f"{division.code} was retired on {division.retired_on}",
            user_message=LocalizedText("%(name)s已撤并，请选择现行区划", name=division.name),
        )
    home = home_county(session, division) or division
    project = Project(
        project_no=next_number(session, f"P{home.code[:6]}-{day_of(at):%Y}", width=5),
        project_code=intake.project_code or None,
        name=intake.name.strip(),
        enterprise_id=enterprise.id,
        contact_id=contact.id,
        division_id=division.id,
        home_division_id=home.id,
        family=intake.family,
        site_lon=intake.site.lon if intake.site.lon is not None else division.lon,
        site_lat=intake.site.lat if intake.site.lat is not None else division.lat,
        site_address=intake.site.address or division.name,
        investment_wan=intake.investment_wan,
        phase=intake.phase,
        facts=dict(intake.facts),
        language=intake.language,
        created_at=at,
    )
    session.add(project)
    session.flush()
    if by.role is Role.AGENT and by.agent_id is not None:
        # First ask: whoever received the request owns it until a handover is accepted.
        session.add(Referral(project_id=project.id, from_agent_id=by.agent_id))
    return open_case(
        session, project, matters=intake.matters, pickup_way=intake.pickup_way, delivery_way=intake.delivery_way,
        by=by, at=at,
    )  # fmt: skip


def open_case(
    session: Session,
    project: Project,
    *,
    matters: Sequence[str],
    by: Actor,
    at: datetime,
    pickup_way: Way = Way.COURIER,
    delivery_way: Way = Way.COURIER,
) -> Case:
    """One more submission of a project. Its later cases keep the team: they are assigned as they come in."""
    calendar = calendar_of(session)
    home = session.get_one(Division, project.home_division_id)
    chosen = _matters(session, matters)
    code = query_code()
    case = Case(
        case_no=next_number(session, f"{home.code[:6]}-{day_of(at):%Y%m%d}", width=5),
        project_id=project.id,
        division_id=project.home_division_id,
        contact_id=project.contact_id,
        query_code=code,
        query_hash=keyed_hash(f"query:{code}"),
        stage=Stage.REQUESTED,
        stage_at=at,
        created_at=at,
        pickup_way=pickup_way,
        delivery_way=delivery_way,
        answer_by=due(calendar, at, ANSWER_WD),
        changed_by=by.label,
    )
    session.add(case)
    session.flush()
    for matter in chosen:
        handling = handling_of(session, matter, home)
        session.add(
            Review(
                case_id=case.id,
                matter_id=matter.id,
                authority=handling.authority,
                authority_division_id=handling.division_id,
                counter_division_id=handling.counter_division_id,
                counter=handling.counter_place,
                statutory_wd=handling.statutory_wd,
                committed_wd=handling.committed_wd,
                same_day=handling.same_day,
            )
        )
    _list_materials(session, case, project, chosen)
    if not case.originals:
        case.pickup_way = Way.ELECTRONIC
    if not any(matter.result_has_original for matter in chosen):
        case.delivery_way = Way.ELECTRONIC
    add_timeline_event(
        session, case, kind="requested", by=by, at=at, words=LocalizedText("已提交，共%(n)s个事项", n=len(chosen))
    )
    queue_notice(session, case, "requested", at=at, values={"query_code": code, "area_name": home.name})
    if project.state is ProjectState.CLOSED:
        project.move_to(ProjectState.WAITING, at=at)
    if (lead := project.lead) is not None:
        agent = session.get_one(Agent, lead.agent_id)
        case.prescreen_by = due(calendar, at, PRESCREEN_WD)
        case.move_to(Stage.ASSIGNED, at=at, by=by.label)
        tell_assigned(session, case, agent, at=at, by=by)
    return case


def _matters(session: Session, codes: Sequence[str]) -> list[Matter]:
    if not codes:
        raise Refused("a case needs at least one matter", user_message="请至少选择一个事项")
    found = {
        m.code: m for m in session.scalars(select(Matter).where(Matter.code.in_(codes), Matter.retired_on.is_(None)))
    }
    if missing := [code for code in codes if code not in found]:
        raise Refused(
            f"unknown matters {missing}",
            user_message=LocalizedText("事项不存在或已停用：%(names)s", names=ListText(missing)),
        )
    return [found[code] for code in dict.fromkeys(codes)]


def _list_materials(session: Session, case: Case, project: Project, matters: Sequence[Matter]) -> None:
    """Each material once, in the strictest mode asked for; what was given before is never asked for again."""
    strictness = list(MaterialMode)
    wanted: dict[str, Requirement] = {}
    ids = [matter.id for matter in matters]
    rows = session.scalars(
        select(Requirement).where(Requirement.matter_id.in_(ids)).order_by(Requirement.matter_id, Requirement.position)
    )
    for row in rows:
        held = wanted.get(row.name)
        if held is None or strictness.index(row.mode) > strictness.index(held.mode):
            wanted[row.name] = row
    given = set(
        session.scalars(
            select(Material.name)
            .join(Case, Case.id == Material.case_id)
            .where(Case.project_id == project.id, Material.state == MaterialState.ACCEPTED)
        )
    )
    for name, row in wanted.items():
        needless = row.mode is MaterialMode.LOOKED_UP or (name in given and row.mode is MaterialMode.COPY)
        case.materials.append(
            Material(
                matter_id=row.matter_id,
                requirement_id=row.id,
                name=name,
                mode=row.mode,
                deferrable=row.deferrable,
                state=MaterialState.HELD if needless else MaterialState.WANTED,
            )
        )
    session.flush()
