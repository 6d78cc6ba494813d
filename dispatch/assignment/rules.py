"""Assignment rules: who may be given a project, what that writes and how it reads on the timeline, at each path alike.

A choice by hand goes through rows (staffing), a batch through COPY (apply_batch), one placement through one statement
(assign_one). All three take columns, values and words from here, so that a rule changes in one place.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from psycopg.types.json import Jsonb

from dispatch.cases.due_moments import prescreen_due
from dispatch.cases.project import Project, ProjectState, TeamRole
from dispatch.cases.stages import Stage
from dispatch.core.actor import Actor
from dispatch.core.errors import Refused
from dispatch.core.localized_text import LocalizedText, to_json
from dispatch.core.working_days import Calendar

Values = dict[str, Any]
MATCHING = "matching"

# ---------------------------------------------------------------- who may


def free_slot(table: str) -> str:
    """The condition, in SQL, under which an agent of this table can be given one project more."""
    return f"{table}.active AND {table}.held < {table}.capacity"


def room_of(*, active: bool, capacity: int) -> int:
    """How many projects an agent may hold; none once inactive."""
    return capacity if active else 0


def check_not_banned(project: Project, agent_id: int) -> None:
    """Raises Refused for whom the enterprise was promised not to meet again."""
    if agent_id in project.banned_agents:
        raise Refused(
            f"agent {agent_id} is banned from {project.project_no}", user_message="该代办员已被排除在本项目之外"
        )


# ---------------------------------------------------------------- what is written

MEMBER_COLUMNS = (
    "project_id", "agent_id", "role", "counter", "since", "locked", "chosen_by", "reason", "recorded_at", "recorded_by",
    "late_reason",
)  # fmt: skip
PROJECT_COLUMNS = ("state", "closed_at", "changed_by", "assignment_reason")
CASE_COLUMNS = ("stage", "stage_at", "changed_by", "prescreen_by")
EVENT_COLUMNS = ("case_id", "at", "kind", "stage", "actor", "words", "detail", "internal")


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentChoice:
    """Why this agent, who chose, whether batches leave it, and since when it was agreed (None: now)."""

    reason: Mapping[str, Any] = field(default_factory=dict)
    chosen_by: str = MATCHING
    locked: bool = False
    since: datetime | None = None
    late_reason: str = ""


@dataclass(frozen=True, slots=True)
class AgreedMoment:
    """Since when a batch holds (None: now), and why it is written down so late."""

    since: datetime | None = None
    late_reason: str = ""


def member_values(
    project_id: int,
    agent_id: int,
    choice: AssignmentChoice,
    *,
    by: Actor,
    at: datetime,
    role: TeamRole = TeamRole.LEAD,
    counter: str = "",
) -> Values:
    """The new member of the team; ``at``: when it is written down."""
    given = (
        project_id, agent_id, role, counter, choice.since or at, choice.locked, choice.chosen_by, dict(choice.reason),
        at, by.label, choice.late_reason or None,
    )  # fmt: skip
    return dict(zip(MEMBER_COLUMNS, given, strict=True))


def project_change(reason: Any, *, by: Actor) -> Values:
    """What a project becomes that has a lead; its version goes up by one besides."""
    return dict(zip(PROJECT_COLUMNS, (ProjectState.ACTIVE, None, by.label, reason), strict=True))


def case_change(calendar: Calendar, *, by: Actor, at: datetime, since: datetime | None = None) -> Values:
    """What a case becomes that waited for its agent, who acts ``since``; its version goes up by one besides."""
    due_by = prescreen_due(calendar, since or at)
    return dict(zip(CASE_COLUMNS, (Stage.ASSIGNED, at, by.label, due_by), strict=True))


@dataclass(frozen=True, slots=True)
class TeamEvent:
    """A change of the team, as the timeline of a case says it."""

    kind: str
    words: LocalizedText
    internal: bool = False
    detail: Mapping[str, Any] = field(default_factory=dict)


def lead_given(name: str) -> TeamEvent:
    """A case that waited has its agent."""
    return TeamEvent("assigned", LocalizedText("已指派代办员%(name)s", name=name))


def lead_changed(name: str, agent_id: int) -> TeamEvent:
    """Somebody else acts from now on."""
    return TeamEvent(
        "agent_changed", LocalizedText("代办员变更为%(name)s", name=name), detail={"agent_id": agent_id}
    )  # fmt: skip


def lead_left() -> TeamEvent:
    """Who acted has left, and nobody acts until another is found."""
    return TeamEvent("agent_left", LocalizedText("原代办员离岗，正在重新指派"), internal=True)


def liaison_given(name: str, counter: str) -> TeamEvent:
    """One more agent for the matters of another counter; the enterprise keeps its one agent."""
    return TeamEvent("liaison", LocalizedText("%(name)s协办", name=name), internal=True, detail={"counter": counter})


def event_values(case_id: int, stage: Stage, event: TeamEvent, *, by: Actor, at: datetime) -> Values:
    """The line on a case's timeline."""
    detail = dict(event.detail) | to_json(event.words)
    given = (case_id, at, event.kind, stage, by.label, str(event.words), detail, event.internal)
    return dict(zip(EVENT_COLUMNS, given, strict=True))


# ---------------------------------------------------------------- the same in SQL


def setting(columns: Iterable[str]) -> str:
    """The SET of an update that takes its parameters from ``values_for_sql``: these columns, and the next version."""
    return ", ".join([*(f"{name} = %({name})s" for name in columns), "version = version + 1"])


def selected(columns: Iterable[str], **found: str) -> str:
    """The SELECT list of an insert: ``found`` says which columns the statement finds itself, and how."""
    return ", ".join(found.get(name, f"%({name})s") for name in columns)


def values_for_sql(*values: Mapping[str, Any]) -> Values:
    """Parameters as psycopg takes them."""
    return {name: _plain(value) for one in values for name, value in one.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    return Jsonb(value) if isinstance(value, dict) else value
