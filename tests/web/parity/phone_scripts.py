"""Phone scripts: the bodies that the courier's phone puts together, read from the scripts themselves.

A body is an object literal. Its plain names are always sent, and what is spread into it comes from another body. Names
that are written later (``body.found = …``, ``body[name] = …`` in a loop over names) are sent at times."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SCRIPTS = Path("web/static/courier")
OPENING, CLOSING = "([{", ")]}"
QUOTES = "\"'`"


@dataclass(frozen=True)
class Body:
    """An object literal: what it always names, and what is spread into it (``...act.body``)."""

    names: frozenset[str]
    spreads: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sending:
    """A request that writes: its address, in which ``*`` stands for what is put in, and its body."""

    address: str
    body: Body


def scripts() -> dict[str, str]:
    """Each script of the phone without its comments, by its name."""
    return {path.name: without_comments(path.read_text(encoding="utf-8")) for path in sorted(SCRIPTS.glob("*.js"))}


def without_comments(script: str) -> str:
    """The script without ``/* … */`` and ``// …``; an address in quotes keeps its ``//``."""
    return re.sub(r"/\*.*?\*/|(?<![:\"'`])//[^\n]*", "", script, flags=re.DOTALL)


def sendings(script: str) -> Iterator[Sending]:
    """Every request of the script that carries a JSON body."""
    for call in re.finditer(r"\brequest\(\s*([\"'`])(?P<address>[^\"'`]+)\1\s*,\s*(?=\{)", script):
        options = _entries(script, call.end())
        body = next((value for name, value in options if name == "json"), None)
        if body is not None and body.startswith("{"):
            yield Sending(re.sub(r"\$\{[^}]*\}", "*", call["address"]), body_at(body, 0))


def bodies(script: str, marker: str) -> Iterator[Body]:
    """The object literals that follow wherever the marker stands: ``const body = `` or ``tell(``."""
    for found in re.finditer(marker + r"\s*(?=\{)", script):
        yield body_at(script, found.end())


def body_at(script: str, at: int) -> Body:
    """The object literal that opens here."""
    entries = _entries(script, at)
    spread = tuple(name[3:] for name, _ in entries if name.startswith("..."))
    return Body(frozenset(name for name, _ in entries if not name.startswith("...")), spread)


def written_later(script: str) -> set[str]:
    """Names that are put into a body after it was made, one by one or in a loop over a list of names."""
    names = set(re.findall(r"\bbody\.(\w+) = ", script))
    for loop in re.finditer(r"for \(const (\w+) of \[([^\]]*)\]\)([^\n]*)", script):
        if f"body[{loop[1]}] = " in loop[3]:
            names |= set(re.findall(r"\"(\w+)\"", loop[2]))
    return names


def _entries(script: str, at: int) -> list[tuple[str, str]]:
    """Name and value of each entry of the object literal that opens here; ``...x`` for what is spread into it."""
    found = list[tuple[str, str]]()
    for part in _parts(script, at + 1):
        if part.startswith("..."):
            found.append((part, ""))
        elif entry := re.match(r"(\w+)\s*(?::\s*(.*))?$", part, flags=re.DOTALL):
            found.append((entry[1], entry[2] or entry[1]))
        else:
            raise ValueError(f"no entry of an object: {part}")
    return found


def _parts(script: str, at: int) -> Iterator[str]:
    """What stands between commas, until the bracket that was opened before ``at`` closes."""
    depth, quote, begin = 0, "", at
    for place in range(at, len(script)):
        letter = script[place]
        if quote:
            quote = "" if letter == quote and script[place - 1] != "\\" else quote
        elif letter in QUOTES:
            quote = letter
        elif letter in OPENING:
            depth += 1
        elif letter in CLOSING and depth:
            depth -= 1
        elif letter in CLOSING or (letter == "," and not depth):
            if part := script[begin:place].strip():
                yield part
            if letter in CLOSING:
                return
            begin = place + 1
    raise ValueError("the object does not close")
