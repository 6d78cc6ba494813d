"""The log of handovers for everybody: its key, its newest checkpoint, and proofs between sizes; no login."""

from flask import Blueprint, Response, jsonify, render_template, request
from werkzeug.exceptions import BadRequest

from dispatch.acts.act import perform
from dispatch.acts.witnessing import TakeCosignature
from dispatch.core.actor import SYSTEM
from dispatch.core.ids import BIGGEST
from dispatch.custody.cosignatures import witness_lines, witnessed_note
from dispatch.custody.signed_note import key_line
from dispatch.custody.transparency_log import latest_checkpoint
from dispatch.views.custody_receipt import log_consistency
from web.wiring.auth import limiter, signed_hook
from web.wiring.resource_json import as_json
from web.wiring.transactions import transaction

LONGEST_LINE = 300

bp = Blueprint("custody_log", __name__, url_prefix="/custody")


def _note() -> str:
    with transaction() as session:
        newest = latest_checkpoint(session)
        return "" if newest is None else witnessed_note(session, newest)


@bp.get("")
def home() -> str:
    """The key to note down, the newest checkpoint, and how receipts are checked."""
    with transaction() as session:
        witnesses = witness_lines(session)
    return render_template("track/custody.html", key=key_line(), note=_note(), witnesses=witnesses)


@bp.get("/checkpoint")
def checkpoint() -> Response:
    """The newest signed note, with the lines of its witnesses; empty before the first handover."""
    return Response(_note(), mimetype="text/plain")


@bp.get("/consistency")
@limiter.limit("60 per minute")
def consistency() -> Response:
    """That the log of ``second`` entries begins with the log of ``first``."""
    first, second = request.args.get("first", type=int), request.args.get("second", type=int)
    if first is None or second is None:
        raise BadRequest("first and second are needed")
    with transaction() as session:
        return jsonify(as_json(log_consistency(session, first, second)))


@bp.post("/cosignatures")
@limiter.limit("60 per minute")
@signed_hook
def cosignature() -> Response:
    """A witness hands in its line under the checkpoint of ``size``; the line itself is the proof of whose it is."""
    size, line = request.args.get("size", type=int), request.get_data(as_text=True).strip()
    if size is None or not 0 < size <= BIGGEST or not line or len(line) > LONGEST_LINE:
        raise BadRequest("size, and one line of at most 300 characters, are needed")
    with transaction() as session:
        perform(session, TakeCosignature(size=size, line=line), SYSTEM)
    return Response(status=204)
