"""Fact folds: what the standing events of a material or a ticket say that it is now. One fold a noun, no database.

A fold reads the events by day and moment, whatever the order they were written down in, and nothing that was derived
before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from types import MappingProxyType

from dispatch.cases.case import MaterialState
from dispatch.cases.evaluation import TicketState
from dispatch.cases.fact_event import Fact, FactKind
from dispatch.core.errors import Refused, WrongStage
from dispatch.core.shanghai_time import in_shanghai

Kind = FactKind


# ---------------------------------------------------------------- materials


@dataclass(frozen=True, slots=True)
class MaterialFacts:
    """A material as its events tell it: what the columns of its row hold."""

    state: MaterialState = MaterialState.WANTED
    defect: str | None = None
    sha256: str | None = None
    media_type: str | None = None
    filename: str | None = None
    given_at: datetime | None = None
    owed_by: date | None = None
    supplied_at: datetime | None = None


def fold_material(facts: Iterable[Fact]) -> MaterialFacts:
    """What the material is after these events, in their order."""
    now = MaterialFacts()
    for fact in facts:
        now = _MATERIAL[fact.kind](now, fact)
    return now


def _given(now: MaterialFacts, fact: Fact) -> MaterialFacts:
    now = replace(
        now, sha256=fact.document, media_type=fact.media_type, filename=fact.filename or None, given_at=fact.at
    )
    if now.state is MaterialState.DEFERRED:
        return replace(now, supplied_at=fact.at)
    return replace(now, state=MaterialState.GIVEN)


def _mended(now: MaterialFacts, _: Fact) -> MaterialFacts:
    return replace(now, state=MaterialState.WANTED) if now.state is MaterialState.DEFECTIVE else now


_MATERIAL: Mapping[FactKind, Callable[[MaterialFacts, Fact], MaterialFacts]] = MappingProxyType(
    {
        Kind.MATERIAL_LOOKED_UP: lambda now, _: replace(now, state=MaterialState.HELD),
        Kind.MATERIAL_HELD: lambda now, _: replace(now, state=MaterialState.HELD),
        Kind.MATERIAL_GIVEN: _given,
        Kind.MATERIAL_PASSED: lambda now, _: replace(now, state=MaterialState.ACCEPTED, defect=None),
        Kind.MATERIAL_REFUSED: lambda now, fact: replace(now, state=MaterialState.DEFECTIVE, defect=fact.words),
        Kind.MATERIAL_DEFERRED: lambda now, fact: replace(now, state=MaterialState.DEFERRED, owed_by=fact.until),
        Kind.MATERIAL_MENDED: _mended,
        Kind.MATERIAL_AWAITED: lambda now, _: replace(now, state=MaterialState.AWAITED),
        Kind.MATERIAL_WAIVED: lambda now, _: replace(now, state=MaterialState.WAIVED),
        Kind.MATERIAL_NOT_NEEDED: lambda now, _: replace(now, state=MaterialState.NOT_NEEDED),
    }
)


def check_material(facts: Iterable[Fact], new: Fact | None, *, on_paper: bool, asked_on: date) -> None:
    """Raises WrongStage or Refused where the events cannot have happened so, or the ``new`` one says too little.

    ``asked_on``: the day the case began."""
    is_in = on_paper
    for fact in facts:
        is_in = is_in or fact.kind in {Kind.MATERIAL_GIVEN, Kind.MATERIAL_LOOKED_UP, Kind.MATERIAL_HELD}
        if fact.kind is Kind.MATERIAL_PASSED and not is_in:
            raise WrongStage(
                "a material passed that was never given", user_message="该材料已通过预审，不能早于收到材料"
            )
    if new is None:
        return
    if new.happened_on < asked_on:
        raise Refused(f"{new.kind} before {asked_on}", user_message="不能早于提交申请的日期")
    if new.kind is Kind.MATERIAL_REFUSED and not new.words.strip():
        raise Refused("a defect needs words", user_message="请写明哪里需要补正")
    if new.kind is Kind.MATERIAL_DEFERRED and (new.until is None or new.until <= new.happened_on):
        raise Refused(f"owed by {new.until}", user_message="补交期限须晚于容缺登记日期")


# ---------------------------------------------------------------- results and letters


@dataclass(frozen=True, slots=True)
class DeliveryFacts:
    """When a case's results came home, as its events tell it."""

    delivered_at: datetime | None = None


def fold_delivery(facts: Iterable[Fact]) -> DeliveryFacts:
    """The last word on it counts: a courier may have undone an earlier one."""
    delivered = [fact.at for fact in facts if fact.kind is Kind.RESULT_DELIVERED]
    return DeliveryFacts(delivered[-1] if delivered else None)


def check_delivery(new: Fact | None, *, decided_at: datetime | None) -> None:
    """Raises Refused where results come home before the last of them was decided."""
    if new is not None and decided_at is not None and new.happened_on < in_shanghai(decided_at).date():
        raise Refused(f"delivered on {new.happened_on}", user_message="送达不能早于作出决定")


@dataclass(frozen=True, slots=True)
class LetterFacts:
    """A delegation letter as its events tell it; when it ends by itself stands in the letter."""

    signed_at: datetime | None = None
    revoked_at: datetime | None = None
    revocation_reason: str | None = None


def fold_letter(facts: Iterable[Fact]) -> LetterFacts:
    """What the letter is after these events."""
    now = LetterFacts()
    for fact in facts:
        if fact.kind is Kind.DELEGATION_SIGNED:
            now = replace(now, signed_at=fact.at)
        elif fact.kind is Kind.DELEGATION_REVOKED:
            now = replace(now, revoked_at=fact.at, revocation_reason=fact.words)
    return now


def check_letter(facts: Iterable[Fact]) -> None:
    """Raises Refused unless it was signed once and revoked, if at all, once after that; or nothing of it ever was."""
    kinds = [fact.kind for fact in facts]
    if kinds not in ([], [Kind.DELEGATION_SIGNED], [Kind.DELEGATION_SIGNED, Kind.DELEGATION_REVOKED]):
        raise Refused(f"a letter was {', '.join(kinds)}", user_message="撤销委托不能早于签署委托书")


# ---------------------------------------------------------------- tickets


@dataclass(frozen=True, slots=True)
class TicketFacts:
    """A ticket as its events tell it; when an answer is due follows from ``opened_at`` and the calendar."""

    state: TicketState = TicketState.OPEN
    opened_at: datetime | None = None
    reply: str | None = None
    answered_at: datetime | None = None
    called_back_at: datetime | None = None
    call_back_words: str | None = None


def fold_ticket(facts: Iterable[Fact]) -> TicketFacts:
    """What the ticket is after these events."""
    now = TicketFacts()
    for fact in facts:
        match fact.kind:
            case Kind.TICKET_RECEIVED:
                now = replace(now, opened_at=fact.at)
            case Kind.TICKET_ANSWERED:
                now = replace(now, state=TicketState.ANSWERED, answered_at=fact.at, reply=fact.words)
            case Kind.TICKET_CALLED_BACK:
                now = replace(
                    now, state=TicketState.CALLED_BACK, called_back_at=fact.at, call_back_words=fact.words
                )  # fmt: skip
    return now


def check_ticket(facts: Iterable[Fact], new: Fact | None) -> None:
    """Raises WrongStage or Refused unless it was received, answered once after that, and then called back once."""
    order = [Kind.TICKET_RECEIVED, Kind.TICKET_ANSWERED, Kind.TICKET_CALLED_BACK]
    kinds = [fact.kind for fact in facts]
    if sorted(kinds, key=order.index) != order[: len(kinds)]:
        raise WrongStage(f"a ticket was {', '.join(kinds)}")
    if kinds != order[: len(kinds)]:
        raise Refused(f"a ticket was {', '.join(kinds)}", user_message="答复不能早于收到，回访不能早于答复")
    if new is not None and new.kind is Kind.TICKET_ANSWERED and not new.words.strip():
        raise Refused("an answer needs words", user_message="请填写答复内容")
