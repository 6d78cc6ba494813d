"""Placing one: finds the agent for one waiting project now, in a handful of indexed statements.

Only the pool that may take it is read (home county, or the seats above once it is escalated; with room, skills and
language), with the scarcity prices of the last batch. The slot is taken by one conditional statement that also writes
the member, the cases' stage and their timeline: whoever comes second for a last slot changes nothing and is placed
elsewhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Date, DateTime, String, TextClause, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from agents.network import Level
from dispatch.assignment import PRACTISED, SHORT_LEAVE_WD, WEIGHTS, reason_of
from dispatch.catalog import CALENDAR_VERSION, calendar_of_version
from dispatch.clock import Calendar
from dispatch.flow.parts import due
from dispatch.flow.staffing import PRESCREEN_WD
from dispatch.matching.model import Agent, Choice, Id, Need, Place
from dispatch.matching.online import place_one
from dispatch.project import Project, ProjectState
from dispatch.said import Said, kept
from dispatch.scope import Viewer
from dispatch.stages import ENDS, Stage
from dispatch.telling import day_of

TRIES = 8  # how often somebody else may be quicker before the project goes on waiting


@dataclass(frozen=True, slots=True)
class Placed:
    """Who acts for the project from now on. Nobody is told yet: ``placing.tell_placed`` does so."""

    member_id: int
    agent_id: int
    reason: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Asked:
    """One project's roles as the matching sees them, and the places that they name."""

    lead: Need
    liaisons: tuple[Need, ...]
    home: str
    home_path: str
    above: tuple[str, ...]
    network: dict[str, Place]
    member: Mapping[str, Any] | None  # who leads it already
    calendar: Calendar


def place(session: Session, project: Project, *, by: Viewer, at: datetime) -> Placed | None:
    """The best agent with a free slot now for a project that the caller has locked. None: it goes on waiting.

    A project that has its agent keeps it. Liaisons of other counters are placed with the lead."""
    session.flush()
    asked = _ask(session, project, at=at)
    if asked.member is not None:
        return Placed(asked.member["id"], asked.member["agent_id"], project.assignment_reason or {})
    placed = _fill(session, project, asked, asked.lead, by=by, at=at)
    if placed is None:
        return None
    for need in asked.liaisons:
        _fill(session, project, asked, need, by=by, at=at)
    return placed


def _fill(session: Session, project: Project, asked: _Asked, need: Need, *, by: Viewer, at: datetime) -> Placed | None:
    """Propose and take, again without whoever had no room left when it came to taking."""
    pool, names, prices = _pool(session, need, asked, on=day_of(at))
    # Whoever sits below the home county shares its rules: the nodes between need not be read.
    below = {a.node: Place(asked.home, a.level, a.lon, a.lat) for a in pool if a.node not in asked.network}
    network = asked.network | below
    for _ in range(TRIES):
        choice = place_one(need, pool, network, WEIGHTS, prices)
        reason = reason_of(choice, {a.id: a for a in pool}, names)
        if choice.agent is None:
            break
        take = _take_lead if need.role == "lead" else _take_liaison
        # An update that waited and then found no room keeps its lock on the agent. Only going back to the savepoint
        # lets go of it; else two who go from agent to agent could wait for each other.
        session.execute(_TRY)
        member_id = take(session, project, need, choice, reason, name=names[int(choice.agent)],
                         calendar=asked.calendar, by=by, at=at)  # fmt: skip
        if member_id is not None:  # the savepoint ends with the transaction
            session.expire_all()
            return Placed(member_id, int(choice.agent), reason)
        session.execute(_GO_BACK)
        pool = [agent for agent in pool if agent.id != choice.agent]
    if need.role == "lead":
        project.assignment_reason = reason
    return None


# Nothing that the session holds has changed since: plain statements do without its own books on savepoints.
_TRY, _GO_BACK = text("SAVEPOINT taking"), text("ROLLBACK TO SAVEPOINT taking")


# ---------------------------------------------------------------- reading

_ASKED = """
SELECT {calendar} AS calendar, h.code, h.level, h.path::text AS path, h.parent_code, h.lon, h.lat,
  s.lon AS site_lon, s.lat AS site_lat,
  (SELECT jsonb_agg(jsonb_build_array(u.code, u.parent_code, u.level, u.lon, u.lat))
     FROM division u WHERE u.code = ANY (string_to_array(h.path::text, '.'))) AS line,
  (SELECT jsonb_agg(DISTINCT jsonb_build_array(d.code, d.parent_code, d.level, d.lon, d.lat, m.category))
     FROM dispatch_case c JOIN review r ON r.case_id = c.id JOIN matter m ON m.id = r.matter_id
     LEFT JOIN division d ON d.id = r.counter_division_id AND d.id <> h.id AND d.level < :county
    WHERE c.project_id = :project AND c.stage <> ALL (:ends) AND r.decided_at IS NULL) AS matters,
  (SELECT f.from_agent_id FROM referral f WHERE f.project_id = :project AND f.accepted_at IS NULL
    ORDER BY f.id DESC LIMIT 1) AS first_ask,
  (SELECT jsonb_agg(DISTINCT pm.agent_id) FROM project p JOIN project_member pm ON pm.project_id = p.id
    WHERE p.enterprise_id = :enterprise AND pm.role = 'lead') AS previous,
  (SELECT jsonb_agg(jsonb_build_object('id', pm.id, 'agent_id', pm.agent_id, 'role', pm.role, 'counter', pm.counter))
     FROM project_member pm WHERE pm.project_id = :project AND pm.until IS NULL) AS team
  FROM division h, division s WHERE h.id = :home AND s.id = :site
"""
_CONTEXT = text(_ASKED.format(calendar=CALENDAR_VERSION)).bindparams(bindparam("ends", type_=ARRAY(String)))


def _ask(session: Session, project: Project, *, at: datetime) -> _Asked:
    row = session.execute(
        _CONTEXT,
        {
            "project": project.id, "enterprise": project.enterprise_id, "home": project.home_division_id,
            "site": project.division_id, "county": int(Level.COUNTY), "ends": sorted(stage.value for stage in ENDS),
        },
    ).one()  # fmt: skip
    calendar = calendar_of_version(session, row.calendar)
    network = {code: Place(parent, level, lon, lat) for code, parent, level, lon, lat in row.line}
    at_home: set[str] = set()
    elsewhere: dict[str, set[str]] = {}
    for code, parent, level, lon, lat, category in row.matters or ():
        if code is None:
            at_home.add(category)
        else:
            network.setdefault(code, Place(parent, level, lon, lat))
            elsewhere.setdefault(code, set()).add(category)
    team = row.team or []
    there = {member["counter"] for member in team if member["role"] == "liaison"}
    waited = max(0, calendar.working_days_between(day_of(project.created_at), day_of(at)))
    lead = Need(
        id=f"{project.id}:lead",
        role="lead",
        project=project.id,
        node=row.code,
        lon=row.site_lon if project.site_lon is None else project.site_lon,
        lat=row.site_lat if project.site_lat is None else project.site_lat,
        skills=frozenset(at_home),
        language=None if project.language == "zh" else project.language,
        priority=min(9, max(1, project.priority)),
        waiting_days=waited,
        first_ask=row.first_ask,
        previous=frozenset(row.previous or ()),
        bans=frozenset(project.banned_agents),
        escalated=project.escalated,
    )
    liaisons = tuple(
        Need(
            id=f"{project.id}:{code}", role="liaison", project=project.id, node=code, lon=network[code].lon,
            lat=network[code].lat, skills=frozenset(skills), priority=lead.priority, waiting_days=waited,
        )
        for code, skills in sorted(elsewhere.items())
        if code not in there
    )  # fmt: skip
    above = tuple(row.path.split(".")[:-1]) if project.escalated else ()
    member = next((m for m in team if m["role"] == "lead"), None)
    return _Asked(lead, liaisons, row.code, row.path, above, network, member, calendar)


_FREE = """
SELECT a.id, a.name, a.capacity, a.held, a.stars, coalesce(q.price, 0) AS price,
       d.code, d.level, d.lon, d.lat, k.practised,
       (SELECT array_agg(t.starts_on ORDER BY t.id) FROM duty t
         WHERE t.agent_id = a.id AND t.starts_on <= :on AND t.ends_on >= :on) AS away_from,
       (SELECT array_agg(t.ends_on ORDER BY t.id) FROM duty t
         WHERE t.agent_id = a.id AND t.starts_on <= :on AND t.ends_on >= :on) AS away_until
  FROM division d JOIN agent a ON a.division_id = d.id
  LEFT JOIN slot_price q ON q.agent_id = a.id
  CROSS JOIN LATERAL (
    SELECT count(*) AS n, array_agg(s.category) FILTER (WHERE s.proficiency >= :practised) AS practised
      FROM agent_skill s WHERE s.agent_id = a.id AND s.category = ANY (:skills)) k
 WHERE a.division_id = ANY (ARRAY({places})) AND a.active AND a.held < a.capacity
   AND k.n = :wanted AND a.id <> ALL (:bans)
   AND (CAST(:first AS bigint) IS NULL OR a.id = :first)
   AND (CAST(:language AS text) IS NULL OR a.languages ? :language)
"""


def _free(places: str) -> TextClause:
    return text(_FREE.format(places=places)).bindparams(
        bindparam("skills", type_=ARRAY(String)),
        bindparam("bans", type_=ARRAY(BigInteger)),
        bindparam("on", type_=Date),
    )


# An array of places, not a join: the planner would rather read every agent of the province.
_BELOW = _free("SELECT id FROM division WHERE path <@ CAST(:path AS ltree)")
_BELOW_OR_SEATED = _free(
    "SELECT id FROM division WHERE path <@ CAST(:path AS ltree)"
    " UNION ALL SELECT id FROM division WHERE code = ANY (CAST(:seats AS varchar[]))"
)
_SEATED = _free("SELECT id FROM division WHERE code = ANY (CAST(:seats AS varchar[]))")


def _pool(
    session: Session, need: Need, asked: _Asked, *, on: date
) -> tuple[list[Agent], dict[int, str], dict[Id, int]]:
    """Who may take the need and has room, with names and the prices of the last batch. The statement keeps the rules on
    skills, language, bans and first ask: what an agent knows besides is not read."""
    values: dict[str, Any] = {
        "on": on, "practised": PRACTISED, "skills": sorted(need.skills), "wanted": len(need.skills),
        "bans": sorted(int(agent) for agent in need.bans), "first": need.first_ask, "language": need.language,
    }  # fmt: skip
    if need.role == "liaison":
        statement, values["seats"] = _SEATED, [need.node]
    elif asked.above:
        statement, values["seats"], values["path"] = _BELOW_OR_SEATED, list(asked.above), asked.home_path
    else:
        statement, values["path"] = _BELOW, asked.home_path
    pool, names, prices = [], {}, {}
    speaks = frozenset(() if need.language is None else (need.language,))
    for row in session.execute(statement, values):
        names[row.id], prices[row.id] = row.name, row.price
        pool.append(
            Agent(
                id=row.id,
                node=row.code,
                level=row.level,
                capacity=row.capacity,
                held=row.held,
                lon=row.lon,
                lat=row.lat,
                skills=need.skills,
                languages=speaks,
                stars=row.stars,
                away=row.away_from is not None and _is_long(row.away_from, row.away_until, asked.calendar),
                practised=frozenset(row.practised or ()),
            )
        )
    return pool, names, prices


def _is_long(starts: Sequence[date], ends: Sequence[date], calendar: Calendar) -> bool:
    """Away longer than a stand-in acts."""
    return any(
        len(calendar.workdays_after(starts_on, ends_on)) + calendar.is_workday(starts_on) > SHORT_LEAVE_WD
        for starts_on, ends_on in zip(starts, ends, strict=True)
    )


# ---------------------------------------------------------------- taking the slot

# The cases are locked before the agent: everybody locks in this order. The slot's condition is looked at again when
# somebody else's change of the same agent is waited for, so that no capacity is ever exceeded.
_LEAD = text("""
WITH cases AS MATERIALIZED (
  SELECT id FROM dispatch_case WHERE project_id = :project AND stage = :requested ORDER BY id FOR UPDATE),
slot AS (
  UPDATE agent SET held = held + 1
   WHERE id = :agent AND (SELECT count(*) FROM cases) >= 0 AND active AND held < capacity RETURNING id),
member AS (
  INSERT INTO project_member (project_id, agent_id, role, counter, since, locked, chosen_by, reason)
  SELECT :project, slot.id, 'lead', '', :at, false, 'matching', :reason FROM slot RETURNING id),
given AS (
  UPDATE project SET state = :active, version = version + 1, closed_at = NULL, assignment_reason = :reason
    FROM slot WHERE project.id = :project),
begun AS (
  UPDATE dispatch_case SET stage = :assigned, stage_at = :at, changed_by = :label, version = version + 1,
         prescreen_by = :prescreen_by
    FROM slot, cases WHERE dispatch_case.id = cases.id RETURNING dispatch_case.id),
told AS (
  INSERT INTO case_event (case_id, at, kind, stage, actor, words, detail, internal)
  SELECT begun.id, :at, 'assigned', :assigned, :label, :words, :detail, false FROM begun)
SELECT id FROM member
""").bindparams(
    bindparam("reason", type_=JSONB), bindparam("detail", type_=JSONB), bindparam("at", type_=DateTime(timezone=True)),
    bindparam("prescreen_by", type_=DateTime(timezone=True)),
)  # fmt: skip


def _take_lead(
    session: Session, project: Project, need: Need, choice: Choice, reason: Mapping[str, Any], *, name: str,
    calendar: Calendar, by: Viewer, at: datetime,
) -> int | None:  # fmt: skip
    words = Said("已指派代办员%(name)s", name=name)
    values = {
        "project": project.id, "agent": choice.agent, "requested": Stage.REQUESTED.value, "at": at, "reason": reason,
        "active": ProjectState.ACTIVE.value, "assigned": Stage.ASSIGNED.value, "label": by.label,
        "prescreen_by": due(calendar, at, PRESCREEN_WD), "words": str(words), "detail": kept(words),
    }  # fmt: skip
    taken = session.execute(_LEAD, values).scalar()
    return None if taken is None else int(taken)


_LIAISON = text("""
WITH cases AS MATERIALIZED (
  SELECT id, stage FROM dispatch_case WHERE project_id = :project AND stage <> ALL (:ends) ORDER BY id FOR UPDATE),
slot AS (
  UPDATE agent SET held = held + 1
   WHERE id = :agent AND (SELECT count(*) FROM cases) >= 0 AND active AND held < capacity RETURNING id),
member AS (
  INSERT INTO project_member (project_id, agent_id, role, counter, since, locked, chosen_by, reason)
  SELECT :project, slot.id, 'liaison', :counter, :at, false, 'matching', :reason FROM slot RETURNING id),
told AS (
  INSERT INTO case_event (case_id, at, kind, stage, actor, words, detail, internal)
  SELECT cases.id, :at, 'liaison', cases.stage, :label, :words, :detail, true
    FROM cases, slot)
SELECT id FROM member
""").bindparams(
    bindparam("reason", type_=JSONB), bindparam("detail", type_=JSONB), bindparam("at", type_=DateTime(timezone=True)),
    bindparam("ends", type_=ARRAY(String)), bindparam("counter", type_=String),
)  # fmt: skip


def _take_liaison(
    session: Session, project: Project, need: Need, choice: Choice, reason: Mapping[str, Any], *, name: str,
    calendar: Calendar, by: Viewer, at: datetime,
) -> int | None:  # fmt: skip
    words = Said("%(name)s协办", name=name)
    values = {
        "project": project.id, "agent": choice.agent, "counter": need.node, "at": at, "reason": reason,
        "label": by.label, "words": str(words), "detail": {"counter": need.node} | kept(words),
        "ends": sorted(stage.value for stage in ENDS),
    }  # fmt: skip
    taken = session.execute(_LIAISON, values).scalar()
    return None if taken is None else int(taken)
