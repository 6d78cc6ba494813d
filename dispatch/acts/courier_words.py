"""Courier's words: a dispatcher says something to a courier's phone, and the phone says when it was read."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dispatch.acts.act import LEADS, ActContext, act
from dispatch.acts.act_fields import Why
from dispatch.acts.door_report import fact_time
from dispatch.cases.courier_word import CourierWord
from dispatch.core.actor import Role
from dispatch.core.ids import CourierId, CourierWordId
from routing.day.couriers import Courier


class WordState(StrEnum):
    """SAID 已发出, READ 已读."""

    SAID = "said"
    READ = "read"


@dataclass(frozen=True, slots=True)
class WordResult:
    """A word, and whether it was read."""

    word_id: int
    state: WordState


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class TellCourier:
    """A dispatcher says something to a courier: it stands first on the phone until it was read."""

    courier: CourierId
    words: Why

    def perform(self, context: ActContext) -> WordResult:
        courier = context.row(Courier, self.courier)
        word = CourierWord(
            courier_id=courier.id, division_id=courier.division_id, words=self.words, said_at=context.at,
            said_by=context.actor.label,
        )  # fmt: skip
        context.session.add(word)
        context.session.flush()
        return WordResult(word.id, WordState.SAID)


@act(by={Role.COURIER})
@dataclass(frozen=True, slots=True, kw_only=True)
class ReadCourierWord:
    """The courier has read it, when by the phone's corrected clock: with signal or without."""

    word: CourierWordId
    device_at: datetime | None = None
    sent_at: datetime | None = None

    def perform(self, context: ActContext) -> WordResult:
        word = context.row(CourierWord, self.word)
        when = fact_time(self.device_at, self.sent_at, at=context.at, real=context.real_at())
        word.read_at = word.read_at or max(word.said_at, when.at)
        return WordResult(word.id, WordState.READ)
