"""Sartori & Buriol texts: paired pickups and deliveries with time windows and a full matrix of whole minutes."""

from __future__ import annotations

import numpy as np

from routing.model.formats.numbered import Lines, Malformed, TextLine
from routing.model.formats.parsed import Node, ParsedInstance, numbered_once, pair_up
from routing.model.problem import Primary
from routing.model.profile import UNREACHABLE
from routing.model.quantities import MAX_AMOUNT, MAX_INSTANT_S

COLUMNS = ("number", "latitude", "longitude", "demand", "ready time", "due date", "service time", "pickup", "delivery")


def looks_like(lines: Lines) -> bool:
    """Whether a line is NODES or begins with SIZE, as in Sartori & Buriol files."""
    return any(line.text == "NODES" or line.text.startswith("SIZE:") for line in lines.all)


def parse(lines: Lines) -> ParsedInstance:
    """The instance in these lines. Raises Malformed, which names the line."""
    header = _header(lines)
    size_line, size = _entry(header, "SIZE")
    _, capacity = _entry(header, "CAPACITY", MAX_AMOUNT)
    nodes: list[Node] = []
    partners: list[tuple[int, int]] = []
    for _ in range(size):
        line = lines.take(f"one of {size} nodes")
        if line.text == "EDGES":
            raise line.wrong(f"EDGES after {len(nodes)} nodes, where SIZE on line {size_line.number} says {size}")
        _, x, y, _, ready, due, service, _, _ = line.numbers(COLUMNS)
        words = line.text.split()
        demand = line.whole(words[3], "demand", -MAX_AMOUNT, MAX_AMOUNT)
        nodes.append(Node(line, line.whole(words[0], "number"), float(x), float(y), demand, ready, due, service))
        partners.append((line.whole(words[7], "pickup"), line.whole(words[8], "delivery")))
    numbered_once(nodes, lines.last)
    line = lines.take("EDGES")
    if line.text != "EDGES":
        raise line.wrong(f"{line.text[:40]!r} where EDGES should follow {size} nodes")
    matrix = np.empty((size, size), dtype=np.int64)
    for row in range(size):
        matrix[row] = _row(lines.take(f"row {row + 1} of {size}"), size, row)
    for line in lines:
        if line.text != "EOF":
            raise line.wrong(f"{line.text[:40]!r} after the last row of the matrix")
    longest = _entry(header, "ROUTE-TIME")[1] if "ROUTE-TIME" in header else None
    closes = nodes[0].due
    if longest is not None and closes is not None and longest >= closes - nodes[0].ready:
        longest = None  # the depot's own window says as much
    name = header["NAME"][1] if "NAME" in header else ""
    pairs = pair_up(nodes, partners)
    return ParsedInstance(name, nodes, capacity, None, pairs, matrix, longest, primary=Primary.VEHICLES)


def _header(lines: Lines) -> dict[str, tuple[TextLine, str]]:
    header: dict[str, tuple[TextLine, str]] = {}
    for line in lines:
        if line.text == "NODES":
            return header
        key, colon, value = line.text.partition(":")
        if not colon:
            raise line.wrong(f"{line.text[:40]!r} where a 'KEY: value' or NODES should follow")
        header[key.strip().upper()] = (line, value.strip())
    raise Malformed(lines.last, "the file ends before NODES")


def _entry(header: dict[str, tuple[TextLine, str]], key: str, highest: int = MAX_INSTANT_S) -> tuple[TextLine, int]:
    if key not in header:
        raise Malformed(1, f"the header has no {key}")
    line, value = header[key]
    return line, line.whole(value, key, 0, highest)


def _row(line: TextLine, size: int, row: int) -> list[int]:
    words = line.text.split()
    if len(words) != size:
        raise line.wrong(f"{len(words)} entries in a matrix row where {size} are expected")
    entries = line.wholes(words)
    if max(entries) > UNREACHABLE:
        raise line.wrong(f"an entry is {max(entries)}: that is too long to count with")
    if entries[row] != 0:
        raise line.wrong(f"entry {row + 1} is {entries[row]}: a place is 0 from itself")
    return entries
