"""Set-up: what a new installation has and still needs before the first enterprise comes, and the areas that work."""

from collections import Counter
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from agents.network import Division, Level, ServiceCentre
from agents.roster import Agent
from dispatch.cases.project import Project
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.catalogue.matter import Confidence, Matter
from routing.day.couriers import Courier, Shift


@dataclass(frozen=True, slots=True)
class AreaAtWork:
    """A place with a lead: who works there, and whether a centre serves it."""

    code: str
    name: str
    leads: int
    agents: int
    couriers: int
    couriers_on_shift: int
    has_centre: bool

    @property
    def is_ready(self) -> bool:
        """Whether a case can be taken from request to delivery."""
        return bool(self.agents and self.couriers_on_shift and self.has_centre)


@dataclass(frozen=True, slots=True)
class SetUpFacts:
    """What the database holds of everything that a centre needs."""

    places: int
    centres: int
    year: int
    calendar_is_published: bool
    next_calendar_is_published: bool
    matters: int
    matters_unsure: int
    projects: int
    areas: tuple[AreaAtWork, ...]


def set_up_facts(session: Session, leads: Counter[int], *, today: date) -> SetUpFacts:
    """``leads``: how many leads each division has, by its id."""
    calendar = calendar_of(session)
    unsure = Confidence.VERIFY
    in_force = Matter.retired_on.is_(None)
    return SetUpFacts(
        places=_count(session, Division.retired_on.is_(None), Division.level <= Level.TOWN),
        centres=_count(session, ServiceCentre.retired_on.is_(None)),
        year=today.year,
        calendar_is_published=today.year in calendar.years - calendar.provisional_years,
        next_calendar_is_published=today.year + 1 in calendar.years - calendar.provisional_years,
        matters=_count(session, in_force),
        matters_unsure=_count(session, in_force, Matter.confidence_committed == unsure),
        projects=session.scalar(select(func.count(Project.id))) or 0,
        areas=_areas(session, leads, today),
    )


def _count(session: Session, *conditions: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).where(*conditions)) or 0


def _areas(session: Session, leads: Counter[int], today: date) -> tuple[AreaAtWork, ...]:
    led = session.scalars(select(Division).where(Division.id.in_(leads)).order_by(Division.path)).all()
    centres = select(Division.path).join(ServiceCentre, ServiceCentre.division_id == Division.id)
    served = list(session.scalars(centres.where(ServiceCentre.retired_on.is_(None))))
    stationed = select(Division.path, func.count()).join(Agent, Agent.division_id == Division.id).where(Agent.active)
    agents = _at(session, stationed)
    couriers = (
        select(Division.path, func.count()).join(Courier, Courier.division_id == Division.id).where(Courier.active)
    )
    on_shift = couriers.where(Courier.id.in_(select(Shift.courier_id).where(Shift.on >= today)))
    everyone, working = _at(session, couriers), _at(session, on_shift)
    return tuple(
        AreaAtWork(
            area.code, area.name, leads[area.id], _below(area.path, agents), _below(area.path, everyone),
            _below(area.path, working), any(_lies_in(area.path, path) or _lies_in(path, area.path) for path in served),
        )
        for area in led
    )  # fmt: skip


def _at(session: Session, query: Select[str, int]) -> dict[str, int]:
    return dict(session.execute(query.group_by(Division.path)).all())


def _below(path: str, counts: dict[str, int]) -> int:
    return sum(n for where, n in counts.items() if _lies_in(where, path))


def _lies_in(path: str, area: str) -> bool:
    """Whether the division of ``path`` is the area or lies below it."""
    return path == area or path.startswith(area + ".")
