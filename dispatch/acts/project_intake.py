"""Request: an enterprise asks, a project is opened, a case lists its matters and materials."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.network import Division, division_with, home_county
from agents.roster import Agent
from db import keyed_hash
from dispatch.acts.case_contents import add_reviews, list_materials, offered_matters, settle_ways
from dispatch.assignment.telling import tell_assigned
from dispatch.cases.case import Case, Way
from dispatch.cases.due_moments import answer_due, prescreen_due
from dispatch.cases.lookups import next_number
from dispatch.cases.notify import add_timeline_event, day_of, query_code, queue_notice
from dispatch.cases.project import Contact, Enterprise, Project, ProjectState, Referral
from dispatch.cases.stages import Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.catalogue.matter import Family
from dispatch.core.actor import Actor, Role
from dispatch.core.canonical import canonical_name
from dispatch.core.errors import Refused, of_field
from dispatch.core.localized_text import LocalizedText
from dispatch.core.project_code import project_code
from routing.travel.geocoding import far_m

FARTHEST_M = 45_000  # from the division's own point to a pin; counties of Jiangsu are smaller than that
NEAREST_M = 1


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
    investment_wan: Decimal | None = None
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
            "projects with state secrets are not taken",
            user_message="涉密项目不得通过本系统办理，请到窗口咨询",
            field="is_state_secret",
        )
    name = canonical_name(intake.name)
    if not name:
        raise Refused("a project needs a name", user_message="请填写项目名称", field="name")
    code = _free_code(session, intake.project_code)
    division = division_with(session, intake.site.division_code)
    if division.retired_on is not None:
        raise Refused(
            f"{division.code} was retired on {division.retired_on}",
            user_message=LocalizedText("%(name)s已撤并，请选择现行区划", name=division.name),
        )
    home = home_county(session, division) or division
    unpinned = intake.site.lon is None or intake.site.lat is None
    project = Project(
        project_no=next_number(session, f"P{home.code[:6]}-{day_of(at):%Y}", width=5),
        project_code=code,
        name=name,
        enterprise_id=enterprise.id,
        contact_id=contact.id,
        division_id=division.id,
        home_division_id=home.id,
        family=intake.family,
        site_lon=division.lon if unpinned else intake.site.lon,
        site_lat=division.lat if unpinned else intake.site.lat,
        site_address=intake.site.address or division.name,
        investment_wan=intake.investment_wan,
        phase=intake.phase,
        facts=dict(intake.facts),
        language=intake.language,
        filed_by=by.account_id,
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


def _free_code(session: Session, text: str | None) -> str | None:
    """The project code in its one form, which no other project has. Raises Refused."""
    if not text:
        return None
    with of_field("project_code"):
        code = project_code(text)
        if session.scalar(select(Project.id).where(Project.project_code == code)) is not None:
            raise Refused(f"project code {code} is taken", user_message="该项目代码已有代办项目，请在原项目下新增办件")
    return code


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
    if project.merged_into_id is not None:
        raise Refused(f"{project.project_no} was merged", user_message="该项目已并入其他项目，请在保留的项目下新增办件")
    calendar = calendar_of(session)
    home = session.get_one(Division, project.home_division_id)
    chosen = offered_matters(session, matters, project.family)
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
        answer_by=answer_due(calendar, at),
        changed_by=by.label,
    )
    session.add(case)
    session.flush()
    add_reviews(session, project, case, chosen, at=at)
    list_materials(session, case, chosen, by=by, at=at)
    settle_ways(case, chosen)
    add_timeline_event(
        session, case, kind="requested", by=by, at=at, words=LocalizedText("已提交，共%(n)s个事项", n=len(chosen))
    )
    queue_notice(session, case, "requested", at=at, values={"query_code": code, "area_name": home.name})
    if project.state is ProjectState.CLOSED:
        project.move_to(ProjectState.WAITING, at=at)
    if (lead := project.lead) is not None:
        agent = session.get_one(Agent, lead.agent_id)
        case.prescreen_by = prescreen_due(calendar, at)
        case.move_to(Stage.ASSIGNED, at=at, by=by.label)
        tell_assigned(session, case, agent, at=at, by=by)
    return case


def only_the_middle(division: Division, lon: float | None, lat: float | None) -> bool:
    """Whether a point is the middle of its division and not a place in it: nobody can be sent there."""
    return lon is None or lat is None or far_m(lon, lat, division.lon, division.lat) < NEAREST_M


def check_point(division: Division, lon: float | None, lat: float | None) -> None:
    """A pin lies in its division or near it. Raises Refused."""
    if lon is None or lat is None:
        return
    far = far_m(lon, lat, division.lon, division.lat)
    if far > FARTHEST_M:
        raise Refused(
            f"the point lies {far:.0f} m from {division.code}",
            user_message=LocalizedText(
                "图上的位置离%(name)s有%(km)s公里，请核对图钉或区划", name=division.name, km=round(far / 1000)
            ),
            field="site.lon",
        )
