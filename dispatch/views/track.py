"""What the query page shows to whoever holds the query code and the last four digits: progress, nothing personal."""

import hmac
import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from db import keyed_hash
from dispatch.cases.case import Case
from dispatch.cases.notify import QUERY_ALPHABET
from dispatch.cases.project import Project
from dispatch.cases.stages import LABEL, Stage
from dispatch.core.actor import Actor, Role
from dispatch.core.canonical import canonical_code, plain_text
from dispatch.core.localized_text import LocalizedText
from dispatch.custody.handover import HOLDER_LABEL, Holder
from dispatch.views.case_milestones import Milestone
from dispatch.views.enterprise_case import EnterpriseCasePage, case_page

_NOT_A_DIGIT = re.compile(r"[^0-9]")
_TOLD = re.compile(r"(?:查询码|QUERYCODE)[:是为]?-?((?:[A-Z0-9]-?){7}[A-Z0-9])(?![A-Z0-9])")
_WORD = re.compile(r"[A-Z0-9-]+")
_STAGES = frozenset(stage.value for stage in Stage)


@dataclass(frozen=True, slots=True)
class TrackedMatter:
    """A matter by its short name and state."""

    short: str
    state: str


@dataclass(frozen=True, slots=True)
class TrackedPapers:
    """How many papers are where."""

    count: int
    where: str


@dataclass(frozen=True, slots=True)
class Tracked:
    """A case with everything personal masked."""

    case_no: str
    enterprise: str
    project: str
    stage: Stage
    label: str
    stage_at: datetime
    outcome: str | None
    ended: bool
    milestones: tuple[Milestone, ...]
    agent: str | None
    station: str | None
    office_phone: str | None
    legal: str
    committed: str
    expected: str
    next_words: LocalizedText
    next_by: datetime | None
    matters: tuple[TrackedMatter, ...]
    papers: tuple[TrackedPapers, ...]
    timeline: tuple[tuple[datetime, str], ...]


def masked(name: str) -> str:
    """常州****公司: the first and last two characters of a name; shorter names keep just the first."""
    if len(name) <= 4:
        return name[:1] + "*" * max(1, len(name) - 1)
    return f"{name[:2]}{'*' * min(4, len(name) - 4)}{name[-2:]}"


def canonical_query_code(typed: str) -> str:
    """The one form of a query code, however it was typed or pasted: in full width, with spaces or hyphens, or with the
    sentence of the notice around it. Empty where there is none."""
    close = canonical_code(typed)
    if found := _TOLD.search(close):
        return found[1].replace("-", "")
    words = (word.replace("-", "") for word in (close, *_WORD.findall(plain_text(typed).upper())))
    return next((word for word in words if len(word) == 8 and QUERY_ALPHABET.issuperset(word)), "")


def digits_of(typed: str) -> str:
    """A number as people type it, in any width, with hyphens, spaces or neither."""
    return _NOT_A_DIGIT.sub("", plain_text(typed))


def tracked(session: Session, *, code: str, last_four: str, case_no: str = "", at: datetime) -> Tracked | None:
    """The case that this query code and these digits open; None for any mismatch, whichever part is wrong."""
    case = session.scalar(
        select(Case)
        .where(Case.query_hash == keyed_hash(f"query:{canonical_query_code(code)}"))
        .options(selectinload(Case.contact), selectinload(Case.project).selectinload(Project.enterprise))
        .limit(1)
    )
    if case is None or not hmac.compare_digest(case.contact.phone[-4:].encode(), digits_of(last_four).encode()):
        return None
    if case_no.strip() and digits_of(case_no) != digits_of(case.case_no):
        return None
    return sayable(session, case, at=at)


def sayable(session: Session, case: Case, *, at: datetime) -> Tracked:
    """What may be said of a case to whoever holds its code or calls about it: what its enterprise sees, but persons."""
    owner = Actor(Role.ENTERPRISE, enterprise_id=case.project.enterprise_id)
    return _without_persons(case_page(session, owner, case.case_no, at=at), case)


def _without_persons(page: EnterpriseCasePage, case: Case) -> Tracked:
    card = page.helper.card if page.helper else None
    return Tracked(
        case_no=page.case_no,
        enterprise=masked(case.project.enterprise.name),
        project=masked(page.project_name),
        stage=page.stage,
        label=page.label,
        stage_at=page.stage_at,
        outcome=page.outcome,
        ended=page.ended,
        milestones=page.milestones,
        agent=f"{card.name[:1]}{'*' * max(1, len(card.name) - 1)}" if card else None,
        station=card.station if card else None,
        office_phone=card.office_phone if card else None,
        legal=page.promise.legal,
        committed=page.promise.committed,
        expected=page.promise.expected,
        next_words=page.next_words.without(card.name) if card else page.next_words,
        next_by=page.next_by,
        matters=tuple(TrackedMatter(row.short, row.state) for row in page.matters),
        papers=tuple(TrackedPapers(len(row.names), _place(row.where)) for row in page.originals),
        timeline=tuple((event.at, LABEL[event.stage]) for event in reversed(case.events) if event.kind in _STAGES),
    )


def _place(where: str) -> str:
    """A courier's name is nobody's business here."""
    courier = HOLDER_LABEL[Holder.COURIER]
    return LocalizedText(courier) if where.startswith(courier) else where
