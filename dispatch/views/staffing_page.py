"""Staffing as a lead reads it: the areas that may be asked about, teams for what waits, and a week's hours."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from agents.network import Division, Level
from dispatch.assignment.team_plan import Lack, TeamProposal
from dispatch.assignment.week_plan import AgentWeek, ProjectWeek, WeekProposal, WeekReason
from dispatch.cases.access_control import within
from dispatch.core.actor import Actor

LACK_WORDS = {
    Lack.NOBODY: "本地无人具备",
    Lack.AWAY: "具备的人都在请假",
    Lack.BARRED: "具备的人因语言、回避或首问负责不能参加",
    Lack.FULL: "具备的人名额都已满",
}
REASON_WORDS = {
    WeekReason.STAYS: "仍由原代办员承办",
    WeekReason.NEW: "此前待派件",
    WeekReason.AWAY: "原代办员请假或调离",
    WeekReason.SHORT: "原代办员本周工时不足",
    WeekReason.NOBODY_FITS: "无人符合专长、语言或范围",
    WeekReason.NO_HOURS: "符合的人本周工时都不足",
}


@dataclass(frozen=True, slots=True)
class StaffingArea:
    """A place whose projects may be asked about together."""

    code: str
    path: str
    label: str


@dataclass(frozen=True, slots=True)
class TeamsPage:
    """Projects that find a team, and those that find none with the reason."""

    found: tuple[TeamProposal, ...]
    uncovered: tuple[TeamProposal, ...]
    proven: bool


@dataclass(frozen=True, slots=True)
class WeekPage:
    """A week's hours: what would change hands, what waits and why, what stays, and each agent's hours."""

    moves: tuple[ProjectWeek, ...]
    waiting: tuple[ProjectWeek, ...]
    staying: tuple[ProjectWeek, ...]
    busy: tuple[AgentWeek, ...]
    idle: tuple[AgentWeek, ...]
    hours: int
    given: int
    proven: bool


def staffing_areas(session: Session, viewer: Actor) -> tuple[StaffingArea, ...]:
    """Cities and counties of the viewer's reach, each under the one above it; a lead of less has the own place."""
    above = aliased(Division)
    rows = session.execute(
        select(Division.code, Division.path, Division.name, Division.level, above.name.label("city"))
        .outerjoin(above, above.code == Division.parent_code)
        .where(within(viewer, Division.id), Division.retired_on.is_(None))  # type: ignore[arg-type]
        .where((Division.level.in_((Level.CITY, Level.COUNTY))) | (Division.path == viewer.division_path))
        .order_by(Division.path)
    )
    return tuple(
        StaffingArea(row.code, row.path, f"{row.city} {row.name}" if row.level is Level.COUNTY else row.name)
        for row in rows
        if row.level >= Level.CITY
    )


def teams_page(proposals: Sequence[TeamProposal]) -> TeamsPage:
    """The proposals, those with a team apart."""
    return TeamsPage(
        tuple(one for one in proposals if one.members),
        tuple(one for one in proposals if not one.members),
        all(one.proven for one in proposals),
    )


def week_page(week: WeekProposal) -> WeekPage:
    """The week by what it asks of the lead; whoever has the fewest hours left comes first."""
    changed = [one for one in week.projects if one.reason is not WeekReason.STAYS]
    agents = sorted(week.agents, key=lambda one: (one.left, one.name))
    hours = sum(one.hours for one in agents)
    return WeekPage(
        moves=tuple(one for one in changed if one.then),
        waiting=tuple(one for one in changed if not one.then),
        staying=tuple(one for one in week.projects if one.reason is WeekReason.STAYS),
        busy=tuple(one for one in agents if one.projects),
        idle=tuple(one for one in agents if not one.projects),
        hours=hours,
        given=hours - sum(one.left for one in agents),
        proven=week.proven,
    )
