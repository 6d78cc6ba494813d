"""Runs: a courier's own day, and what happens at each stop."""

from typing import Any

from apiflask import APIBlueprint
from flask import request
from werkzeug.exceptions import BadRequest

from dispatch.acts.stop_report import ReportStop, StopEventResult
from dispatch.cases.access_control import stop_for
from dispatch.core.actor import Role
from dispatch.views import courier_day
from web.wiring import files
from web.wiring.act_door import command_from, offers, schema_of, take
from web.wiring.api_schema import Strict, problems
from web.wiring.auth import courier_only, current_actor, roles
from web.wiring.resource_json import as_json
from web.wiring.transactions import transaction

bp = APIBlueprint("api_runs", __name__, url_prefix="/api/v1", tag="runs")


@bp.get("/runs/mine")
@courier_only
@bp.output({})
@bp.doc(responses=problems(), security="bearer")
def mine() -> dict[str, Any]:
    """My runs of today, in order, with what a stop needs and nothing more."""
    with transaction() as session:
        return as_json(courier_day.my_day(session, current_actor()))


@bp.post("/stops/<int:stop_id>/events")
@offers(ReportStop)
@bp.input(schema_of(ReportStop, path=("stop",)), arg_name="body")
@bp.output({}, status_code=201)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
def event(stop_id: int, body: Strict) -> tuple[StopEventResult, int]:
    """Arrived, collected, delivered, failed, undone, or a problem."""
    report = command_from(ReportStop, body, stop=stop_id)
    files.check_kept(*report.photos, report.signature)
    return take(report), 201


@bp.post("/stops/<int:stop_id>/proofs")
@roles(Role.COURIER, Role.LEAD)
@bp.output({}, status_code=201)
@bp.doc(responses=problems(404, 422), security="bearer")
def keep_proof(stop_id: int) -> tuple[dict[str, str], int]:
    """A photo or signature as multipart/form-data: ``file``, JPEG or PNG. The event names its ``sha256``."""
    with transaction() as session:
        stop_for(session, current_actor(), stop_id)  # nothing is stored for somebody who may not
    upload = request.files.get("file")
    if upload is None:
        raise BadRequest("file is needed")
    return {"sha256": files.keep_picture(upload)}, 201
