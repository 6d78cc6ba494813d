"""Handover lists (交接清单): what leaves the centre and what comes back, signed by both, on screen and on paper."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from dispatch.acts.courier_run import HandInToCentre, SignHandoverList
from dispatch.core.actor import Role
from dispatch.core.errors import DispatchError, NotFound
from dispatch.custody.handover_list import Direction
from dispatch.views import courier_load, handover_sheets
from web.wiring.act_door import command_from_form, offers, take
from web.wiring.auth import current_actor, roles
from web.wiring.formatting import in_words
from web.wiring.transactions import transaction

bp = Blueprint("handovers", __name__, url_prefix="/handovers")

DIRECTION = {Direction.OUT: "中心交邮政", Direction.IN: "邮政交中心"}
both_sides = roles(Role.COURIER, Role.AGENT, Role.LEAD, Role.SUPERVISOR, Role.OPERATOR)
signing = roles(Role.COURIER, Role.AGENT, Role.LEAD, Role.OPERATOR)


@bp.get("")
@both_sides
def today() -> str:
    """Today's lists; a courier also sees what is to be handed in."""
    viewer = current_actor()
    with transaction() as session:
        sheets = handover_sheets.lists_of_today(session, viewer)
        waiting = courier_load.to_hand_in(session, viewer)
    return render_template(
        "courier/handovers.html", sheets=sheets, waiting=waiting, direction=DIRECTION, layout=_layout()
    )


@bp.post("")
@offers(HandInToCentre)
def hand_in() -> AnyResponse:
    """Everything that goes to the centre on one list, signed by the courier."""
    try:
        missing = {
            name.removeprefix("missing-"): words.strip()
            for name, words in request.form.items()
            if name.startswith("missing-") and words.strip()
        }
        list_no = take(HandInToCentre(missing=missing)).list_no
    except DispatchError as error:
        flash(in_words(error.user_message), "error")
        return redirect(url_for("handovers.today"))
    return redirect(url_for("handovers.sheet", list_no=list_no))


@bp.get("/<list_no>")
@both_sides
def sheet(list_no: str) -> str:
    """One list: to read, to sign, to print in two copies."""
    return _sheet_page(list_no)


def _sheet_page(list_no: str) -> str:
    viewer = current_actor()
    with transaction() as session:
        sheet = handover_sheets.handover_sheet(session, viewer, list_no)
    head = sheet.head
    mine_signed = head.courier_signed_at if viewer.role is Role.COURIER else head.centre_signed_at
    may_sign = mine_signed is None and viewer.role is not Role.SUPERVISOR
    return render_template(
        "courier/handover.html", head=head, lines=sheet.lines, direction=DIRECTION, may_sign=may_sign, layout=_layout(),
        typed=request.form,
    )  # fmt: skip


@bp.post("/<list_no>/signature")
@offers(SignHandoverList)
def sign(list_no: str) -> AnyResponse | tuple[str, int]:
    """One side signs; a difference refuses its line only."""
    differences = {
        name.removeprefix("difference-"): words.strip()
        for name, words in request.form.items()
        if name.startswith("difference-") and words.strip()
    }
    try:
        take(command_from_form(SignHandoverList, request.form, list=list_no, differences=differences))
    except NotFound:
        raise
    except DispatchError as error:
        flash(in_words(error.user_message), "error")
        return _sheet_page(list_no), 409
    flash(gettext("已签收"), "success")
    return redirect(url_for("handovers.sheet", list_no=list_no))


def _layout() -> str:
    return "courier/_phone.html" if current_actor().role is Role.COURIER else "desk.html"
