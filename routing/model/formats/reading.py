"""Reading: which of the known formats a text is in, and the instance it holds."""

from __future__ import annotations

import codecs
from pathlib import Path

from routing.model.formats import day, json_values, li_lim, pyvrp, sartori, solomon, vroom, vrplib
from routing.model.formats.build import build
from routing.model.formats.instance import Instance
from routing.model.formats.numbered import Lines, Malformed
from routing.model.problem import Primary

FORMATS = (sartori, vrplib, solomon, li_lim)


def parse(text: str, objective: Primary | None = None, *, name: str = "") -> Instance:
    """The instance in a text. Raises Malformed with the line and the reason."""
    if json_values.looks_like(text):
        raw = json_values.value_of(text)
        return vroom.parse(raw, name) if vroom.looks_like(raw) else day.parse(raw, name)
    lines = Lines(text)
    if not lines:
        raise Malformed(1, "the file is empty")
    if pyvrp.looks_like(lines):
        return pyvrp.parse(lines, objective, name)
    for form in FORMATS:
        if form.looks_like(lines):
            parsed = form.parse(lines)
            parsed.name = parsed.name or name
            return build(parsed, objective)
    known = "JSON (a day, or VROOM's), Solomon, Li & Lim, Sartori & Buriol or VRPLIB (PyVRP's too)"
    raise lines.all[0].wrong(f"{lines.all[0].text[:40]!r} does not begin a text of {known}")


def read(path: Path, objective: Primary | None = None) -> Instance:
    """The instance in a file. Raises Malformed, or OSError where there is no such file."""
    return parse(_text(path.read_bytes()), objective, name=path.stem)


def _text(raw: bytes) -> str:
    """Bytes as a text: UTF-16 by its mark, else UTF-8, else what Chinese Windows writes."""
    if raw[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return raw.decode("utf-16", errors="replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        try:
            return raw.decode("gb18030")
        except UnicodeDecodeError:
            line = 1 + raw[: wrong.start].count(b"\n")
            reason = f"it is not a text in UTF-8, UTF-16 or GB18030 (byte {wrong.start} of the file)"
            raise Malformed(line, reason) from wrong
