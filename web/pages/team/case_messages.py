"""Messages in a case, as the office writes, reads, takes back and settles them."""

from flask import url_for
from werkzeug.wrappers import Response

from dispatch.acts.act import STAFF
from dispatch.acts.case_messages import ReadCaseMessages, SettleCaseMessage, WithdrawOfficeMessage, WriteCaseMessage
from web.pages.team.blueprint import bp, take_form
from web.wiring.act_door import offers


def _back(case_no: str) -> str:
    return url_for("team.case", case_no=case_no) + "#messages"


@bp.post("/cases/<case_no>/messages")
@offers(WriteCaseMessage, only=STAFF)
def write_message(case_no: str) -> Response:
    """A message to the enterprise."""
    return take_form(WriteCaseMessage, "已发出留言", back=_back(case_no), case=case_no)


@bp.post("/cases/<case_no>/messages/read")
@offers(ReadCaseMessages, only=STAFF)
def read_messages(case_no: str) -> Response:
    """What the enterprise wrote was read."""
    return take_form(ReadCaseMessages, "已标为已读", back=_back(case_no), case=case_no)


@bp.post("/cases/<case_no>/messages/<int:case_message>/withdrawal")
@offers(WithdrawOfficeMessage)
def withdraw_message(case_no: str, case_message: int) -> Response:
    """A message that the enterprise has not read is taken back."""
    return take_form(WithdrawOfficeMessage, "已撤回留言", back=_back(case_no), case=case_no, case_message=case_message)


@bp.post("/cases/<case_no>/messages/<int:case_message>/settlement")
@offers(SettleCaseMessage)
def settle_message(case_no: str, case_message: int) -> Response:
    """A message of the enterprise needs no written answer."""
    return take_form(SettleCaseMessage, "已登记", back=_back(case_no), case=case_no, case_message=case_message)
