"""Placing one: finds the agent for one waiting project now, in two exchanges with the database and the commit.

Only the pool that may take it is read (home county, or the seats above once it is escalated; with room and language),
with the scarcity prices of the last batch. The slot is taken by one conditional statement that also writes the member,
the cases' stage and their timeline: whoever comes second for a last slot changes nothing and is placed elsewhere.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb
from psycopg.types.numeric import Int8
from sqlalchemy import text
from sqlalchemy.orm import Session

import db
from agents.matching.model import Id, Need, NetworkPlace
from agents.matching.online import place_one
from agents.network import Level
from dispatch.assignment import rules
from dispatch.assignment.absence_periods import AROUND, long_absent_ids
from dispatch.assignment.matching_input import PRACTISED
from dispatch.assignment.propose import WEIGHTS, reason_of
from dispatch.cases.notify import day_of
from dispatch.cases.obligations.marking import mark
from dispatch.cases.project import Project, TeamRole
from dispatch.cases.stages import ENDS, Stage
from dispatch.catalogue.calendar_version import calendar_of_version
from dispatch.core.actor import Actor
from dispatch.core.working_days import Calendar

TRIES = 8  # how often somebody else may be quicker before the project goes on waiting


@dataclass(frozen=True, slots=True)
class Placed:
    """Who acts for the project from now on. Nobody is told yet: ``telling.tell_placed`` does so."""

    member_id: int
    agent_id: int
    reason: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Asked:
    """One project's roles as the matching sees them, the places that they name, and who may take the lead."""

    lead: Need
    liaisons: tuple[Need, ...]
    network: dict[str, NetworkPlace]
    member: Placed | None  # who leads it already
    pool: "_Pool"
    calendar: Calendar
    at: datetime


class _Free(NamedTuple):
    """As much of an agent as one need asks for: a hundred are made at once, which whole ``Agent``s take longer for."""

    id: int
    node: str
    level: int
    capacity: int
    held: int
    lon: float
    lat: float
    stars: int
    away: bool
    skills: Set[str]
    languages: Set[str]
    practised: Set[str]


@dataclass(frozen=True, slots=True)
class _Pool:
    """Who may take a need and has room, with names and the prices of the last batch."""

    agents: list[_Free]
    names: dict[int, str]
    prices: dict[Id, int]


def place(session: Session, project: Project, *, by: Actor, at: datetime) -> Placed | None:
    """The best agent with a free slot now for a project that the caller has locked. None: it goes on waiting.

    A project that has its agent keeps it. Liaisons of other counters are placed with the lead."""
    session.flush()
    (rows,) = db.execute_pipeline(session, (_READ, _question(project.id, at=at)))
    placed = _place(session, project.id, _asked(session, rows[0]), by=by)
    session.expire_all()
    return placed


def place_waiting(session: Session, project_id: int, *, by: Actor) -> Placed | None:
    """The same at the business moment for a project that nobody has read yet. None also when somebody else has it in
    hand, or when it does not wait."""
    session.flush()
    # What is read behind the lock is what the last who held it left behind.
    locked, rows = db.execute_pipeline(
        session, (_LOCK, {"project": Int8(project_id)}), (_READ, _question(project_id, at=None))
    )
    if not locked:
        return None
    placed = _place(session, project_id, _asked(session, rows[0]), by=by)
    session.expire_all()
    return placed


def _place(session: Session, project_id: int, asked: _Asked, *, by: Actor) -> Placed | None:
    if asked.member is not None:
        return asked.member
    placed, reason = _fill(session, project_id, asked, asked.lead, asked.pool, by=by)
    if placed is None:
        db.execute_pipeline(session, (_KEEP, {"project": Int8(project_id), "reason": Jsonb(reason)}))
        return None
    for need in asked.liaisons:
        _fill(session, project_id, asked, need, _seated(session, need, asked), by=by)
    return placed


def _fill(
    session: Session, project_id: int, asked: _Asked, need: Need, pool: _Pool, *, by: Actor
) -> tuple[Placed | None, dict[str, Any]]:
    """Propose and take, again without whoever had no room left when it came to taking."""
    agents = pool.agents
    for _ in range(TRIES):
        choice = place_one(need, agents, asked.network, WEIGHTS, pool.prices)
        reason = reason_of(choice, {a.id: a for a in agents}, pool.names)
        if choice.agent is None:
            break
        agent_id, take = int(choice.agent), _taking_lead if need.role == "lead" else _taking_liaison
        # An update that waited and then found no room keeps its lock on the agent. Only going back to the savepoint
        # lets go of it; else two who go from agent to agent could wait for each other.
        step = take(project_id, need, agent_id, reason, name=pool.names[agent_id], asked=asked, by=by)
        _, taken = db.execute_pipeline(session, _TRY, step)
        if taken:  # the savepoint ends with the transaction
            mark(session, projects=(project_id,))
            return Placed(taken[0].id, agent_id, reason), reason
        session.execute(_GO_BACK)
        agents = [agent for agent in agents if agent.id != agent_id]
    return None, reason


# Nothing that the session holds has changed since: plain statements do without its own books on savepoints.
_TRY: db.Step = "SAVEPOINT taking", {}
# In no exchange: with a rollback psycopg forgets what it prepared, at once only where it waits for the answer.
_GO_BACK = text("ROLLBACK TO SAVEPOINT taking")

_KEEP = "UPDATE project SET assignment_reason = %(reason)s WHERE id = %(project)s"


# ---------------------------------------------------------------- reading

# A connection's first five uses of a statement are planned for their values, which takes longer than reading: here the
# plan that fits all values is asked for at once, until the transaction ends.
_LOCK = """
SELECT id, set_config('plan_cache_mode', 'force_generic_plan', true) FROM project
 WHERE id = %(project)s AND state = 'waiting' FOR UPDATE SKIP LOCKED
"""

# Everything that is asked of one project, in one statement whose plan depends on no value: PostgreSQL makes it once for
# each connection. What belongs to the agents is read by their ids taken together, in arrays, which cost least on the
# way, and joined here, so that no estimate of their number decides how.
_READ = f"""
WITH asked AS MATERIALIZED (
  SELECT p.id, p.enterprise_id, p.home_division_id, p.site_lon, p.site_lat, p.language, p.priority, p.banned_agents,
         p.escalated, p.created_at, p.assignment_reason, h.code, h.path, s.lon AS other_lon, s.lat AS other_lat,
         coalesce(%(at)s::timestamptz, %(real)s::timestamptz
           + coalesce((SELECT "offset" FROM clock_offset WHERE id = 1), interval '0')) AS at,
         (SELECT f.from_agent_id FROM referral f WHERE f.project_id = p.id AND f.accepted_at IS NULL
           ORDER BY f.id DESC LIMIT 1) AS first_ask
    FROM project p JOIN division h ON h.id = p.home_division_id JOIN division s ON s.id = p.division_id
   WHERE p.id = %(project)s),
needed AS MATERIALIZED (
  SELECT DISTINCT m.category, d.code, d.parent_code, d.level, d.lon, d.lat
    FROM asked JOIN dispatch_case c ON c.project_id = asked.id JOIN review r ON r.case_id = c.id
    JOIN matter m ON m.id = r.matter_id
    LEFT JOIN division d ON d.id = r.counter_division_id AND d.id <> asked.home_division_id AND d.level < %(county)s
   WHERE c.stage <> ALL (%(ends)s) AND r.decided_at IS NULL),
line AS MATERIALIZED (
  SELECT d.id, d.code, d.parent_code, d.level, d.lon, d.lat
    FROM asked JOIN division d ON d.code = ANY (string_to_array(asked.path::text, '.'))),
places AS MATERIALIZED (
  SELECT d.id, d.code, d.level, d.lon, d.lat FROM asked JOIN division d ON d.path <@ asked.path
   UNION ALL
  SELECT line.id, line.code, line.level, line.lon, line.lat
    FROM asked JOIN line ON asked.escalated AND line.code <> asked.code),
free AS MATERIALIZED (
  SELECT a.id, a.name, a.capacity, a.held, a.stars, a.division_id
    FROM asked CROSS JOIN agent a
   WHERE a.division_id = ANY (ARRAY(SELECT id FROM places)) AND {rules.free_slot("a")}
     AND NOT asked.banned_agents @> to_jsonb(a.id) AND (asked.first_ask IS NULL OR a.id = asked.first_ask)
     AND (asked.language = 'zh' OR a.languages ? asked.language))
SELECT asked.*, people.*, skills.*, (SELECT version FROM calendar_version WHERE id = 1) AS calendar,
  (SELECT json_agg(json_build_array(code, parent_code, level, lon, lat)) FROM line) AS line,
  (SELECT json_agg(json_build_array(category, code, parent_code, level, lon, lat)) FROM needed) AS needed,
  (SELECT json_agg(DISTINCT pm.agent_id) FROM project p JOIN project_member pm ON pm.project_id = p.id
    WHERE p.enterprise_id = asked.enterprise_id AND pm.role = 'lead' AND pm.replaced_at IS NULL) AS previous,
  (SELECT json_agg(json_build_array(pm.id, pm.agent_id, pm.role, pm.counter))
     FROM project_member pm WHERE pm.project_id = asked.id AND pm.until IS NULL) AS team,
  (SELECT json_agg(json_build_array(q.agent_id, q.value)) FROM shadow_price q
    WHERE q.agent_id = ANY (ARRAY(SELECT id FROM free))) AS prices,
  (SELECT json_agg(json_build_array(t.agent_id, t.starts_on, t.ends_on)) FROM duty t
    WHERE t.agent_id = ANY (ARRAY(SELECT id FROM free))
      AND t.starts_on <= (asked.at AT TIME ZONE 'Asia/Shanghai')::date + %(around)s::int
      AND t.ends_on >= (asked.at AT TIME ZONE 'Asia/Shanghai')::date - %(around)s::int) AS away
  FROM asked CROSS JOIN (
    SELECT array_agg(free.id) AS agents, array_agg(name) AS names, array_agg(capacity) AS capacities,
           array_agg(held) AS loads, array_agg(stars) AS stars, array_agg(code) AS nodes, array_agg(level) AS levels,
           array_agg(lon) AS lons, array_agg(lat) AS lats
      FROM free JOIN places ON places.id = free.division_id) people
  CROSS JOIN (
    SELECT array_agg(agent_id) AS knowing, array_agg(category) AS known, array_agg(proficiency) AS proficiencies
      FROM agent_skill WHERE agent_id = ANY (ARRAY(SELECT id FROM free))
       AND category = ANY (ARRAY(SELECT category FROM needed WHERE code IS NULL))) skills
"""  # noqa: S608


def _question(project_id: int, *, at: datetime | None) -> dict[str, Any]:
    return {
        "project": Int8(project_id), "at": at, "real": datetime.now(UTC), "county": int(Level.COUNTY),
        "ends": sorted(stage.value for stage in ENDS), "around": AROUND.days,
    }  # fmt: skip


def _asked(session: Session, row: Any) -> _Asked:
    calendar, at = calendar_of_version(session, row.calendar), row.at.astimezone(UTC)
    network = {code: NetworkPlace(parent, level, lon, lat) for code, parent, level, lon, lat in row.line}
    at_home: set[str] = set()
    elsewhere: dict[str, set[str]] = {}
    for category, code, parent, level, lon, lat in row.needed or ():
        if code is None:
            at_home.add(category)
        else:
            network.setdefault(code, NetworkPlace(parent, level, lon, lat))
            elsewhere.setdefault(code, set()).add(category)
    team = row.team or ()
    there = {counter for _, _, role, counter in team if role == "liaison"}
    waited = max(0, calendar.working_days_between(day_of(row.created_at), day_of(at)))
    lead = Need(
        id=f"{row.id}:lead",
        role="lead",
        project=row.id,
        node=row.code,
        lon=row.other_lon if row.site_lon is None else row.site_lon,
        lat=row.other_lat if row.site_lat is None else row.site_lat,
        skills=frozenset(at_home),
        language=None if row.language == "zh" else row.language,
        priority=min(9, max(1, row.priority)),
        waiting_days=waited,
        first_ask=row.first_ask,
        previous=frozenset(row.previous or ()),
        bans=frozenset(row.banned_agents),
        escalated=row.escalated,
    )
    liaisons = tuple(
        Need(
            id=f"{row.id}:{code}", role="liaison", project=row.id, node=code, lon=network[code].lon,
            lat=network[code].lat, skills=frozenset(skills), priority=lead.priority, waiting_days=waited,
        )
        for code, skills in sorted(elsewhere.items())
        if code not in there
    )  # fmt: skip
    pool = _pool_of(row, lead, calendar, day_of(at))
    # Whoever sits below the home county shares its rules: the nodes between need not be read.
    network |= {a.node: NetworkPlace(row.code, a.level, a.lon, a.lat) for a in pool.agents if a.node not in network}
    member = next((Placed(i, agent, row.assignment_reason or {}) for i, agent, role, _ in team if role == "lead"), None)
    return _Asked(lead, liaisons, network, member, pool, calendar, at)


def _pool_of(row: Any, need: Need, calendar: Calendar, on: date) -> _Pool:
    """Who of the agents that were read knows enough. What somebody knows besides is not read."""
    known = Counter[int](row.knowing or ())
    practised: dict[int, set[str]] = {}
    for agent_id, category, proficiency in _rows(row.knowing, row.known, row.proficiencies):
        if proficiency >= PRACTISED:
            practised.setdefault(agent_id, set()).add(category)
    leaves = ((agent_id, date.fromisoformat(a), date.fromisoformat(b)) for agent_id, a, b in row.away or ())
    away = long_absent_ids(leaves, on, calendar)
    speaks, nothing = frozenset(() if need.language is None else (need.language,)), frozenset[str]()
    wanted, skills = len(need.skills), need.skills
    columns = (row.agents, row.nodes, row.levels, row.capacities, row.loads, row.lons, row.lats, row.stars)
    agents = [
        _Free._make((*facts, facts[0] in away, skills, speaks, practised.get(facts[0], nothing)))
        for facts in _rows(*columns)
        if known[facts[0]] == wanted
    ]
    names = dict(_rows(row.agents, row.names))
    return _Pool(agents, names, dict(row.prices or ()))


def _rows(*columns: list[Any] | None) -> Iterator[tuple[Any, ...]]:
    """Columns as rows; an array of nothing is none."""
    return zip(*(column or () for column in columns), strict=True)


# Who sits at one counter, in the same words.
_SEATED = f"""
WITH free AS MATERIALIZED (
  SELECT a.id, a.name, a.capacity, a.held, a.stars, d.code, d.level, d.lon, d.lat
    FROM division d JOIN agent a ON a.division_id = d.id
   WHERE d.code = %(seat)s AND {rules.free_slot("a")})
SELECT people.*, skills.*,
  (SELECT json_agg(json_build_array(q.agent_id, q.value)) FROM shadow_price q
    WHERE q.agent_id = ANY (ARRAY(SELECT id FROM free))) AS prices,
  (SELECT json_agg(json_build_array(t.agent_id, t.starts_on, t.ends_on)) FROM duty t
    WHERE t.agent_id = ANY (ARRAY(SELECT id FROM free)) AND t.starts_on <= %(until)s AND t.ends_on >= %(since)s) AS away
  FROM (
    SELECT array_agg(id) AS agents, array_agg(name) AS names, array_agg(capacity) AS capacities,
           array_agg(held) AS loads, array_agg(stars) AS stars, array_agg(code) AS nodes, array_agg(level) AS levels,
           array_agg(lon) AS lons, array_agg(lat) AS lats
      FROM free) people
  CROSS JOIN (
    SELECT array_agg(agent_id) AS knowing, array_agg(category) AS known, array_agg(proficiency) AS proficiencies
      FROM agent_skill WHERE agent_id = ANY (ARRAY(SELECT id FROM free)) AND category = ANY (%(skills)s)) skills
"""  # noqa: S608


def _seated(session: Session, need: Need, asked: _Asked) -> _Pool:
    on = day_of(asked.at)
    values = {"seat": need.node, "skills": sorted(need.skills), "since": on - AROUND, "until": on + AROUND}
    ((row,),) = db.execute_pipeline(session, (_SEATED, values))
    return _pool_of(row, need, asked.calendar, on)


# ---------------------------------------------------------------- taking the slot

# Column names come from the rules, values are always parameters (S608).

# The cases are locked before the agent: everybody locks in this order. The slot's condition is looked at again when
# somebody else's change of the same agent is waited for, so that no capacity is ever exceeded.
_LEAD = f"""
WITH cases AS MATERIALIZED (
  SELECT id FROM dispatch_case WHERE project_id = %(project_id)s AND stage = %(requested)s ORDER BY id FOR UPDATE),
slot AS (
  UPDATE agent SET held = held + 1
   WHERE id = %(agent_id)s AND (SELECT count(*) FROM cases) >= 0 AND {rules.free_slot("agent")} RETURNING id),
member AS (
  INSERT INTO project_member ({", ".join(rules.MEMBER_COLUMNS)})
  SELECT {rules.selected(rules.MEMBER_COLUMNS, agent_id="slot.id")} FROM slot RETURNING id),
given AS (
  UPDATE project SET {rules.setting(rules.PROJECT_COLUMNS)} FROM slot WHERE project.id = %(project_id)s),
begun AS (
  UPDATE dispatch_case SET {rules.setting(rules.CASE_COLUMNS)}
    FROM slot, cases WHERE dispatch_case.id = cases.id RETURNING dispatch_case.id),
told AS (
  INSERT INTO case_event ({", ".join(rules.EVENT_COLUMNS)})
  SELECT {rules.selected(rules.EVENT_COLUMNS, case_id="begun.id")} FROM begun)
SELECT id FROM member
"""  # noqa: S608


def _taking_lead(
    project_id: int, need: Need, agent_id: int, reason: Mapping[str, Any], *, name: str, asked: _Asked, by: Actor
) -> db.Step:
    at = asked.at
    return _LEAD, {"requested": Stage.REQUESTED.value} | rules.values_for_sql(
        rules.member_values(Int8(project_id), Int8(agent_id), rules.AssignmentChoice(reason=reason), by=by, at=at),
        rules.project_change(reason, by=by),
        rules.case_change(asked.calendar, by=by, at=at),
        rules.event_values(0, Stage.ASSIGNED, rules.lead_given(name), by=by, at=at),
    )


_LIAISON = f"""
WITH cases AS MATERIALIZED (
  SELECT id, stage FROM dispatch_case WHERE project_id = %(project_id)s AND stage <> ALL (%(ends)s)
   ORDER BY id FOR UPDATE),
slot AS (
  UPDATE agent SET held = held + 1
   WHERE id = %(agent_id)s AND (SELECT count(*) FROM cases) >= 0 AND {rules.free_slot("agent")} RETURNING id),
member AS (
  INSERT INTO project_member ({", ".join(rules.MEMBER_COLUMNS)})
  SELECT {rules.selected(rules.MEMBER_COLUMNS, agent_id="slot.id")} FROM slot RETURNING id),
told AS (
  INSERT INTO case_event ({", ".join(rules.EVENT_COLUMNS)})
  SELECT {rules.selected(rules.EVENT_COLUMNS, case_id="cases.id", stage="cases.stage")} FROM cases, slot)
SELECT id FROM member
"""  # noqa: S608


def _taking_liaison(
    project_id: int, need: Need, agent_id: int, reason: Mapping[str, Any], *, name: str, asked: _Asked, by: Actor
) -> db.Step:
    at, counter = asked.at, str(need.node)
    return _LIAISON, {"ends": sorted(stage.value for stage in ENDS)} | rules.values_for_sql(
        rules.member_values(
            Int8(project_id),
            Int8(agent_id),
            rules.AssignmentChoice(reason=reason),
            by=by,
            at=at,
            role=TeamRole.LIAISON,
            counter=counter,
        ),
        rules.event_values(0, Stage.ASSIGNED, rules.liaison_given(name, counter), by=by, at=at),
    )
