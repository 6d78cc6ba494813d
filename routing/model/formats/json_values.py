"""JSON texts and their values, refused by line or path."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from routing.model.formats.numbered import Malformed


def looks_like(text: str) -> bool:
    """Whether a text is a JSON object, which no other format begins as."""
    return text.lstrip()[:1] == "{"


def value_of(text: str) -> object:
    """The value of a text. Raises Malformed with the line."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as wrong:
        raise Malformed(wrong.lineno, f"it is no JSON: {wrong.msg} at column {wrong.colno}") from wrong
    except (RecursionError, ValueError) as wrong:
        raise Malformed(1, "it is nested too deep, or a number in it is too long") from wrong


def as_object(path: str, raw: object, known: set[str]) -> Mapping[str, Any]:
    """The value as an object with no other keys. Raises Malformed."""
    if not isinstance(raw, dict):
        raise Malformed(None, f"{path or 'the file'} is no object")
    unknown = sorted(set(raw) - known)
    if unknown:
        raise Malformed(None, f"{path}{'.' if path else ''}{unknown[0]} is not known: there are {sorted(known)}")
    return raw


def as_list(path: str, raw: object) -> list[Any]:
    """The value as a list. Raises Malformed."""
    if not isinstance(raw, list):
        raise Malformed(None, f"{path} is no list")
    return raw
