"""Cases: read, prescreened, filed, withdrawn, rated; their materials, corrections and courier legs."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from apiflask import APIBlueprint
from flask import request, url_for
from pydantic import Field, RootModel
from werkzeug.exceptions import BadRequest

from dispatch.acts.act import STAFF, Act
from dispatch.acts.booking import BookDelivery, BookExchange, BookPickup
from dispatch.acts.case_result import CaseResult, LegResult, PaperResult
from dispatch.acts.closing import EvaluateCase
from dispatch.acts.collection import HandIn
from dispatch.acts.contact_notes import CorrectContactNote, NoteContact, NotedContact, SettleFollowUp
from dispatch.acts.correcting_matters import CorrectMatters
from dispatch.acts.early_ends import WithdrawCase
from dispatch.acts.filing import SubmitCase
from dispatch.acts.papers import GiveMaterial, ReturnCorrected
from dispatch.acts.prescreening import PrescreenCase
from dispatch.acts.waiving import MATERIAL_STEPS, WaivedMaterial
from dispatch.cases.access_control import case_for
from dispatch.cases.stages import Stage
from dispatch.custody.parcel import Leg
from dispatch.views import case_resource
from dispatch.views.case_contacts import CaseContacts, case_contacts
from dispatch.views.case_resource import CaseDetail, CaseFilter, CaseSummary
from web.wiring import cursors, files
from web.wiring.act_door import body_of_steps, command_from, command_from_form, offers, schema_of, take
from web.wiring.api_answers import KeptFile, answers, page_model, takes_file
from web.wiring.api_schema import PageQuery, Strict, problems
from web.wiring.auth import current_actor, roles, signed_in, staff_only
from web.wiring.idempotency import idempotent
from web.wiring.kept_uploads import of_case
from web.wiring.resource_json import as_json
from web.wiring.transactions import transaction

bp = APIBlueprint("api_cases", __name__, url_prefix="/api/v1", tag="cases")


class CasesQuery(PageQuery):
    """Which cases."""

    stage: Stage | None = None
    project_no: str = Field(default="", max_length=40)
    q: str = Field(default="", max_length=80, description="A part of a number, the project's or the enterprise's name")


@bp.get("/cases")
@signed_in
@bp.input(CasesQuery, location="query", arg_name="asked")
@answers(page_model(CaseSummary, ("id",)))
@bp.doc(responses=problems(422), security="bearer")
def listed(asked: CasesQuery) -> dict[str, Any]:
    """The cases that I may see, newest first."""
    after = _after(asked.cursor)
    with transaction() as session:
        which = CaseFilter(asked.stage, asked.project_no, asked.q)
        rows = case_resource.case_list(session, current_actor(), after=after, limit=asked.limit, which=which)
    items, following = cursors.page(rows, asked.limit, lambda row: (row.created_at.isoformat(), row.id))
    return {
        "items": [as_json(row, but=("id",)) for row in items],
        "next_cursor": following,
    }


def _after(cursor: str | None) -> tuple[datetime, int] | None:
    named = cursors.decode(cursor, str, int)
    if named is None:
        return None
    try:
        moment = datetime.fromisoformat(named[0])
    except ValueError:
        raise BadRequest("not a cursor") from None
    if moment.tzinfo is None:
        raise BadRequest("not a cursor")
    return moment, named[1]


@bp.get("/cases/<case_no>")
@signed_in
@answers(CaseDetail)
@bp.doc(responses=problems(404), security="bearer")
def read(case_no: str) -> CaseDetail:
    """One case: stage, promise, agent card, reviews, parcels, timeline."""
    with transaction() as session:
        return case_resource.case_detail(session, current_actor(), case_no)


@bp.post("/cases/<case_no>/prescreen")
@offers(PrescreenCase)
@bp.input(schema_of(PrescreenCase, path=("case",)), arg_name="body")
@answers(CaseResult)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def prescreen(case_no: str, body: Strict) -> CaseResult:
    """Passed, or every defect told once."""
    return take(command_from(PrescreenCase, body, case=case_no))


@bp.post("/cases/<case_no>/corrections")
@offers(ReturnCorrected)
@bp.input(schema_of(ReturnCorrected, path=("case",)), arg_name="body")
@answers(CaseResult)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def corrections(case_no: str, body: Strict) -> CaseResult:
    """Every defect is mended: back to the agent."""
    return take(command_from(ReturnCorrected, body, case=case_no))


@bp.post("/cases/<case_no>/materials")
@offers(GiveMaterial)
@answers(PaperResult, 201)
@takes_file(material_id="The material's id")
@bp.doc(responses=problems(404, 409, 422), security="bearer")
def give(case_no: str) -> tuple[PaperResult, int]:
    """One material as multipart/form-data: ``material_id`` and ``file`` (PDF, OFD or a picture, at most 10 MB)."""
    upload, wanted = request.files.get("file"), request.form.get("material_id", "")
    with transaction() as session:
        case_for(session, current_actor(), case_no)  # nothing is stored for somebody who may not
    if upload is None or not (wanted.isascii() and wanted.isdigit() and len(wanted) < 19):
        raise BadRequest("material_id and file are needed")
    given = {"sha256": files.keep(upload), "media_type": upload.mimetype or "", "filename": upload.filename or ""}
    return take(command_from_form(GiveMaterial, request.form, case=case_no, **given)), 201


@bp.patch("/cases/<case_no>/materials/<int:material_id>")
@offers(steps=MATERIAL_STEPS)
@bp.input(body_of_steps("MaterialIn", MATERIAL_STEPS, path=("case", "material_id")), arg_name="body")
@answers(WaivedMaterial)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def material_step(case_no: str, material_id: int, body: RootModel[Any]) -> WaivedMaterial:
    """A material does not apply to the project, or does after all; always with the reason."""
    step = MATERIAL_STEPS[body.root.step]
    return take(command_from(step, body.root, case=case_no, material_id=material_id))


@bp.get("/cases/<case_no>/contacts")
@staff_only
@answers(CaseContacts)
@bp.doc(responses=problems(404), security="bearer")
def contacts(case_no: str) -> CaseContacts:
    """Whom to call about the case, and every contact with the enterprise, the latest first."""
    with transaction() as session:
        return case_contacts(session, current_actor(), case_no)


@bp.post("/cases/<case_no>/contacts")
@offers(NoteContact)
@bp.input(schema_of(NoteContact, path=("case",)), arg_name="body")
@answers(NotedContact, 201)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def note_contact(case_no: str, body: Strict) -> tuple[NotedContact, int]:
    """A call, a visit or a message with the enterprise, and the day by which somebody comes back to it."""
    return take(command_from(NoteContact, body, case=case_no)), 201


@bp.post("/cases/<case_no>/contacts/<int:contact_note>/follow-up")
@offers(SettleFollowUp)
@bp.input(schema_of(SettleFollowUp, path=("case", "contact_note")), arg_name="body")
@answers(NotedContact)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
def settle_follow_up(case_no: str, contact_note: int, body: Strict) -> NotedContact:
    """Somebody came back to it."""
    return take(command_from(SettleFollowUp, body, case=case_no, contact_note=contact_note))


@bp.post("/cases/<case_no>/contacts/<int:contact_note>/corrections")
@offers(CorrectContactNote)
@bp.input(schema_of(CorrectContactNote, path=("case", "contact_note")), arg_name="body")
@answers(NotedContact)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
def correct_contact_note(case_no: str, contact_note: int, body: Strict) -> NotedContact:
    """A contact was written down wrongly: what was really said, or that it never was; with the reason."""
    return take(command_from(CorrectContactNote, body, case=case_no, contact_note=contact_note))


@bp.post("/cases/<case_no>/documents")
@roles(*STAFF)
@answers(KeptFile, 201)
@takes_file()
@bp.doc(responses=problems(404, 422), security="bearer")
def keep_document(case_no: str) -> tuple[KeptFile, int]:
    """The scan of an authority's paper as multipart/form-data: ``file``. A step of a review names its ``sha256``."""
    with transaction() as session:
        case_for(session, current_actor(), case_no)  # nothing is stored for somebody who may not
    upload = request.files.get("file")
    if upload is None:
        raise BadRequest("file is needed")
    return KeptFile(files.keep(upload, of_case(case_no))), 201


@bp.post("/cases/<case_no>/submission")
@offers(SubmitCase)
@bp.input(schema_of(SubmitCase, path=("case",)), arg_name="body")
@answers(CaseResult)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def submit(case_no: str, body: Strict) -> CaseResult:
    """Filed with the authorities."""
    return take(command_from(SubmitCase, body, case=case_no))


@bp.post("/cases/<case_no>/withdrawal")
@offers(WithdrawCase)
@bp.input(schema_of(WithdrawCase, path=("case",)), arg_name="body")
@answers(CaseResult)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def withdraw(case_no: str, body: Strict) -> CaseResult:
    """Take the case back; papers in custody come home."""
    return take(command_from(WithdrawCase, body, case=case_no))


@bp.post("/cases/<case_no>/evaluation")
@offers(EvaluateCase)
@bp.input(schema_of(EvaluateCase, path=("case",)), arg_name="body")
@answers(CaseResult, 201)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def evaluate(case_no: str, body: Strict) -> tuple[CaseResult, int]:
    """Rate each matter."""
    return take(command_from(EvaluateCase, body, case=case_no)), 201


@bp.post("/cases/<case_no>/matters")
@offers(CorrectMatters)
@bp.input(schema_of(CorrectMatters, path=("case",)), arg_name="body")
@answers(CaseResult)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def correct_matters(case_no: str, body: Strict) -> CaseResult:
    """The case has a matter too few or too many, before it is filed."""
    return take(command_from(CorrectMatters, body, case=case_no))


LEGS: Mapping[str, type[Act[LegResult]]] = {
    Leg.PICKUP.value: BookPickup,
    Leg.DELIVERY.value: BookDelivery,
    Leg.EXCHANGE.value: BookExchange,
    Leg.COUNTER.value: HandIn,
}


@bp.post("/cases/<case_no>/parcels")
@offers(steps=LEGS, key="leg")
@bp.input(body_of_steps("LegIn", LEGS, path=("case",), key="leg"), arg_name="body")
@answers(LegResult, 201)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def book(case_no: str, body: RootModel[Any]) -> tuple[LegResult, int, dict[str, str]]:
    """Book a leg: a courier's pickup or delivery with its window, or papers handed in at the counter."""
    made = take(command_from(LEGS[body.root.leg], body.root, case=case_no))
    return made, 201, {"Location": url_for("api_parcels.custody", waybill=made.waybill)}
