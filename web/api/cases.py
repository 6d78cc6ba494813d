"""Cases: read, prescreened, filed, withdrawn, rated; their materials, corrections and courier legs."""

from datetime import datetime
from typing import Any

from apiflask import APIBlueprint
from flask import request, url_for
from pydantic import Field
from werkzeug.exceptions import BadRequest

import db
from dispatch.acts import closing, courier_legs, early_ends, prescreening, reviewing
from dispatch.cases.access_control import case_for
from dispatch.cases.case import Case, Material
from dispatch.cases.evaluation import Grade
from dispatch.cases.project import Project
from dispatch.cases.stages import Stage
from dispatch.core.actor import Role
from dispatch.core.errors import NotFound, Refused
from dispatch.custody.custody import Leg, Payer
from dispatch.views import case_resource
from routing.day.stops import Address
from web.wiring import cursors, files
from web.wiring.api_schema import Day, Id, PageQuery, Strict, problems
from web.wiring.auth import current_actor, enterprise_only, roles, signed_in
from web.wiring.idempotency import idempotent
from web.wiring.resource_json import as_json
from web.wiring.transactions import transaction

bp = APIBlueprint("api_cases", __name__, url_prefix="/api/v1", tag="cases")
agents_too = roles(Role.AGENT, Role.LEAD, Role.OPERATOR)
BOOKED = {
    Leg.PICKUP: courier_legs.book_pickup,
    Leg.DELIVERY: courier_legs.book_delivery,
    Leg.EXCHANGE: courier_legs.book_exchange,
}
both_sides = roles(Role.ENTERPRISE, Role.AGENT, Role.LEAD, Role.OPERATOR)


class CasesQuery(PageQuery):
    """Which cases."""

    stage: Stage | None = None


class PrescreenIn(Strict):
    """Every defect at once, by material; materials that may follow, with their day."""

    defects: dict[int, str] = Field(default_factory=dict)
    deferred: dict[int, Day] = Field(default_factory=dict)
    remarks: str = Field(default="", max_length=400)
    version: int | None = None


class SubmissionIn(Strict):
    """The authorities' filing receipts by review."""

    receipts: dict[int, str] = Field(default_factory=dict)
    version: int | None = None


class WithdrawalIn(Strict):
    """Why the case is taken back."""

    reason: str = Field(min_length=1, max_length=400)
    version: int | None = None


class GradeIn(Strict):
    """One grade, 5 very satisfied to 1 very dissatisfied."""

    review_id: Id
    grade: int = Field(ge=1, le=5)
    words: str = Field(default="", max_length=1000)


class EvaluationIn(Strict):
    """A grade for each matter."""

    grades: list[GradeIn] = Field(min_length=1, max_length=60)


class LegIn(Strict):
    """A courier leg with its window, in seconds from 00:00 Asia/Shanghai; or papers handed in at the counter."""

    leg: Leg
    on: Day | None = None
    opens_s: int | None = Field(default=None, ge=0, le=86_400)
    closes_s: int | None = Field(default=None, ge=0, le=86_400)
    address: str = Field(default="", max_length=200)
    lon: float | None = Field(default=None, ge=73, le=136)
    lat: float | None = Field(default=None, ge=3, le=54)
    contact_name: str | None = Field(default=None, max_length=40)
    contact_phone: str | None = Field(default=None, max_length=20)
    recipient_id: Id | None = None
    payer: Payer = Payer.GOVERNMENT
    scan_id: str | None = Field(default=None, max_length=100)


@bp.get("/cases")
@signed_in
@bp.input(CasesQuery, location="query", arg_name="asked")
@bp.output({})
@bp.doc(responses=problems(422), security="bearer")
def listed(asked: CasesQuery) -> dict[str, Any]:
    """The cases that I may see, newest first."""
    after = _after(asked.cursor)
    with transaction() as session:
        rows = case_resource.case_list(session, current_actor(), after=after, limit=asked.limit, stage=asked.stage)
    items, following = cursors.page(rows, asked.limit, lambda row: (row.created_at.isoformat(), row.id))
    return {
        "items": [{k: v for k, v in as_json(row).items() if k != "id"} for row in items],
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
@bp.output({})
@bp.doc(responses=problems(404), security="bearer")
def read(case_no: str) -> dict[str, Any]:
    """One case: stage, promise, agent card, reviews, parcels, timeline."""
    with transaction() as session:
        return as_json(case_resource.case_detail(session, current_actor(), case_no))


@bp.post("/cases/<case_no>/prescreen")
@agents_too
@bp.input(PrescreenIn, arg_name="body")
@bp.output({})
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def prescreen(case_no: str, body: PrescreenIn) -> dict[str, Any]:
    """Passed, or every defect told once."""
    viewer = current_actor()
    with transaction() as session:
        case = case_for(session, viewer, case_no, lock=True)
        case.check_version(body.version)
        prescreening.prescreen(
            session, case, by=viewer, at=db.now(session), defects=body.defects, deferred=body.deferred,
            remarks=body.remarks,
        )  # fmt: skip
        return _short(case)


@bp.post("/cases/<case_no>/corrections")
@both_sides
@bp.output({})
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def corrections(case_no: str) -> dict[str, Any]:
    """Every defect is mended: back to the agent."""
    viewer = current_actor()
    with transaction() as session:
        case = case_for(session, viewer, case_no, lock=True)
        prescreening.correct(session, case, by=viewer, at=db.now(session))
        return _short(case)


@bp.post("/cases/<case_no>/materials")
@both_sides
@bp.output({}, status_code=201)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
def give(case_no: str) -> tuple[dict[str, Any], int]:
    """One material as multipart/form-data: ``material_id`` and ``file`` (PDF, JPEG or PNG, at most 10 MB)."""
    upload = request.files.get("file")
    wanted = request.form.get("material_id", "")
    viewer = current_actor()
    with transaction() as session:
        case_for(session, viewer, case_no)  # nothing is stored for somebody who may not
    if upload is None or not (wanted.isascii() and wanted.isdigit() and len(wanted) < 19):
        raise BadRequest("material_id and file are needed")
    digest = files.keep(upload)
    with transaction() as session:
        case = case_for(session, viewer, case_no, lock=True)
        material = session.get(Material, int(wanted))
        if material is None or material.case_id != case.id:
            raise NotFound(f"case {case_no} has no material {wanted}")
        prescreening.give_material(
            session, case, material, sha256=digest, media_type=upload.mimetype or "", filename=upload.filename or "",
            by=viewer, at=db.now(session),
        )  # fmt: skip
        return {"material_id": material.id, "state": material.state.value, "sha256": digest}, 201


@bp.post("/cases/<case_no>/submission")
@agents_too
@bp.input(SubmissionIn, arg_name="body")
@bp.output({})
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def submit(case_no: str, body: SubmissionIn) -> dict[str, Any]:
    """Filed with the authorities."""
    viewer = current_actor()
    with transaction() as session:
        case = case_for(session, viewer, case_no, lock=True)
        case.check_version(body.version)
        reviewing.submit(session, case, receipts=body.receipts, by=viewer, at=db.now(session))
        return _short(case)


@bp.post("/cases/<case_no>/withdrawal")
@both_sides
@bp.input(WithdrawalIn, arg_name="body")
@bp.output({})
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def withdraw(case_no: str, body: WithdrawalIn) -> dict[str, Any]:
    """Take the case back; papers in custody come home."""
    viewer = current_actor()
    with transaction() as session:
        case = case_for(session, viewer, case_no, lock=True)
        case.check_version(body.version)
        early_ends.withdraw(session, case, reason=body.reason, by=viewer, at=db.now(session))
        return _short(case)


@bp.post("/cases/<case_no>/evaluation")
@enterprise_only
@bp.input(EvaluationIn, arg_name="body")
@bp.output({}, status_code=201)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def evaluate(case_no: str, body: EvaluationIn) -> tuple[dict[str, Any], int]:
    """Rate each matter."""
    viewer = current_actor()
    with transaction() as session:
        case = case_for(session, viewer, case_no, lock=True)
        grades = {row.review_id: (Grade(row.grade), row.words) for row in body.grades}
        closing.evaluate(session, case, grades=grades, by=viewer, at=db.now(session))
        return _short(case), 201


@bp.post("/cases/<case_no>/parcels")
@both_sides
@bp.input(LegIn, arg_name="body")
@bp.output({}, status_code=201)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def book(case_no: str, body: LegIn) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Book a leg: a courier's pickup or delivery with its window, or papers handed in at the counter."""
    viewer = current_actor()
    with transaction() as session:
        case = case_for(session, viewer, case_no, lock=True)
        at = db.now(session)
        if body.leg is Leg.COUNTER:
            if viewer.role is Role.ENTERPRISE:
                raise Refused("the counter takes papers in", user_message="窗口交件由代办员登记")
            parcel = courier_legs.hand_in(
                session, case, by=viewer, at=at, scan_id=body.scan_id or f"counter:{case.case_no}"
            )
        else:
            booked = BOOKED.get(body.leg)
            if booked is None:
                raise Refused(f"{body.leg} is not booked here", user_message="请选择揽收、投递、换件或窗口")
            parcel = booked(session, case, appointment=_appointment(case, body), by=viewer, at=at)
        made = {"waybill": parcel.waybill, "leg": parcel.leg.value, "stop_id": parcel.stop_id}
    return made, 201, {"Location": url_for("api_parcels.custody", waybill=made["waybill"])}


def _appointment(case: Case, body: LegIn) -> courier_legs.Appointment:
    if body.on is None or body.opens_s is None or body.closes_s is None:
        raise Refused("a courier leg needs on, opens_s and closes_s", user_message="请选择上门日期和时段")
    project: Project = case.project
    contact = case.contact
    address = Address(
        lon=body.lon if body.lon is not None else project.site_lon or 0.0,
        lat=body.lat if body.lat is not None else project.site_lat or 0.0,
        written=body.address or project.site_address or "",
        contact_name=body.contact_name or contact.name,
        contact_phone=body.contact_phone or contact.phone,
        label=project.enterprise.name,
    )
    return courier_legs.Appointment(
        on=body.on, opens_s=body.opens_s, closes_s=body.closes_s, address=address, payer=body.payer,
        recipient_id=body.recipient_id,
    )  # fmt: skip


def _short(case: Case) -> dict[str, Any]:
    return {"case_no": case.case_no, "stage": case.stage.value, "version": case.version}
