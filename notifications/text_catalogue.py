"""Text catalogue: the notices that the program brings in texts.toml."""

import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from notifications.lint import Placeholder
from notifications.message import Priority

LOCALES = ("zh", "en")


class UnknownText(LookupError):
    """Nobody wrote a text of this name."""


@dataclass(frozen=True, slots=True)
class Text:
    """One notice as texts.toml has it. ``once``: never sent a second time, a new one is made instead.

    ``legal``: rights or limits hang on it; it is never merged with others and never waits for the budget."""

    name: str
    purpose: str
    priority: Priority
    words: Mapping[str, str]
    placeholders: tuple[str, ...]
    expires: timedelta | None = None
    once: bool = False
    legal: bool = False
    carrier: bool = False
    replaces: bool = False
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts of one case that one text can say."""

    first: str
    second: str
    into: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    texts: Mapping[str, Text]
    placeholders: Mapping[str, Placeholder]
    pairs: tuple[Pair, ...]


def fields(words: str) -> list[str]:
    """The placeholders in ``words``, in order."""
    return [name for _, name, _, _ in string.Formatter().parse(words) if name is not None]


def _read(raw: Mapping[str, Any]) -> Catalogue:
    placeholders = {name: Placeholder(name=name, **rules) for name, rules in raw["placeholders"].items()}
    texts = {}
    for name, t in raw["text"].items():
        words = {locale: t[locale] for locale in LOCALES}
        minutes = t.get("expires_min")
        texts[name] = Text(
            name=name,
            purpose=t["purpose"],
            priority=Priority[t["priority"].upper()],
            words=words,
            placeholders=tuple(dict.fromkeys(f for line in words.values() for f in fields(line))),
            expires=timedelta(minutes=minutes) if minutes else None,
            once=t.get("once", False),
            legal=t.get("legal", False),
            carrier=t.get("carrier", False),
            replaces=t.get("replaces", False),
            digest=t.get("digest"),
        )
    return Catalogue(texts, placeholders, tuple(Pair(**pair) for pair in raw["pair"]))


@cache
def catalogue() -> Catalogue:
    """texts.toml, read once."""
    return _read(tomllib.loads(Path(__file__).with_name("texts.toml").read_text(encoding="utf-8")))


def text_named(name: str) -> Text:
    """Raises UnknownText."""
    try:
        return catalogue().texts[name]
    except KeyError:
        raise UnknownText(f"no text is called {name!r}") from None
