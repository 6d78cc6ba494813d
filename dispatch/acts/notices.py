"""Notices: a message is said again, a number is left alone, and one person's data is shown, exported or forgotten."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Annotated, TypeVar

from annotated_types import MaxLen, MinLen
from pydantic import Field
from sqlalchemy import LargeBinary, and_, false, func, literal, select, true

from db import keyed_hash
from dispatch.acts.act import LEADS, ActContext, act
from dispatch.acts.act_fields import Phone, Wanted
from dispatch.cases import person_data
from dispatch.cases.access_control import visible_numbers, within
from dispatch.cases.notify import day_of
from dispatch.cases.person_data import PersonDatum
from dispatch.core.actor import Role
from dispatch.core.errors import NotFound, Refused
from dispatch.core.ids import MessageId
from notifications import outbox, people, suppression, text_catalogue, texts
from notifications.message import Message, State
from notifications.outbox import NotResendable
from notifications.phone import BadNumber, normalise

Done = TypeVar("Done")

SHORTEST_REASON = 2
WHY_AGAIN = "请写明重发的原因"
Because = Annotated[str, MaxLen(400)]


def _reason(given: str, user_message: str) -> str:
    """The reason, written down. Raises Refused where there is none to speak of."""
    if len(given.strip()) < SHORTEST_REASON:
        raise Refused("a reason is needed", user_message=user_message)
    return given.strip()


def _person(context: ActContext) -> int:
    """The account to which personal data are shown. Raises NotFound for the schedule, which is nobody."""
    if context.actor.account_id is None:
        raise NotFound("personal data are for a person of our own")
    return context.actor.account_id


@contextmanager
def _refusals() -> Iterator[None]:
    """What the notices refuse, in words for who asked."""
    try:
        yield
    except NotResendable as error:
        again = "这条短信不能重发：验证码只能重新获取，已送达或发送中的不重复发送"
        raise Refused(str(error), user_message=again) from error
    except BadNumber as error:
        raise Refused(str(error), user_message="手机号有误，请填写11位手机号") from error
    except suppression.NeverAgain as error:
        raise Refused(str(error), user_message="该号码由本人向运营商退订，只能由本人向运营商恢复") from error


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
        reason, message = _reason(self.reason, WHY_AGAIN), context.row(Message, self.message)
        by = context.actor.account_id
        with _refusals():
            again = outbox.resend(context.session, message, reason=reason, by_account=by, at=context.at)
        context.session.flush()
        return MessageResult(again.id, again.state)


@dataclass(frozen=True, slots=True)
class UnmaskedNumber:
    """A whole number, for the eyes of who asked: the record of the act does not keep it."""

    message: int
    number: Annotated[str, Field(exclude=True)] = ""


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class UnmaskNumber:
    """The whole number of a message, for a reason that is written down."""

    message: MessageId
    reason: Because = ""

    def perform(self, context: ActContext) -> UnmaskedNumber:
        reason, message = _reason(self.reason, "请写明查看完整号码的原因"), context.row(Message, self.message)
        number = people.unmask(context.session, message, account_id=_person(context), reason=reason)
        return UnmaskedNumber(message.id, number)


class NumberElsewhere(Refused):
    """No case within the actor's reach has to do with the number, or others stopped it."""

    user_message = "该号码不属于您辖区内的办件或企业，或由其他辖区停发，请由对方辖区或系统管理员处理"


def _check_number(context: ActContext, phone: str) -> None:
    """A lead stops and resumes numbers of the own subtree, and nothing that another's note stopped.

    Raises NumberElsewhere, and BadNumber."""
    number = literal(keyed_hash(normalise(phone)), LargeBinary)
    stop = suppression.stop_of(context.session, phone)
    writer = true() if stop is None or stop.by_account is None else within(context.actor, literal(stop.division_id))
    if not context.session.scalar(select(and_(visible_numbers(context.actor, number), func.coalesce(writer, false())))):
        raise NumberElsewhere("a number out of reach")


def _change(context: ActContext, change: Callable[..., None], phone: str, reason: str) -> None:
    note = _reason(reason, "请写明原因，例如“本人来电要求”")
    with _refusals():
        _check_number(context, phone)
        change(context.session, phone, by_account=context.actor.account_id, note=note)


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfNumber:
    """What is done about a number, and why."""

    phone: Phone
    reason: Because = ""


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class StopNotices(_OfNumber):
    """A number's owner wants no more notices."""

    def perform(self, context: ActContext) -> None:
        stop = partial(suppression.opt_out, division_id=context.actor.division_id)
        _change(context, stop, self.phone, self.reason)


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeNotices(_OfNumber):
    """A number's owner wants notices again."""

    def perform(self, context: ActContext) -> None:
        _change(context, suppression.opt_in, self.phone, self.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class _ForOwner(_OfNumber):
    """What is done at the request of a number's owner; ``known``: the person was identified."""

    known: bool = False

    def asked(self, context: ActContext, step: Callable[..., Done]) -> Done:
        """The step, once it is said who asked and why."""
        user_message = "请写明本人的请求，并确认已核实本人身份"
        if not self.known:
            raise Refused("the person was not identified", user_message=user_message)
        why = _reason(self.reason, user_message)
        with _refusals():
            return step(context.session, self.phone, account_id=_person(context), reason=why)


@dataclass(frozen=True, slots=True)
class ErasureResult:
    """How many messages lost their number and their words, and the places in the cases, those that stay with why."""

    messages: int
    places: Annotated[tuple[PersonDatum, ...], Field(exclude=True)] = ()


@act(by={Role.OPERATOR})
@dataclass(frozen=True, slots=True, kw_only=True)
class ErasePerson(_ForOwner):
    """What was said to one number is forgotten, and where it stands in the cases, once its owner was identified."""

    def perform(self, context: ActContext) -> ErasureResult:
        messages = self.asked(context, people.erase)
        number = keyed_hash(normalise(self.phone))
        places = person_data.forget(context.session, number, at=context.at, today=day_of(context.at))
        return ErasureResult(messages, tuple(places))


@dataclass(frozen=True, slots=True)
class PersonExport:
    """Everything that was said to one number, codes covered, and where it stands: the act's record keeps how much."""

    messages: int
    rows: Annotated[tuple[people.ExportedMessage, ...], Field(exclude=True)] = ()
    places: Annotated[tuple[PersonDatum, ...], Field(exclude=True)] = ()


@act(by={Role.OPERATOR})
@dataclass(frozen=True, slots=True, kw_only=True)
class ExportPerson(_ForOwner):
    """What is held of one number is shown to its owner, once identified; codes covered."""

    def perform(self, context: ActContext) -> PersonExport:
        rows = self.asked(context, people.export)
        places = person_data.held(context.session, keyed_hash(normalise(self.phone)), today=day_of(context.at))
        return PersonExport(len(rows), tuple(rows), tuple(places))


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfText:
    """What is done to the words of a text in one language, and why."""

    text_name: Annotated[str, MaxLen(40)]
    locale: Annotated[str, MaxLen(8)]
    note: Because = ""

    def reason(self) -> str:
        """The note, of a text that there is. Raises NotFound or Refused."""
        if self.text_name not in text_catalogue.catalogue().texts or self.locale not in text_catalogue.LOCALES:
            raise NotFound(f"no text {self.text_name} in {self.locale}")
        return _reason(self.note, "请写明修改原因")


@act(by={Role.OPERATOR})
@dataclass(frozen=True, slots=True, kw_only=True)
class EditText(_OfText):
    """The words of a text are changed: in force from now on, as a new version. Raises BadWords with every fault."""

    words: Annotated[str, MaxLen(2000)]

    def perform(self, context: ActContext) -> int:
        return texts.edit(
            context.session, self.text_name, self.locale, self.words.strip(), by_account=_person(context),
            note=self.reason(), settings=outbox.settings(),
        ).version  # fmt: skip


@act(by={Role.OPERATOR})
@dataclass(frozen=True, slots=True, kw_only=True)
class RevertText(_OfText):
    """The words of a text are again those that the program came with."""

    def perform(self, context: ActContext) -> int:
        return texts.revert(
            context.session, self.text_name, self.locale, by_account=_person(context), note=self.reason()
        ).version
