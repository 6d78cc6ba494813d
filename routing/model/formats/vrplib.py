"""VRPLIB texts: KEY : value lines, then sections; with or without windows, coordinates or a matrix, pairs or
deliveries."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from routing.model.formats.numbered import Lines, Malformed, TextLine
from routing.model.formats.parsed import Node, ParsedInstance, Rounding, numbered_once, pair_up
from routing.model.problem import Primary
from routing.model.profile import UNREACHABLE
from routing.model.quantities import MAX_AMOUNT, MAX_INSTANT_S

ROUNDINGS = {
    "EUC_2D": Rounding.NEAREST,
    "CEIL_2D": Rounding.UP,
    "FLOOR_2D": Rounding.DOWN,
    "EXACT_2D": Rounding.DOUBLE,
}

KEYS = {
    *("NAME", "COMMENT", "TYPE", "DIMENSION", "CAPACITY", "VEHICLES", "DISTANCE", "SERVICE_TIME", "NODE_COORD_TYPE"),
    *("EDGE_WEIGHT_TYPE", "EDGE_WEIGHT_FORMAT", "DISPLAY_DATA_TYPE"),
}
TYPES = ("CVRP", "DCVRP", "VRPTW", "CVRPTW", "PDPTW")
"""What a file may ask for. Open routes, several depots or mixed fleets mean another problem, not this one."""


def looks_like(lines: Lines) -> bool:
    """Whether some line gives a DIMENSION, which every VRPLIB file has."""
    return any(line.text.partition(":")[0].strip().upper() == "DIMENSION" for line in lines.all)


def parse(lines: Lines) -> ParsedInstance:
    """The instance in these lines. Raises Malformed, which names the line."""
    header, sections = split(lines)
    return VrplibFile(header, sections, lines.last).parsed()


def split(
    lines: Lines, keys: Collection[str] = KEYS
) -> tuple[dict[str, tuple[TextLine, str]], dict[str, tuple[TextLine, list[TextLine]]]]:
    """The header and the sections of a text; no key but ``keys``, and nothing twice. Raises Malformed."""
    header: dict[str, tuple[TextLine, str]] = {}
    sections: dict[str, tuple[TextLine, list[TextLine]]] = {}
    body: list[TextLine] | None = None
    for line in lines:
        key, colon, value = line.text.partition(":")
        key = key.strip().upper()
        if key == "EOF":
            break
        if key.endswith("_SECTION"):
            if key in sections:
                raise line.wrong(f"{key} comes twice")
            body = []
            sections[key] = (line, body)
        elif colon and key in keys:
            if key in header and key != "COMMENT":
                raise line.wrong(f"{key} comes twice")
            header[key] = (line, value.strip().strip('"'))
            body = None
        elif body is None:
            raise line.wrong(f"{line.text[:40]!r} is neither a known 'KEY : value' nor a section")
        else:
            body.append(line)
    return header, sections


class VrplibFile:
    """The parts of one file, read as they are needed."""

    def __init__(
        self, header: dict[str, tuple[TextLine, str]], sections: dict[str, tuple[TextLine, list[TextLine]]], last: int
    ) -> None:
        self.header, self.sections, self.last = header, sections, last
        # A node is named at least once, by a row or by an entry of the matrix: memory is taken for no more than these.
        words = sum(len(line.text.split()) for _, body in sections.values() for line in body)
        self.size = self.whole("DIMENSION", 1)
        if self.size > max(1, words):
            line, _ = header["DIMENSION"]
            raise line.wrong(f"DIMENSION is {self.size}, and all sections together hold {words} values")

    def parsed(self) -> ParsedInstance:
        for key, (line, _) in self.sections.items():
            if key not in SECTIONS:
                raise line.wrong(f"{key} is not known here")
        weights = self.weights(TYPES)
        matrix = self.matrix() if weights == "EXPLICIT" else None
        nodes, depot = self.nodes(matrix is None), self.depot()
        pairs = []
        if "PICKUP_AND_DELIVERY_SECTION" in self.sections:
            nodes, partners = self._paired(nodes)
            # The depot comes first for whoever reads the pairs; 1 is its number, which these files write as 0 too.
            partners = [(0 if a == depot else a, 0 if b == depot else b) for a, b in partners]
            nodes, partners, matrix = _first(nodes, depot, matrix, partners)
            pairs = pair_up(nodes, partners)
        else:
            nodes, _, matrix = _first(nodes, depot, matrix, [])
        longest = self.whole("DISTANCE") if "DISTANCE" in self.header else None
        fleet = self.whole("VEHICLES") if "VEHICLES" in self.header else None
        name = self.header["NAME"][1] if "NAME" in self.header else ""
        primary = Primary.VEHICLES if pairs else Primary.DISTANCE
        rounding = ROUNDINGS.get(weights, Rounding.NEAREST)
        return ParsedInstance(
            name, nodes, self.whole("CAPACITY", 0, MAX_AMOUNT), fleet, pairs, matrix, longest, rounding, primary
        )

    def weights(self, types: tuple[str, ...]) -> str:
        """How the lengths are given, in a file that asks for one of these types."""
        kind = self.word("TYPE", types[0])
        if kind not in types:
            raise self.header["TYPE"][0].wrong(f"TYPE is {kind[:40]}: there are {[*types]}")
        weights = self.word("EDGE_WEIGHT_TYPE", "EUC_2D")
        if weights != "EXPLICIT" and weights not in ROUNDINGS:
            raise self.header["EDGE_WEIGHT_TYPE"][0].wrong(f"EDGE_WEIGHT_TYPE is {weights}: there are {[*ROUNDINGS]}")
        return weights

    def word(self, key: str, default: str) -> str:
        """A value of the header in capitals, or what stands for it."""
        return self.header[key][1].upper() if key in self.header else default

    def whole(self, key: str, lowest: int = 0, highest: int = MAX_INSTANT_S) -> int:
        """A whole number of the header."""
        if key not in self.header:
            raise Malformed(1, f"the header has no {key}")
        line, value = self.header[key]
        return line.whole(value, key, lowest, highest)

    def rows(self, key: str, columns: tuple[str, ...]) -> dict[int, tuple[TextLine, tuple[Decimal, ...]]]:
        """The rows of a section by node, one for each."""
        heading, body = self.sections[key]
        rows: dict[int, tuple[TextLine, tuple[Decimal, ...]]] = {}
        for line in body:
            _, *values = line.numbers(("node", *columns))
            node = line.whole(line.text.split()[0], "node", 1)
            if node > self.size:
                raise line.wrong(f"node is {node}, DIMENSION {self.size}")
            if node in rows:
                raise line.wrong(f"node {node} comes twice in {key}")
            rows[node] = (line, tuple(values))
        if len(rows) != self.size:
            raise heading.wrong(f"{key} has {len(rows)} rows, DIMENSION is {self.size}")
        return rows

    def nodes(self, placed: bool) -> list[Node]:
        """Every node, with what the sections say of it."""
        if placed and "NODE_COORD_SECTION" not in self.sections:
            raise Malformed(self.last, "there is neither a NODE_COORD_SECTION nor an EDGE_WEIGHT_SECTION")
        everywhere = TextLine(self.header["DIMENSION"][0].number, "")
        nodes = [Node(everywhere, at, 0.0, 0.0, due=None) for at in range(1, self.size + 1)]
        if "NODE_COORD_SECTION" in self.sections:
            for at, (line, (x, y)) in self.rows("NODE_COORD_SECTION", ("x", "y")).items():
                nodes[at - 1] = replace(nodes[at - 1], line=line, x=float(x), y=float(y))
        if "DEMAND_SECTION" in self.sections:
            for at, (line, _) in self.rows("DEMAND_SECTION", ("demand",)).items():
                demand = line.whole(line.text.split()[1], "demand", -MAX_AMOUNT, MAX_AMOUNT)
                nodes[at - 1] = replace(nodes[at - 1], line=line, demand=demand)
        if "SERVICE_TIME" in self.header:
            line, value = self.header["SERVICE_TIME"]
            service = line.number_of(value, "SERVICE_TIME")
            nodes = [replace(node, service=service) for node in nodes]
        if "SERVICE_TIME_SECTION" in self.sections:
            for at, (line, (service,)) in self.rows("SERVICE_TIME_SECTION", ("service time",)).items():
                nodes[at - 1] = replace(nodes[at - 1], line=line, service=service)
        if "TIME_WINDOW_SECTION" in self.sections:
            for at, (line, (ready, due)) in self.rows("TIME_WINDOW_SECTION", ("ready time", "due date")).items():
                nodes[at - 1] = replace(nodes[at - 1], line=line, ready=ready, due=due)
        numbered_once(nodes, self.last)
        return nodes

    def _paired(self, nodes: list[Node]) -> tuple[list[Node], list[tuple[int, int]]]:
        columns = ("demand", "ready time", "due date", "service time", "pickup", "delivery")
        partners = [(0, 0)] * self.size
        nodes = list(nodes)
        for at, (line, values) in self.rows("PICKUP_AND_DELIVERY_SECTION", columns).items():
            words = line.text.split()
            demand = line.whole(words[1], "demand", -MAX_AMOUNT, MAX_AMOUNT)
            nodes[at - 1] = replace(
                nodes[at - 1], line=line, demand=demand, ready=values[1], due=values[2], service=values[3]
            )
            partners[at - 1] = (line.whole(words[5], "pickup"), line.whole(words[6], "delivery"))
        return nodes, partners

    def depot(self) -> int:
        """The one depot."""
        depots = self.depots()
        if len(depots) != 1:
            raise self.sections["DEPOT_SECTION"][0].wrong(f"the depots are {depots}: one is expected")
        return depots[0]

    def depots(self) -> list[int]:
        """The depots, as nodes."""
        if "DEPOT_SECTION" not in self.sections:
            return [1]
        heading, body = self.sections["DEPOT_SECTION"]
        depots: list[int] = []
        for line in body:
            for word in line.text.split():
                if word == "-1":
                    break
                depots.append(line.whole(word, "depot", 1))
        if not depots or len(set(depots)) < len(depots) or max(depots) > self.size:
            raise heading.wrong(f"the depots are {depots}: nodes of {self.size} are expected, each once")
        return depots

    def matrix(self) -> NDArray[np.int64]:
        """The lengths as they are written."""
        if "EDGE_WEIGHT_SECTION" not in self.sections:
            raise Malformed(self.last, "EDGE_WEIGHT_TYPE is EXPLICIT and there is no EDGE_WEIGHT_SECTION")
        heading, body = self.sections["EDGE_WEIGHT_SECTION"]
        form = self.word("EDGE_WEIGHT_FORMAT", "FULL_MATRIX")
        if form not in _SHAPES:
            raise heading.wrong(f"EDGE_WEIGHT_FORMAT is {form}: there are {[*_SHAPES]}")
        entries: list[int] = []
        for line in body:
            row = line.wholes(line.text.split())
            if max(row) > UNREACHABLE:
                raise line.wrong(f"an entry is {max(row)}: that is too long to count with")
            entries += row
        diagonal = self.size if "DIAG" in form else -self.size
        needed = self.size**2 if form == "FULL_MATRIX" else (self.size**2 + diagonal) // 2
        if len(entries) != needed:
            raise heading.wrong(f"{len(entries)} entries where {form} of {self.size} has {needed}")
        rows, columns = _SHAPES[form](self.size)
        matrix = np.zeros((self.size, self.size), dtype=np.int64)
        matrix[rows, columns] = entries
        if form != "FULL_MATRIX":
            matrix[columns, rows] = entries
        np.fill_diagonal(matrix, 0)  # files often write a large number there
        return matrix


Places = tuple[NDArray[np.intp], NDArray[np.intp]]


def _full(size: int) -> Places:
    return np.repeat(np.arange(size), size), np.tile(np.arange(size), size)


def _below(size: int) -> Places:
    return np.tril_indices(size, -1)


def _above(size: int) -> Places:
    return np.triu_indices(size, 1)


def _swapped(shape: Callable[[int], Places]) -> Callable[[int], Places]:
    return lambda size: shape(size)[::-1]


_SHAPES: dict[str, Callable[[int], Places]] = {
    "FULL_MATRIX": _full,
    "LOWER_ROW": _below,
    "LOWER_DIAG_ROW": np.tril_indices,
    "UPPER_ROW": _above,
    "UPPER_DIAG_ROW": np.triu_indices,
    "UPPER_COL": _swapped(_below),
    "LOWER_COL": _swapped(_above),
}

SECTIONS = {
    *("NODE_COORD_SECTION", "DEMAND_SECTION", "DEPOT_SECTION", "TIME_WINDOW_SECTION", "SERVICE_TIME_SECTION"),
    *("EDGE_WEIGHT_SECTION", "PICKUP_AND_DELIVERY_SECTION", "DISPLAY_DATA_SECTION"),
}


def _first(
    nodes: list[Node], depot: int, matrix: NDArray[np.int64] | None, partners: list[tuple[int, int]]
) -> tuple[list[Node], list[tuple[int, int]], NDArray[np.int64] | None]:
    """Everything with the depot in the first place."""
    order = [depot - 1, *(at for at in range(len(nodes)) if at != depot - 1)]
    if matrix is not None:
        matrix = matrix[np.ix_(order, order)]
    return [nodes[at] for at in order], [partners[at] for at in order] if partners else [], matrix
