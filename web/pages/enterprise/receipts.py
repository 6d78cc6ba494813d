"""Receipts for enterprises: the handovers of an envelope as one file that checks itself offline."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import make_response, render_template
from flask_babel import gettext
from werkzeug.wrappers import Response

from dispatch.custody.handover import HOLDER_LABEL, Holder
from dispatch.views.custody_receipt import parcel_receipt
from web.pages.enterprise.blueprint import bp
from web.wiring.assets import STATIC
from web.wiring.auth import current_actor, enterprise_only
from web.wiring.formatting import is_chinese
from web.wiring.resource_json import as_json
from web.wiring.transactions import transaction


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """One handover as people read it."""

    seq: int
    at: datetime
    giver: str
    taker: str
    is_undo: bool


def receipt_row(line: str) -> ReceiptRow:
    """What a line of the log says."""
    said: dict[str, Any] = json.loads(line)
    at = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=said["at"])
    giver, taker = (HOLDER_LABEL[Holder(said[end][0])] for end in ("from", "to"))
    return ReceiptRow(said["seq"], at, giver, taker, said["action"] == "undo")


def verdicts() -> dict[str, str]:
    """What the file says of itself once it has looked."""
    return {
        "right": gettext("✓ 核验通过：每次交接都在日志中，未被改动、删除或倒签。"),
        "witnessed": gettext("见证方也已签名："),
        "alone": gettext("（还没有见证方签名。）"),
        "witness": gettext("✗ 见证方的签名与检查点不符。"),
        "key": gettext("✗ 公钥不符：凭证不是由该公钥的持有者签发。"),
        "changed": gettext("✗ 内容被改动过。"),
        "deleted": gettext("✗ 有交接记录被删除。"),
        "reordered": gettext("✗ 交接记录的顺序被改动。"),
        "backdated": gettext("✗ 有交接记录是事后补入的（倒签）。"),
        "unable": gettext("? 这个浏览器不能核验 Ed25519 签名，请换用较新的浏览器。"),
    }


@bp.get("/parcels/<waybill>/receipt")
@enterprise_only
def receipt(waybill: str) -> Response:
    """The receipt as a file to keep."""
    with transaction() as session:
        found = parcel_receipt(session, current_actor(), waybill)
    page = render_template(
        "enterprise/receipt.html",
        receipt=found, receipt_json=as_json(found), words=verdicts(), is_chinese=is_chinese(),
        rows=[receipt_row(one.line) for one in found.handovers], script=(STATIC / "receipt.js").read_text("utf-8"),
    )  # fmt: skip
    answer = make_response(page)
    answer.headers["Content-Disposition"] = f"attachment; filename=receipt-{found.waybill}.html"
    return answer
