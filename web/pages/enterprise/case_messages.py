"""Messages in a case, as the enterprise writes, reads and takes them back."""

from typing import Any

from flask import flash, redirect, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from dispatch.acts.act import Act
from dispatch.acts.case_messages import ReadCaseMessages, WithdrawEnterpriseMessage, WriteCaseMessage
from dispatch.core.actor import Role
from web.pages.enterprise.blueprint import RULES, bp, say
from web.wiring.act_door import command_from_form, offers, take

OURS = frozenset({Role.ENTERPRISE})


def _take(command: type[Act[Any]], done: str, case_no: str, **given: Any) -> Response:
    try:
        take(command_from_form(command, request.form, case=case_no, **given))
        flash(gettext(done))
    except RULES as error:
        say(error)
    return redirect(url_for("enterprise.case", case_no=case_no) + "#messages")


@bp.post("/cases/<case_no>/messages")
@offers(WriteCaseMessage, only=OURS)
def write_message(case_no: str) -> Response:
    """A message to the agent."""
    return _take(WriteCaseMessage, "已发出留言", case_no)


@bp.post("/cases/<case_no>/messages/read")
@offers(ReadCaseMessages, only=OURS)
def read_messages(case_no: str) -> Response:
    """What the agent wrote was read."""
    return _take(ReadCaseMessages, "已标为已读", case_no)


@bp.post("/cases/<case_no>/messages/<int:case_message>/withdrawal")
@offers(WithdrawEnterpriseMessage)
def withdraw_message(case_no: str, case_message: int) -> Response:
    """A message that the agent has not read is taken back."""
    return _take(WithdrawEnterpriseMessage, "已撤回留言", case_no, case_message=case_message)
