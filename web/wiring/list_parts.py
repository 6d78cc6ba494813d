"""What the pages of lists share: choices read from the URL, pages by number, and the list as a sheet."""

from collections.abc import Sequence
from enum import StrEnum
from typing import TypeVar

from flask import Response, request
from flask_babel import gettext

from web.wiring.auth import current_actor
from web.wiring.formatting import in_words
from web.wiring.security_log import SecurityKind, record_apart
from web.wiring.sheets import XLSX, Plain, comma_separated, xlsx

MOST_PAGES = 100_000
MOST_EXPORTED = 20_000
"""Rows of one sheet: the open cases of the largest province."""

Word = TypeVar("Word", bound=StrEnum)


def one_of(words: type[Word], name: str) -> Word | None:
    """The choice in the URL; None where it is no choice."""
    typed = request.args.get(name, "")
    return words(typed) if typed in {word.value for word in words} else None


def row_id(name: str) -> int | None:
    """An id in the URL, as a column holds it; None where it can be none."""
    typed = request.args.get(name, "")
    number = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 11 else 0
    return number if 0 < number < 2**31 else None


def page_number() -> int:
    """Which page of the list."""
    return min(max(request.args.get("page", 1, type=int), 1), MOST_PAGES)


def sheet(name: str, title: str, heads: Sequence[str], rows: Sequence[tuple[Plain, ...]], ending: str) -> Response:
    """The rows as CSV or as a workbook; that they went out is on record."""
    words = [in_words(head) for head in heads]
    if ending == "csv":
        body, kind = comma_separated(words, rows), "text/csv; charset=utf-8"
    else:
        body, kind = xlsx([(gettext(title), words, rows)]), XLSX
    record_apart(SecurityKind.EXPORTED, account_id=current_actor().account_id, subject=f"{name}.{ending}")
    response = Response(body, content_type=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="daiban-{name}.{ending}"'
    return response
