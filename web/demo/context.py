"""Context of the demo day: which county, which day, and the rows that its parts made so far."""

from dataclasses import dataclass, field
from datetime import date, time

from sqlalchemy.orm import Session

from agents.network import Division
from agents.roster import Agent
from dispatch.cases.project import Enterprise
from dispatch.core.shanghai_time import utc
from routing.day.courier_run import CourierRun
from routing.day.couriers import Courier
from routing.day.day_plan import DayPlan
from web.demo.fake_data import FakeData

COUNTY = "320412"
TODAY = date(2026, 11, 24)
NOW = utc(TODAY, time(10))


@dataclass
class DemoContext:
    """What every part of the demo day needs: the session, the drawn people, the county and its staff."""

    session: Session
    fake: FakeData
    county: Division
    towns: list[Division]
    agents: list[Agent] = field(default_factory=list)
    couriers: list[Courier] = field(default_factory=list)
    earlier_plans: dict[date, DayPlan] = field(default_factory=dict)
    earlier_runs: dict[tuple[date, int], CourierRun] = field(default_factory=dict)
    """By day and courier: what was driven before today."""
    first_enterprise: Enterprise | None = None
    """The one that the demo login of an enterprise belongs to."""
