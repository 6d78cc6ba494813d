"""Bounding: column generation that raises, round after round, what any plan of a problem costs at least."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from routing.model.bound_check import BoundCertificate
from routing.search.proof.columns import Columns
from routing.search.proof.fleets import DualPoint, least_cost, needed
from routing.search.proof.graphs import UNIT
from routing.search.proof.master import Master, MasterAnswer
from routing.search.proof.messages import PoolRows
from routing.search.proof.pricing import Pricing
from routing.search.proof.relaxation import Relaxation

SMOOTH = 0.8
"""How much of the best dual so far is in the next one (Wentges, International Transactions 4(2), 1997)."""
AT_ONCE, FEW = 200, 40
"""Routes taken from the pool at once, and so few that pricing goes on."""
FOUND_AT_ONCE = 250
POINTS = 80
"""Duals remembered."""
DEAR = 6.0
"""A stop is taken to be worth at most so many times the average, until leaving it out at that price pays."""
NEAR = 0.97


@dataclass(frozen=True, slots=True)
class Branch:
    """Numbers of vehicles that are looked at together."""

    fewest: int
    most: int


class Bounding:
    """A problem's bound while it rises."""

    def __init__(self, relaxation: Relaxation, upper: int) -> None:
        """``upper`` is what the best plan so far costs, in the core's units and without its constants."""
        self.relaxation, self.upper = relaxation, upper
        self.limits = [kind.limit for kind in relaxation.kinds]
        self.columns = Columns()
        self.pricing = Pricing(relaxation.kinds, relaxation.stops)
        dear = DEAR * max(1.0, upper / max(1, relaxation.stops))
        self.charged = np.minimum(relaxation.prices, np.where(relaxation.hopeless, relaxation.prices, dear))
        self.master = Master(self.columns, self.charged.tolist(), self.limits)
        self.branch = Branch(0, sum(self.limits))
        self.points = [self.pricing.cheapest_alone()]
        self.rounds, self.smooth, self.settled = 0, SMOOTH, False

    def learn(self, routes: Iterable[tuple[int, tuple[int, ...]]]) -> list[int]:
        """Routes by kind of vehicle become columns."""
        numbers = [self.columns.add(kind, self.pricing.cost(kind, line), line) for kind, line in routes]
        return [number for number in numbers if number is not None]

    def take_in(self, pool: PoolRows) -> None:
        """A search's routes become columns, and those of its best plan are in the programme."""
        kind_of = self.relaxation.kind_of
        self.learn((kind_of[v], line) for v, _, line in pool.routes)
        best = [self.columns.number(kind_of[v], line) for v, line in enumerate(pool.best) if line]
        self.master.use([number for number in best if number not in self.master.active])

    @property
    def bound(self) -> int:
        """What any plan costs at least, in the core's units and without its constants."""
        return -(-least_cost(self.points, self.limits) // UNIT)

    def certificate(self) -> BoundCertificate:
        """The bound and the duals that it is made of."""
        return self.relaxation.certificate(self.bound, needed(self.points, self.limits))

    def step(self) -> bool:
        """One round: optimum over the routes, price, learn. False where nothing is left to be gained."""
        answer = self.optimum()
        if answer is None or self.settled:
            return False
        self.rounds += 1
        self._weigh(answer)
        centre = self._centre()
        worth, below = answer.worth * UNIT, answer.by_kind * UNIT
        if centre is not None:
            worth = self.smooth * centre.worth + (1 - self.smooth) * worth
            below = self.smooth * np.array(centre.least, dtype=np.float64) + (1 - self.smooth) * below
        point, found = self.pricing.look(self.relaxation.whole(worth), [int(x) for x in np.round(below)], FOUND_AT_ONCE)
        self._remember(point)
        fresh = self.learn(found)
        if fresh:
            reduced = self.columns.reduced(answer.worth, answer.by_kind)
            fresh = [number for number in fresh if reduced[number] < -1e-6]
            self.master.use(fresh)
        here = self._least_in(point)
        if not fresh:
            self._nothing_found(answer, here)
        else:
            self.smooth = SMOOTH
            self._charge_more(answer, here)
        self._choose_branch(answer)
        return not self.settled

    def _weigh(self, answer: MasterAnswer) -> None:
        """Heed a load once the optimum breaks it: labels are far fewer without."""
        for number in answer.shares:
            kind = self.relaxation.kinds[self.columns.kinds[number]]
            if kind.overloads(self.columns.visits[number]):
                kind.weigh()

    def optimum(self) -> MasterAnswer | None:
        """The optimum over all columns known."""
        while True:
            answer = self.master.solve()
            if answer is None or not len(self.columns):
                return answer
            self.master.tidy(answer)
            reduced = self.columns.reduced(answer.worth, answer.by_kind)
            reduced[list(self.master.active)] = 0.0
            cheap = np.flatnonzero(reduced < -1e-6)
            self.master.use(cheap[np.argsort(reduced[cheap], kind="stable")[:AT_ONCE]].tolist())
            if len(cheap) <= FEW:
                return answer

    def _centre(self) -> DualPoint | None:
        """The dual that says most of the branch."""
        if len(self.points) < 2:
            return None
        return max(self.points[1:], key=self._least_in)

    def _least_in(self, point: DualPoint) -> int:
        return int(point.costs(self.limits)[self.branch.fewest : self.branch.most + 1].min())

    def _remember(self, point: DualPoint) -> None:
        self.points.append(point)
        if len(self.points) > POINTS:
            kept = needed(self.points, self.limits)
            recent = [each for each in self.points[1:] if not any(each is one for one in kept)][-POINTS // 2 :]
            self.points = [self.points[0], *(each for each in kept if each is not self.points[0]), *recent]

    def _nothing_found(self, answer: MasterAnswer, here: int) -> None:
        """The next dual is nearer to the optimum's own; from that one itself there is nothing to be gained."""
        if self.smooth > 0:
            self.smooth = max(0.0, self.smooth - 0.3)
        elif answer.cost - here / UNIT < 1 and not self._charge_more(answer, here):
            self.settled = self._branch_of(answer) == self.branch

    def _charge_more(self, answer: MasterAnswer, here: int) -> bool:
        """Where stops are left out at a low price and the bound is near to that optimum, the price is raised."""
        cheap = np.flatnonzero((answer.left_out > 1e-6) & (self.charged < self.relaxation.prices))
        if here < NEAR * answer.cost * UNIT or not len(cheap):
            return False
        for stop in cheap.tolist():
            self.charged[stop] = min(self.relaxation.prices[stop], 3 * self.charged[stop])
            self.master.charge(stop, float(self.charged[stop]))
        self.smooth = SMOOTH
        return True

    def _choose_branch(self, answer: MasterAnswer) -> None:
        """Work where the bound is lowest: with the vehicles that the optimum uses rounded down, or up."""
        branch = self._branch_of(answer)
        if branch != self.branch and self.rounds % 3 == 0:
            self.branch = branch
            self.master.between(branch.fewest, branch.most)

    def _branch_of(self, answer: MasterAnswer) -> Branch:
        whole = Branch(0, sum(self.limits))
        if self.branch == whole:
            self.below = int(answer.vehicles + 1e-6)
        if self.rounds < 6 or not self.below < whole.most:
            return whole
        costs = np.max([point.costs(self.limits) for point in self.points], axis=0)
        fewer = costs[: self.below + 1].min() <= costs[self.below + 1 :].min()
        return Branch(0, self.below) if fewer else Branch(self.below + 1, whole.most)
