"""Visit telling: whatever changes about a courier's visit is said by SMS, or stands on the dispatcher's call list."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from dispatch.acts.act import LEADS, ActContext, act
from dispatch.acts.act_fields import Reason
from dispatch.cases.lookups import moment
from dispatch.cases.visit_word import VisitChange, VisitWord, takes_sms
from dispatch.core.ids import VisitWordId
from dispatch.core.localized_text import DayText, WindowText
from notifications import outbox
from notifications.message import Message
from routing.day.courier_stop import CourierStop

TEXT = {
    VisitChange.ANNOUNCED: "visit",
    VisitChange.MOVED: "visit_moved",
    VisitChange.LATE: "visit_late",
    VisitChange.ON_WAY: "visit_coming",
    VisitChange.CANCELLED: "visit_cancelled",
}
"""What somebody is told whose papers belong to no case."""


def tell_visit(
    session: Session, stop: CourierStop, change: VisitChange, *, window: tuple[int, int], at: datetime,
    messages: Iterable[Message] = (), called_by: str = "",
) -> list[VisitWord]:  # fmt: skip
    """A visit's new word: by the messages that its cases were sent, else by one to the contact at the stop.

    A word that a later one overtakes needs no call any more. A number that takes no SMS waits on the call list.
    ``called_by``: who has told it by telephone already."""
    session.execute(
        update(VisitWord)
        .where(VisitWord.stop_id == stop.id, VisitWord.superseded_at.is_(None))
        .values(superseded_at=at)
        .execution_options(synchronize_session=False)
    )
    sent: list[Message | None] = [*messages]
    if not sent:
        by_sms = not called_by and takes_sms(stop.contact_phone)
        sent.append(_message(session, stop, change, window, at) if by_sms else None)
    words = [
        VisitWord(
            stop_id=stop.id, division_id=stop.division_id, change=change, on=stop.on, opens_s=window[0],
            closes_s=window[1], said_at=at, message_id=None if message is None else message.id,
            called_at=at if called_by else None, called_by=called_by,
        )
        for message in sent
    ]  # fmt: skip
    session.add_all(words)
    return words


def tell_anew(session: Session, stop: CourierStop, case_id: int, message: Message, *, at: datetime) -> None:
    """What a case was told of the visit went to a wrong number: the same word stands by ``message`` from now on."""
    of_case = select(Message.id).where(Message.case_id == case_id)
    words = session.scalars(
        select(VisitWord)
        .where(VisitWord.stop_id == stop.id, VisitWord.superseded_at.is_(None), VisitWord.message_id.in_(of_case))
        .order_by(VisitWord.id)
    ).all()
    for word in words:
        word.superseded_at = at
    for word in words[-1:]:
        session.add(
            VisitWord(
                stop_id=stop.id, division_id=stop.division_id, change=word.change, on=word.on, opens_s=word.opens_s,
                closes_s=word.closes_s, said_at=at, message_id=message.id,
            )
        )  # fmt: skip


def _message(
    session: Session, stop: CourierStop, change: VisitChange, window: tuple[int, int], at: datetime
) -> Message:
    said = outbox.NewMessage(
        event_key=f"visit:{stop.id}:{stop.version}:{change.value}:{stop.on}:{window[0]}:{window[1]}",
        text=TEXT[change], to=stop.contact_phone, values={"day": DayText(stop.on), "window": WindowText(*window)},
        at=at, division_id=stop.division_id, expires_at=moment(stop.on, window[1]),
    )  # fmt: skip
    return outbox.queue_message(session, said)


def take_back_cancelling(session: Session, stop: CourierStop, *, at: datetime) -> tuple[int, int] | None:
    """A visit that was cancelled takes place after all: its window, where people had been told one.

    What nobody can have heard yet is not said at all; who may have heard it is told the window again."""
    words = session.scalars(
        select(VisitWord)
        .where(VisitWord.stop_id == stop.id, VisitWord.superseded_at.is_(None))
        .where(VisitWord.change == VisitChange.CANCELLED)
        .order_by(VisitWord.id)
    ).all()
    if not words:
        return None
    window = words[0].opens_s, words[0].closes_s
    messages = [session.get_one(Message, word.message_id) for word in words if word.message_id is not None]
    unheard = [outbox.withdraw(session, message.event_key) for message in messages]
    if all(unheard) and all(word.called_at is None for word in words):
        for word in words:
            word.superseded_at = at
    else:
        tell_visit(session, stop, VisitChange.MOVED, window=window, at=at)
    return window


@dataclass(frozen=True, slots=True)
class CallResult:
    """A word that a person has told."""

    word_id: int
    by: str


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class RecordCall:
    """A dispatcher has telephoned: whoever no SMS reached knows of the visit now. ``note``: what was said."""

    word: VisitWordId
    note: Reason = ""

    def perform(self, context: ActContext) -> CallResult:
        word = context.row(VisitWord, self.word)
        word.called(by=context.actor.label, note=self.note.strip(), at=context.at)
        return CallResult(word.id, word.called_by)
