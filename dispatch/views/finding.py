"""Finding: one box for whatever somebody has in hand: half a name, initials, any number, with or without hyphens."""

import re
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.orm import Session

from agents.network import Division
from agents.roster import Agent
from db import keyed_hash
from dispatch.cases.access_control import (
    visible_agents,
    visible_cases,
    visible_contacts,
    visible_couriers,
    visible_enterprises,
    visible_parcels,
    visible_projects,
    visible_tickets,
)
from dispatch.cases.case import Case
from dispatch.cases.evaluation import TICKET_LABEL, Ticket
from dispatch.cases.project import PROJECT_LABEL, Contact, Enterprise, Project
from dispatch.cases.review import Review
from dispatch.cases.review_event import ReviewEvent
from dispatch.cases.stages import ENDS, LABEL
from dispatch.core.actor import Actor
from dispatch.core.canonical import canonical_code, canonical_name
from dispatch.custody.parcel import Parcel
from dispatch.views.case_lines import case_query, what_next
from notifications.phone import BadNumber, normalise
from routing.day.couriers import Courier

MOST_OF_A_KIND = 20
MOST_PROJECTS = 200  # whose cases are looked at
LEAST_LETTERS, LEAST_DIGITS = 2, 4
LONGEST = 60


class FoundKind(StrEnum):
    """What was found."""

    CASE = "case"
    PROJECT = "project"
    TICKET = "ticket"
    AGENT = "agent"
    COURIER = "courier"


FOUND_LABEL = {
    FoundKind.CASE: "办件", FoundKind.PROJECT: "项目", FoundKind.TICKET: "工单", FoundKind.AGENT: "代办员",
    FoundKind.COURIER: "揽投员",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """One hit: ``key`` names it in its address; ``next_act`` is what comes next, empty once it has ended."""

    kind: FoundKind
    key: str
    number: str
    title: str
    about: str
    state: str
    is_over: bool
    next_act: str = ""


@dataclass(frozen=True, slots=True)
class FindPage:
    """What was found, the open before the ended; ``has_more`` says that a kind had more than are shown."""

    words: str
    hits: tuple[Found, ...]
    has_more: bool


@dataclass(frozen=True, slots=True)
class _Sought:
    """What was typed, in each form that something may be found by; an empty form finds nothing."""

    name: str
    code: str
    digits: str
    letters: str
    phone_hash: bytes | None

    @property
    def is_enough(self) -> bool:
        return bool(self.name or len(self.digits) >= LEAST_DIGITS or self.letters or self.phone_hash)


def find(session: Session, viewer: Actor, words: str) -> FindPage:
    """Whatever the viewer may see that these words name. Ended things too."""
    sought = _sought(words)
    if not sought.is_enough:
        return FindPage(words.strip()[:LONGEST], (), False)
    projects = list(session.scalars(_projects(viewer, sought)))
    found = [
        *_cases(session, viewer, sought, [project.id for project in projects]),
        *_project_lines(session, projects),
        *_tickets(session, viewer, sought),
        *_agents(session, viewer, sought),
        *_couriers(session, viewer, sought),
    ]
    shown: list[Found] = []
    for kind in FoundKind:
        shown += [hit for hit in found if hit.kind is kind][:MOST_OF_A_KIND]
    return FindPage(words.strip()[:LONGEST], tuple(shown), len(shown) < len(found))


def _sought(words: str) -> _Sought:
    typed = words.strip()[:LONGEST]
    name, code = canonical_name(typed), canonical_code(typed)
    digits = re.sub(r"\D", "", code)
    letters = typed.lower().replace(" ", "") if re.fullmatch(r"[A-Za-z ]{2,40}", typed) else ""
    is_number = len(digits) >= LEAST_DIGITS and len(digits) * 2 > len(code)
    try:
        phone = keyed_hash(normalise(typed)) if len(digits) >= 11 or len(digits) == 8 else None
    except BadNumber:
        phone = None
    return _Sought(
        name=name if len(name) >= LEAST_LETTERS and not is_number else "", code=code,
        digits=digits if is_number else "", letters=letters, phone_hash=phone,
    )  # fmt: skip


def _number(column: ColumnElement[str] | object, sought: _Sought) -> ColumnElement[bool]:
    """A number with or without its hyphens, or a part of it."""
    if not sought.digits:
        return false()
    return func.replace(column, "-", "").contains(sought.digits, autoescape=True)


def _sounds(pinyin: ColumnElement[str] | object, sought: _Sought) -> ColumnElement[bool]:
    """The letters are the initials of syllables that follow each other, or the beginning of the spelling."""
    if not sought.letters:
        return false()
    initials = "(^| )" + " ".join(f"{letter}[a-z]*" for letter in sought.letters)
    spelled = func.replace(pinyin, " ", "").startswith(sought.letters, autoescape=True)
    return or_(func.regexp_like(pinyin, initials), spelled)


def _projects(viewer: Actor, sought: _Sought) -> Select[Project]:
    """Projects by their numbers and names, and by those of the enterprise and its people."""
    enterprise: list[ColumnElement[bool]] = [Enterprise.credit_code == sought.code, _sounds(Enterprise.pinyin, sought)]
    if sought.name:
        enterprise.append(Enterprise.name.contains(sought.name, autoescape=True))
    if sought.phone_hash is not None:
        known = select(Contact.enterprise_id).where(Contact.phone_hash == sought.phone_hash, visible_contacts(viewer))
        enterprise.append(Enterprise.id.in_(known))
    of_enterprise = select(Enterprise.id).where(or_(*enterprise), visible_enterprises(viewer))
    either = [
        Project.enterprise_id.in_(of_enterprise), _number(Project.project_no, sought),
        _number(Project.project_code, sought),
    ]  # fmt: skip
    merged = select(Project.merged_into_id).where(or_(*either), Project.merged_into_id.is_not(None))
    if sought.name:
        either.append(Project.name.contains(sought.name, autoescape=True))
    here = and_(or_(*either), Project.merged_into_id.is_(None))  # a merged one finds the one that is kept
    wanted = select(Project).where(or_(here, Project.id.in_(merged)), visible_projects(viewer))
    return wanted.order_by(Project.closed_at.is_not(None), Project.id.desc()).limit(MOST_PROJECTS)


def _project_lines(session: Session, projects: list[Project]) -> list[Found]:
    shown = projects[: MOST_OF_A_KIND + 1]
    names = dict(
        session.execute(
            select(Enterprise.id, Enterprise.name).where(Enterprise.id.in_({one.enterprise_id for one in shown}))
        ).all()
    )
    return [
        Found(
            FoundKind.PROJECT, one.project_no, one.project_no, one.name, names[one.enterprise_id],
            PROJECT_LABEL[one.state], one.closed_at is not None,
        )
        for one in shown
    ]  # fmt: skip


def _cases(session: Session, viewer: Actor, sought: _Sought, project_ids: list[int]) -> list[Found]:
    """Cases by their number, of the projects that were found, by a waybill or by the number of a notice."""
    by_waybill = select(Parcel.case_id).where(Parcel.waybill == sought.code, visible_parcels(viewer))
    by_notice = (
        select(Review.case_id)
        .join(ReviewEvent, ReviewEvent.review_id == Review.id)
        .where(ReviewEvent.document_no != "", ReviewEvent.document_no.in_({sought.code, sought.name or sought.code}))
    )
    either = or_(
        _number(Case.case_no, sought), Case.project_id.in_(project_ids), Case.id.in_(by_waybill), Case.id.in_(by_notice)
    )
    query = case_query(viewer, either, limit=MOST_OF_A_KIND + 1)
    rows = session.execute(query.order_by(None).order_by(Case.stage.in_(ENDS), Case.id.desc())).all()
    return [
        Found(
            FoundKind.CASE, row.Case.case_no, row.Case.case_no, row.project,
            f"{row.enterprise} {row.agent or ''}".strip(), LABEL[row.Case.stage], row.Case.stage in ENDS,
            what_next(row.Case),
        )
        for row in rows
    ]  # fmt: skip


def _tickets(session: Session, viewer: Actor, sought: _Sought) -> list[Found]:
    if not sought.digits:
        return []
    rows = session.execute(
        select(Ticket, Case.case_no)
        .outerjoin(Case, (Case.id == Ticket.case_id) & visible_cases(viewer))
        .where(_number(Ticket.ticket_no, sought), visible_tickets(viewer))
        .order_by(Ticket.id.desc())
        .limit(MOST_OF_A_KIND + 1)
    ).all()
    return [
        Found(
            FoundKind.TICKET, ticket.ticket_no, ticket.ticket_no, TICKET_LABEL[ticket.kind], case_no or "",
            "", ticket.called_back_at is not None,
        )
        for ticket, case_no in rows
    ]  # fmt: skip


def _agents(session: Session, viewer: Actor, sought: _Sought) -> list[Found]:
    either = [_sounds(Agent.pinyin, sought), Agent.agent_no == sought.code]
    if sought.name:
        either.append(Agent.name.contains(sought.name, autoescape=True))
    if sought.phone_hash is not None:
        either.append(Agent.phone_hash == sought.phone_hash)
    rows = session.execute(
        select(Agent.id, Agent.agent_no, Agent.name, Agent.active, Agent.held, Agent.capacity, Division.name)
        .join(Division, Division.id == Agent.division_id)
        .where(or_(*either), visible_agents(viewer))
        .order_by(Agent.active.desc(), Agent.pinyin, Agent.id)
        .limit(MOST_OF_A_KIND + 1)
    ).all()
    return [
        Found(
            FoundKind.AGENT, str(agent_id), number, name, station, "" if not active else f"{held}/{capacity}",
            not active,
        )
        for agent_id, number, name, active, held, capacity, station in rows
    ]  # fmt: skip


def _couriers(session: Session, viewer: Actor, sought: _Sought) -> list[Found]:
    either = [Courier.courier_no == sought.code]
    if sought.name:
        either.append(Courier.name.contains(sought.name, autoescape=True))
    if sought.phone_hash is not None:
        either.append(Courier.phone_hash == sought.phone_hash)
    rows = session.execute(
        select(Courier.id, Courier.courier_no, Courier.name, Courier.active, Division.name)
        .join(Division, Division.id == Courier.division_id)
        .where(or_(*either), visible_couriers(viewer))
        .order_by(Courier.active.desc(), Courier.id)
        .limit(MOST_OF_A_KIND + 1)
    ).all()
    return [
        Found(FoundKind.COURIER, str(courier_id), number, name, area, "", not active)
        for courier_id, number, name, active, area in rows
    ]
