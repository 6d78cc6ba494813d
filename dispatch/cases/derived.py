"""Derived: what is kept of the events of each noun is folded anew, and compared with what is kept."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased, selectinload
from sqlalchemy.orm.attributes import flag_modified

from dispatch.cases.case import Case, Material, Outcome
from dispatch.cases.evaluation import Ticket
from dispatch.cases.fact_event import facts_in_order
from dispatch.cases.lookups import reviews_of
from dispatch.cases.notify import day_of
from dispatch.cases.noun_record import RecordedNoun, derived_of
from dispatch.cases.obligations.keeping import due_differences, obligation_differences
from dispatch.cases.project import Delegation, ProjectMember
from dispatch.cases.review import DERIVED, Review
from dispatch.cases.review_fold import fold
from dispatch.cases.review_state import ReviewState
from dispatch.cases.stages import ENDS
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.working_days import Calendar

PORTION = 200
MOVED_BY_CALENDAR = (
    "correction_due_at", "legal_due_at", "committed_due_at", "joint_due_at", "is_provisional", "deliver_by",
)  # fmt: skip
MOVED_BY_A_DAY = ("legal_due_at", "committed_due_at", "joint_due_at", "is_provisional")


@dataclass(frozen=True, slots=True)
class Difference:
    """A value that is kept otherwise than the events say. ``of``: the case's number, or another noun's name."""

    of: str
    what: str
    kept: object
    derived: object

    def __str__(self) -> str:
        return f"{self.of} {self.what}: kept {self.kept}, derived {self.derived}"


@dataclass(frozen=True, slots=True)
class MovedLimit:
    """A limit that is another one, or is firm now, since calendar, catalogue or a special procedure moved it."""

    review_id: int
    case_no: str
    matter: str
    was: datetime | None
    now: datetime | None
    is_firm_now: bool = False  # it rested on holidays that were not published; now they are


def refresh_dates(session: Session, case: Case) -> None:
    """The case's legal and committed days: the latest of its reviews'."""
    case.legal_due_on, case.committed_due_on = dates_of(reviews_of(session, case))


def refresh_dates_of(session: Session, cases: Sequence[Case]) -> None:
    """The same for many cases, whose reviews are read together."""
    by_case: dict[int, list[Review]] = {case.id: [] for case in cases}
    if not by_case:
        return
    for review in session.scalars(select(Review).where(Review.case_id.in_(by_case))):
        by_case[review.case_id].append(review)
    for case in cases:
        case.legal_due_on, case.committed_due_on = dates_of(by_case[case.id])
        write_together(case, ("legal_due_on", "committed_due_on"))


def write_together(row: Review | Case, columns: Iterable[str]) -> None:
    """Rows that all write the same columns go to the database in one statement, also where one of them stayed."""
    for column in columns:
        if column in row.__dict__:
            flag_modified(row, column)


def dates_of(reviews: Sequence[Review]) -> tuple[date | None, date | None]:
    """By law and as promised: the latest of the reviews', None before any limit runs."""
    legal = [day_of(r.legal_due_at) for r in reviews if r.legal_due_at is not None]
    committed = [day_of(r.committed_due_at) for r in reviews if r.committed_due_at is not None]
    return max(legal, default=None), max(committed, default=None)


def decided_at(reviews: Sequence[Review]) -> datetime | None:
    """When the last of the reviews was decided; None while one is not."""
    if not all(review.is_decided for review in reviews):
        return None
    return max((review.decided_at for review in reviews if review.decided_at is not None), default=None)


def outcome_of(reviews: Sequence[Review]) -> Outcome:
    """What the decisions brought, all together: a denial never reads as success."""
    granted = sum(review.state is ReviewState.GRANTED for review in reviews)
    return Outcome.GRANTED if granted == len(reviews) else Outcome.PARTLY if granted else Outcome.DENIED


def derive_review(review: Review, calendar: Calendar, today: date) -> MovedLimit | None:
    """Fold the review anew; the limit that moved, if one did."""
    was, was_provisional = review.committed_due_at, review.is_provisional
    if not review.derive(calendar, today):
        return None
    write_together(review, MOVED_BY_CALENDAR)
    is_firm_now = was_provisional and not review.is_provisional and not review.is_decided
    if review.committed_due_at == was and not is_firm_now:
        return None
    due = review.committed_due_at
    return MovedLimit(review.id, review.case.case_no, review.matter.short_name, was, due, is_firm_now)


def differences(session: Session, *, at: datetime) -> Iterator[Difference]:
    """Every kept value of a review, a case, a material, a ticket or an obligation that its events do not give."""
    yield from _of_obligations(session)
    yield from _of_tickets(session)
    yield from _of_letters(session)
    yield from _of_assignments(session)
    calendar, today, after = calendar_of(session), day_of(at), 0
    while True:
        portion = select(Case).where(Case.id > after).options(selectinload(Case.facts)).order_by(Case.id).limit(PORTION)
        cases = session.scalars(portion).all()
        if not cases:
            return
        after = cases[-1].id
        by_case: dict[int, list[Review]] = {case.id: [] for case in cases}
        reviews = session.scalars(
            select(Review)
            .where(Review.case_id.in_(by_case))
            .options(selectinload(Review.events), selectinload(Review.pauses))
            .order_by(Review.id)
        )
        for review in reviews:
            by_case[review.case_id].append(review)
        for case in cases:
            yield from stale_values(case, by_case[case.id], calendar, today)
            yield from _of_noun(case, case.case_no)
        of_cases = Material.case_id.in_(by_case)
        for material in session.scalars(select(Material).where(of_cases).options(selectinload(Material.facts))):
            yield from _of_noun(material, f"material {material.id}")
        session.expunge_all()


def _of_obligations(session: Session) -> Iterator[Difference]:
    for due in due_differences(session):
        yield Difference(f"{due.noun.__tablename__} {due.id}", due.column, due.kept, due.derived)
    for (kind, subject, subject_id), kept, derived in obligation_differences(session):
        yield Difference(f"{subject} {subject_id}", f"obligation {kind}", kept, derived)


def _of_tickets(session: Session) -> Iterator[Difference]:
    after = 0
    while True:
        query = select(Ticket).where(Ticket.id > after).options(selectinload(Ticket.facts)).order_by(Ticket.id)
        tickets = session.scalars(query.limit(PORTION)).all()
        if not tickets:
            return
        after = tickets[-1].id
        for ticket in tickets:
            yield from _of_noun(ticket, f"ticket {ticket.ticket_no}")
        session.expunge_all()


def _of_letters(session: Session) -> Iterator[Difference]:
    after = 0
    while True:
        query = select(Delegation).where(Delegation.id > after).options(selectinload(Delegation.facts))
        letters = session.scalars(query.order_by(Delegation.id).limit(PORTION)).all()
        if not letters:
            return
        after = letters[-1].id
        for letter in letters:
            yield from _of_noun(letter, f"letter {letter.id}")
        session.expunge_all()


def _of_assignments(session: Session) -> Iterator[Difference]:
    """Of one place of a team, who came later begins where who came before ends; what was corrected stands no more."""
    place = (ProjectMember.project_id, ProjectMember.role, ProjectMember.counter)
    ends = func.lag(ProjectMember.until).over(partition_by=place, order_by=(ProjectMember.since, ProjectMember.id))
    spells = select(ProjectMember.id, ProjectMember.since, ends.label("earlier"))
    standing = spells.where(ProjectMember.replaced_at.is_(None)).subquery()
    for row in session.execute(select(standing).where(standing.c.earlier > standing.c.since)):
        yield Difference(f"assignment {row.id}", "since", row.since, row.earlier)
    right = aliased(ProjectMember)
    replaced = select(ProjectMember.id, ProjectMember.replaced_at, right.recorded_at).join(
        right, right.corrects == ProjectMember.id, isouter=True
    )
    for row in session.execute(replaced.where(ProjectMember.replaced_at.is_distinct_from(right.recorded_at))):
        yield Difference(f"assignment {row.id}", "replaced_at", row.replaced_at, row.recorded_at)


def _of_noun(noun: RecordedNoun, named: str) -> Iterator[Difference]:
    for name, value in derived_of(noun, facts_in_order(noun.facts)).items():
        if getattr(noun, name) != value:
            yield Difference(named, name, getattr(noun, name), value)


def stale_values(case: Case, reviews: Sequence[Review], calendar: Calendar, today: date) -> Iterator[Difference]:
    """Every kept value of a case and its reviews that the events do not give."""
    for review in reviews:
        yield from _of_review(case, review, calendar, today)
    legal, committed = dates_of(reviews)
    derived: dict[str, object] = {"legal_due_on": legal, "committed_due_on": committed}
    if case.decided_at is not None:
        derived |= {"decided_at": decided_at(reviews), "outcome": outcome_of(reviews)}
    for name, value in derived.items():
        if getattr(case, name) != value:
            yield Difference(case.case_no, name, getattr(case, name), value)


def _of_review(case: Case, review: Review, calendar: Calendar, today: date) -> Iterator[Difference]:
    story = review.story(calendar)
    facts = fold(story, today)
    for name in DERIVED:
        kept, derived = getattr(review, name), getattr(facts, name)
        if kept == derived or (name in MOVED_BY_A_DAY and _is_of_an_earlier_day(review, kept, derived)):
            continue
        yield Difference(case.case_no, f"review {review.id} {name}", kept, derived)
    if [pause.as_pause() for pause in review.pauses] != story.pauses():
        yield Difference(case.case_no, f"review {review.id} pauses", review.pauses, story.pauses())


def _is_of_an_earlier_day(review: Review, kept: Any, derived: Any) -> bool:
    """A special procedure that outlives its expected end moves its limit every day; the day's look may be to come."""
    stands = any(pause.ended_on is None for pause in review.pauses)
    return stands and kept is not None and derived is not None and bool(kept <= derived)


def review_ids(session: Session, *, after: int, limit: int, ended: bool = False) -> list[int]:
    """Reviews of cases that have not ended, or of those that have, in portions."""
    wanted = Case.stage.in_(ENDS) if ended else Case.stage.not_in(ENDS)
    query = select(Review.id).join(Case, Case.id == Review.case_id).where(wanted, Review.id > after)
    return list(session.scalars(query.order_by(Review.id).limit(limit)))
