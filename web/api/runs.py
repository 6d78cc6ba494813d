"""Runs: a courier's own day, what happens at each stop, and what the phone sends about itself."""

import uuid
from dataclasses import dataclass

from apiflask import APIBlueprint
from flask import request
from flask_login import current_user
from pydantic import Field
from werkzeug.exceptions import BadRequest, Conflict

from dispatch.acts.awaited_papers import ExpectPapers, PapersResult
from dispatch.acts.coming import ComingResult, TellComing
from dispatch.acts.courier_desk import AttachProofs, ReportResult, SeeAnswer, TellDispatcher
from dispatch.acts.courier_phones import ReportPhone
from dispatch.acts.courier_words import ReadCourierWord, WordResult
from dispatch.acts.door_facts import FactResult, RecordFact
from dispatch.acts.roadside import PassEnvelopes, PassResult
from dispatch.acts.run_ends import EndMyRun, RunEndResult
from dispatch.acts.stop_points import PlaceStop, PointResult
from dispatch.acts.stop_report import ReportStop, StopEventResult
from dispatch.cases.access_control import stop_for
from dispatch.core.actor import Role
from dispatch.core.ids import BIGGEST, CourierReportId, CourierWordId, StopId
from dispatch.views import courier_day
from dispatch.views.courier_day import CourierDayView
from web.wiring import files, jobs, upload_parts
from web.wiring.act_door import command_from, offers, schema_of, take
from web.wiring.api_answers import KeptFile, NothingMore, answers, takes_file
from web.wiring.api_schema import Strict, problems
from web.wiring.auth import courier_only, current_actor, roles
from web.wiring.kept_uploads import UNBOUND, of_stop
from web.wiring.transactions import transaction

bp = APIBlueprint("api_runs", __name__, url_prefix="/api/v1", tag="runs")


@dataclass(frozen=True, slots=True)
class UploadBegun:
    """How many bytes of a picture have arrived."""

    received: int


@dataclass(frozen=True, slots=True)
class UploadState:
    """How many bytes have arrived, and the digest of the picture once it is whole."""

    received: int
    sha256: str | None


class PartPlace(Strict):
    """Where a part begins, how many bytes the whole picture has, and the stop that it shows."""

    offset: int = Field(ge=0)
    total: int = Field(ge=1)
    stop: int | None = Field(None, ge=1, le=BIGGEST, description="None: the stop of the first act that names it")


@bp.before_request
def check_courier() -> None:
    """A phone says for which courier it speaks: what one recorded is never taken in another's name."""
    named = request.headers.get("X-Courier", "")
    if named and current_user.is_authenticated and named != str(current_user.viewer.courier_id):
        raise Conflict("this phone is signed in as another courier")


@bp.get("/runs/mine")
@courier_only
@answers(CourierDayView)
@bp.doc(responses=problems(), security="bearer")
def mine() -> CourierDayView:
    """My runs of today, in order, with what a stop needs and nothing more."""
    with transaction() as session:
        return courier_day.my_day(session, current_actor())


@bp.post("/stops/<int:stop_id>/events")
@offers(ReportStop)
@bp.input(schema_of(ReportStop, path=("stop",)), arg_name="body")
@answers(StopEventResult, 201)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
def event(stop_id: int, body: Strict) -> tuple[StopEventResult, int]:
    """Arrived, collected, delivered, failed, undone, or a problem."""
    return take(command_from(ReportStop, body, stop=stop_id)), 201


@bp.put("/stops/<int:stop_id>/point")
@offers(PlaceStop)
@bp.input(schema_of(PlaceStop, path=("stop",)), arg_name="body")
@answers(PointResult)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
def place(stop_id: int, body: Strict) -> PointResult:
    """Where the address of a stop is: for it, for those to come there, and for good."""
    return take(command_from(PlaceStop, body, stop=StopId(stop_id)))


@bp.put("/stops/<int:stop_id>/papers")
@offers(ExpectPapers)
@bp.input(schema_of(ExpectPapers, path=("stop",)), arg_name="body")
@answers(PapersResult)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
def papers(stop_id: int, body: Strict) -> PapersResult:
    """When what a stop brings is at the centre: no run leaves with it before."""
    return take(command_from(ExpectPapers, body, stop=StopId(stop_id)))


@bp.post("/stops/<int:stop_id>/proofs")
@roles(Role.COURIER, Role.LEAD)
@answers(KeptFile, 201)
@takes_file()
@bp.doc(responses=problems(404, 422), security="bearer")
def keep_proof(stop_id: int) -> tuple[KeptFile, int]:
    """A photo or signature as multipart/form-data: ``file``, JPEG or PNG. The event names its ``sha256``."""
    with transaction() as session:
        stop_for(session, current_actor(), stop_id)  # nothing is stored for somebody who may not
    upload = request.files.get("file")
    if upload is None:
        raise BadRequest("file is needed")
    return KeptFile(files.keep_picture(upload, of_stop(stop_id))), 201


@bp.post("/runs/facts")
@offers(RecordFact)
@bp.input(schema_of(RecordFact), arg_name="body")
@answers(FactResult)
@bp.doc(responses=problems(409, 422), security="bearer")
def fact(body: Strict) -> FactResult:
    """What a phone recorded, sent when there is signal: in the record or on the dispatcher's desk, never refused."""
    return take(command_from(RecordFact, body))


@bp.post("/runs/facts/<uuid:event_id>/photos")
@offers(AttachProofs)
@bp.input(schema_of(AttachProofs, path=("event_id",)), arg_name="body")
@answers(ReportResult)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
def attach(event_id: uuid.UUID, body: Strict) -> ReportResult:
    """Photos of an act that arrived before them."""
    return take(command_from(AttachProofs, body, event_id=event_id))


@bp.post("/runs/reports")
@offers(TellDispatcher)
@bp.input(schema_of(TellDispatcher), arg_name="body")
@answers(ReportResult)
@bp.doc(responses=problems(409, 422), security="bearer")
def tell(body: Strict) -> ReportResult:
    """Something for the dispatcher that is no act at a stop."""
    return take(command_from(TellDispatcher, body))


@bp.post("/runs/reports/<int:report_id>/seen")
@offers(SeeAnswer)
@answers(ReportResult)
@bp.doc(responses=problems(404, 409), security="bearer")
def seen(report_id: int) -> ReportResult:
    """The courier has read the answer."""
    return take(SeeAnswer(report=CourierReportId(report_id)))


@bp.post("/runs/words/<int:told_id>/read")
@offers(ReadCourierWord)
@bp.input(schema_of(ReadCourierWord, path=("word",)), arg_name="body")
@answers(WordResult)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
def read_word(told_id: int, body: Strict) -> WordResult:
    """The courier has read what the dispatcher said."""
    return take(command_from(ReadCourierWord, body, word=CourierWordId(told_id)))


@bp.post("/runs/end")
@offers(EndMyRun)
@bp.input(schema_of(EndMyRun), arg_name="body")
@answers(RunEndResult)
@bp.doc(responses=problems(409, 422), security="bearer")
def end(body: Strict) -> RunEndResult:
    """The courier cannot go on: what is on board is listed, and the rest of the day is planned anew."""
    ended = take(command_from(EndMyRun, body))
    for plan_id in ended.plans:
        jobs.publish(jobs.PLAN, plan_id)
    return ended


@bp.post("/runs/coming")
@offers(TellComing)
@bp.input(schema_of(TellComing), arg_name="body")
@answers(ComingResult)
@bp.doc(responses=problems(409, 422), security="bearer")
def coming(body: Strict) -> ComingResult:
    """Who waits at a stop is told when the courier comes, or the dispatcher is."""
    return take(command_from(TellComing, body))


@bp.post("/runs/passes")
@offers(PassEnvelopes)
@bp.input(schema_of(PassEnvelopes), arg_name="body")
@answers(PassResult)
@bp.doc(responses=problems(409, 422), security="bearer")
def pass_on(body: Strict) -> PassResult:
    """Envelopes given to a colleague on the road, or taken from one; custody passes when both have said it."""
    return take(command_from(PassEnvelopes, body))


@bp.post("/runs/phone")
@offers(ReportPhone)
@bp.input(schema_of(ReportPhone), arg_name="body")
@answers(NothingMore)
@bp.doc(responses=problems(409, 422), security="bearer")
def phone(body: Strict) -> dict[str, str]:
    """What waits on a phone, and its clock."""
    take(command_from(ReportPhone, body))
    return {}


@bp.get("/runs/uploads/<uuid:upload_id>")
@courier_only
@answers(UploadBegun)
@bp.doc(responses=problems(404), security="bearer")
def upload_begun(upload_id: uuid.UUID) -> UploadBegun:
    """How much of a picture has arrived, so that it goes on from there."""
    return UploadBegun(upload_parts.received(current_actor(), upload_id))


@bp.put("/runs/uploads/<uuid:upload_id>")
@courier_only
@bp.input(PartPlace, location="query", arg_name="place")
@answers(UploadState)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
def upload_more(upload_id: uuid.UUID, place: PartPlace) -> UploadState:
    """A part of a picture, from ``offset`` on, of ``total`` bytes; the last one answers with its ``sha256``."""
    part = request.get_data(cache=False)
    subject = UNBOUND if place.stop is None else of_stop(place.stop)
    have, sha256 = upload_parts.append(
        current_actor(), upload_id, part, offset=place.offset, total=place.total, subject=subject
    )
    return UploadState(have, sha256)
