"""The log of handovers for everybody: its key, its newest checkpoint, and proofs between sizes; no login."""

from flask import Blueprint, Response, jsonify, render_template, request
from werkzeug.exceptions import BadRequest

from dispatch.custody.signed_note import key_line
from dispatch.custody.transparency_log import latest_checkpoint
from dispatch.views.custody_receipt import log_consistency
from web.wiring.auth import limiter
from web.wiring.resource_json import as_json
from web.wiring.transactions import transaction

bp = Blueprint("custody_log", __name__, url_prefix="/custody")


def _note() -> str:
    with transaction() as session:
        newest = latest_checkpoint(session)
        return "" if newest is None else newest.note


@bp.get("")
def home() -> str:
    """The key to note down, the newest checkpoint, and how receipts are checked."""
    return render_template("track/custody.html", key=key_line(), note=_note())


@bp.get("/checkpoint")
def checkpoint() -> Response:
    """The newest signed note; empty before the first handover."""
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
