"""The linter of texts: what no carrier takes, and what no reader should get."""

import re
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from notifications.phone import mobiles_in
from notifications.segments import segments

MAX_SEGMENTS = 2
MAX_VARIABLE = 20

_URL = re.compile(r"https?:|www\.|[a-z0-9-]+\.(?:cn|com|net|org|gov|top|cc|io)\b", re.IGNORECASE)
_ARROW = re.compile("[\u2190-\u21ff\u27f0-\u27ff\u2900-\u297f➔-➾]|->|=>")
_ASKS_FOR_A_GRADE = re.compile(
    r"好评|五星|满意度|请[^。,，;；]{0,12}(?:评价|打分|评分)|(?:rate|grade|review) (?:us|our)", re.IGNORECASE
)
_PHONE = re.compile(r"(?<!\d)0\d{2,3}-?\d{7,8}(?!\d)|(?<!\d)[48]00-?\d{3}-?\d{4}(?!\d)")


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One named value: how long it gets, what it looks like, and whether it is a secret or a phone number."""

    name: str
    max: int
    sample: str
    sample_en: str = ""
    secret: bool = False
    phone: bool = False

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
    if _URL.search(words):
        yield "a URL is refused by mainland carriers"
    if mobiles_in(words) or _PHONE.search(words):
        yield "a phone number does not belong into the words"
    if "【" in words or "】" in words:
        yield "【】 belong to the signature alone"
    if _ARROW.search(words):
        yield "arrows are refused in domestic templates"
    if _ASKS_FOR_A_GRADE.search(words):
        yield "a notice may not ask for a grade"
    if not re.fullmatch(r"【[^【】]{2,12}】", rules.signature):
        yield "the signature 【…】 of 2 to 12 characters is missing"
    if used <= rules.placeholders.keys():
        yield from _length(words, used, rules)


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
