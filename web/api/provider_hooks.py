"""Hooks: what SMS providers say afterwards; known by their signature or secret, answered 200 once understood."""

import structlog
from flask import Blueprint, Response, current_app, request

from notifications import receipts
from notifications.settings import NoticeSettings
from web.wiring.auth import limiter, signed_hook
from web.wiring.transactions import session_factory

bp = Blueprint("hooks", __name__, url_prefix="/hooks")

log = structlog.get_logger()


def _settings() -> NoticeSettings:
    found: NoticeSettings = current_app.extensions["daiban.notices"]
    return found


def _asked_for() -> str:
    """Path and query as the request line had them: the signature is over these very characters."""
    raw = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI")
    return str(raw) if raw and str(raw).startswith("/") else request.full_path.rstrip("?")


@bp.post("/twilio/status")
@limiter.exempt
@signed_hook
def twilio_status() -> Response:
    """A receipt of Twilio's; one that Twilio did not sign is refused, one of a message we do not know is logged."""
    signature = request.headers.get("X-Twilio-Signature", "")
    gateway = request.args.get("g", "twilio")
    if not receipts.verify(_settings(), gateway, _asked_for(), request.form.to_dict(), signature):
        log.warning("a receipt with a wrong signature", gateway=gateway[:20])
        return Response(status=403)
    try:
        said = receipts.from_twilio(request.args, request.form)
    except receipts.BadReceipt:
        return Response(status=400)
    _take(said)
    return Response(status=200)


@bp.post("/domestic/<secret>/status")
@limiter.exempt
@signed_hook
def domestic_status(secret: str) -> Response | tuple[dict[str, object], int]:
    """A push of the domestic provider's receipts; its address holds the secret that only the provider was given."""
    if not receipts.verify_domestic(_settings(), secret):
        return Response(status=404)
    try:
        several = receipts.from_domestic("domestic", request.get_data())
    except receipts.BadReceipt:
        return Response(status=400)
    for said in several:
        _take(said)
    return {"code": 0, "msg": "ok"}, 200


def _take(said: receipts.ProviderReceipt) -> None:
    applied = receipts.receive(session_factory(), said)
    if applied is receipts.ReceiptResult.UNKNOWN_MESSAGE:
        log.info("a receipt of an unknown message", gateway=said.gateway, provider_id=said.provider_id)
