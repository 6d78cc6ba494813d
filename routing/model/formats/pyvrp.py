"""PyVRP's dialect of VRPLIB: several depots, each vehicle with its own, a mixed fleet, papers both ways at a stop.

What it can say and this model cannot (reloading, prizes, groups) is refused by its
line, unless it says nothing there: no time, no prize."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from routing.model.formats.build import latest_due, node_service, node_window, rounded_lengths
from routing.model.formats.instance import Instance
from routing.model.formats.numbered import Lines, Malformed, TextLine
from routing.model.formats.parsed import Node, ParsedInstance, Rounding
from routing.model.formats.vrplib import KEYS, ROUNDINGS, SECTIONS, VrplibFile, split
from routing.model.problem import Objective, Primary, Problem
from routing.model.profile import Profile
from routing.model.quantities import MAX_AMOUNT, MAX_INSTANT_S, InvalidProblem, Load
from routing.model.request import Request, RequestKind, Stop
from routing.model.vehicle import Vehicle

TYPES = ("CVRP", "DCVRP", "VRPTW", "CVRPTW", "MDVRP", "MDVRPTW", "HFVRP", "SDVRP", "VRPSPD", "VRPSPDTW")
OF_VEHICLES = {
    *("VEHICLES_DEPOT", "VEHICLES_FIXED_COST", "VEHICLES_MAX_DURATION", "VEHICLES_MAX_DISTANCE"),
    *("VEHICLES_ALLOWED_CLIENTS", "CAPACITY"),
}
BY_NODE = {"BACKHAUL_SECTION", "LINEHAUL_SECTION", "RELEASE_TIME_SECTION"}
NOTHING_ELSE = {
    "PRIZE_SECTION": (Decimal(0), "as much as possible is served, whatever the way costs"),
    "VEHICLES_UNIT_DISTANCE_COST": (Decimal(1), "a metre costs the same for every vehicle"),
}
"""The one value that may stand there, and why no other."""
NOT_KNOWN = {
    "VEHICLES_RELOAD_DEPOT": "a vehicle does not reload",
    "VEHICLES_MAX_RELOADS": "a vehicle does not reload",
    "MUTUALLY_EXCLUSIVE_GROUP": "a stop is no alternative to another",
    "PICKUP_AND_DELIVERY": "pairs are read where nothing else of the dialect stands",
}
SCALARS = {
    *("VEHICLES_FIXED_COST", "VEHICLES_MAX_DURATION", "VEHICLES_MAX_DISTANCE", "VEHICLES_UNIT_DISTANCE_COST"),
    *NOT_KNOWN,
}
MARKS = (
    {f"{key}_SECTION" for key in OF_VEHICLES} | BY_NODE | NOTHING_ELSE.keys() | SCALARS
    | {f"{key}_SECTION" for key in SCALARS}
) - {"PICKUP_AND_DELIVERY", "PICKUP_AND_DELIVERY_SECTION"}  # fmt: skip


def looks_like(lines: Lines) -> bool:
    """Whether it is VRPLIB with something that PyVRP alone writes."""
    keys = {line.text.partition(":")[0].strip().upper() for line in lines.all}
    return "DIMENSION" in keys and bool(keys & MARKS)


def parse(lines: Lines, objective: Primary | None, name: str) -> Instance:
    """The instance in these lines. Raises Malformed, which names the line."""
    header, sections = split(lines, KEYS | SCALARS)
    return _Dialect(header, sections, lines.last).instance(objective, name)


class _Dialect(VrplibFile):
    """The parts of one file, and the day that they make."""

    def instance(self, objective: Primary | None, name: str) -> Instance:
        self._refuse()
        weights = self.weights(TYPES)
        matrix = self.matrix() if weights == "EXPLICIT" else None
        nodes, depots = self.nodes(matrix is None), self.depots()
        if "DEMAND_SECTION" not in self.sections and "LINEHAUL_SECTION" in self.sections:
            nodes = self._with_demand(nodes, self._by_node("LINEHAUL_SECTION"))
        back = self._by_node("BACKHAUL_SECTION") if "BACKHAUL_SECTION" in self.sections else [0] * self.size
        released = self._by_node("RELEASE_TIME_SECTION") if "RELEASE_TIME_SECTION" in self.sections else [0] * self.size
        rounding = Rounding.AS_GIVEN if matrix is not None else ROUNDINGS[weights]
        if rounding is Rounding.DOUBLE:
            raise self.header["EDGE_WEIGHT_TYPE"][0].wrong(f"EDGE_WEIGHT_TYPE is {weights}: whole lengths are needed")
        xy = np.array([(node.x, node.y) for node in nodes], dtype=np.float64)
        latest = latest_due(ParsedInstance(name, nodes, 0, matrix=matrix), xy)
        nodes = [node if node.due is not None else _due(node, latest) for node in nodes]
        customers = [at for at in range(self.size) if at + 1 not in depots]
        allowed = self._allowed(customers, depots)
        requests = [_request(nodes[at], at, back[at], released[at], allowed.get(at + 1)) for at in customers]
        try:
            problem = Problem(
                (Profile(rounded_lengths(nodes, xy, rounding, 1) if matrix is None else matrix),),
                tuple(requests),
                tuple(self._fleet(nodes, depots, allowed, len(requests))),
                Objective(objective or Primary.DISTANCE, travel_per_s=0, travel_per_m=1),
                tuple((node.x, node.y) for node in nodes),
            )
        except InvalidProblem as wrong:
            raise Malformed(None, str(wrong)) from wrong
        title = self.header["NAME"][1] if "NAME" in self.header else name
        numbers: dict[tuple[str, int], int | str] = {(f"{at + 1}", 0): at + 1 for at in customers}
        return Instance(title, problem, rounding, 1, numbers, in_terms=True)

    def _refuse(self) -> None:
        """What this model does not know, by its line."""
        known = (SECTIONS - {"PICKUP_AND_DELIVERY_SECTION"}) | BY_NODE | {f"{key}_SECTION" for key in OF_VEHICLES}
        for key, (line, body) in self.sections.items():
            plain = key.removesuffix("_SECTION")
            may_be, why = NOTHING_ELSE.get(key) or NOTHING_ELSE.get(plain) or (None, "")
            if may_be is not None:
                odd = next((row for row in body if _numbers(row)[1:] != [may_be]), None)
                if odd is not None:
                    raise odd.wrong(f"{key} says {odd.text[:40]!r}: {why}")
            elif plain in NOT_KNOWN and body:
                raise line.wrong(f"{key}: {NOT_KNOWN[plain]}")
            elif plain not in NOT_KNOWN and key not in known:
                raise line.wrong(f"{key} is not known here")
        for key, (line, value) in self.header.items():
            if key in NOT_KNOWN:
                raise line.wrong(f"{key}: {NOT_KNOWN[key]}")
            if key in NOTHING_ELSE and line.number_of(value, key) != NOTHING_ELSE[key][0]:
                raise line.wrong(f"{key} is {value}: {NOTHING_ELSE[key][1]}")

    def _by_node(self, key: str) -> list[int]:
        rows = self.rows(key, ("amount",))
        return [rows[at][0].whole(rows[at][0].text.split()[1], "amount", 0, MAX_AMOUNT) for at in sorted(rows)]

    @staticmethod
    def _with_demand(nodes: list[Node], amounts: list[int]) -> list[Node]:
        return [
            Node(n.line, n.number, n.x, n.y, amount, n.ready, n.due, n.service)
            for n, amount in zip(nodes, amounts, strict=True)
        ]

    def _fleet(
        self, nodes: list[Node], depots: list[int], allowed: dict[int, frozenset[int]], most: int
    ) -> list[Vehicle]:
        count = self._count(most)
        capacity = self._each("CAPACITY", count, MAX_AMOUNT, None)
        homes = self._each("VEHICLES_DEPOT", count, self.size, depots[0])
        costs = self._each("VEHICLES_FIXED_COST", count, MAX_AMOUNT, 0)
        longest = self._each("VEHICLES_MAX_DURATION", count, MAX_INSTANT_S, None)
        farthest = self._each("VEHICLES_MAX_DISTANCE", count, MAX_AMOUNT, None)
        fleet = []
        for at in range(count):
            home = homes[at] or depots[0]
            if home not in depots:
                raise self.sections["VEHICLES_DEPOT_SECTION"][0].wrong(f"vehicle {at + 1} starts at {home}: no depot")
            skills = frozenset(_skill(by) for by in allowed.values() if at + 1 in by)
            room = capacity[at] if capacity[at] is not None else MAX_AMOUNT
            fleet.append(
                Vehicle(
                    f"{at + 1}", home - 1, home - 1, node_window(nodes[home - 1], 1), Load(room or 0),
                    skills=skills, fixed_cost=costs[at] or 0, max_duty_s=longest[at], max_distance_m=farthest[at],
                )
            )  # fmt: skip
        return fleet

    def _each(self, key: str, count: int, highest: int, usual: int | None) -> list[int | None]:
        """One value for each vehicle: from its section, from the header for all, or the usual one."""
        if f"{key}_SECTION" not in self.sections:
            return [self.whole(key, 0, highest) if key in self.header else usual] * count
        heading, body = self.sections[f"{key}_SECTION"]
        found: dict[int, int | None] = {}
        for line in body:
            line.numbers(("vehicle", key))
            vehicle, value = line.text.split()
            number = line.whole(vehicle, "vehicle", 1, count)
            if number in found:
                raise line.wrong(f"vehicle {number} comes twice in {key}_SECTION")
            found[number] = line.whole(value, key, 0, highest)
        if len(found) != count:
            raise heading.wrong(f"{key}_SECTION has {len(found)} rows: there are {count} vehicles")
        return [found[at] for at in range(1, count + 1)]

    def _allowed(self, customers: list[int], depots: list[int]) -> dict[int, frozenset[int]]:
        """By node, the vehicles that may serve it; only nodes that not every vehicle may serve."""
        if "VEHICLES_ALLOWED_CLIENTS_SECTION" not in self.sections:
            return {}
        heading, body = self.sections["VEHICLES_ALLOWED_CLIENTS_SECTION"]
        count, serves = self._count(len(customers)), dict[int, set[int]]()
        for line in body:
            vehicle, *clients = (line.whole(word, "client", 1) for word in line.text.split())
            if vehicle in serves or vehicle > count:
                raise line.wrong(f"vehicle {vehicle} comes twice, or is none of {count}")
            if odd := [client for client in clients if client > self.size or client in depots]:
                raise line.wrong(f"vehicle {vehicle} may serve {odd[0]}: no customer")
            serves[vehicle] = set(clients)
        if len(serves) != count:
            raise heading.wrong(f"VEHICLES_ALLOWED_CLIENTS_SECTION has {len(serves)} rows: there are {count} vehicles")
        by = {at + 1: frozenset(v for v, clients in serves.items() if at + 1 in clients) for at in customers}
        return {node: vehicles for node, vehicles in by.items() if len(vehicles) < count}

    def _count(self, usual: int) -> int:
        return self.whole("VEHICLES", 1, MAX_AMOUNT) if "VEHICLES" in self.header else usual


def _numbers(line: TextLine) -> list[Decimal]:
    return [line.number_of(word, "value") for word in line.text.split()]


def _skill(vehicles: frozenset[int]) -> str:
    """What only these vehicles have."""
    return f"of {' '.join(map(str, sorted(vehicles)))}"


def _due(node: Node, latest: Decimal) -> Node:
    return Node(node.line, node.number, node.x, node.y, node.demand, node.ready, latest, node.service)


def _request(node: Node, at: int, back: int, released_s: int, by: frozenset[int] | None) -> Request:
    if node.demand < 0:
        raise node.line.wrong(f"node {node.number} has demand {node.demand}, less than 0")
    kind = RequestKind.DELIVERY if not back else RequestKind.EXCHANGE if node.demand else RequestKind.PICKUP
    if released_s and kind is RequestKind.PICKUP:
        raise node.line.wrong(f"node {node.number} is released at {released_s}, and nothing is brought to it")
    skills = frozenset[str]() if by is None else frozenset({_skill(by)})
    stop = Stop(
        at, (node_window(node, 1),), node_service(node, 1), delivers=Load(node.demand), collects=Load(back),
        skills=skills,
    )  # fmt: skip
    return Request(f"{node.number}", kind, (stop,), release_s=released_s)
