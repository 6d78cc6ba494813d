"""A city's demo, by COPY and not by acts: its rows are as acts would leave them, and its pages have work on them."""

import csv
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from agents.network import Division, Level
from agents.roster import Agent
from dispatch.cases.case import Case
from dispatch.cases.derived import differences
from dispatch.cases.obligations.obligation import Obligation
from dispatch.cases.review import Review
from dispatch.cases.stages import Stage
from routing.day.couriers import Courier
from web.demo import demand
from web.demo.context import NOW
from web.demo.demand_agents import DrawnAgent, spread_cases
from web.demo.fake_data import FakeData

WUJIN, TIANNING = "320412000000", "320402000000"


@pytest.mark.parametrize(("scale", "cities"), [("city", 1), ("province", 13)])
def test_a_small_city_is_copied_whole_and_owes_what_its_rows_say(
    sessions: sessionmaker[Session], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scale: str, cities: int
) -> None:
    monkeypatch.setattr(demand, "DEMAND_FILE", few(tmp_path / "few.csv"))
    demand.load(sessions, scale=scale)
    with sessions() as session:
        stages = Counter(session.scalars(select(Case.stage)))
        assert stages.total() == 46
        assert stages[Stage.REQUESTED] == 6
        assert {Stage.SUBMITTED, Stage.UNDER_REVIEW, Stage.DECIDED} <= set(stages)
        owed = session.scalar(select(func.count(Obligation.id)).where(Obligation.case_id.is_not(None)))
        limited = session.scalar(select(func.count(Review.id)).where(Review.committed_limit.is_not(None)))
        assert owed and limited
        of_cities = select(Agent.division_id).join(Division, Division.id == Agent.division_id)
        staffed = session.scalars(of_cities.where(Division.level == Level.CITY)).all()
        assert (len(set(staffed)), len(staffed)) == (cities, cities * demand.CITY_AGENTS)
        driven = select(Division.code).join(Courier, Courier.division_id == Division.id).distinct()
        assert session.scalars(driven).all() == [WUJIN]
        assert [str(each) for each in differences(session, at=NOW + timedelta(minutes=1))] == []


def few(path: Path) -> Path:
    """武进 with a handful of projects and stops, and 天宁 with one project that nobody drives to."""
    loads = {
        WUJIN: {
            "projects_in_progress": "40",
            "proxied_cases_mean": "3",
            "couriers_mean": "2",
            "delivery_stops_mean": "9",
        },
        TIANNING: {
            "projects_in_progress": "0",
            "proxied_cases_mean": "3",
            "couriers_mean": "0",
            "delivery_stops_mean": "0",
        },
    }
    with demand.DEMAND_FILE.open(encoding="utf-8") as file:
        rows = [row | loads[row["code"]] for row in csv.DictReader(file) if row["code"] in loads]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_no_two_people_of_the_province_share_a_number() -> None:
    fake = FakeData(7)
    numbers = [fake.phone() for _ in range(25_000)]
    assert len(set(numbers)) == len(numbers)


def test_names_recur_where_there_are_more_people_than_names() -> None:
    fake = FakeData(7)
    names = [fake.recurring_person() for _ in range(5_000)]
    assert len(set(names)) < len(names)


def test_nobody_holds_more_cases_than_fit_however_many_there_are() -> None:
    seat = Division(code="320412000000", level=Level.COUNTY)
    agents = [DrawnAgent(number, seat, capacity, {}) for number, capacity in enumerate((3, 1, 2))]
    assert spread_cases(agents, 4) == {0: 2, 2: 2}
    assert spread_cases(agents, 99) == {0: 3, 2: 2}, "a village's agent stays free"
