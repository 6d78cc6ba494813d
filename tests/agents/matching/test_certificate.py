"""The certificate, rule by rule: each rule accepts what is just allowed and names what is just beyond."""

import re
from dataclasses import replace

import pytest

from agents.matching.batch import match
from agents.matching.certificate import check
from agents.matching.model import Certificate, Choice, Matching, Terms, Weights
from tests.agents.matching.county import NETWORK, WEIGHTS, a_need, an_agent

HERE = {"lon": 118.8, "lat": 32.05}
FLAT = Weights(evenness=0)  # no slot costs anything, so the cost of a pair is the whole objective
PRIORITY_1 = 20_000_000  # what a need of priority 1 pays for waiting


def agent(ident="a", node="K1", **given):
    """An agent who costs nothing but its slot: all stars, at home in the skill, on the spot."""
    return an_agent(ident, node, **(HERE | {"stars": 5, "practised": frozenset({"land", "env"})} | given))


def need(ident=1, node="K1", role="lead", **given):
    return a_need(ident, node, role, **(HERE | given))


def faults(needs, agents, chosen, objective, *, bound=None, prices=None, proven=True, weights=FLAT):
    """What the check says of these choices with these claims."""
    choices = {ident: Choice(ident, who, Terms()) for ident, who in chosen.items()}
    claim = Certificate(prices or {}, objective if bound is None else bound, proven, 0)
    return check(needs, agents, NETWORK, weights, Matching(choices, objective, claim))


def counted(needs, agents, chosen, *, prices=None, weights=FLAT):
    """The objective and the bound as the check works them out."""
    found = " ".join(faults(needs, agents, chosen, -1, bound=-1, prices=prices, proven=False, weights=weights))
    return tuple(int(re.search(rf"the {word} is (-?\d+), not -1", found)[1]) for word in ("objective", "bound"))


def is_allowed(one_need, one_agent):
    """Whether the check lets the agent take the need."""
    found = faults([one_need], [one_agent], {one_need.id: one_agent.id}, -1)
    refused = f"need {one_need.id} has agent {one_agent.id}, who may not take it"
    assert found == [refused] or refused not in found
    return found != [refused]


# ---------------------------------------------------------------- a choice for each need


@pytest.mark.parametrize("chosen", [{}, {1: "a"}, {1: "a", 3: "a"}, {1: "a", 2: "a", 3: None}])
def test_each_need_has_one_choice(chosen):
    assert faults([need(1), need(2)], [agent()], {1: "a", 2: "a"}, 0) == []
    assert faults([need(1), need(2)], [agent()], chosen, 0) == ["the choices are not one for each need"]


def test_a_need_given_twice_has_no_choice_of_its_own():
    assert faults([need(1), need(1)], [agent()], {1: "a"}, 0) == ["the choices are not one for each need"]


def test_an_agent_whom_nobody_knows_is_named():
    assert faults([need()], [agent()], {1: "z"}, 0) == ["need 1 has agent z, whom nobody knows"]


# ---------------------------------------------------------------- room


def test_an_agent_takes_no_more_than_its_capacity():
    needs = [need(1), need(2), need(3)]
    assert faults(needs[:2], [agent(capacity=2)], {1: "a", 2: "a"}, 0) == []
    over = faults(needs, [agent(capacity=2)], {1: "a", 2: "a", 3: "a"}, 0)
    assert over == ["agent a got 3 needs and has room for 2"]


def test_what_an_agent_holds_for_others_takes_room():
    needs, holding = [need(1), need(2)], agent(capacity=3, held=2)
    assert faults(needs[:1], [holding], {1: "a"}, 0) == []
    assert faults(needs, [holding], {1: "a", 2: "a"}, 0) == ["agent a got 2 needs and has room for 1"]
    assert faults(needs[:1], [agent(capacity=1, held=3)], {1: "a"}, 0) == ["agent a got 1 needs and has room for 0"]


def test_a_need_that_is_matched_again_gives_its_slot_back_first():
    needs = [need(1, current="a"), need(2, current="a")]
    assert faults(needs, [agent(capacity=2, held=2)], {1: "a", 2: "a"}, 0) == []
    over = faults(needs, [agent(capacity=2, held=3)], {1: "a", 2: "a"}, 0)
    assert over == ["agent a got 2 needs and has room for 1"]


# ---------------------------------------------------------------- who may take it


@pytest.mark.parametrize(
    ("node", "escalated", "seats"),
    [
        ("K1", False, "K1 T1 V1"),
        ("T1", False, "K1 T1 V1"),
        ("T2", False, "K2 T2"),
        ("V1", True, "K1 T1 V1 C P"),
        ("C", False, "C"),
        ("C", True, "C P"),
        ("P", True, "P"),
    ],
)
def test_a_lead_sits_in_the_home_county_or_above_it_once_escalated(node, escalated, seats):
    wanted = need(node=node, escalated=escalated)
    assert {seat for seat in NETWORK if is_allowed(wanted, agent(node=seat))} == set(seats.split())


@pytest.mark.parametrize("node", ["V1", "K1", "C"])
@pytest.mark.parametrize("escalated", [False, True])
def test_a_liaison_sits_at_the_counter(node, escalated):
    wanted = need(node=node, role="liaison", escalated=escalated)
    assert [seat for seat in NETWORK if is_allowed(wanted, agent(node=seat))] == [node]


def test_an_absent_agent_takes_nothing():
    assert is_allowed(need(), agent(away=False))
    assert not is_allowed(need(), agent(away=True))


def test_every_skill_is_needed():
    both = need(skills=frozenset({"land", "env"}))
    assert is_allowed(both, agent(skills=frozenset({"land", "env", "fire"})))
    assert not is_allowed(both, agent(skills=frozenset({"land", "fire"})))
    assert is_allowed(need(skills=frozenset()), agent(skills=frozenset()))


def test_the_language_is_needed_where_one_is_asked_for():
    assert is_allowed(need(language="en"), agent(languages=frozenset({"en", "ko"})))
    assert not is_allowed(need(language="en"), agent(languages=frozenset({"ko"})))
    assert is_allowed(need(language=None), agent(languages=frozenset()))


def test_a_banned_agent_takes_nothing():
    assert is_allowed(need(bans=frozenset({"b"})), agent("a"))
    assert not is_allowed(need(bans=frozenset({"a", "b"})), agent("a"))


def test_first_ask_leaves_one_agent_or_the_waiting_list():
    assert is_allowed(need(first_ask="a"), agent("a"))
    assert not is_allowed(need(first_ask="b"), agent("a"))
    assert faults([need(first_ask="b")], [agent("a")], {1: None}, PRIORITY_1) == []


def test_a_lock_leaves_one_agent_and_no_waiting():
    assert is_allowed(need(lock="a"), agent("a"))
    assert not is_allowed(need(lock="b"), agent("a"))
    assert is_allowed(need(lock="a", first_ask="b"), agent("a")), "an order stands above first ask"
    waits = faults([need(lock="a")], [agent("a")], {1: None}, PRIORITY_1)
    assert waits == ["need 1 waits although it is locked to a"]
    assert faults([need()], [], {1: None}, PRIORITY_1) == []


@pytest.mark.parametrize(
    "other",
    [
        {"role": "liaison", "node": "T1"},
        {"node": "T2"},
        {"skills": frozenset({"fire"})},
        {"language": "en"},
        {"first_ask": "b"},
        {"lock": "b"},
        {"bans": frozenset({"a"})},
    ],
)
def test_needs_that_differ_in_one_rule_are_judged_apart(other):
    barred = "need 2 has agent a, who may not take it"
    needs = [need(1, node="T1"), need(2, **({"node": "T1"} | other))]
    assert faults(needs, [agent()], {1: "a", 2: "a"}, 0) == [barred]
    assert faults(needs[::-1], [agent()], {1: "a", 2: "a"}, 0) == [barred]


def test_needs_that_differ_in_role_or_escalation_alone_are_judged_apart():
    city = agent(node="C")
    for one, two in [(need(1, escalated=True), need(2)), (need(1, node="C", role="liaison"), need(2, node="K1"))]:
        for needs in ([one, two], [two, one]):
            assert faults(needs, [city], {1: "a", 2: "a"}, 0) == ["need 2 has agent a, who may not take it"]
    pair = [need(1), need(2, role="liaison")]
    for needs in (pair, pair[::-1]):
        found = faults(needs, [agent(node="T1")], {1: "a", 2: "a"}, 0)
        assert found == ["need 2 has agent a, who may not take it"]


# ---------------------------------------------------------------- what a choice costs


def cost(one_need, *agents, weights=FLAT):
    """What the check counts for the need at the first agent; the bound is what the cheapest of them costs."""
    objective, bound = counted([one_need], agents, {one_need.id: agents[0].id}, weights=weights)
    assert bound <= objective
    return objective


@pytest.mark.parametrize(
    ("home", "seat", "levels"), [("V1", "V1", 0), ("V1", "T1", 1), ("V1", "P", 4), ("K1", "V1", 0), ("T1", "K1", 1)]
)
def test_each_level_above_the_need_costs_an_escalation(home, seat, levels):
    assert cost(need(node=home, escalated=True), agent(node=seat)) == levels * 20_000


@pytest.mark.parametrize(("stars", "missing"), [(5, 0), (4, 1), (0, 5)])
def test_each_missing_star_costs(stars, missing):
    assert cost(need(), agent(stars=stars)) == missing * 50


@pytest.mark.parametrize(("needed", "practised", "strange"), [(3, 3, 0), (3, 1, 2), (5, 0, 5), (6, 0, 5), (7, 1, 5)])
def test_each_skill_without_practice_costs_up_to_five(needed, practised, strange):
    skills = [f"s{k}" for k in range(needed)]
    able = agent(skills=frozenset(skills), practised=frozenset([*skills[:practised], "other"]))
    assert cost(need(skills=frozenset(skills)), able) == strange * 200


@pytest.mark.parametrize(
    ("north", "east", "hundreds"),
    [
        (0, 0, 0),
        (0.01, 0, 14),
        (-0.01, 0, 14),
        (0, 0.01, 12),
        (0.01, 0.01, 18),
        (2.1, 0, 3_000),
        (1.383576, 0, 2_000),
        (1.383565, 0, 1_999),
        (0, 1.632374, 2_000),
        (0, 1.632361, 1_999),
    ],
)
def test_the_road_costs_by_the_hundred_metres_up_to_its_cap(north, east, hundreds):
    there = agent(lon=HERE["lon"] + east, lat=HERE["lat"] + north)
    assert cost(need(), there) == hundreds
    assert cost(need(), there, weights=replace(FLAT, travel=2)) == 2 * hundreds
    assert cost(need(), there, weights=replace(FLAT, travel_cap_hm=13)) == min(hundreds, 13)


def test_an_agent_who_is_new_to_the_enterprise_costs():
    known, new = agent("known"), agent("new")
    served = need(previous=frozenset({"known", "left the service"}))
    assert cost(need(), new) == 0
    assert cost(served, known, new) == 0
    assert cost(served, new, known) == 500
    assert counted([served], [new, known], {1: "new"}) == (500, 0)
    assert cost(need(previous=frozenset({"left the service"})), new) == 500


@pytest.mark.parametrize(("told", "points"), [(True, 400_000), (False, 1_000)])
def test_moving_a_need_costs_by_what_the_enterprise_was_told(told, points):
    here, other = agent("here", held=1), agent("other")
    moved = need(current="here", told=told)
    assert cost(moved, here, other) == 0
    assert cost(moved, other, here) == points
    assert cost(need(current="left the service", told=told), other) == points
    assert counted([moved], [here], {1: None}) == (PRIORITY_1 + points, 0)


@pytest.mark.parametrize(("priority", "days", "points"), [(1, 0, 0), (3, 29, 29), (2, 30, 30), (2, 31, 30)])
def test_waiting_costs_by_priority_and_by_the_days_up_to_thirty(priority, days, points):
    waits = PRIORITY_1 * priority + 500_000 * points
    assert counted([need(priority=priority, waiting_days=days)], [], {1: None}) == (waits, waits)


def test_each_further_slot_costs_more_by_the_share_of_the_capacity():
    needs, trio = [need(1), need(2), need(3)], agent(capacity=3)
    sums = [counted(needs[:k], [trio], dict.fromkeys(range(1, k + 1), "a"), weights=WEIGHTS)[0] for k in (1, 2, 3)]
    assert sums == [66, 66 + 200, 66 + 200 + 332]
    holding = agent(capacity=3, held=2)
    assert counted([need(1, current="a")], [holding], {1: "a"}, weights=WEIGHTS)[0] == 200
    assert counted([need(1)], [holding], {1: "a"}, weights=WEIGHTS)[0] == 332


def test_a_locked_need_has_the_first_slot_and_counts_alike_in_objective_and_bound():
    needs = [need(1), need(2, lock="a", previous=frozenset({"b"}))]
    given = {"needs": needs, "agents": [agent("a"), agent("b")], "chosen": {1: "a", 2: "a"}, "weights": WEIGHTS}
    assert counted(**given, prices={"a": 300, "b": 100}) == (500 + 100 + 300, 500 + 100 + 100)
    alone = {**given, "agents": [agent("a")]}
    assert faults(**alone, objective=900, prices={"a": 300}) == []
    assert counted(**{**alone, "agents": [agent("a", held=1, capacity=3)]}) == (500 + 200 + 332, 500 + 200)


# ---------------------------------------------------------------- what is claimed


def test_a_wrong_objective_is_named():
    claim = {"needs": [need()], "agents": [agent(stars=4)], "chosen": {1: "a"}, "bound": 50}
    assert faults(**claim, objective=50) == []
    assert faults(**claim, objective=51) == ["the objective is 50, not 51"]
    assert faults(**claim, objective=49) == ["the objective is 50, not 49"]


def test_a_wrong_bound_is_named():
    claim = {"needs": [need()], "agents": [agent(stars=4)], "chosen": {1: "a"}, "objective": 50}
    assert faults(**claim, bound=50) == []
    assert faults(**claim, bound=51) == ["the bound is 50, not 51"]
    assert faults(**claim, bound=49) == ["the bound is 50, not 49"]


def test_proven_means_that_bound_and_objective_meet():
    dear = {"needs": [need()], "agents": [agent("a", stars=4), agent("b")], "chosen": {1: "a"}, "objective": 50}
    assert faults(**dear, bound=0, proven=False) == []
    assert "proven is said to be True at objective 50 and bound 0" in faults(**dear, bound=0)
    best = {"needs": [need()], "agents": [agent("a", stars=4)], "chosen": {1: "a"}, "objective": 50}
    assert faults(**best, proven=False) == ["proven is said to be False at objective 50 and bound 50"]


def test_a_proven_choice_is_the_cheapest_of_its_need():
    two = [agent("a", stars=4), agent("b", stars=4)]
    assert faults([need()], two, {1: "a"}, 50) == []
    dear = [agent("a", stars=4), agent("b")]
    assert faults([need()], dear, {1: "a"}, 50)[0] == "need 1 could be 50 cheaper at the shadow prices"
    waits = faults([need()], dear, {1: None}, PRIORITY_1)
    assert waits[0] == f"need 1 could be {PRIORITY_1} cheaper at the shadow prices"
    assert not any("cheaper" in fault for fault in faults([need()], dear, {1: "a"}, 50, bound=0, proven=False))


def test_a_shadow_price_counts_in_what_a_need_could_pay():
    two = [agent("a", capacity=1), agent("b", capacity=1, stars=0)]
    needs, chosen = [need(1), need(2)], {1: "a", 2: "b"}
    assert faults(needs, two, chosen, 250, prices={"a": 250}) == []
    free = faults(needs, two, chosen, 250, bound=0)
    assert free[0] == "need 2 could be 250 cheaper at the shadow prices"
    dear = faults(needs, two, chosen, 250, bound=250, prices={"a": 251})
    assert dear[0] == "need 1 could be 1 cheaper at the shadow prices"


def test_no_need_pays_more_than_waiting():
    scarce = agent(capacity=1)
    needs, chosen = [need(1), need(2, priority=2)], {1: None, 2: "a"}
    assert faults(needs, [scarce], chosen, PRIORITY_1, prices={"a": PRIORITY_1}) == []
    assert counted(needs, [scarce], chosen, prices={"a": 3 * PRIORITY_1}) == (PRIORITY_1, 0)
    assert faults([need()], [agent(away=True)], {1: None}, PRIORITY_1) == []


def test_what_free_slots_cost_less_than_the_shadow_price_lowers_the_bound():
    needs, trio = [need()], agent(capacity=3)
    for price, lowers in [(65, 0), (66, 0), (67, 1), (250, 184 + 50), (400, 334 + 200 + 68)]:
        objective, bound = counted(needs, [trio], {1: "a"}, prices={"a": price}, weights=WEIGHTS)
        assert (objective, bound) == (66, price - lowers)
    assert counted(needs, [agent(capacity=3, held=2)], {1: "a"}, prices={"a": 400}, weights=WEIGHTS)[1] == 400 - 68


def test_a_shadow_price_is_never_negative():
    assert faults([need()], [agent()], {1: "a"}, 0, prices={"a": 0}) == []
    negative = faults([need()], [agent()], {1: "a"}, 0, prices={"a": -1})
    assert negative == ["the shadow price of agent a is -1, less than 0"]


def test_a_shadow_price_belongs_to_a_known_agent():
    assert faults([need()], [agent()], {1: "a"}, 0, prices={"z": 5}) == [
        "agent z has a shadow price, and nobody knows the agent"
    ]


def test_an_agent_with_a_free_slot_asks_no_more_than_the_slot_costs():
    def free_slot(price, **given):
        found = faults([need()], [agent(**({"capacity": 3} | given))], {1: "a"}, 66, prices={"a": price},
                       weights=WEIGHTS)  # fmt: skip
        return [fault for fault in found if "free slot" in fault]

    assert free_slot(200) == []
    assert free_slot(201) == ["agent a has a free slot for 200 and a shadow price of 201"]
    assert free_slot(333, held=1) == ["agent a has a free slot for 332 and a shadow price of 333"]
    assert free_slot(10**6, held=2) == [], "a full agent's price is what others lose"
    unproven = faults([need()], [agent()], {1: "a"}, 0, prices={"a": 9}, bound=-9, proven=False)
    assert unproven == []


def test_an_agent_without_capacity_may_have_a_price():
    idle = [agent("a"), agent("b", capacity=0)]
    assert faults([need()], idle, {1: "a"}, 0, prices={"b": 7}) == []


# ---------------------------------------------------------------- against the solver


AGENTS = [an_agent("near", "V1", capacity=1), an_agent("hall", "K1"), an_agent("else", "K2")]
NEEDS = [a_need(1, "V1"), a_need(2, "V1"), a_need(3, "T1")]


def said(change):
    matching = match(NEEDS, AGENTS, NETWORK, WEIGHTS)
    assert check(NEEDS, AGENTS, NETWORK, WEIGHTS, matching) == []
    return " ".join(check(NEEDS, AGENTS, NETWORK, WEIGHTS, change(matching)))


def with_agent(matching, need, agent):
    return replace(matching, choices={**matching.choices, need: replace(matching.choices[need], agent=agent)})


def test_an_agent_who_may_not_take_the_need_is_seen():
    assert "may not take it" in said(lambda m: with_agent(m, 1, "else"))


def test_an_overfull_agent_is_seen():
    assert "has room for 1" in said(lambda m: with_agent(with_agent(m, 1, "near"), 2, "near"))


def test_a_missing_choice_is_seen():
    assert "not one for each" in said(lambda m: replace(m, choices={1: m.choices[1]}))


def test_a_wrong_objective_is_seen():
    assert "objective" in said(lambda m: replace(m, objective=m.objective - 1))


def test_a_worse_matching_that_claims_to_be_the_best_is_seen():
    assert "proven is said" in said(lambda m: with_agent(m, 1, None))


def test_prices_that_prove_nothing_are_seen():
    free = said(lambda m: replace(m, certificate=replace(m.certificate, shadow_prices={})))
    assert "bound" in free


def test_a_kept_lock_is_part_of_the_check():
    needs = [a_need(1, lock="hall"), a_need(2)]
    matching = match(needs, AGENTS, NETWORK, WEIGHTS)
    assert check(needs, AGENTS, NETWORK, WEIGHTS, matching) == []
    assert "locked" in " ".join(check(needs, AGENTS, NETWORK, WEIGHTS, with_agent(matching, 1, None)))
