"""The batch: rules kept, wishes in their order, the cheapest matching with its proof."""

from dispatch.matching.batch import match
from dispatch.matching.certificate import check
from dispatch.matching.model import Agent, Need, Place, Weights

NETWORK = {
    "P": Place(None, 1, 118.78, 32.04),
    "C": Place("P", 2, 118.79, 32.06),
    "K": Place("C", 3, 118.80, 32.05),
    "T": Place("K", 4, 118.82, 32.06),
    "V": Place("T", 5, 118.83, 32.07),
}
WEIGHTS = Weights()


def test_the_nearest_station_takes_the_case_and_the_proof_holds():
    agents = [
        Agent("hall", "K", 3, 5, 0, 118.80, 32.05, frozenset({"land"})),
        Agent("village", "V", 5, 5, 0, 118.83, 32.07, frozenset({"land"})),
    ]
    needs = [Need(1, "lead", 1, "V", 118.83, 32.07, frozenset({"land"}))]
    matching = match(needs, agents, NETWORK, WEIGHTS)
    assert matching.assigned == {1: "village"}
    assert matching.certificate.proven
    assert check(needs, agents, NETWORK, WEIGHTS, matching) == []
