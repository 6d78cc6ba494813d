"""Noun record: a material, ticket, letter or result takes one more event in, and keeps what its events say."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from dispatch.cases.case import Case, Material
from dispatch.cases.evaluation import Ticket
from dispatch.cases.fact_event import Fact, FactEvent, FactKind, fact_row, facts_in_order
from dispatch.cases.fact_fold import (
    check_delivery,
    check_letter,
    check_material,
    check_ticket,
    fold_delivery,
    fold_letter,
    fold_material,
    fold_ticket,
)
from dispatch.cases.project import Delegation
from dispatch.cases.recorded_event import Recording, standing_events
from dispatch.core.errors import WrongStage
from dispatch.core.shanghai_time import in_shanghai

RecordedNoun = Material | Ticket | Delegation | Case
"""Of a case: that its results came home."""


def derived_of(noun: RecordedNoun, told: list[Fact]) -> Mapping[str, Any]:
    """The columns of the noun and what these events say that they are."""
    facts = _folded(noun, told)
    return {field.name: getattr(facts, field.name) for field in fields(facts)}


def _folded(noun: RecordedNoun, told: list[Fact]) -> Any:
    match noun:
        case Material():
            return fold_material(told)
        case Delegation():
            return fold_letter(told)
        case Case():
            return fold_delivery(told)
    return fold_ticket(told)


def check_told(noun: RecordedNoun, told: list[Fact], new: Fact | None) -> None:
    """Raises WrongStage or Refused where these events cannot have happened so."""
    match noun:
        case Material():
            asked_on = in_shanghai(noun.case.created_at).date()
            check_material(told, new, on_paper=noun.on_paper, asked_on=asked_on)
        case Delegation():
            check_letter(told)
        case Case():
            check_delivery(new, decided_at=noun.decided_at)
        case _:
            check_ticket(told, new)


def add_event(noun: RecordedNoun, fact: Fact | None, recording: Recording) -> FactEvent:
    """One more event, and everything that follows from it. ``fact`` None: the corrected event did not happen.

    Raises WrongStage or Refused where it cannot have happened so; nothing has changed then."""
    standing = {event.id for event in standing_events(noun.facts)}
    if recording.corrects is not None and recording.corrects not in standing:
        raise WrongStage(
            f"event {recording.corrects} was corrected already", user_message="这条登记已更正过，请刷新后再试"
        )
    told = facts_in_order(noun.facts, *(() if fact is None else (fact,)), without=recording.corrects)
    check_told(noun, told, fact)
    row = fact_row(fact or _voided(recording.at), recording)
    noun.facts.append(row)
    for name, value in derived_of(noun, told).items():
        setattr(noun, name, value)
    return row


def _voided(at: datetime) -> Fact:
    return Fact(kind=FactKind.VOIDED, happened_on=in_shanghai(at).date())
