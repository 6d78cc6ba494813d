"""Canonical text: the one form of what was typed, before it is compared, stored or made a key. Pure.

NFKC (Unicode Standard Annex 15) makes full-width letters and digits plain; marks that nobody sees are dropped."""

import re
import unicodedata
from collections.abc import Callable

_FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and marks that are drawn as nothing, beside the format characters (Cf)."""
_SELECTORS = re.compile("[\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_HAN = "\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_SPACE_AT_HAN = re.compile(rf"(?<=[{_HAN}()·、]) | (?=[{_HAN}()·、])")
_DOTS = str.maketrans(dict.fromkeys("•‧∙⋅・", "·"))
_DASHES = re.compile("[\u2010-\u2015\u2212]")
_HAN_LETTER = re.compile(f"[{_HAN}]")


def _is_invisible(character: str) -> bool:
    if character in _FILLERS or _SELECTORS.match(character):
        return True
    return unicodedata.category(character) in {"Cf", "Cc", "Cs"} and not character.isspace()


def plain_text(text: str) -> str:
    """NFKC without invisible marks, with single spaces and none at its ends."""
    return _settled(_once, text)


def _once(text: str) -> str:
    seen = "".join(character for character in text if not _is_invisible(character))
    return " ".join(unicodedata.normalize("NFKC", seen).split())


def _settled(form: Callable[[str], str], text: str) -> str:
    """The form of the form: what one pass brings together, the next may compose."""
    while (formed := form(text)) != text:
        text = formed
    return text


def canonical_name(text: str) -> str:
    """A name as it is stored and compared: of an enterprise, a project, a person, a place.

    Spaces beside Chinese characters carry nothing and go. Brackets are those of the business licence: full width in a
    name with Chinese characters, half width in any other."""
    return _settled(_name, text)


def _name(text: str) -> str:
    name = plain_text(text).translate(_DOTS)
    if not _HAN_LETTER.search(name):
        return name
    return _SPACE_AT_HAN.sub("", name).replace("(", "（").replace(")", "）")


def canonical_code(text: str) -> str:
    """A code without spaces, in capitals, its dashes one form."""
    return _settled(_code, text)


def _code(text: str) -> str:
    return _DASHES.sub("-", plain_text(text)).replace(" ", "").upper()


def visible_text(text: str) -> str:
    """What a person wrote in sentences or as an address: its own punctuation, without invisible marks."""
    seen = "".join(character for character in text if not _is_invisible(character))
    return unicodedata.normalize("NFC", seen).strip()
