"""Notices: a message is said again, a number is left alone, and one person's data is shown, exported or forgotten."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import MaxLen, MinLen

from dispatch.acts.act import LEADS, ActContext, act
from dispatch.acts.act_fields import Phone, Wanted
from dispatch.core.actor import Role
from dispatch.core.errors import Refused
from dispatch.core.ids import MessageId
from notifications import outbox, people, suppression, texts
from notifications.message import Message, State
from notifications.outbox import NotResendable
from notifications.phone import BadNumber

SHORTEST_REASON = 2
NOT_AGAIN = "这条短信不能重发：验证码只能重新获取，已送达或发送中的不重复发送"
WHY_AGAIN = "请写明重发的原因"
BAD_NUMBER = "手机号有误，请填写11位手机号"
Because = Annotated[str, MaxLen(400)]


def _reason(given: str, user_message: str) -> str:
    """The reason, written down. Raises Refused where there is none to speak of."""
    if len(given.strip()) < SHORTEST_REASON:
        raise Refused("a reason is needed", user_message=user_message)
    return given.strip()


@dataclass(frozen=True, slots=True)
class MessageResult:
    """A message that was queued again."""

    id: int
    state: State


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class ResendMessage:
    """The same words again, as a new message that names the first and the reason."""

    message: MessageId
    reason: Annotated[str, MinLen(1), MaxLen(400), Wanted(WHY_AGAIN)]

    def perform(self, context: ActContext) -> MessageResult:
        why = _reason(self.reason, WHY_AGAIN)
        message = context.row(Message, self.message)
        try:
            again = outbox.resend(context.session, message, why=why, by_account=context.actor.account_id, at=context.at)
        except NotResendable as error:
            raise Refused(str(error), user_message=NOT_AGAIN) from error
        context.session.flush()
        return MessageResult(again.id, again.state)


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class UnmaskNumber:
    """The whole number of a message, for a reason that is written down."""

    message: MessageId
    reason: Because = ""

    def perform(self, context: ActContext) -> str:
        why = _reason(self.reason, "请写明查看完整号码的原因")
        message = context.row(Message, self.message)
        return people.unmask(context.session, message, account_id=context.actor.account_id or 0, why=why)


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class StopNotices:
    """A number's owner wants no more notices."""

    phone: Phone
    reason: Because = ""

    def perform(self, context: ActContext) -> None:
        note = _reason(self.reason, "请写明原因，例如“本人来电要求”")
        try:
            suppression.opt_out(context.session, self.phone, by_account=context.actor.account_id, note=note)
        except BadNumber as error:
            raise Refused(str(error), user_message=BAD_NUMBER) from error


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeNotices:
    """A number's owner wants notices again."""

    phone: Phone
    reason: Because = ""

    def perform(self, context: ActContext) -> None:
        note = _reason(self.reason, "请写明原因，例如“本人来电要求”")
        try:
            suppression.opt_in(context.session, self.phone, by_account=context.actor.account_id, note=note)
        except BadNumber as error:
            raise Refused(str(error), user_message=BAD_NUMBER) from error
        except suppression.NeverAgain as error:
            raise Refused(str(error), user_message="该号码由本人向运营商退订，只能由本人向运营商恢复") from error


@act(by={Role.OPERATOR})
@dataclass(frozen=True, slots=True, kw_only=True)
class ErasePerson:
    """What was said to one number is forgotten, once its owner was identified; how many messages."""

    phone: Phone
    reason: Because = ""
    known: bool = False

    def perform(self, context: ActContext) -> int:
        why = _identified(self.reason, is_known=self.known)
        try:
            return people.erase(context.session, self.phone, account_id=context.actor.account_id or 0, why=why)
        except BadNumber as error:
            raise Refused(str(error), user_message=BAD_NUMBER) from error


@act(by={Role.OPERATOR})
@dataclass(frozen=True, slots=True, kw_only=True)
class ExportPerson:
    """What was said to one number is shown to its owner, once identified; numbers masked, codes covered."""

    phone: Phone
    reason: Because = ""
    known: bool = False

    def perform(self, context: ActContext) -> list[people.ExportedMessage]:
        why = _identified(self.reason, is_known=self.known)
        try:
            return people.export(context.session, self.phone, account_id=context.actor.account_id or 0, why=why)
        except BadNumber as error:
            raise Refused(str(error), user_message=BAD_NUMBER) from error


def _identified(reason: str, *, is_known: bool) -> str:
    user_message = "请写明本人的请求，并确认已核实本人身份"
    if not is_known:
        raise Refused("the person was not identified", user_message=user_message)
    return _reason(reason, user_message)


@act(by={Role.OPERATOR})
@dataclass(frozen=True, slots=True, kw_only=True)
class EditText:
    """The words of a text are changed: in force from now on, as a new version. Raises BadWords with every fault."""

    text_name: Annotated[str, MaxLen(40)]
    locale: Annotated[str, MaxLen(8)]
    words: Annotated[str, MaxLen(2000)]
    note: Because = ""

    def perform(self, context: ActContext) -> int:
        note = _reason(self.note, "请写明修改原因")
        version = texts.edit(
            context.session, self.text_name, self.locale, self.words, by_account=context.actor.account_id or 0,
            note=note, settings=outbox.settings(),
        )  # fmt: skip
        return version.version


@act(by={Role.OPERATOR})
@dataclass(frozen=True, slots=True, kw_only=True)
class RevertText:
    """The words of a text are again those that the program came with."""

    text_name: Annotated[str, MaxLen(40)]
    locale: Annotated[str, MaxLen(8)]
    note: Because = ""

    def perform(self, context: ActContext) -> int:
        note = _reason(self.note, "请写明修改原因")
        return texts.revert(
            context.session, self.text_name, self.locale, by_account=context.actor.account_id or 0, note=note
        ).version
