"""A city's demo, by COPY and not by acts: its rows are as acts would leave them, and its pages have work on them."""

import csv
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from agents.network_import import DIVISIONS_FILE
from dispatch.acts.act import perform
from dispatch.acts.importing import ImportCalendar, ImportCatalogue, ImportNetwork
from dispatch.cases.case import Case
from dispatch.cases.derived import differences
from dispatch.cases.obligations.obligation import Obligation
from dispatch.cases.review import Review
from dispatch.core.actor import SYSTEM
from web.demo import demand
from web.demo.context import NOW

DATA = Path("dispatch/data")


@pytest.mark.timeout(600)
def test_a_small_city_is_copied_whole_and_owes_what_its_rows_say(
    sessions: sessionmaker[Session], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sessions.begin() as session:
        perform(session, ImportNetwork(Path(DIVISIONS_FILE)), SYSTEM)
        perform(session, ImportCalendar(DATA / "calendar_2025_2027.csv"), SYSTEM)
        perform(session, ImportCatalogue(tuple(sorted(DATA.glob("catalog_*.csv")))), SYSTEM)
    monkeypatch.setattr(demand, "DEMAND_FILE", few(tmp_path / "few.csv"))
    demand.load(sessions, scale="city")
    with sessions() as session:
        cases = session.scalar(select(func.count(Case.id)))
        owed = session.scalar(select(func.count(Obligation.id)).where(Obligation.case_id.is_not(None)))
        limited = session.scalar(select(func.count(Review.id)).where(Review.committed_limit.is_not(None)))
        assert cases and owed and limited
        assert [str(each) for each in differences(session, at=NOW + timedelta(minutes=1))] == []


def few(path: Path) -> Path:
    """武进 alone, with a handful of projects and stops."""
    with demand.DEMAND_FILE.open(encoding="utf-8") as file:
        row = next(row for row in csv.DictReader(file) if row["code"] == "320412000000")
    row |= {"projects_in_progress": "12", "proxied_cases_mean": "3", "couriers_mean": "2", "delivery_stops_mean": "9"}
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, row)
        writer.writeheader()
        writer.writerow(row)
    return path
