"""Solomon and Gehring-Homberger texts: deliveries with one time window each, from one depot."""

from __future__ import annotations

from routing.model.formats.numbered import Lines
from routing.model.formats.parsed import Node, ParsedInstance, depot_first, numbered_once
from routing.model.problem import Primary
from routing.model.quantities import MAX_AMOUNT

COLUMNS = ("number", "x", "y", "demand", "ready time", "due date", "service time")


def looks_like(lines: Lines) -> bool:
    """Whether the second line is VEHICLE, as in Solomon and Gehring-Homberger files."""
    return len(lines.all) > 1 and lines.all[1].text.upper() == "VEHICLE"


def parse(lines: Lines) -> ParsedInstance:
    """The instance in these lines. Raises Malformed, which names the line."""
    name = lines.take("the name").text
    lines.take("VEHICLE")
    _heading(lines, "NUMBER", "NUMBER and CAPACITY")
    line = lines.take("the number of vehicles and their capacity")
    words = line.text.split()
    if len(words) != 2:
        raise line.wrong(f"{len(words)} values where 2 are expected (number of vehicles, capacity)")
    fleet, capacity = line.whole(words[0], "number of vehicles"), line.whole(words[1], "capacity", 0, MAX_AMOUNT)
    _heading(lines, "CUSTOMER", "CUSTOMER")
    _heading(lines, "CUST", "the columns' names")
    nodes = []
    for line in lines:
        _, x, y, _, ready, due, service = line.numbers(COLUMNS)
        words = line.text.split()
        demand = line.whole(words[3], "demand", 0, MAX_AMOUNT)
        nodes.append(
            Node(line, line.whole(words[0], "number"), float(x), float(y), demand, ready, due, service),
        )
    numbered_once(nodes, lines.last)
    depot_first(nodes)
    return ParsedInstance(name, nodes, capacity, fleet, primary=Primary.DISTANCE)


def _heading(lines: Lines, word: str, what: str) -> None:
    line = lines.take(what)
    if not line.text.upper().startswith(word):
        raise line.wrong(f"{line.text[:40]!r} where {what} should follow")
