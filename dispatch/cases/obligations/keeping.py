"""Keeping: the rows of obligations follow the facts in the transaction that changes them, and are compared."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, and_, delete, event, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from dispatch.cases.case import Case
from dispatch.cases.obligations.case_facts import CaseFacts, case_facts
from dispatch.cases.obligations.kept_dues import StaleDue, keep_dues, stale_dues, stale_ticket_dues
from dispatch.cases.obligations.marking import MARKS, Marks, marks_of
from dispatch.cases.obligations.obligation import COLUMNS, Obligation, ObligationKind, Owed, Subject
from dispatch.cases.obligations.of_case import owed_in
from dispatch.cases.obligations.of_others import calendar_owed, shifts_owed, tickets_owed
from dispatch.catalogue.calendar_version import calendar_of

PORTION = 500
_TABLE = cast(Table, Obligation.__table__)
KEY = ("kind", "subject", "subject_id")
Key = tuple[ObligationKind, Subject, int]
Compared = tuple[Key, Mapping[str, Any] | None, Mapping[str, Any] | None]
"""An obligation's key, as it is kept, as it is derived."""


def settle(session: Session) -> None:
    """Fold anew what this transaction has changed, so that who reads obligations now sees them as they are."""
    session.flush()
    marks = marks_of(session)
    if not marks:
        return
    session.info[MARKS] = Marks()
    ids = marks.case_ids(session)
    for first in range(0, len(ids), PORTION):
        keep_cases(session, ids[first : first + PORTION])
    keep_others(session, marks)


@event.listens_for(Session, "before_commit")
def _settle_before_commit(session: Session) -> None:
    if not session.in_nested_transaction():
        settle(session)


def keep_cases(session: Session, case_ids: Sequence[int]) -> int:
    """The obligations of these cases are made what the facts say; how many rows changed."""
    facts = case_facts(session, case_ids, calendar_of(session))
    return _keep(session, _owed_by_cases(facts), Obligation.case_id.in_(case_ids))


def keep_dues_of(session: Session, case_ids: Sequence[int]) -> None:
    """What the rows of these cases keep of their due moments follows from the events, before the obligations do."""
    session.flush()
    facts = case_facts(session, case_ids, calendar_of(session))
    keep_dues(session, [stale for one in facts for stale in stale_dues(one)])


def _owed_by_cases(facts: Iterable[CaseFacts]) -> list[Owed]:
    return [owed for one in facts for owed in owed_in(one)]


def keep_others(session: Session, marks: Marks) -> None:
    """The obligations beside cases: of tickets, of the calendar, of couriers' shifts."""
    if marks.tickets:
        of_tickets = and_(Obligation.subject == Subject.TICKET, Obligation.subject_id.in_(marks.tickets))
        _keep(session, tickets_owed(session, marks.tickets), of_tickets)
    if marks.calendar:
        _keep(session, calendar_owed(session), Obligation.subject == Subject.YEAR)
    if marks.couriers:
        of_couriers = and_(Obligation.subject == Subject.COURIER, Obligation.subject_id.in_(marks.couriers))
        _keep(session, shifts_owed(session, marks.couriers), of_couriers)


def keep_all_others(session: Session) -> None:
    """All obligations beside cases, and what the tickets keep of their due moments."""
    keep_dues(session, list(stale_ticket_dues(session)))
    _keep(session, _owed_beside_cases(session), Obligation.case_id.is_(None))


def _owed_beside_cases(session: Session) -> list[Owed]:
    return [*tickets_owed(session, None), *calendar_owed(session), *shifts_owed(session, None)]


def _kept(session: Session, which: ColumnElement[bool]) -> dict[Key, Mapping[str, Any]]:
    columns = [getattr(Obligation, name) for name in COLUMNS]
    rows = session.execute(select(*columns).where(which)).mappings()
    return {(row["kind"], row["subject"], row["subject_id"]): dict(row) for row in rows}


def _values(owed: Owed) -> dict[str, Any]:
    return {name: getattr(owed, name) for name in COLUMNS}


def _keep(session: Session, wanted: Iterable[Owed], which: ColumnElement[bool]) -> int:
    """Make the rows of ``which`` those that are wanted: write what is new or another, delete what is no more."""
    kept, told = _kept(session, which), {owed.key: _values(owed) for owed in wanted}
    gone = kept.keys() - told.keys()
    if gone:
        keys = tuple_(Obligation.kind, Obligation.subject, Obligation.subject_id)
        session.execute(
            delete(Obligation).where(which, keys.in_(gone)).execution_options(synchronize_session=False)
        )  # fmt: skip
    changed = [values for key, values in told.items() if kept.get(key) != values]
    if changed:
        statement = insert(_TABLE)  # past the mapper, which sends rows one by one where some say None
        taken = {name: statement.excluded[name] for name in COLUMNS if name not in KEY}
        session.execute(statement.on_conflict_do_update(index_elements=KEY, set_=taken), changed)
    return len(gone) + len(changed)


# ---------------------------------------------------------------- the whole database


def keep_portion(session: Session, *, after: int) -> int | None:
    """Fold the next portion of cases, of any age, anew, with the due moments that their rows keep; the last id of it,
    None when it was the last portion."""
    ids = _portion(session, after)
    facts = case_facts(session, ids, calendar_of(session))
    keep_dues(session, [due for one in facts for due in stale_dues(one)])
    _keep(session, _owed_by_cases(facts), Obligation.case_id.in_(ids))
    return ids[-1] if len(ids) == PORTION else None


def _portion(session: Session, after: int) -> list[int]:
    return list(session.scalars(select(Case.id).where(Case.id > after).order_by(Case.id).limit(PORTION)))


def _portions(session: Session) -> Iterator[tuple[list[int], list[CaseFacts]]]:
    """All cases in portions, to be read and not to be changed."""
    ids = _portion(session, 0)
    while ids:
        yield ids, case_facts(session, ids, calendar_of(session), lock=False)
        ids = _portion(session, ids[-1])


def obligation_differences(session: Session) -> Iterator[Compared]:
    """Every obligation that is kept otherwise than the facts say."""
    settle(session)
    for ids, facts in _portions(session):
        yield from _compare(session, _owed_by_cases(facts), Obligation.case_id.in_(ids))
    yield from _compare(session, _owed_beside_cases(session), Obligation.case_id.is_(None))


def due_differences(session: Session) -> Iterator[StaleDue]:
    """Every due moment that a row keeps otherwise than its events and the calendar say."""
    for _, facts in _portions(session):
        for one in facts:
            yield from stale_dues(one)
    yield from stale_ticket_dues(session)


def _compare(session: Session, wanted: Iterable[Owed], which: ColumnElement[bool]) -> Iterator[Compared]:
    kept, told = _kept(session, which), {owed.key: _values(owed) for owed in wanted}
    for key in sorted(kept.keys() | told.keys()):
        is_kept, is_told = kept.get(key), told.get(key)
        if is_kept is None or is_told is None or is_kept != is_told:
            yield key, is_kept, is_told
