"""The linter of texts: what no carrier takes, and what no reader should get."""

import re
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from notifications import sms_rules
from notifications.segments import segments

MAX_SEGMENTS = 2
MAX_VARIABLE = 20


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One named value: how long it gets in UCS-2 units, what it looks like; a secret, a phone or a person's name."""

    name: str
    max: int
    sample: str
    sample_en: str = ""
    secret: bool = False
    phone: bool = False
    person: bool = False

    def sample_in(self, locale: str) -> str:
        return self.sample_en if locale == "en" and self.sample_en else self.sample

    def longest(self) -> str:
        return (self.sample + "务" * self.max)[: self.max]


@dataclass(frozen=True, slots=True)
class TextRules:
    """What one text's words are held against."""

    allowed: frozenset[str]
    needed: frozenset[str]
    placeholders: Mapping[str, Placeholder]
    signature: str


def faults(words: str, rules: TextRules) -> list[str]:
    """Every broken rule, each in one plain sentence; an empty list when the words may be sent."""
    return list(_faults(words, rules))


def _faults(words: str, rules: TextRules) -> Iterator[str]:
    if not words.strip():
        yield "the text is empty"
    try:
        parsed = list(string.Formatter().parse(words))
    except ValueError:
        yield "a brace is not closed"
        return
    used = {name for _, name, _, _ in parsed if name is not None}
    if any(spec or conversion for _, name, spec, conversion in parsed if name is not None):
        yield "a placeholder is a plain name in braces"
    for name in sorted(used - rules.allowed):
        yield f"placeholder {{{name}}} is not known to this text"
    for name in sorted(rules.needed - used):
        yield f"placeholder {{{name}}} is not used"
    yield from _refused_by_carriers(sms_rules.plain(words))
    if not re.fullmatch(r"【[^【】]{2,12}】", rules.signature):
        yield "the signature 【…】 of 2 to 12 characters is missing"
    if used <= rules.placeholders.keys():
        yield from _length(words, used, rules)


def _refused_by_carriers(words: str) -> Iterator[str]:
    if sms_rules.URL.search(words):
        yield "a URL is refused by mainland carriers"
    if sms_rules.MOBILE.search(words) or sms_rules.LANDLINE.search(words):
        yield "a phone number does not belong into the words"
    if sms_rules.CONTACT.search(words):
        yield "a private contact does not belong into the words"
    if "【" in words or "】" in words:
        yield "【】 belong to the signature alone"
    if sms_rules.ARROW.search(words):
        yield "arrows are refused in domestic templates"
    if sms_rules.ASKS_FOR_A_GRADE.search(words):
        yield "a notice may not ask for a grade"
    if sms_rules.REPLY.search(words):
        yield "a notice may not ask for a reply"


def _length(words: str, used: set[str], rules: TextRules) -> Iterator[str]:
    for name in sorted(used):
        placeholder = rules.placeholders[name]
        if placeholder.max > MAX_VARIABLE:
            yield f"placeholder {{{name}}} may have {placeholder.max} characters, a domestic one has {MAX_VARIABLE}"
    try:
        longest = rules.signature + words.format_map({name: rules.placeholders[name].longest() for name in used})
    except (ValueError, AttributeError, IndexError, KeyError):
        return  # a placeholder that is no plain name was named above
    if (count := segments(longest)) > MAX_SEGMENTS:
        yield f"{len(longest)} characters at the longest are {count} segments, {MAX_SEGMENTS} are allowed"
