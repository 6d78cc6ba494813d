"""The expected date: learning, drawing, honest words, saying it anew, risk, calibration."""

from __future__ import annotations

import csv
import math
from dataclasses import replace
from datetime import date, timedelta
from math import exp, log
from pathlib import Path as File

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.catalogue.matter_rows import matter_from
from dispatch.core.limit import Limit
from dispatch.forecast.beliefs import Belief, read_priors
from dispatch.forecast.calibration import (
    CalibrationPoint,
    Closed,
    base_rate,
    brier,
    by_stated,
    close,
    pert_ahead,
    recalibration,
    reliability,
    wilson,
)
from dispatch.forecast.durations import Durations, Fit
from dispatch.forecast.learning import Observation, learn
from dispatch.forecast.path_sampling import NothingToPromise, PathSoFar, ends, least_cases, prepare_path_samples
from dispatch.forecast.promise import (
    Outlook,
    Promise,
    Recalibration,
    chance_by,
    expected_dates,
    outlook,
    promise,
    recalled,
    reissue,
    why_later,
    why_moved,
)
from dispatch.forecast.risk import decisive, office, risk
from dispatch.path.applicability import waiting_under
from dispatch.path.approval_graph import Path
from dispatch.path.build_path import build_path
from dispatch.path.edits import AddWait, Grant, Relief
from dispatch.path.facts import facts_of
from dispatch.path.matter_node import Basis, IntermediaryWork, MatterKind, MatterNode
from dispatch.path.path_step import Counting
from dispatch.path.schedule import MatterProgress, dated, schedule
from tests.dispatch.calendars import shipped_calendar

DATA = File(__file__).parents[3] / "dispatch" / "data"


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / f"{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def median(fit: Fit) -> float:
    return fit.floor + math.exp(fit.mu)


CALENDAR = shipped_calendar()
PERMIT = waiting_under(map(matter_from, rows("catalog_industrial_permit")), facts_of({}))
PRIORS = read_priors()
BELIEVED = Durations.before_any_case(PRIORS)
START = date(2026, 3, 2)


def a_matter(code: str, days: int = 10, *after: str, **changes) -> MatterNode:
    facts = {"kind": MatterKind.APPROVAL, "authority": f"{code}局", "phase": 1} | changes
    limits = Limit(days * 2), Limit(days), Limit(days)
    return MatterNode(code, f"事项{code}", code, facts.pop("phase"), facts.pop("kind"), *limits,
                      prerequisites=after, **facts)  # fmt: skip


def seen(days, *, closed: bool = True, authority: str = "常州A局", city: str = "常州", project: str = "", matter="A"):
    return [Observation(matter, authority, city, float(d), closed, project) for d in np.atleast_1d(days)]


# --- the simulator against the reform's own sample ------------------------------------------------------------------


def test_the_catalogue_s_template_takes_as_long_as_the_permits_sampled_in_october_2017():
    view = outlook(prepare_path_samples(build_path(PERMIT), BELIEVED, counting=Counting.TARGET, samples=20_000))
    assert view.mean_wd == pytest.approx(45.16, rel=0.08)


def test_every_belief_carries_its_reason(tmp_path):
    text = (File(__file__).parents[3] / "dispatch" / "forecast" / "durations.toml").read_text(encoding="utf-8")
    silent = tmp_path / "durations.toml"
    silent.write_text(text.replace("One counter, one system", "").replace(text.split('reason = "')[1][:40], ""))
    assert read_priors(silent)
    silent.write_text("\n".join(line for line in text.splitlines() if "One counter" not in line), encoding="utf-8")
    with pytest.raises(ValueError, match="reason"):
        read_priors(silent)
    with pytest.raises(ValueError, match="positive"):
        Belief(0, 0.3)


# --- learning -------------------------------------------------------------------------------------------------------

CATALOGUE = {"A": a_matter("A", 20), "B": a_matter("B", 10)}


def test_many_cases_are_believed_and_few_are_shrunk_to_the_city_and_the_province():
    rng = np.random.default_rng(1)
    slow, usual = np.exp(rng.normal(log(30), 0.3, 400)), np.exp(rng.normal(log(18), 0.3, 400))
    cases = [
        *seen(slow.round(), authority="常州A局"),
        *seen(usual.round(), authority="苏州A局", city="苏州"),
        *seen(np.full(2, 60), authority="苏州新区A局", city="苏州"),
    ]
    learned = learn(cases, CATALOGUE, PRIORS)
    assert median(learned.of(CATALOGUE["A"], "常州A局", "常州")) == pytest.approx(30, rel=0.05)
    assert median(learned.of(CATALOGUE["A"], "苏州A局", "苏州")) == pytest.approx(18, rel=0.05)
    few = learned.of(CATALOGUE["A"], "苏州新区A局", "苏州")
    assert 18 < median(few) < 40
    assert few.sigma > learned.of(CATALOGUE["A"], "苏州A局", "苏州").sigma
    nobody = learned.of(CATALOGUE["A"], "无锡A局", "无锡")
    assert 18 < median(nobody) < 30
    assert median(learned.of(CATALOGUE["B"], "常州B局", "常州")) == pytest.approx(9)


def test_open_cases_are_evidence_that_it_takes_longer():
    rng = np.random.default_rng(2)
    true = np.exp(rng.normal(log(25), 0.4, 600))
    cut = rng.uniform(5, 40, 600)
    cases = [o for t, c in zip(true, cut, strict=True) for o in seen(min(t, c), closed=bool(t <= c))]
    censored = learn(cases, CATALOGUE, PRIORS).of(CATALOGUE["A"], "常州A局", "常州")
    naive = learn([o for o in cases if o.is_closed], CATALOGUE, PRIORS).of(CATALOGUE["A"], "常州A局", "常州")
    assert median(censored) == pytest.approx(25, rel=0.06)
    assert censored.sigma == pytest.approx(0.4, rel=0.15)
    assert median(naive) < 0.9 * median(censored)


def test_what_hangs_together_in_a_department_is_learned():
    rng = np.random.default_rng(3)
    catalogue = {f"M{i}": a_matter(f"M{i}", 10) for i in range(6)}
    cases = []
    for number in range(400):
        project, offices = rng.normal(), rng.normal(size=2)
        for i in range(6):
            z = 0.3**0.5 * project + 0.4**0.5 * offices[i % 2] + 0.3**0.5 * rng.normal()
            days = 20 * exp(0.3 * z)
            cases += seen(days, authority=f"{'甲乙'[i % 2]}局", project=f"P{number}", matter=f"M{i}")
    learned = learn(cases, catalogue, PRIORS)
    assert learned.project_correlation == pytest.approx(0.3, abs=0.06)
    assert learned.department_correlation == pytest.approx(0.4, abs=0.08)


def test_learning_refuses_what_it_does_not_know():
    with pytest.raises(ValueError, match="Z was observed"):
        learn(seen(3, matter="Z"), CATALOGUE, PRIORS)
    with pytest.raises(ValueError, match="cannot be"):
        seen(-1)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 90), min_size=1, max_size=12))
def test_the_estimate_lies_between_the_belief_and_what_was_seen(days):
    fit = learn(seen(days), CATALOGUE, PRIORS).of(CATALOGUE["A"], "常州A局", "常州")
    assert min(18, *days) - 1e-6 <= median(fit) <= max(18, *days) + 1e-6


# --- drawing --------------------------------------------------------------------------------------------------------


def test_one_matter_has_exactly_the_quantiles_of_its_law():
    fit = Fit(log(20), 0.3)
    durations = replace(BELIEVED, by_matter={"A": fit}, department_correlation=0.0, project_correlation=0.0)
    view = outlook(prepare_path_samples(build_path([CATALOGUE["A"]]), durations, counting=Counting.TARGET))
    for share, z in [(0.05, -1.645), (0.5, 0), (0.85, 1.036), (0.95, 1.645)]:
        assert view.wd_for(share) == pytest.approx(20 * exp(0.3 * z), abs=0.51)


def test_the_same_facts_give_the_same_date_and_an_unrelated_matter_leaves_it_alone():
    matters = [a_matter("A"), a_matter("B", 10, "A")]
    one = ends(prepare_path_samples(build_path(matters), BELIEVED, goals=["B"]))
    again = ends(prepare_path_samples(build_path(matters), BELIEVED, goals=["B"]))
    with_other = ends(prepare_path_samples(build_path([*matters, a_matter("C", 30)]), BELIEVED, goals=["B"]))
    assert np.array_equal(one, again)
    assert np.array_equal(one, with_other)


def test_correlation_widens_a_chain_in_one_department():
    chain = build_path([a_matter(f"M{i}", 10, *([f"M{i - 1}"] if i else []), authority="一局") for i in range(8)])
    apart = replace(BELIEVED, department_correlation=0.0, project_correlation=0.0)
    together = replace(BELIEVED, department_correlation=0.6, project_correlation=0.1)
    spread = [float(np.std(ends(prepare_path_samples(chain, d, counting=Counting.TARGET)))) for d in (apart, together)]
    assert spread[1] > 1.8 * spread[0]


def test_textbook_pert_is_surer_than_correlated_sampling():
    path = build_path(PERMIT)
    chain = schedule(path, Basis.COMMITTED).critical_path
    ready = prepare_path_samples(path, BELIEVED, counting=Counting.TARGET)
    assert pert_ahead(ready, chain, 50) > outlook(ready).chance_by_wd(50) + 0.05


def test_intermediaries_and_land_move_the_date_but_not_the_target():
    work = IntermediaryWork("INT-1", "施工图设计", "IND-301", 60)
    plain, slow = build_path(PERMIT), build_path(PERMIT, intermediaries=[work])

    def mean(path, counting):
        return outlook(prepare_path_samples(path, BELIEVED, counting=counting)).mean_wd

    assert mean(slow, Counting.TARGET) == mean(plain, Counting.TARGET)
    assert mean(slow, Counting.ELAPSED) > mean(plain, Counting.ELAPSED) + 5


def test_reliefs_never_lengthen_and_waits_never_shorten():
    path = build_path(PERMIT)
    base = outlook(prepare_path_samples(path, BELIEVED)).mean_wd
    eased = path.edited(Grant("IND-203", Relief.DEFERRED, "容缺", on="IND-105"))
    tied = path.edited(AddWait("IND-301", "IND-203", "试"))
    assert outlook(prepare_path_samples(eased, BELIEVED)).mean_wd <= base
    assert outlook(prepare_path_samples(tied, BELIEVED)).mean_wd >= base


CHAIN = build_path([a_matter("A", 20), a_matter("B", 10, "A")])


def looked_at(today: date, progress: dict[str, MatterProgress], **changes) -> Outlook:
    return outlook(prepare_path_samples(CHAIN, BELIEVED, so_far=PathSoFar(CALENDAR, START, today, progress, **changes)))


def test_what_is_decided_is_certain_and_what_is_late_is_later():
    day = CALENDAR.add_working_days
    done = {"A": MatterProgress(decided_on=day(START, 12))}
    under_way = {"A": MatterProgress(accepted_on=START)}
    on_time = looked_at(day(START, 12), done)
    still_open = looked_at(day(START, 30), under_way)
    assert on_time.wd_for(0.5) < looked_at(START, under_way).wd_for(0.5) < still_open.wd_for(0.5)
    assert still_open.wd_for(0.01) > 31
    finished = {"A": MatterProgress(decided_on=day(START, 12)), "B": MatterProgress(decided_on=day(START, 25))}
    assert {looked_at(day(START, 40), finished).wd_for(q) for q in (0.01, 0.99)} == {25}


def test_a_slow_start_is_taken_as_a_sign_in_the_same_department_more_than_elsewhere():
    day = CALENDAR.add_working_days

    def left_after(took: int, authority: str) -> float:
        path = build_path([a_matter("A", 20), a_matter("B", 10, "A", authority=authority)])
        today = day(START, took)
        progress = {"A": MatterProgress(accepted_on=START, decided_on=today)}
        ready = prepare_path_samples(path, BELIEVED, so_far=PathSoFar(CALENDAR, START, today, progress))
        return outlook(ready).mean_wd - took

    assert left_after(30, "A局") > left_after(18, "A局") > left_after(10, "A局")
    assert left_after(30, "A局") > left_after(30, "B局") > left_after(10, "B局")


def test_a_pause_moves_the_date_by_its_days():
    under_way = {"A": MatterProgress(accepted_on=START)}
    plain, paused = looked_at(START, under_way), looked_at(START, under_way, paused_wd={"A": 7})
    assert paused.wd_for(0.5) == plain.wd_for(0.5) + 7


def test_a_pause_that_lies_ahead_does_not_count_as_time_already_used():
    today = CALENDAR.add_working_days(START, 10)
    under_way = {"A": MatterProgress(accepted_on=START)}
    plain = looked_at(today, under_way)
    ahead = looked_at(today, under_way, pause_ahead_wd={"A": 6})
    behind = looked_at(today, under_way, paused_wd={"A": 6})
    assert ahead.wd_for(0.5) == plain.wd_for(0.5) + 6
    assert plain.wd_for(0.5) < behind.wd_for(0.5) <= plain.wd_for(0.5) + 6


def test_a_matter_open_far_beyond_anything_seen_still_has_a_finite_date():
    long_open = looked_at(CALENDAR.add_working_days(START, 300), {"A": MatterProgress(accepted_on=START)})
    assert 301 < long_open.wd_for(0.5) < 500


def test_a_path_to_be_sampled_needs_a_goal():
    with pytest.raises(NothingToPromise):
        prepare_path_samples(build_path([a_matter("A", 5, counts_in_target=False)]), BELIEVED)
    with pytest.raises(ValueError, match="between 0 and 1"):
        outlook(prepare_path_samples(CHAIN, BELIEVED)).wd_for(1.0)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 25), st.sets(st.integers(0, 6))), min_size=1, max_size=7))
def test_quantiles_rise_and_no_goal_ends_before_its_chain(drawn):
    matters = [
        a_matter(f"M{i}", days, *[f"M{j}" for j in sorted(after) if j < i]) for i, (days, after) in enumerate(drawn)
    ]
    path = build_path(matters)
    ready = prepare_path_samples(path, BELIEVED, samples=200)
    finish = ready.draw()
    for row, step in enumerate(path.steps):
        for wait in step.waits:
            assert (finish[row] >= finish[path.codes.index(wait.on)]).all()
    view = outlook(ready)
    dates = [view.wd_for(q / 20) for q in range(1, 20)]
    assert dates == sorted(dates)
    assert all(view.chance_by_wd(view.wd_for(q / 20)) >= q / 20 - 1e-9 for q in range(1, 20))


# --- the words ------------------------------------------------------------------------------------------------------


def test_the_words_are_the_honest_ones():
    said = Promise(date(2026, 3, 12), 0.853, START)
    assert said.words(START) == (
        "预计3月12日前办结（近一年同类项目，100个中约85个按时）；公示、评审等法定程序不计入；审批结果由审批部门依法作出"
    )
    assert "2027年1月5日" in Promise(date(2027, 1, 5), 0.85, START, is_estimate=True).words(START)
    assert "为估算" in Promise(date(2027, 1, 5), 0.85, START, is_estimate=True).words(START)
    assert not any(word in said.words(START) for word in ("保证", "确保", "一定"))


def test_a_year_of_cases_is_cited_only_when_there_are_cases():
    path = build_path([CATALOGUE["A"]])
    assert least_cases(path, BELIEVED) == 0
    learned = learn(seen([12, 15, 18], authority="A局"), CATALOGUE, PRIORS)
    assert least_cases(path, learned) == 3
    words = Promise(date(2026, 3, 12), 0.85, START, is_from_cases=False).words(START)
    assert "近一年" not in words
    assert "尚无同类项目记录" in words and "个按时" not in words, "a share of no cases is none"


def test_the_promise_is_a_working_day_with_the_chance_that_this_very_day_has():
    view = outlook(prepare_path_samples(build_path(PERMIT), BELIEVED))
    said = promise(view, CALENDAR, START, START)
    assert CALENDAR.is_workday(said.expected_on)
    assert said.share >= 0.85
    assert chance_by(view, CALENDAR, START, said.expected_on) == pytest.approx(said.share)
    assert not said.is_estimate
    assert promise(view, CALENDAR, date(2026, 10, 12), START).is_estimate


def test_every_matter_has_an_expected_day_beside_its_legal_and_its_committed_one():
    path = build_path(PERMIT)
    expected = expected_dates(prepare_path_samples(path, BELIEVED), CALENDAR, START)
    beside = dated(path, CALENDAR, START, today=START, expected=expected)
    assert all(step.expected_on == expected[step.code] for step in beside)
    assert expected["IND-101"] < expected["IND-201"] < expected["IND-308"]
    assert (
        promise(outlook(prepare_path_samples(path, BELIEVED)), CALENDAR, START, START).expected_on
        == expected["IND-308"]
    )


def test_an_outlook_can_be_kept_in_a_hundred_numbers_and_judged_later():
    view = outlook(prepare_path_samples(build_path(PERMIT), BELIEVED))
    again = recalled(view.kept())
    assert len(view.kept()) == 101
    assert all(abs(again.wd_for(q / 20) - view.wd_for(q / 20)) <= 1 for q in range(1, 20))
    assert all(abs(again.chance_by_wd(d) - view.chance_by_wd(d)) < 0.02 for d in range(60, 130))
    with pytest.raises(ValueError, match="rising"):
        recalled([3, 2])


def test_a_promise_is_said_anew_only_when_it_moves_by_a_working_day():
    friday, saturday, monday = date(2026, 3, 13), date(2026, 3, 14), date(2026, 3, 16)
    said = Promise(friday, 0.85, START)
    assert reissue(said, Promise(friday, 0.91, START), CALENDAR, "x") is None
    assert reissue(said, Promise(saturday, 0.91, START), CALENDAR, "x") is None
    anew = reissue(said, Promise(monday, 0.85, START), CALENDAR, "多图联审已受理")
    assert (anew.expected_on, anew.reason) == (monday, "多图联审已受理")
    assert reissue(None, said, CALENDAR, "首次").reason == "首次"


def test_the_reason_names_what_happened():
    before = {"A": MatterProgress(accepted_on=START), "B": MatterProgress()}
    after = {
        "A": MatterProgress(accepted_on=START, decided_on=START + timedelta(days=8)),
        "B": MatterProgress(accepted_on=START + timedelta(days=8)),
    }
    assert why_moved(before, after, {"A": "方案联审", "B": "多图联审"}) == "方案联审已于3月10日办结；多图联审已受理"
    assert why_moved(after, after, {"A": "方案联审"}) == "按最新办理进度重新估算"


# --- risk and the inbox ---------------------------------------------------------------------------------------------


def test_the_best_action_lowers_the_risk_and_no_action_raises_it():
    path = build_path(PERMIT)
    ready = prepare_path_samples(path, BELIEVED)
    tight = outlook(ready).wd_for(0.6)
    found = risk(path, ready, tight)
    assert 0.2 < found.of_missing <= 0.4
    assert found.best is not None
    assert found.best.risk < found.of_missing
    assert all(found.best.risk <= other.risk for other in found.others)
    assert found.best.code in decisive(ready)


def test_applying_the_best_action_gives_the_risk_that_was_foretold():
    path = build_path([a_matter("IND-103", 20), a_matter("IND-201", 18, "IND-103"), a_matter("C", 3, "IND-201")])
    ready = prepare_path_samples(path, BELIEVED)
    limit = outlook(ready).wd_for(0.5)
    found = risk(path, ready, limit)
    assert (found.best.kind, found.best.code) == ("simulated", "IND-201")
    eased = prepare_path_samples(path.edited(Grant("IND-201", Relief.SIMULATED, "模拟审批", on="IND-103")), BELIEVED)
    assert float((ends(eased) > limit).mean()) == pytest.approx(found.best.risk)


def test_a_reminder_goes_to_the_department_that_leads():
    assert office("自然资源和规划局牵头，住建、人防会审") == "自然资源和规划局"
    assert office("住建局/行政审批局") == "住建局"
    assert office("地震局（省、市）/行政审批局") == "地震局"


def test_a_project_without_risk_needs_no_action_and_less_time_is_more_risk():
    path = build_path(PERMIT)
    ready = prepare_path_samples(path, BELIEVED)
    calm, worried, lost = (risk(path, ready, days) for days in (400, 105, 20))
    assert calm.best is None
    assert calm.of_missing < worried.of_missing < lost.of_missing == 1


def test_what_decides_the_end_is_unfinished_and_named_most_frequent_first():
    path = build_path([a_matter("A", 40), a_matter("B", 5), a_matter("C", 10, "A", "B")])
    assert decisive(prepare_path_samples(path, BELIEVED))[:2] == ("A", "C") or decisive(
        prepare_path_samples(path, BELIEVED)
    )[:2] == ("C", "A")
    progress = {"A": MatterProgress(decided_on=START)}
    so_far = PathSoFar(CALENDAR, START, START + timedelta(days=1), progress)
    assert "A" not in decisive(prepare_path_samples(path, BELIEVED, so_far=so_far))


# --- calibration ----------------------------------------------------------------------------------------------------


def world(rng, sigma: float, n: int) -> list[int]:
    return [round(v) for v in 40 * np.exp(rng.normal(0, sigma, n))]


def view_with(sigma: float) -> Outlook:
    return Outlook(np.sort(np.rint(40 * np.exp(np.random.default_rng(0).normal(0, sigma, 20_000)))).astype(np.float32))


def test_true_probabilities_are_reliable_in_every_decile():
    view = view_with(0.3)
    closed = [close(view, days) for days in world(np.random.default_rng(5), 0.3, 4_000)]
    assert all(abs(row.error) < 0.03 for row in reliability(closed))
    assert all(row.low <= row.observed <= row.high for row in reliability(closed))


def test_overconfidence_shows_and_recalibration_mends_it_on_new_cases():
    view, rng = view_with(0.12), np.random.default_rng(6)
    past = [close(view, days) for days in world(rng, 0.3, 3_000)]
    assert max(abs(row.error) for row in reliability(past)) > 0.1
    mended = Outlook(view.finishes, recalibration(past))
    new = world(rng, 0.3, 3_000)
    central = [row for row in reliability([close(mended, days) for days in new]) if 0.2 < row.level < 0.8]
    assert max(abs(row.error) for row in central) < 0.05
    assert mended.wd_for(0.85) > view.wd_for(0.85)


def test_little_experience_changes_little():
    learned = recalibration([Closed(0.98, 0.99)] * 3)
    assert all(abs(learned.truth_of(p) - p) < 0.03 for p in (0.2, 0.5, 0.85))
    assert recalibration([]) == Recalibration()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_recalibration_keeps_order_and_can_be_read_both_ways(stated):
    learned = recalibration([Closed(value, value) for value in stated])
    shares = [learned.truth_of(p / 20) for p in range(21)]
    assert shares == sorted(shares)
    assert learned.truth_of(learned.stated_for(0.85)) == pytest.approx(0.85, abs=1e-6)


def test_brier_ranks_knowing_above_guessing():
    rng = np.random.default_rng(7)
    chances = rng.uniform(0, 1, 4_000)
    happened = rng.uniform(0, 1, 4_000) < chances
    knowing = [CalibrationPoint(float(p), bool(t)) for p, t in zip(chances, happened, strict=True)]
    usual = base_rate([bool(t) for t in happened])
    guessing = [CalibrationPoint(usual, bool(t)) for t in happened]
    assert brier(knowing) == pytest.approx(1 / 6, abs=0.01)
    assert brier(guessing) == pytest.approx(0.25, abs=0.005)
    assert all(abs(row.error) < 0.06 for row in by_stated(knowing))
    with pytest.raises(ValueError, match="nothing"):
        brier([])


def test_an_interval_for_a_share_is_wide_for_few_cases():
    assert wilson(0, 0) == (0.0, 1.0)
    low, high = wilson(9, 10)
    assert 0.55 < low < 0.9 < high < 1
    assert wilson(900, 1000)[1] - wilson(900, 1000)[0] < 0.04


@pytest.mark.parametrize(
    ("stated", "true"), [((0.0, 0.7, 0.5, 1.0), (0.0, 0.2, 0.6, 1.0)), ((0.0, 1.0), (1.0, 0.0)), ((0.0,), (0.0, 1.0))]
)
def test_a_recalibration_that_turns_dates_round_is_refused(stated, true):
    with pytest.raises(ValueError, match="recalibration"):
        Recalibration(stated, true)


def test_a_path_can_be_promised_for_each_of_the_three_templates():
    for name, least, most in [
        ("industrial_permit", 36, 52),
        ("business_opening", 1, 4),
        ("property_registration", 4, 7),
    ]:
        path: Path = build_path(waiting_under(map(matter_from, rows(f"catalog_{name}")), facts_of({})))
        assert least < outlook(prepare_path_samples(path, BELIEVED, counting=Counting.TARGET)).mean_wd < most


DUE = date(2026, 3, 10)


@pytest.mark.parametrize(
    ("was", "now", "cause"),
    [
        (MatterProgress(due_on=DUE), MatterProgress(due_on=date(2026, 3, 17)), "方案联审期限延至3月17日"),
        (MatterProgress(due_on=DUE), MatterProgress(due_on=DUE), "方案联审超期未办结"),
        (MatterProgress(due_on=date(2026, 3, 11)), MatterProgress(due_on=date(2026, 3, 11)), ""),
        (MatterProgress(due_on=DUE), MatterProgress(due_on=DUE, decided_on=date(2026, 3, 11)), "方案联审晚于期限办结"),
        (MatterProgress(due_on=DUE), MatterProgress(due_on=DUE, decided_on=DUE), ""),
        (MatterProgress(), MatterProgress(accepted_on=date(2026, 3, 11), due_on=date(2026, 3, 20)), ""),
        (MatterProgress(), MatterProgress(), ""),
    ],
)
def test_only_what_a_reader_can_check_is_told_as_the_cause_of_a_later_day(was, now, cause):
    """An acceptance or a decision in time is progress, not a reason for a delay."""
    assert why_later({"A": was}, {"A": now}, {"A": "方案联审"}, date(2026, 3, 11)) == cause
