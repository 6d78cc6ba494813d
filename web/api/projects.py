"""Projects: asked for with their first case, read, given further cases, assigned to an agent, and why."""

from typing import Any

from apiflask import APIBlueprint
from flask import url_for

import db
from dispatch.acts.asking import Asked, LetterResult, OpenCase, RequestProject, SignDelegation
from dispatch.acts.assigning import AssignProject
from dispatch.assignment import explanation
from dispatch.cases.access_control import project_for
from dispatch.core.actor import Role
from dispatch.views import project_resource
from web.wiring.act_door import command_from, offers, schema_of, take
from web.wiring.api_schema import Strict, problems
from web.wiring.auth import current_actor, roles, signed_in
from web.wiring.idempotency import idempotent
from web.wiring.resource_json import as_json
from web.wiring.transactions import transaction

bp = APIBlueprint("api_projects", __name__, url_prefix="/api/v1", tag="projects")


@bp.post("/projects")
@offers(RequestProject)
@bp.input(schema_of(RequestProject), arg_name="body")
@bp.output({}, status_code=201)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def make(body: Strict) -> tuple[Asked, int, dict[str, str]]:
    """Ask for free proxy handling of a project, with its first case."""
    made = take(command_from(RequestProject, body))
    return made, 201, {"Location": url_for("api_projects.read", project_no=made.project_no)}


@bp.get("/projects/<project_no>")
@signed_in
@bp.output({})
@bp.doc(responses=problems(404), security="bearer")
def read(project_no: str) -> dict[str, Any]:
    """A project with its team and cases."""
    with transaction() as session:
        return as_json(project_resource.project_detail(session, current_actor(), project_no))


@bp.post("/projects/<project_no>/cases")
@offers(OpenCase)
@bp.input(schema_of(OpenCase, path=("project",)), arg_name="body")
@bp.output({}, status_code=201)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def add_case(project_no: str, body: Strict) -> tuple[Asked, int, dict[str, str]]:
    """One more case of a project; it keeps the project's team."""
    made = take(command_from(OpenCase, body, project=project_no))
    return made, 201, {"Location": url_for("api_cases.read", case_no=made.case_no)}


@bp.post("/projects/<project_no>/delegation")
@offers(SignDelegation)
@bp.input(schema_of(SignDelegation, path=("project",)), arg_name="body")
@bp.output({}, status_code=201)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def delegate(project_no: str, body: Strict) -> tuple[LetterResult, int]:
    """Sign the delegation letter: without one nothing passes the prescreen."""
    return take(command_from(SignDelegation, body, project=project_no)), 201


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
