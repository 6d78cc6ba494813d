"""The approval path: the catalogue's figures, area evaluations on their date, edits, slack, drawing, seven lists."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path as File
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.catalogue.matter_rows import evaluation_kind, matter_from
from dispatch.core.legal_clock import Lamp
from dispatch.core.limit import Limit, limit_form
from dispatch.path.applicability import matters_for, site_as_used, waiting_under
from dispatch.path.approval_graph import Path
from dispatch.path.area_effects import EvaluatedSite, ZoneEvaluation
from dispatch.path.build_path import EvaluationOffers, build_path, check_prerequisites
from dispatch.path.drawing import WIDTH, text_width
from dispatch.path.drawing_layout import lay_out
from dispatch.path.edits import AddMatter, AddWait, DropMatter, DropWait, Grant, Relief
from dispatch.path.errors import CycleFound, PathError, UnknownMatter
from dispatch.path.fact_table import checked_predicate, fact_table
from dispatch.path.facts import facts_of
from dispatch.path.matter_node import AreaEffect, Basis, IntermediaryWork, MatterKind, MatterNode
from dispatch.path.path_step import Counting, WaitLink
from dispatch.path.schedule import MatterProgress, area_gain, dated, planned_clocks, schedule
from dispatch.path.seven_lists import seven_lists
from dispatch.path.svg import svg
from tests.dispatch.calendars import shipped_calendar

DATA = File(__file__).parents[3] / "dispatch" / "data"


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / f"{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


CALENDAR = shipped_calendar()
LISTED = {
    family: tuple(map(matter_from, rows(f"catalog_{family}")))
    for family in ("industrial_permit", "business_opening", "property_registration")
}
USUAL = facts_of({})
# The whole list of a family; of waits that hold under a condition, those of an ordinary project.
PERMIT, OPENING, REGISTRATION = (
    waiting_under([m for m in listed if not m.code.startswith("LIC")], USUAL) for listed in LISTED.values()
)
START = date(2026, 3, 2)
ZONE = "常州经济开发区"
INSIDE = EvaluatedSite(frozenset({ZONE}))


def a_matter(code: str, days: int = 1, *after: str, **changes) -> MatterNode:
    facts = {"kind": MatterKind.APPROVAL, "authority": "行政审批局", "phase": 1} | changes
    return MatterNode(
        code=code,
        name=f"事项{code}",
        short=code,
        statutory=Limit(days * 2),
        committed=Limit(days),
        today=Limit(days),
        prerequisites=after,
        **facts,
    )


def an_evaluation(kind: str, **changes) -> ZoneEvaluation:
    return ZoneEvaluation(**({"kind": kind, "zone": ZONE, "approved_on": date(2024, 5, 6)} | changes))


def shared(*evaluations: ZoneEvaluation, site: EvaluatedSite = INSIDE, start_on: date = START) -> Path:
    return build_path(PERMIT, offers=EvaluationOffers(site, evaluations, CALENDAR, start_on))


# --- the catalogue's figures ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("matters", "basis", "critical", "series"),
    [
        (PERMIT, Basis.COMMITTED, 39, 204),
        (PERMIT, Basis.COMMITTED_NOW, 26, 126),
        (PERMIT, Basis.STATUTORY, 78, 346),
        (OPENING, Basis.COMMITTED, 2, 5),
        (OPENING, Basis.STATUTORY, 14, 18),
        (REGISTRATION, Basis.COMMITTED, 5, 6),
        (REGISTRATION, Basis.STATUTORY, 30, 34),  # 30 days in all from acceptance to completion, not a step
    ],
)
def test_the_critical_paths_are_those_that_the_reform_reckons_with(matters, basis, critical, series):
    path = build_path(matters)
    assert schedule(path, basis).horizon == critical
    assert path.in_series_wd(basis) == series


def test_the_permit_is_the_last_thing_on_its_own_critical_path():
    plan = schedule(build_path(PERMIT), Basis.COMMITTED)
    assert plan.critical_path[-1] == "IND-308"
    assert sum(plan.of(code).days for code in plan.critical_path) == plan.horizon
    assert all(plan.of(code).slack == 0 for code in plan.critical_path)


def test_land_listing_never_counts_but_always_lasts():
    path = build_path(PERMIT)
    assert schedule(path, Basis.COMMITTED).of("IND-103").days == 0
    assert schedule(path, Basis.COMMITTED, Counting.ELAPSED).of("IND-103").days == 21


def test_the_three_clocks_of_a_plan_make_its_elapsed_time():
    for matters in (PERMIT, OPENING, REGISTRATION):
        path = build_path(matters)
        clocks = planned_clocks(path, Basis.COMMITTED)
        assert clocks.elapsed_wd == schedule(path, Basis.COMMITTED, Counting.ELAPSED).horizon
    assert planned_clocks(build_path(PERMIT), Basis.COMMITTED).not_counted_wd > 0


# --- bad input ------------------------------------------------------------------------------------------------------


def test_a_cycle_in_the_catalogue_is_named_in_the_order_of_waiting():
    with pytest.raises(CycleFound, match="wait for each other") as error:
        build_path([a_matter("A", 1, "C"), a_matter("B", 1, "A"), a_matter("C", 1, "B"), a_matter("D", 1, "C")])
    ring = error.value.cycle
    assert ring[0] == ring[-1]
    assert set(ring) == {"A", "B", "C"}
    assert all((earlier, later) in {("A", "B"), ("B", "C"), ("C", "A")} for earlier, later in pairwise(ring))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: a_matter("A", 1, "A"), "A → A"),
        (lambda: a_matter("A", 1, authority=" "), "no authority"),
        (lambda: a_matter("A", area_evaluation="environment", area_effect=AreaEffect.REPLACE), "never replaced"),
        (lambda: build_path([a_matter("A"), a_matter("A")]), "twice"),
        (lambda: check_prerequisites([a_matter("A", 1, "Z")]), "A waits for Z"),
        (lambda: matters_for([a_matter("A", 1, "Z")], USUAL), "Z"),
        (lambda: build_path([a_matter("A")], intermediaries=[IntermediaryWork("I", "测绘", "Z", 5)]), "feeds Z"),
        (lambda: IntermediaryWork("I", "测绘", "A", -5), "negative"),
        (lambda: build_path([a_matter("A")]).step("Z"), "Z is not in this path"),
        (lambda: evaluation_kind("风水 (002 item 27)"), "风水"),
        (lambda: facts_of({"site_ha": -1}), "site_ha"),
    ],
)
def test_what_makes_no_path_is_refused_by_name(make, says):
    with pytest.raises(ValueError, match=says):
        make()


# --- facts and applicability ----------------------------------------------------------------------------------------


def codes_under(facts: dict[str, object], matters: tuple[MatterNode, ...] = LISTED["industrial_permit"]) -> set[str]:
    return {matter.code for matter in matters_for(matters, facts_of(facts))}


def test_the_conditions_speak_only_of_facts_that_exist_and_every_fact_decides_something():
    every = [(family, matter) for family, matters in LISTED.items() for matter in matters]
    family_of = {matter.code: family for family, matter in every}
    conditions = [
        *((family, text) for family, m in every for text in (m.applies_when, *(when for _, when in m.conditions))),
        *((family_of[row["matter_code"]], row["when"]) for row in rows("variants")),
        *((family_of[row["matter_code"]], row["needed_when"]) for row in rows("requirements")),
    ]
    used = {test.fact for family, text in conditions for test in checked_predicate(text, family).tests()}
    for fact in fact_table().values():
        used.update(test.fact for condition in (fact.asked_when, fact.derived_from) for test in condition.tests())
    idle = set(fact_table()) - used
    of_reliefs_and_fees = {"land_use_changed", "standard_land", "residential", "small_micro"}
    assert idle <= of_reliefs_and_fees | {key for key in fact_table() if key.startswith("shared_")}


def test_an_ordinary_factory_needs_neither_a_flood_nor_a_mineral_check():
    codes = codes_under({})
    assert {"IND-101", "IND-103", "IND-107", "IND-203", "IND-301", "IND-308"} <= codes
    assert not codes & {"IND-102", "IND-106", "IND-109", "IND-111", "IND-112", "IND-113"}


@pytest.mark.parametrize(
    ("facts", "called", "spared"),
    [
        ({"initiation": "approval"}, {"IND-102"}, set()),
        ({"land": "allocated"}, {"IND-102", "IND-104"}, {"IND-103"}),
        ({"land": "none"}, {"IND-308"}, {"IND-103", "IND-104", "IND-105"}),
        ({"land_stage": "certificate"}, {"IND-308"}, {"IND-103", "IND-104", "IND-105"}),
        ({"energy_tce": 1_000}, {"IND-106"}, set()),
        ({"power_kwh": 6e6}, {"IND-106"}, set()),
        ({"site_ha": 0.2, "earthworks_m3": 500}, set(), {"IND-108"}),
        ({"works": "equipment"}, {"IND-101"}, {"IND-203", "IND-301", "IND-308", "IND-403"}),
        ({"in_geohazard_area": True, "minerals_checked": False, "relics_survey": True}, {"IND-110", "IND-111"}, set()),
    ],
)
def test_facts_call_for_matters_and_spare_others(facts, called, spared):
    codes = codes_under(facts)
    assert called <= codes
    assert not spared & codes


def test_what_waited_for_a_spared_matter_waits_for_what_stood_before_it():
    listed = LISTED["industrial_permit"]
    kept = {matter.code: matter for matter in matters_for(listed, facts_of({"land": "none"}))}
    assert "IND-101" in kept["IND-201"].prerequisites
    assert "IND-103" not in {on for matter in kept.values() for on in matter.prerequisites}


def test_a_verified_project_gets_its_land_opinion_first_and_a_filed_one_its_code():
    def waits(facts):
        return {m.code: m.prerequisites for m in matters_for(LISTED["industrial_permit"], facts_of(facts))}

    assert "IND-102" in waits({"initiation": "approval"})["IND-101"]
    assert "IND-101" in waits({"land": "allocated"})["IND-102"]


def test_what_must_be_done_by_the_decision_only_holds_nothing_up_before():
    path = build_path(matters_for(LISTED["industrial_permit"], facts_of({"special_fire": True})))
    links = {wait.on: wait.link for wait in path.step("IND-302").waits}
    assert links == {"IND-201": WaitLink.START, "IND-203": WaitLink.DECISION}


def test_variants_give_other_limits_names_and_results():
    def under(code: str, **facts: object) -> MatterNode:
        return next(m for m in matters_for(LISTED["industrial_permit"], facts_of(facts)) if m.code == code)

    def law(code: str, **facts: object) -> str | None:
        matter = under(code, **facts)
        return limit_form(matter.statutory or matter.legal_minimum)

    assert law("IND-107", eia="report") == "60cal"
    assert law("IND-107", eia="registration") == "immediate"
    assert law("IND-107") == "30cal"
    assert law("IND-304") is None
    assert law("IND-304", state_money=True) == "20cal"
    assert law("IND-108", site_ha=6) == "10wd"
    assert law("IND-407", discharge="registration") == "immediate"
    assert law("IND-301", large_works=True, complex_works=True) == "15wd"
    verified = under("IND-101", initiation="approval")
    assert (verified.name, verified.kind, verified.result_on_paper) == ("企业投资项目核准", MatterKind.APPROVAL, True)
    assert verified.result == "企业投资项目核准批复"


def test_registration_of_a_transfer_checks_the_contract_and_of_a_first_one_the_survey():
    first = codes_under({}, LISTED["property_registration"])
    transfer = codes_under({"registration": "transfer"}, LISTED["property_registration"])
    assert first - transfer == {"REG-02"}
    assert transfer - first == {"REG-03"}
    assert "REG-06" in codes_under({"registration": "mortgage"}, LISTED["property_registration"])


def test_the_law_gives_a_registration_thirty_days_from_its_acceptance_on_the_calendar_too():
    dates = {step.code: step for step in dated(build_path(REGISTRATION), CALENDAR, START, today=START)}
    assert dates["REG-06"].statutory_on == CALENDAR.add_working_days(START, 30)


# --- area evaluations -----------------------------------------------------------------------------------------------


def test_a_valid_area_evaluation_replaces_or_simplifies_but_an_eia_never_goes():
    kinds = {m.area_evaluation for m in PERMIT if m.area_evaluation}
    path = shared(*map(an_evaluation, kinds))
    effects = {step.code: step.effect for step in path.steps if step.effect is not AreaEffect.NONE}
    assert effects["IND-110"] is AreaEffect.REPLACE
    assert effects["IND-107"] is AreaEffect.SIMPLIFY
    assert path.step("IND-107").days(Basis.COMMITTED, Counting.ELAPSED) > 0
    assert len(effects) == len(kinds) == 11
    assert set(path.codes) == {m.code for m in PERMIT}


@pytest.mark.parametrize(
    ("evaluation", "site", "why"),
    [
        (an_evaluation("relics"), EvaluatedSite(frozenset()), "用地未全部位于"),
        (an_evaluation("relics"), replace(INSIDE, use_unchanged=False), "用途已改变"),
        (an_evaluation("relics", negative_list=frozenset({"印染"})), replace(INSIDE, industry="印染"), "负面清单"),
        (an_evaluation("relics", approved_on=date(2021, 3, 2)), INSIDE, "有效期"),
        (an_evaluation("relics", valid_to=date(2026, 1, 1)), INSIDE, "有效期"),
        (an_evaluation("relics", approved_on=date(2026, 9, 1)), INSIDE, "才批准"),
    ],
)
def test_an_evaluation_that_does_not_fit_changes_nothing_and_says_why(evaluation, site, why):
    path = shared(evaluation, site=site)
    assert path.step("IND-112").effect is AreaEffect.NONE
    assert why in path.area_uses[0].hindrances[0]


def test_land_that_is_used_otherwise_than_the_zone_was_evaluated_for_shares_nothing():
    assert site_as_used(INSIDE, USUAL).use_unchanged
    changed = site_as_used(INSIDE, facts_of({"land_use_changed": True}))
    assert an_evaluation("relics").hindrances(changed, START) == ("用地用途已改变",)


def test_five_years_are_counted_to_the_day_and_leap_days_do_not_break():
    evaluation = an_evaluation("relics", approved_on=date(2020, 2, 29))
    assert not evaluation.hindrances(INSIDE, date(2025, 2, 28))
    assert evaluation.hindrances(INSIDE, date(2025, 3, 1))


def test_the_date_that_counts_is_the_day_on_which_the_plan_reaches_the_matter():
    expires_soon = an_evaluation("relics", approved_on=date(2021, 3, 4))
    early = shared(expires_soon)  # reached on 2026-03-03
    late = shared(expires_soon, start_on=START + timedelta(days=2))
    assert early.step("IND-112").effect is AreaEffect.REPLACE
    assert late.step("IND-112").effect is AreaEffect.NONE
    filed = build_path(
        PERMIT,
        offers=EvaluationOffers(INSIDE, [expires_soon], CALENDAR, START, {"IND-112": date(2026, 3, 10)}),
    )
    assert filed.step("IND-112").effect is AreaEffect.NONE


def test_days_slack_and_money_are_reported_apart():
    on_the_path = shared(an_evaluation("relics", cost_saved_yuan=60_000))
    gain = area_gain(on_the_path, Basis.COMMITTED)
    assert (gain.work_saved_wd, gain.days_saved_wd, gain.slack_gained_wd, gain.cost_saved_yuan) == (12, 2, 10, 60_000)
    off_the_path = shared(an_evaluation("climate", cost_saved_yuan=90_000))
    gain = area_gain(off_the_path, Basis.COMMITTED)
    assert (gain.days_saved_wd, gain.slack_gained_wd, gain.cost_saved_yuan) == (0, 8, 90_000)
    assert area_gain(build_path(PERMIT), Basis.COMMITTED).work_saved_wd == 0


# --- edits ----------------------------------------------------------------------------------------------------------


def test_an_edit_that_makes_a_cycle_is_refused_by_name_and_the_path_stays():
    path = build_path(PERMIT)
    with pytest.raises(CycleFound) as error:
        path.edited(AddWait("IND-103", "IND-203", "试"))
    assert {"IND-103", "IND-203"} <= set(error.value.cycle)
    assert "IND-203" not in {wait.on for wait in path.step("IND-103").waits}


def test_edits_need_reasons_and_known_matters_and_all_or_none_apply():
    path = build_path([a_matter("A"), a_matter("B", 2, "A")])
    for edit, error in [
        (AddWait("A", "Z", "x"), UnknownMatter),
        (AddWait("Z", "A", "x"), UnknownMatter),
        (DropWait("A", "B", "x"), UnknownMatter),
        (DropMatter("B", " "), PathError),
        (AddMatter(a_matter("A"), "x"), PathError),
        (AddMatter(a_matter("C", 1, "Q"), "x"), UnknownMatter),
    ]:
        with pytest.raises(error):
            path.edited(AddMatter(a_matter("N"), "先加"), edit)
    assert path.codes == ("A", "B")


def test_a_dropped_matter_hands_its_prerequisites_on():
    path = build_path([a_matter("A"), a_matter("B", 2, "A"), a_matter("C", 3, "B")])
    shorter = path.edited(DropMatter("B", "不涉及"))
    assert [wait.on for wait in shorter.step("C").waits] == ["A"]
    assert schedule(shorter, Basis.COMMITTED).horizon == 4


def test_a_deferred_paper_lets_a_matter_start_but_not_be_decided():
    path = build_path([a_matter("A", 5), a_matter("B", 3, "A")])
    eased = path.edited(Grant("B", Relief.DEFERRED, "承诺5日内补齐", on="A"))
    plan = schedule(eased, Basis.COMMITTED)
    assert (plan.of("B").start, plan.of("B").finish, plan.horizon) == (0, 5, 5)
    assert plan.critical_path == ("A", "B")
    assert plan.of("A").slack == 0


def test_a_commitment_is_decided_at_once():
    path = build_path([a_matter("A", 5), a_matter("B", 3, "A")]).edited(Grant("A", Relief.COMMITMENT, "告知承诺"))
    assert schedule(path, Basis.COMMITTED).horizon == 3
    assert schedule(path, Basis.STATUTORY).horizon == 16, "an undertaking changes no law"


def test_intermediaries_delay_the_date_but_not_the_fifty_days():
    works = [IntermediaryWork("INT-1", "施工图设计", "IND-301", 60, "某设计院")]
    path, plain = build_path(PERMIT, intermediaries=works), build_path(PERMIT)
    assert schedule(path, Basis.COMMITTED).horizon == 39
    longer = schedule(path, Basis.COMMITTED, Counting.ELAPSED).horizon
    assert longer > schedule(plain, Basis.COMMITTED, Counting.ELAPSED).horizon
    real = build_path(PERMIT, intermediaries=[replace(works[0], actual_wd=5)])
    assert schedule(real, Basis.COMMITTED, Counting.ELAPSED).horizon < longer


# --- forward and backward pass, against brute force -----------------------------------------------------------------


@st.composite
def graphs(draw):
    n = draw(st.integers(1, 9))
    codes = [f"M{i}" for i in range(n)]
    matters = []
    for i, code in enumerate(codes):
        after = draw(st.sets(st.sampled_from(codes[:i]))) if i else set()
        matters.append(a_matter(code, draw(st.integers(0, 9)), *sorted(after)))
    return build_path(draw(st.permutations(matters)))


def longest(path: Path, code: str, days: dict[str, int]) -> int:
    return days[code] + max((longest(path, wait.on, days) for wait in path.step(code).waits), default=0)


@settings(max_examples=80, deadline=None)
@given(graphs())
def test_the_end_is_the_longest_chain_and_slack_is_exactly_what_may_slip(path):
    plan = schedule(path, Basis.COMMITTED)
    days = {timing.code: timing.days for timing in plan.timings}
    assert plan.horizon == max(longest(path, code, days) for code in path.codes)
    assert sum(days[code] for code in plan.critical_path) == plan.horizon
    for timing in plan.timings:
        assert timing.slack >= 0
        slipped = {timing.code: timing.days + timing.slack}
        assert schedule(path, Basis.COMMITTED, days=slipped).horizon == plan.horizon
        beyond = {timing.code: timing.days + timing.slack + 1}
        assert schedule(path, Basis.COMMITTED, days=beyond).horizon == plan.horizon + 1


def ancestors(path: Path, code: str) -> set[str]:
    direct = {wait.on for wait in path.step(code).waits}
    return direct.union(*(ancestors(path, on) for on in direct))


@settings(max_examples=80, deadline=None)
@given(graphs(), st.data())
def test_no_edit_ever_leaves_a_cycle_behind(path, data):
    code, on = data.draw(st.sampled_from(path.codes)), data.draw(st.sampled_from(path.codes))
    try:
        after = path.edited(AddWait(code, on, "试"))
    except CycleFound:
        assert code == on or code in ancestors(path, on)
        return
    place = {code: i for i, code in enumerate(after.codes)}
    assert all(place[wait.on] < place[step.code] for step in after.steps for wait in step.waits)


@settings(max_examples=40, deadline=None)
@given(graphs())
def test_statute_never_ends_before_the_commitment_on_the_calendar(path):
    for step in dated(path, CALENDAR, START, today=START):
        assert step.starts_on <= step.committed_on <= step.statutory_on


# --- dates ----------------------------------------------------------------------------------------------------------


def test_dates_follow_what_happened_and_nothing_starts_in_the_past():
    path = build_path([a_matter("A", 5), a_matter("B", 3, "A"), a_matter("C", 2)])
    progress = {
        "A": MatterProgress(accepted_on=START, decided_on=date(2026, 3, 5)),
        "B": MatterProgress(
            accepted_on=date(2026, 3, 6), legal_due_on=date(2026, 3, 20), due_on=date(2026, 3, 12), lamp=Lamp.AMBER
        ),
    }
    steps = {
        s.code: s
        for s in dated(
            path, CALENDAR, START, today=date(2026, 3, 9), progress=progress, expected={"B": date(2026, 3, 12)}
        )
    }
    assert steps["A"].is_done
    assert steps["A"].committed_on == steps["A"].statutory_on == date(2026, 3, 5)
    assert (steps["B"].committed_on, steps["B"].statutory_on) == (date(2026, 3, 12), date(2026, 3, 20))
    assert (steps["B"].expected_on, steps["B"].lamp) == (date(2026, 3, 12), Lamp.AMBER)
    assert steps["C"].starts_on == date(2026, 3, 9)


def test_a_plan_that_runs_into_an_unpublished_year_says_that_it_is_an_estimate():
    late = dated(build_path(PERMIT), CALENDAR, date(2026, 12, 1), today=date(2026, 12, 1))
    assert [step.is_estimate for step in late if step.code in ("IND-101", "IND-308")] == [False, True]


# --- the seven lists and the drawing --------------------------------------------------------------------------------


def test_the_seven_lists_are_seven_and_every_row_fits_its_columns():
    works = [IntermediaryWork("INT-1", "环评报告编制", "IND-107", 15)]
    path = build_path(
        PERMIT,
        offers=EvaluationOffers(
            INSIDE, [an_evaluation("relics"), an_evaluation("flood", approved_on=date(2019, 1, 1))], CALENDAR, START
        ),
        intermediaries=works,
    ).edited(Grant("IND-203", Relief.DEFERRED, "不动产权证容缺", on="IND-105"))
    plan = schedule(path, Basis.COMMITTED)
    dates = {step.code: step for step in dated(path, CALENDAR, START, today=START)}
    lists = seven_lists(path, plan, dates, agent="王芳", liaisons={"city": "李强"})
    assert [sheet.title for sheet in lists] == [
        "审批事项清单",
        "中介机构服务清单",
        "权力边界承诺清单",
        "监管责任清单",
        "先验先测联合验收清单",
        "审批利益协商协调清单",
        "代办人员考核责任清单",
    ]
    assert all(sheet.rows and all(len(row) == len(sheet.columns) for row in sheet.rows) for sheet in lists)
    text = " ".join(cell for sheet in lists for row in sheet.rows for cell in row)
    for word in ("环评报告编制", "免费共享", "不能共享", "容缺材料按期补齐", "区域评估替代", "李强", "联合测绘"):
        assert word in text
    assert len(lists[0].rows) + len(lists[1].rows) + 2 == len(path.steps)  # land listing and tender are decided by none


def a_drawing(path: Path, **changes):
    plan = schedule(path, Basis.COMMITTED, Counting.ELAPSED)
    progress = {
        "IND-101": MatterProgress(decided_on=START),
        "IND-107": MatterProgress(accepted_on=START, lamp=Lamp.RED),
    }
    dates = {s.code: s for s in dated(path, CALENDAR, START, today=START + timedelta(days=20), progress=progress)}
    facts = {"calendar": CALENDAR, "start_on": START, "today": START + timedelta(days=20)} | changes
    return lay_out(path, plan, title="甲公司<二期>审批路径", dates=dates, **facts)


@pytest.mark.parametrize("matters", [PERMIT, matters_for(PERMIT, USUAL), OPENING, REGISTRATION])
def test_the_drawing_fits_its_sheet_and_no_two_boxes_overlap(matters):
    sheet = a_drawing(build_path(matters))
    assert sheet.width == WIDTH
    assert len(sheet.boxes) == len(matters)
    for i, box in enumerate(sheet.boxes):
        end = box.x + box.width if box.label_inside else box.label_x + text_width(box.label)
        column = next(c for c in reversed(sheet.columns) if c.x <= box.x)
        assert column.x <= box.x
        assert end <= column.x + column.width
        assert box.y + box.height < sheet.height
        for other in sheet.boxes[:i]:
            apart = other.y + other.height <= box.y or box.y + box.height <= other.y
            assert apart or other.x + other.width <= box.x or box.x + box.width <= other.x


def test_the_svg_is_well_formed_speaks_and_runs_nothing():
    text = svg(a_drawing(build_path(PERMIT)))
    root = ElementTree.fromstring(text)
    assert root.get("role") == "img"
    assert root.find("{*}title").text == "甲公司<二期>审批路径"
    assert "关键线路" in root.find("{*}desc").text
    assert "已超时：环评审批" in root.find("{*}desc").text
    names = {element.tag.rsplit("}")[-1] for element in root.iter()}
    assert not names & {"script", "style", "foreignObject"}
    words = "".join(root.itertext())
    for word in ("■红牌", "✓", "多图联审", "今天 3月22日", "机动"):
        assert word in words


def test_critical_lines_are_drawn_last_and_thick_and_the_chain_is_whole():
    path = build_path(PERMIT)
    sheet = a_drawing(path)
    plan = schedule(path, Basis.COMMITTED, Counting.ELAPSED)
    critical = [line.is_critical for line in sheet.lines]
    assert sum(critical) == len(plan.critical_path) - 1
    assert critical == sorted(critical)


def test_a_drawing_without_a_calendar_still_shows_the_days():
    sheet = a_drawing(build_path(OPENING), calendar=None, start_on=None, today=None)
    assert sheet.today_x == ()
    assert sheet.ticks[0].label == "0日"
