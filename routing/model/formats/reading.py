"""Reading: which of the known formats a text is in, and the instance it holds."""

from __future__ import annotations

from pathlib import Path

from routing.model.formats import li_lim, sartori, solomon, vrplib
from routing.model.formats.build import build
from routing.model.formats.instance import Instance
from routing.model.formats.numbered import Lines, Malformed
from routing.model.problem import Primary

FORMATS = (sartori, vrplib, solomon, li_lim)


def parse(text: str, objective: Primary | None = None, *, name: str = "") -> Instance:
    """The instance in a text. Raises Malformed with the line and the reason."""
    lines = Lines(text)
    if not lines:
        raise Malformed(1, "the file is empty")
    for form in FORMATS:
        if form.looks_like(lines):
            parsed = form.parse(lines)
            parsed.name = parsed.name or name
            return build(parsed, objective)
    known = "Solomon, Li & Lim, Sartori & Buriol or VRPLIB"
    raise lines.all[0].wrong(f"{lines.all[0].text[:40]!r} does not begin a text of {known}")


def read(path: Path, objective: Primary | None = None) -> Instance:
    """The instance in a file. Raises Malformed, or OSError where there is no such file."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as wrong:
        line = 1 + bytes(wrong.object[: wrong.start]).count(b"\n")
        raise Malformed(line, f"it is not a text in UTF-8 (byte {wrong.start} of the file)") from wrong
    return parse(text, objective, name=path.stem)
