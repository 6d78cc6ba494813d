"""Localised text: a sentence with the form and the values from which a page says it in another language. Pure.

A ``LocalizedText`` is its Chinese text, and so is whatever stands in it: who only writes it down needs to know no more.
"""

from calendar import month_abbr
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, Self

Translate = Callable[[str], str]
"""Turns a sentence into the reader's language; ``str`` leaves it in Chinese."""


class _ImmutableText(str):
    """Words never change: a copy is what it is a copy of."""

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _memo: dict[int, Any]) -> Self:
        return self


class DayText(_ImmutableText):
    """12月3日; 2027年1月5日 when the year is not that of ``today``."""

    on: date

    def __new__(cls, on: date, today: date | None = None) -> Self:
        year = f"{on.year}年" if today is not None and on.year != today.year else ""
        made = super().__new__(cls, f"{year}{on.month}月{on.day}日")
        made.on = on
        return made

    @property
    def english(self) -> str:
        """3 Dec, or 5 Jan 2027: as short, for an SMS that no page translates."""
        year = f" {self.on.year}" if "年" in self else ""
        return f"{self.on.day} {month_abbr[self.on.month]}{year}"


class WindowText(_ImmutableText):
    """9:00-11:00, from two second counts of a day."""

    ends: tuple[int, int]

    def __new__(cls, opens_s: int, closes_s: int) -> Self:
        made = super().__new__(
            cls, f"{opens_s // 3600}:{opens_s % 3600 // 60:02d}-{closes_s // 3600}:{closes_s % 3600 // 60:02d}"
        )
        made.ends = (opens_s, closes_s)
        return made


class ListText(_ImmutableText):
    """Several in a row, 、 or something else between them."""

    items: tuple[str, ...]
    between: str

    def __new__(cls, items: Iterable[str], between: str = "、") -> Self:
        kept = tuple(items)
        made = super().__new__(cls, between.join(kept))
        made.items, made.between = kept, between
        return made


class LocalizedText(_ImmutableText):
    """A sentence: ``LocalizedText("已约%(day)s揽收", day=DayText(on))``. The vocabulary knows it by its form."""

    form: str
    values: Mapping[str, str | int]

    def __new__(cls, form: str, /, **values: str | int) -> Self:
        made = super().__new__(cls, form % values if values else form)
        made.form, made.values = form, values
        return made

    def without(self, name: str) -> "LocalizedText":
        """The same with ``name`` left out wherever it stands."""
        return LocalizedText(self.form, **{key: _left_out(value, name) for key, value in self.values.items()})


def _left_out(value: str | int, name: str) -> str | int:
    if isinstance(value, LocalizedText):
        return value.without(name)
    return value.replace(name, "") if type(value) is str else value


def to_json(words: str) -> dict[str, Any]:
    """What a JSON column keeps of a sentence beside its text: nothing when the text says it all."""
    return {"said": _encoded(words)} if isinstance(words, LocalizedText) and words.values else {}


def from_json(words: str, detail: Mapping[str, Any]) -> str:
    """The sentence again from its text and what was ``kept`` of it."""
    found = _decoded(detail["said"]) if "said" in detail else words
    return found if isinstance(found, str) else words


def _encoded(value: str | int) -> Any:
    match value:
        case LocalizedText():
            return {"form": value.form, "values": {key: _encoded(one) for key, one in value.values.items()}}
        case DayText():
            return {"day": value.on.isoformat(), "text": str(value)}
        case WindowText():
            return {"window": list(value.ends)}
        case ListText():
            return {"each": [_encoded(one) for one in value.items], "between": value.between}
    return value


def _decoded(value: Any) -> str | int:
    match value:
        case {"form": str(form), "values": dict(values)}:
            return LocalizedText(form, **{key: _decoded(one) for key, one in values.items()})
        case {"day": str(day), "text": str(text)}:
            on = date.fromisoformat(day)
            return DayText(on, None if not text.startswith(f"{on.year}年") else date(1, 1, 1))
        case {"window": [int(opens_s), int(closes_s)]}:
            return WindowText(opens_s, closes_s)
        case {"each": list(items), "between": str(between)}:
            return ListText((one if isinstance(one, str) else str(one) for one in map(_decoded, items)), between)
    return value if isinstance(value, int) else str(value)
