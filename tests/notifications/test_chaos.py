"""Chaos, in the short form of every test run and the long form of `make chaos`: nothing lost, nothing twice."""

import json
import logging
import os
from dataclasses import asdict, replace
from pathlib import Path

import pytest

import db
from notifications.crash_points import CRASH_POINTS
from servers.postgres import Postgres
from servers.valkey import Valkey
from tests.notifications.chaos import Plan, Report, make_tables, run
from tests.notifications.chaos_workers import ANY
from tests.notifications.provider_server import Behaviour

LONG = os.environ.get("CHAOS") == "long"
REPORT = Path(os.environ["CHAOS_REPORT"]) if os.environ.get("CHAOS_REPORT") else None
MOST_S = 3000
log = logging.getLogger(__name__)

OWN_PACE = {"sweep_s": 10.0, "publish_again_s": 60.0}  # the sweep and the second task as the program has them
KILLS = (
    {f"kills {i}": Plan(2_000, 200, workers=4, seed=i, at_most_s=MOST_S, patience_s=MOST_S) for i in range(1, 6)}
    if LONG
    else {"kills": Plan(150, 22, workers=3, patience_s=600)}
)
BREAKAGES = (
    {
        "flushes": Plan(60, 0, flushes=20, rate=2.0, pause_s=5, at_most_s=MOST_S, storm=OWN_PACE),
        "broker restarts": Plan(60, 0, broker_restarts=20, rate=2.0, pause_s=5, at_most_s=MOST_S, storm=OWN_PACE),
        "cuts": Plan(60, 0, cuts=10, rate=2.0, pause_s=5, at_most_s=MOST_S, storm=OWN_PACE),
        "database restarts": Plan(60, 0, database_restarts=10, rate=2.0, pause_s=5, at_most_s=MOST_S, storm=OWN_PACE),
    }
    if LONG
    else {"each": Plan(60, 0, flushes=1, broker_restarts=1, database_restarts=1, rate=4.0, patience_s=600)}
)

BAD_PROVIDER = Behaviour(
    delay_s=0.05,
    drop_after_accept=0.02,
    too_many=0.02,
    broken_before=0.02,
    broken_after=0.02,
    list_lag_s=0.5,
    receipts_twice=0.3,
    receipts_forged=0.3,
    receipt_delay_s=(0.0, 1.0),
)


def done_before(part: str) -> bool:
    """Whether CHAOS_REPORT holds this part's good end: a long run that was broken off goes on there."""
    lines = REPORT.read_text().splitlines() if REPORT and REPORT.exists() else []
    return LONG and any(row["part"] == part and row["good"] for row in map(json.loads, lines))


def told(part: str, report: Report, *, good: bool) -> None:
    """Figures into CHAOS_REPORT, one JSON object a line, for docs/benchmarks-notices.md."""
    if REPORT:
        load = round(os.getloadavg()[1], 1)
        row = {"part": part, "good": good, "kills": report.kills, "load": load} | asdict(report)
        with REPORT.open("a") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def is_good(report: Report) -> bool:
    """Nothing lost, nothing twice, hardly anything unknown, no forged receipt believed."""
    wrong = (report.open, report.lost, report.doubled, report.forged_taken, report.genuine_refused)
    return not any(wrong) and report.unknown * 1000 <= report.messages


@pytest.mark.timeout(7200 if LONG else 1500)
@pytest.mark.parametrize("part", KILLS)
def test_chaos_of_killed_workers_loses_nothing_and_sends_nothing_twice(database_url, tmp_path, part):
    if done_before(part):
        pytest.skip("it is in CHAOS_REPORT")
    plan = replace(KILLS[part], behaviour=BAD_PROVIDER)
    valkey = Valkey(durable=False).start()
    try:
        report = run(plan, postgres=None, database=database_url, valkey=valkey, folder=tmp_path, keyring=db.keyring())
    finally:
        valkey.stop()
    told(part, report, good=is_good(report) and report.kills >= plan.kills)
    assert is_good(report), report
    assert report.kills >= plan.kills
    met = set(report.deaths) - {ANY}
    assert len(met) >= (len(CRASH_POINTS) - 1 if LONG else 12), sorted(set(CRASH_POINTS) - met)


@pytest.mark.timeout(7200 if LONG else 1500)
@pytest.mark.parametrize("part", BREAKAGES)
def test_chaos_of_broker_and_database_delays_and_loses_nothing(tmp_path, part):
    if done_before(part):
        pytest.skip("it is in CHAOS_REPORT")
    plan = BREAKAGES[part]
    # durable, as in production: what the poster committed must be there to be counted
    postgres, valkey = Postgres(durable=True).start(), Valkey(durable=True).start()
    try:
        make_tables(postgres.url)
        report = run(
            plan, postgres=postgres, database=postgres.url, valkey=valkey, folder=tmp_path, keyring=db.keyring()
        )
    finally:
        valkey.stop()
        postgres.stop()
    in_time = all(seconds <= 120 for seconds in report.recoveries_s)
    planned = plan.flushes + plan.broker_restarts + plan.cuts + plan.database_restarts
    told(part, report, good=is_good(report) and in_time and len(report.recoveries_s) == planned)
    assert is_good(report), report
    assert in_time, report.recoveries_s
    assert len(report.recoveries_s) == planned, report.broken
