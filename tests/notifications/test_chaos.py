"""Chaos, in the short form of every test run and the long form of `make chaos`: nothing lost, nothing twice."""

import json
import logging
import os
from dataclasses import asdict

import pytest

import db
from notifications.boundary import MOMENTS
from servers import Postgres, Valkey
from tests.notifications.chaos import Plan, Report, make_tables, run
from tests.notifications.chaos_workers import ANY
from tests.notifications.provider_server import Behaviour

LONG = os.environ.get("CHAOS") == "long"
log = logging.getLogger(__name__)

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


def told(report: Report) -> None:
    """Figures into CHAOS_REPORT, one JSON object a line, for docs/benchmarks-notices.md."""
    if path := os.environ.get("CHAOS_REPORT"):
        with open(path, "a") as file:
            file.write(json.dumps(asdict(report) | {"kills": report.kills}, ensure_ascii=False) + "\n")


def nothing_lost_nothing_twice(report: Report) -> None:
    assert report.open == 0, report
    assert report.lost == 0, report
    assert report.doubled == 0, report
    assert report.unknown * 1000 <= report.messages, report
    assert report.forged_taken == 0, report
    assert report.genuine_refused == 0, report


@pytest.mark.timeout(7200 if LONG else 240)
def test_chaos_of_killed_workers_loses_nothing_and_sends_nothing_twice(database_url, tmp_path):
    plan = Plan(
        messages=int(os.environ.get("CHAOS_MESSAGES", 10_000 if LONG else 150)),
        kills=int(os.environ.get("CHAOS_KILLS", 1_000 if LONG else 22)),
        workers=4 if LONG else 3,
        patience_s=5_400 if LONG else 150,
        behaviour=BAD_PROVIDER,
    )
    valkey = Valkey(durable=False).start()
    try:
        report = run(plan, postgres=None, database=database_url, valkey=valkey, folder=tmp_path, keyring=db.keyring())
    finally:
        valkey.stop()
    told(report)
    nothing_lost_nothing_twice(report)
    assert report.kills >= plan.kills
    met = set(report.deaths) - {ANY}
    assert len(met) >= (len(MOMENTS) - 1 if plan.kills > 100 else 12), sorted(set(MOMENTS) - met)


@pytest.mark.timeout(7200 if LONG else 240)
def test_chaos_of_broker_and_database_delays_and_loses_nothing(tmp_path):
    if LONG:  # with the sweep and the second ring at the program's own pace
        own_pace = {"sweep_s": 10.0, "ring_again_s": 60.0}
        plan = Plan(4_000, 0, flushes=20, broker_restarts=20, cuts=10, database_restarts=10, rate=1.0, storm=own_pace)
    else:
        plan = Plan(60, 0, flushes=1, broker_restarts=1, database_restarts=1, rate=4.0, patience_s=150)
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
    told(report)
    nothing_lost_nothing_twice(report)
    assert all(seconds <= 120 for seconds in report.recoveries_s), report.recoveries_s
