"""Batches: projects that belong together, one letter for all, and taking the whole back within the day."""

from dataclasses import dataclass

from apiflask import APIBlueprint
from flask import url_for

import db
from dispatch.acts.act import APPLICANTS
from dispatch.acts.batching import BatchLetters, GatherBatch, GatheredBatch, SignBatch, UndoBatch, UndoneBatch
from dispatch.core.ids import BatchId
from dispatch.views import project_batches
from dispatch.views.project_batches import BatchDetail, BatchLine
from web.wiring.act_door import command_from, offers, schema_of, take
from web.wiring.api_answers import answers
from web.wiring.api_schema import Strict, problems
from web.wiring.auth import current_actor, roles
from web.wiring.idempotency import idempotent
from web.wiring.transactions import transaction

bp = APIBlueprint("api_batches", __name__, url_prefix="/api/v1", tag="projects")


@dataclass(frozen=True, slots=True)
class BatchList:
    """Batches, the newest first."""

    items: list[BatchLine]


@bp.get("/batches")
@roles(*APPLICANTS)
@answers(BatchList)
@bp.doc(responses=problems(404), security="bearer")
def listed() -> BatchList:
    """The newest hundred batches that I may see."""
    with transaction() as session:
        return BatchList(project_batches.batches(session, current_actor()))


@bp.post("/batches")
@offers(GatherBatch)
@bp.input(schema_of(GatherBatch), arg_name="body")
@answers(GatheredBatch, 201)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def gather(body: Strict) -> tuple[GatheredBatch, int, dict[str, str]]:
    """These projects belong together."""
    made = take(command_from(GatherBatch, body))
    return made, 201, {"Location": url_for("api_batches.read", batch_id=made.batch_id)}


@bp.get("/batches/<int:batch_id>")
@roles(*APPLICANTS)
@answers(BatchDetail)
@bp.doc(responses=problems(404), security="bearer")
def read(batch_id: int) -> BatchDetail:
    """One batch: each case with where it is, what it waits for and its query code."""
    with transaction() as session:
        return project_batches.batch_detail(session, current_actor(), BatchId(batch_id), at=db.now(session))


@bp.post("/batches/<int:batch_id>/delegation")
@offers(SignBatch)
@bp.input(schema_of(SignBatch, path=("batch",)), arg_name="body")
@answers(BatchLetters, 201)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def delegate(batch_id: int, body: Strict) -> tuple[BatchLetters, int]:
    """One letter for every open project of the batch that has none in force."""
    return take(command_from(SignBatch, body, batch=batch_id)), 201


@bp.post("/batches/<int:batch_id>/undo")
@offers(UndoBatch)
@bp.input(schema_of(UndoBatch, path=("batch",)), arg_name="body")
@answers(UndoneBatch)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def undo(batch_id: int, body: Strict) -> UndoneBatch:
    """Take the whole batch back on the day it was filed; what somebody has gone on with stays, and is named."""
    return take(command_from(UndoBatch, body, batch=batch_id))
