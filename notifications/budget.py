"""Budget: the rules of how many texts a number may get in a day, and which of them become one text."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from notifications.message import Priority
from notifications.settings import NoticeSettings
from notifications.text_catalogue import Catalogue, Text


@dataclass(frozen=True, slots=True)
class SentText:
    """One text that reached, or may have reached, the number."""

    body_hash: bytes
    at: datetime


@dataclass(frozen=True, slots=True)
class PendingText:
    """One message that waits for the number. ``weight``: how many messages it stands for."""

    id: int
    text: str
    case_id: int | None
    locale: str
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Merge:
    """The message ``carrier`` replaces ``absorbed``, with the words of ``text``, or with its own when that is None."""

    carrier: int
    absorbed: tuple[int, ...]
    text: str | None
    count: int


def allowed_at(
    sent: Iterable[SentText],
    body_hash: bytes,
    priority: Priority,
    ahead: int,
    settings: NoticeSettings,
    *,
    is_legal: bool = False,
) -> datetime | None:
    """None when the text may go now, else the earliest moment at which it may. ``sent`` is what the window holds.

    ``ahead`` is how many other texts go first. Progress leaves some of the day for what is urgent; what has legal
    effect waits for nothing but its own like: the same words again and again tell nobody more.
    """
    last: dict[bytes, datetime] = {}
    same = []
    for one in sent:
        last[one.body_hash] = max(one.at, last.get(one.body_hash, one.at))
        if one.body_hash == body_hash:
            same.append(one.at)
    waits = []
    if len(same) >= settings.identical_a_day:
        waits.append(sorted(same)[len(same) - settings.identical_a_day])
    if is_legal:
        return max(waits) + settings.day if waits else None
    most = settings.different_a_day - (settings.kept_for_urgent if priority >= Priority.PROGRESS else 0)
    if body_hash not in last and len(last) + ahead >= most:
        leaving = sorted(last.values())
        if len(last) >= most:
            waits.append(leaving[len(last) - most])
        elif leaving:
            waits.append(leaving[0])
    return max(waits) + settings.day if waits else None


def remaining(sent: Iterable[SentText], settings: NoticeSettings) -> int:
    """How many different texts of progress still fit into the day."""
    return settings.different_a_day - settings.kept_for_urgent - len({one.body_hash for one in sent})


def plan_merges(waiting: Sequence[PendingText], most: int, catalogue: Catalogue) -> list[Merge]:
    """The merges that leave ``most`` texts or few more: newer for older, pairs, one for a case, one for all.

    Texts with legal effect stand outside: they are neither merged nor counted."""
    plan = _MergePlanner([w for w in waiting if not catalogue.texts[w.text].legal], most, catalogue)
    for step in (plan.newer_for_older, plan.pairs, plan.one_for_a_case, plan.one_for_all):
        if plan.is_short:
            step()
    return plan.merges


class _MergePlanner:
    def __init__(self, waiting: Sequence[PendingText], most: int, catalogue: Catalogue) -> None:
        self.waiting = sorted(waiting, key=lambda w: w.id)
        self.most, self.catalogue = most, catalogue
        self.merges: list[Merge] = []

    @property
    def is_short(self) -> bool:
        return len(self.waiting) > self.most

    def _text(self, one: PendingText) -> Text:
        return self.catalogue.texts[one.text]

    def _merge(self, group: Sequence[PendingText], carrier: PendingText, text: str | None) -> None:
        absorbed = tuple(w.id for w in group if w.id != carrier.id)
        count = sum(w.weight for w in group)
        self.merges.append(Merge(carrier.id, absorbed, text, count))
        merged = replace(carrier, text=text or carrier.text, weight=count)
        self.waiting = [merged if w.id == carrier.id else w for w in self.waiting if w.id not in absorbed]

    def newer_for_older(self) -> None:
        for one in list(self.waiting):
            if not self._text(one).replaces:
                continue
            same = [w for w in self.waiting if (w.text, w.case_id, w.locale) == (one.text, one.case_id, one.locale)]
            if len(same) > 1 and one.case_id is not None:
                self._merge(same, same[-1], None)

    def pairs(self) -> None:
        for pair in self.catalogue.pairs:
            for second in [w for w in self.waiting if w.text == pair.second and w.case_id is not None]:
                first = [
                    w
                    for w in self.waiting
                    if w.text == pair.first and (w.case_id, w.locale) == (second.case_id, second.locale)
                ]
                if len(first) == 1:
                    self._merge([first[0], second], second, pair.into)

    def one_for_a_case(self) -> None:
        groups: dict[tuple[object, ...], list[PendingText]] = {}
        for one in self.waiting:
            if into := self._text(one).digest:
                # a text that names no case stands for several of them
                names_a_case = "case_no" in self.catalogue.texts[into].placeholders
                of: object = one.case_id if names_a_case else "any"
                if of is not None:
                    groups.setdefault((into, of, one.locale), []).append(one)
        for key, group in groups.items():
            if len(group) > 1:
                self._merge(group, group[-1], str(key[0]))

    def one_for_all(self) -> None:
        groups: dict[str, list[PendingText]] = {}
        for one in self.waiting:
            if self._text(one).digest == "news_of_case" or one.text in ("news_of_case", "news"):
                groups.setdefault(one.locale, []).append(one)
        for group in groups.values():
            if len(group) > 1:
                self._merge(group, group[-1], "news")
