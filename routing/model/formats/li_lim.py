"""Li & Lim texts: paired pickups and deliveries with time windows, from one depot."""

from __future__ import annotations

from routing.model.formats.numbered import Lines
from routing.model.formats.parsed import Node, ParsedInstance, Rounding, depot_first, numbered_once, pair_up
from routing.model.problem import Primary
from routing.model.quantities import MAX_AMOUNT

COLUMNS = ("number", "x", "y", "demand", "ready time", "due date", "service time", "pickup", "delivery")


def looks_like(lines: Lines) -> bool:
    """Whether the first line is the two or three numbers that begin a Li & Lim file."""
    words = lines.all[0].text.split() if lines.all else []
    return len(words) in (2, 3) and all(word.lstrip("+-").replace(".", "", 1).isdigit() for word in words)


def parse(lines: Lines) -> ParsedInstance:
    """The instance in these lines. Raises Malformed, which names the line."""
    line = lines.take("the number of vehicles, capacity and speed")
    words = line.text.split()
    fleet, capacity = line.whole(words[0], "number of vehicles"), line.whole(words[1], "capacity", 0, MAX_AMOUNT)
    for word in words[2:]:
        line.number_of(word, "speed")  # written as 0 or 1, and never used
    nodes, partners = [], []
    for line in lines:
        _, x, y, _, ready, due, service, _, _ = line.numbers(COLUMNS)
        words = line.text.split()
        demand = line.whole(words[3], "demand", -MAX_AMOUNT, MAX_AMOUNT)
        nodes.append(Node(line, line.whole(words[0], "number"), float(x), float(y), demand, ready, due, service))
        partners.append((line.whole(words[7], "pickup"), line.whole(words[8], "delivery")))
    numbered_once(nodes, lines.last)
    depot_first(nodes)
    pairs = pair_up(nodes, partners)
    return ParsedInstance("", nodes, capacity, fleet, pairs, rounding=Rounding.DOUBLE, primary=Primary.VEHICLES)
