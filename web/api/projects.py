"""Projects: asked for with their first case, read, given further cases, assigned to an agent, and why."""

from typing import Any

from apiflask import APIBlueprint
from flask import url_for
from pydantic import Field

import db
from dispatch.acts import delegation, project_intake
from dispatch.acts.assigning import AssignProject
from dispatch.assignment import explanation
from dispatch.cases.access_control import project_for
from dispatch.cases.case import Way
from dispatch.cases.project import Contact, Enterprise, Power
from dispatch.catalogue.matter import Family
from dispatch.core.actor import Role
from dispatch.core.errors import Refused
from dispatch.views import project_resource
from web.wiring.act_door import command_from, offers, schema_of, take
from web.wiring.api_schema import Day, Id, Strict, problems
from web.wiring.auth import current_actor, enterprise_only, roles, signed_in
from web.wiring.idempotency import idempotent
from web.wiring.resource_json import as_json
from web.wiring.transactions import transaction

bp = APIBlueprint("api_projects", __name__, url_prefix="/api/v1", tag="projects")
asks = roles(Role.ENTERPRISE, Role.AGENT, Role.LEAD, Role.OPERATOR)


class SiteIn(Strict):
    """Where the project stands; WGS-84."""

    division_code: str = Field(pattern=r"^\d{6,12}$")
    lon: float | None = Field(default=None, ge=73, le=136)
    lat: float | None = Field(default=None, ge=3, le=54)
    address: str = Field(default="", max_length=200)


class CaseIn(Strict):
    """One submission: its matters, and how papers travel."""

    matters: list[str] = Field(min_length=1, max_length=60)
    pickup_way: Way = Way.COURIER
    delivery_way: Way = Way.COURIER


class ProjectIn(CaseIn):
    """A project with its first case."""

    name: str = Field(min_length=1, max_length=120)
    family: Family
    site: SiteIn
    project_code: str | None = Field(default=None, min_length=24, max_length=24)
    investment_wan: int | None = Field(default=None, ge=0, le=100_000_000)
    facts: dict[str, Any] = Field(default_factory=dict)
    language: str = Field(default="zh", pattern=r"^[a-z]{2}$")
    is_state_secret: bool = False
    contact_id: Id | None = Field(default=None, description="Of the same enterprise; its first contact by default")
    enterprise_id: Id | None = Field(default=None, description="For agents and leads who file for an enterprise")


class PersonIn(Strict):
    """Somebody whom the letter names to hand originals over or to receive them."""

    name: str = Field(min_length=1, max_length=40)
    phone: str = Field(pattern=r"^\+?[0-9]{5,20}$")
    may_hand_over: bool = True
    may_receive: bool = True


class DelegationIn(Strict):
    """The delegation letter: what the centre may do, until when, and who hands over and receives."""

    legal_representative: str = Field(min_length=1, max_length=40)
    powers: list[Power] = Field(min_length=1, max_length=10)
    matters: list[str] = Field(default_factory=list, max_length=60, description="None: all of the project's")
    people: list[PersonIn] = Field(min_length=1, max_length=20)
    valid_to: Day
    may_pass_on: bool = False


@bp.post("/projects")
@asks
@bp.input(ProjectIn, arg_name="body")
@bp.output({}, status_code=201)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def make(body: ProjectIn) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Ask for free proxy handling of a project, with its first case."""
    viewer = current_actor()
    with transaction() as session:
        enterprise_id = viewer.enterprise_id or body.enterprise_id
        enterprise = session.get(Enterprise, enterprise_id) if enterprise_id else None
        if enterprise is None:
            raise Refused("whose project is it?", user_message="请指明企业")
        contact = session.get(Contact, body.contact_id) if body.contact_id else next(iter(enterprise.contacts), None)
        if contact is None or contact.enterprise_id != enterprise.id:
            raise Refused("the enterprise has no such contact", user_message="请先登记企业联系人")
        intake = project_intake.ProjectIntake(
            name=body.name,
            family=body.family,
            site=project_intake.ProjectSite(body.site.division_code, body.site.lon, body.site.lat, body.site.address),
            matters=body.matters,
            investment_wan=body.investment_wan,
            project_code=body.project_code,
            facts=body.facts,
            language=body.language,
            pickup_way=body.pickup_way,
            delivery_way=body.delivery_way,
            is_state_secret=body.is_state_secret,
        )
        case = project_intake.request(
            session, enterprise=enterprise, contact=contact, intake=intake, by=viewer, at=db.now(session)
        )
        made = {"project_no": case.project.project_no, "case_no": case.case_no, "query_code": case.query_code}
    return made, 201, {"Location": url_for("api_projects.read", project_no=made["project_no"])}


@bp.get("/projects/<project_no>")
@signed_in
@bp.output({})
@bp.doc(responses=problems(404), security="bearer")
def read(project_no: str) -> dict[str, Any]:
    """A project with its team and cases."""
    with transaction() as session:
        return as_json(project_resource.project_detail(session, current_actor(), project_no))


@bp.post("/projects/<project_no>/cases")
@asks
@bp.input(CaseIn, arg_name="body")
@bp.output({}, status_code=201)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def add_case(project_no: str, body: CaseIn) -> tuple[dict[str, Any], int, dict[str, str]]:
    """One more case of a project; it keeps the project's team."""
    viewer = current_actor()
    with transaction() as session:
        project = project_for(session, viewer, project_no, lock=True)
        case = project_intake.open_case(
            session, project, matters=body.matters, pickup_way=body.pickup_way, delivery_way=body.delivery_way,
            by=viewer, at=db.now(session),
        )  # fmt: skip
        made = {"project_no": project.project_no, "case_no": case.case_no, "query_code": case.query_code}
    return made, 201, {"Location": url_for("api_cases.read", case_no=made["case_no"])}


@bp.post("/projects/<project_no>/delegation")
@enterprise_only
@bp.input(DelegationIn, arg_name="body")
@bp.output({}, status_code=201)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def delegate(project_no: str, body: DelegationIn) -> tuple[dict[str, Any], int]:
    """Sign the delegation letter: without one nothing passes the prescreen."""
    viewer = current_actor()
    with transaction() as session:
        project = project_for(session, viewer, project_no, lock=True)
        letter = delegation.delegate(
            session,
            project,
            legal_representative=body.legal_representative,
            powers=set(body.powers),
            matters=body.matters,
            people=[delegation.AuthorisedPerson(**person.model_dump()) for person in body.people],
            valid_to=body.valid_to,
            may_pass_on=body.may_pass_on,
            by=viewer,
            at=db.now(session),
        )
        return {"project_no": project.project_no, "valid_from": letter.valid_from, "valid_to": letter.valid_to}, 201


@bp.get("/projects/<project_no>/assignment")
@roles(Role.AGENT, Role.LEAD, Role.SUPERVISOR, Role.OPERATOR)
@bp.output({})
@bp.doc(responses=problems(404), security="bearer")
def why(project_no: str) -> dict[str, Any]:
    """Why this agent, who came next and what they lost by; or why nobody, and the smallest change that would help."""
    viewer = current_actor()
    with transaction() as session:
        project = project_for(session, viewer, project_no)
        explained = [as_json(one) for one in explanation.why(session, project, at=db.now(session))]
        return {**as_json(project_resource.why(session, viewer, project_no)), "explanation": explained}


@bp.post("/projects/<project_no>/assignment")
@offers(AssignProject)
@bp.input(schema_of(AssignProject, path=("project",)), arg_name="body")
@bp.output({})
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def assign(project_no: str, body: Strict) -> dict[str, Any]:
    """Let the matching place the project, or give it to a named agent with a reason."""
    take(command_from(AssignProject, body, project=project_no))
    with transaction() as session:
        return as_json(project_resource.why(session, current_actor(), project_no))
