"""Fact lines: what was written down of a material or a ticket, as a page lists it, and what may be put right."""

from dataclasses import dataclass
from datetime import date, datetime

from dispatch.acts.correcting_facts import STEPS_OF_A_CASE
from dispatch.cases.fact_event import FACT_LABEL, FactKind
from dispatch.cases.noun_record import RecordedNoun
from dispatch.cases.recorded_event import standing_events

WORDED = frozenset(
    {FactKind.DELEGATION_REVOKED, FactKind.MATERIAL_REFUSED, FactKind.TICKET_ANSWERED, FactKind.TICKET_CALLED_BACK}
)


@dataclass(frozen=True, slots=True)
class FactLine:
    """One event as it was written down. ``stands``: none corrects it; ``fields``: what a correction may name."""

    id: int
    label: str
    happened_on: date
    words: str
    until: date | None
    document_no: str
    late_reason: str
    recorded_at: datetime
    recorded_by: str
    correction_reason: str
    stands: bool
    fields: tuple[str, ...]


def fact_lines(noun: RecordedNoun) -> tuple[FactLine, ...]:
    """The newest first."""
    standing = {event.id for event in standing_events(noun.facts)}
    return tuple(
        FactLine(
            event.id, FACT_LABEL[event.kind], event.happened_on, event.words, event.until, event.document_no,
            event.late_reason, event.recorded_at, event.recorded_by, event.correction_reason, event.id in standing,
            _fields(event.kind) if event.id in standing else (),
        )
        for event in reversed(noun.facts)
    )  # fmt: skip


def _fields(kind: FactKind) -> tuple[str, ...]:
    """What a correction of this kind of event may say anew; nothing where it is not corrected."""
    if kind in STEPS_OF_A_CASE:
        return ()
    named = ["on", "second"]
    named += ["file"] if kind is FactKind.MATERIAL_GIVEN else []
    named += ["words"] if kind in WORDED else []
    named += ["until"] if kind is FactKind.MATERIAL_DEFERRED else []
    return (*named, *([] if kind is FactKind.TICKET_RECEIVED else ["never_was"]))
