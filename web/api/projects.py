"""Projects: asked for with their first case, read, given further cases, assigned to an agent, and why."""

from typing import Any

from apiflask import APIBlueprint
from flask import url_for
from pydantic import Field, RootModel

import db
from dispatch.acts.answering_facts import AnsweredFacts, AnswerFacts
from dispatch.acts.asking import Asked, LetterResult, OpenCase, RequestProject, RevokeDelegation, SignDelegation
from dispatch.acts.assigning import AssignProject
from dispatch.acts.entering_evidence import EnteredEvidence, EnterEvidence, WithdrawEvidence
from dispatch.acts.joint_filing import FileJointly, JointFilingResult
from dispatch.acts.merging_projects import MergedProjects, MergeProjects
from dispatch.acts.project_correction_steps import PROJECT_CORRECTIONS
from dispatch.acts.project_corrections import CorrectedProject
from dispatch.acts.referring import REFERRAL_STEPS, ReferProject, ReferralResult
from dispatch.cases.project import ProjectState
from dispatch.core.actor import Role
from dispatch.core.shanghai_time import in_shanghai
from dispatch.views import project_resource, resource_lists
from dispatch.views.evidence_page import EvidencePage, evidence_of_project
from dispatch.views.merge_page import MergePreviewed, previewed_merge
from dispatch.views.project_resource import AssignmentExplained, ProjectAssignment, ProjectDetail, ProjectNamed
from dispatch.views.resource_lists import ListedProject, ListPart
from web.wiring import cursors
from web.wiring.act_door import body_of_steps, command_from, offers, schema_of, take
from web.wiring.api_answers import answers, page_model
from web.wiring.api_schema import PageQuery, Strict, problems
from web.wiring.auth import current_actor, leads_only, roles, signed_in
from web.wiring.idempotency import idempotent
from web.wiring.resource_json import as_json
from web.wiring.transactions import transaction

bp = APIBlueprint("api_projects", __name__, url_prefix="/api/v1", tag="projects")


class MergerQuery(Strict):
    """Into which project."""

    into: str = Field(default="", max_length=40, description="The number of the project that is kept")


class ProjectsQuery(PageQuery):
    """Which projects."""

    state: ProjectState | None = None
    q: str = Field(default="", max_length=80, description="A part of the name, a number or the enterprise's name")


@bp.get("/projects")
@signed_in
@bp.input(ProjectsQuery, location="query", arg_name="asked")
@answers(page_model(ListedProject, ("id",)))
@bp.doc(responses=problems(422), security="bearer")
def listed(asked: ProjectsQuery) -> dict[str, Any]:
    """The projects that I may see, newest first."""
    after = cursors.decode(asked.cursor, int)
    part = ListPart(None if after is None else after[0], asked.limit)
    with transaction() as session:
        rows = resource_lists.project_lines(session, current_actor(), part, state=asked.state, q=asked.q)
    items, following = cursors.page(rows, asked.limit, lambda row: (row.id,))
    return {"items": [as_json(row, but=("id",)) for row in items], "next_cursor": following}


@bp.post("/projects")
@offers(RequestProject)
@bp.input(schema_of(RequestProject), arg_name="body")
@answers(Asked, 201)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def make(body: Strict) -> tuple[Asked, int, dict[str, str]]:
    """Ask for free proxy handling of a project, with its first case."""
    made = take(command_from(RequestProject, body))
    return made, 201, {"Location": url_for("api_projects.read", project_no=made.project_no)}


@bp.get("/projects/<project_no>")
@signed_in
@answers(ProjectDetail)
@bp.doc(responses=problems(404), security="bearer")
def read(project_no: str) -> ProjectDetail:
    """A project with its team and cases."""
    with transaction() as session:
        return project_resource.project_detail(session, current_actor(), project_no)


@bp.post("/projects/<project_no>/cases")
@offers(OpenCase)
@bp.input(schema_of(OpenCase, path=("project",)), arg_name="body")
@answers(Asked, 201)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def add_case(project_no: str, body: Strict) -> tuple[Asked, int, dict[str, str]]:
    """One more case of a project; it keeps the project's team."""
    made = take(command_from(OpenCase, body, project=project_no))
    return made, 201, {"Location": url_for("api_cases.read", case_no=made.case_no)}


@bp.post("/projects/<project_no>/joint-filings")
@offers(FileJointly)
@bp.input(schema_of(FileJointly, path=("project",)), arg_name="body")
@answers(JointFilingResult, 201)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def file_jointly(project_no: str, body: Strict) -> tuple[JointFilingResult, int]:
    """File several matters of one joint group on one form, under the group's cap."""
    return take(command_from(FileJointly, body, project=project_no)), 201


@bp.post("/projects/<project_no>/delegation")
@offers(SignDelegation)
@bp.input(schema_of(SignDelegation, path=("project",)), arg_name="body")
@answers(LetterResult, 201)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def delegate(project_no: str, body: Strict) -> tuple[LetterResult, int]:
    """Sign the delegation letter: without one nothing passes the prescreen."""
    return take(command_from(SignDelegation, body, project=project_no)), 201


@bp.post("/projects/<project_no>/revocation")
@offers(RevokeDelegation)
@bp.input(schema_of(RevokeDelegation, path=("project",)), arg_name="body")
@answers(ProjectNamed)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def revoke(project_no: str, body: Strict) -> ProjectNamed:
    """Revoke the letter in force: work stops at once, and papers come home."""
    return ProjectNamed(take(command_from(RevokeDelegation, body, project=project_no)))


@bp.get("/projects/<project_no>/assignment")
@roles(Role.AGENT, Role.LEAD, Role.SUPERVISOR, Role.OPERATOR)
@answers(AssignmentExplained)
@bp.doc(responses=problems(404), security="bearer")
def why(project_no: str) -> AssignmentExplained:
    """Why this agent, who came next and what they lost by; or why nobody, and the smallest change that would help."""
    with transaction() as session:
        return project_resource.explained(session, current_actor(), project_no, at=db.now(session))


@bp.post("/projects/<project_no>/assignment")
@offers(AssignProject)
@bp.input(schema_of(AssignProject, path=("project",)), arg_name="body")
@answers(ProjectAssignment)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def assign(project_no: str, body: Strict) -> ProjectAssignment:
    """Let the matching place the project, or give it to a named agent with a reason."""
    take(command_from(AssignProject, body, project=project_no))
    with transaction() as session:
        return project_resource.why(session, current_actor(), project_no)


@bp.post("/projects/<project_no>/referral")
@offers(ReferProject)
@bp.input(schema_of(ReferProject, path=("project",)), arg_name="body")
@answers(ReferralResult, 201)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def refer(project_no: str, body: Strict) -> tuple[ReferralResult, int]:
    """Offer the project to a colleague; it stays with the first agent until that one accepts."""
    return take(command_from(ReferProject, body, project=project_no)), 201


@bp.post("/projects/<project_no>/referral/<int:referral_id>")
@offers(steps=REFERRAL_STEPS)
@bp.input(body_of_steps("ReferralIn", REFERRAL_STEPS, path=("project", "referral_id")), arg_name="body")
@answers(ReferralResult)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def answer_referral(project_no: str, referral_id: int, body: RootModel[Any]) -> ReferralResult:
    """Take over what was offered, or decline it."""
    step = REFERRAL_STEPS[body.root.step]
    return take(command_from(step, body.root, project=project_no, referral_id=referral_id))


@bp.post("/projects/<project_no>/facts")
@offers(AnswerFacts)
@bp.input(schema_of(AnswerFacts, path=("project",)), arg_name="body")
@answers(AnsweredFacts)
@bp.doc(responses=problems(404, 409, 412, 422), security="bearer")
@idempotent
def answer_facts(project_no: str, body: Strict) -> AnsweredFacts:
    """What decides the project's matters and papers is answered: path, limits and papers follow."""
    return take(command_from(AnswerFacts, body, project=project_no))


@bp.post("/projects/<project_no>/corrections")
@offers(steps=PROJECT_CORRECTIONS, key="part")
@bp.input(body_of_steps("ProjectCorrectionIn", PROJECT_CORRECTIONS, path=("project",), key="part"), arg_name="body")
@answers(CorrectedProject)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def correct(project_no: str, body: RootModel[Any]) -> CorrectedProject:
    """Something of the project was written down wrongly: what is right, and why."""
    return take(command_from(PROJECT_CORRECTIONS[body.root.part], body.root, project=project_no))


@bp.get("/projects/<project_no>/merger")
@leads_only
@bp.input(MergerQuery, location="query", arg_name="asked")
@answers(MergePreviewed)
@bp.doc(responses=problems(404, 422), security="bearer")
def preview_merger(project_no: str, asked: MergerQuery) -> MergePreviewed:
    """Into which project it may go; what would move and what would end; ``seen`` is what the step asks for."""
    with transaction() as session:
        return previewed_merge(session, current_actor(), project_no, asked.into)


@bp.post("/projects/<project_no>/merger")
@offers(MergeProjects)
@bp.input(schema_of(MergeProjects, path=("project",)), arg_name="body")
@answers(MergedProjects)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def merge(project_no: str, body: Strict) -> MergedProjects:
    """A project that was written down twice goes into the one that is kept."""
    return take(command_from(MergeProjects, body, project=project_no))


@bp.get("/projects/<project_no>/evidence")
@signed_in
@answers(EvidencePage)
@bp.doc(responses=problems(404), security="bearer")
def evidence(project_no: str) -> EvidencePage:
    """What the project's enterprise holds already: results, checked papers, look-ups, until when, and where used."""
    with transaction() as session:
        on = in_shanghai(db.now(session)).date()
        return evidence_of_project(session, current_actor(), project_no, on=on)


@bp.post("/projects/<project_no>/evidence")
@offers(EnterEvidence)
@bp.input(schema_of(EnterEvidence, path=("project",)), arg_name="body")
@answers(EnteredEvidence, 201)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def enter_evidence(project_no: str, body: Strict) -> tuple[EnteredEvidence, int]:
    """A paper of the enterprise was looked up: it is held from now on."""
    return take(command_from(EnterEvidence, body, project=project_no)), 201


@bp.post("/projects/<project_no>/evidence/<int:number>/withdrawal")
@offers(WithdrawEvidence)
@bp.input(schema_of(WithdrawEvidence, path=("project", "number")), arg_name="body")
@answers(EnteredEvidence)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def withdraw_evidence(project_no: str, number: int, body: Strict) -> EnteredEvidence:
    """A paper proves nothing any more: what rests on it is asked for again."""
    return take(command_from(WithdrawEvidence, body, project=project_no, number=number))
