"""Deriving: limits and obligations are folded anew, a portion in each transaction, so that no page waits for it."""

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session, sessionmaker

from dispatch.acts.act import perform
from dispatch.acts.deriving import DeriveLimits, DeriveObligations
from dispatch.cases.derived import MovedLimit
from dispatch.catalogue.derivation import note_derived, wanted_derivation
from dispatch.core.actor import SYSTEM

LONGEST = "9min"
"""So long one derivation waits for another."""


def derive_limits(sessions: sessionmaker[Session], *, is_waited_for: bool = True) -> list[MovedLimit]:
    """Where calendar, hours or catalogue changed, go through all reviews, open ones first; the limits that moved.

    One at a time: whoever finds another at it waits until that one is done, or, with ``is_waited_for`` False, leaves
    it to that one and the next look."""
    with sessions.begin() as lock:
        lock.execute(text(f"SET LOCAL lock_timeout = '{LONGEST}'"))
        taken = func.pg_advisory_xact_lock if is_waited_for else func.pg_try_advisory_xact_lock
        if lock.scalar(select(taken(func.hashtext("job:derive_limits")))) is False:
            return []
        return _derive_limits(sessions)


def _derive_limits(sessions: sessionmaker[Session]) -> list[MovedLimit]:
    with sessions() as session:
        stale = wanted_derivation(session)
    if stale is None:
        return []
    moved: list[MovedLimit] = []
    for ended in (False, True):
        after: int | None = 0
        while after is not None:
            with sessions.begin() as session:
                act = DeriveLimits(after=after, with_catalogue=stale.with_catalogue, ended=ended)
                portion = perform(session, act, SYSTEM)
            moved.extend(portion.moved)
            after = portion.last
    with sessions.begin() as session:
        note_derived(session, stale.wanted)
    derive_obligations(sessions)
    return moved


def derive_obligations(sessions: sessionmaker[Session]) -> None:
    """Go through all cases, and what is owed beside them."""
    after: int | None = 0
    while after is not None:
        with sessions.begin() as session:
            after = perform(session, DeriveObligations(after=after), SYSTEM)
