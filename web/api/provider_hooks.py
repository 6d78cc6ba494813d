"""Hooks: what SMS providers say afterwards; known by their signature or secret, answered 200 once understood."""

import structlog
from flask import Blueprint, Response, current_app, request

from notifications import inbound, receipts
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


def _signed_by_twilio() -> bool:
    """Whether Twilio signed this request over its own words; one that it did not is logged."""
    signature = request.headers.get("X-Twilio-Signature", "")
    gateway = request.args.get("g", "twilio")
    if receipts.verify(_settings(), gateway, _asked_for(), request.form.to_dict(), signature):
        return True
    log.warning("a wrong signature", gateway=gateway[:20], path=request.path)
    return False


@bp.post("/twilio/status")
@limiter.exempt
@signed_hook
def twilio_status() -> Response:
    """A receipt of Twilio's; one that Twilio did not sign is refused, one of an unknown message is logged."""
    if not _signed_by_twilio():
        return Response(status=403)
    try:
        receipt = receipts.from_twilio(request.args, request.form)
    except receipts.BadReceipt:
        return Response(status=400)
    _take(receipt)
    return Response(status=200)


@bp.post("/twilio/reply")
@limiter.exempt
@signed_hook
def twilio_reply() -> Response:
    """What somebody answered to a number of Twilio's; answered with nothing to say."""
    if not _signed_by_twilio():
        return Response(status=403)
    try:
        reply = receipts.reply_from_twilio(request.args, request.form)
    except receipts.BadReceipt:
        return Response(status=400)
    with session_factory().begin() as session:
        inbound.take_reply(session, reply)
    return Response("<Response/>", content_type="text/xml")


@bp.post("/domestic/<secret>/status")
@limiter.exempt
@signed_hook
def domestic_status(secret: str) -> Response | tuple[dict[str, object], int]:
    """A push of receipts and answers; its address holds the secret that only the domestic provider was given."""
    if not receipts.verify_domestic(_settings(), secret):
        return Response(status=404)
    try:
        push = receipts.from_domestic("domestic", request.get_data())
    except receipts.BadReceipt:
        return Response(status=400)
    for receipt in push.receipts:
        _take(receipt)
    with session_factory().begin() as session:
        for reply in push.replies:
            inbound.take_reply(session, reply)
        for row in push.odd:
            log.warning("an odd row of a push is kept", gateway="domestic")
            inbound.keep_odd(session, "domestic", row)
    return {"code": 0, "msg": "ok"}, 200


def _take(receipt: receipts.ProviderReceipt) -> None:
    applied = receipts.receive(session_factory(), receipt)
    if applied is receipts.ReceiptResult.UNKNOWN_MESSAGE:
        log.info("a receipt of an unknown message", gateway=receipt.gateway, provider_id=receipt.provider_id)
