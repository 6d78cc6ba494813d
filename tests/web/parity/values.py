"""Values for every field of a command by its type, and how each kind of door carries them."""

import dataclasses
import uuid
from collections.abc import Collection, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, NewType, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge, Le, MinLen

from dispatch.acts.act import RULES
from dispatch.acts.named_rows import ROWS
from dispatch.core import ids
from routing.travel import Geodesic
from routing.travel.places import TravelTimes
from tests.web.world import ArgsOf

STRAIGHT = Geodesic()

ARGUMENT: dict[object, str] = {
    ids.ProjectNo: "project_no", ids.CaseNo: "case_no", ids.MaterialId: "material_id", ids.ReviewId: "review_id",
    ids.ReviewEventId: "review_event_id",
    ids.FactEventId: "fact_id",
    ids.Waybill: "waybill", ids.StopId: "stop_id", ids.RunId: "run_id", ids.PlanId: "plan_id",
    ids.CourierId: "courier_id", ids.ShiftRuleId: "rule_id",
    ids.ListNo: "list_no", ids.ReferralId: "referral_id", ids.AgentId: "agent_id",
    ids.AssignmentId: "assignment_id", ids.AbsenceId: "absence_id",
    ids.EnterpriseId: "enterprise_id", ids.ContactId: "contact_id", ids.TicketNo: "ticket_no",
    ids.RectificationId: "rectification_id", ids.MessageId: "message_id", ids.AreaCode: "division_code",
    ids.CourierReportId: "report_id", ids.CentreId: "centre_id", ids.DivisionCode: "division_code",
    ids.RecipientId: "recipient_id", ids.ContactNoteId: "contact_note",
    ids.CaseMessageId: "case_message",
    ids.VisitWordId: "word_id",
    ids.CourierWordId: "told_id",
    ids.RoadsidePassId: "pass_id",
    ids.BatchId: "batch_id",
    ids.SubscriptionId: "subscription_id", ids.DeliveryId: "delivery_id",
}  # fmt: skip
"""The part of an address, and of the world, that each type of id stands for."""


def value_of(hint: Any, known: ArgsOf, default: object = dataclasses.MISSING) -> Any:
    """A value of this type that is not the default; ids are those of ``known``."""
    if hint in ARGUMENT:
        return known[ARGUMENT[hint]]
    if isinstance(hint, NewType):
        return value_of(hint.__supertype__, known, default)
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _within(hint.__metadata__, value_of(inner[0], known, default), known)
    if origin in {Union, UnionType}:
        return value_of(next(one for one in inner if one is not type(None)), known, default)
    if origin is Literal:
        return next(word for word in inner if word != default)
    if origin in {tuple, list, frozenset}:
        return origin([value_of(inner[0], known)])
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {value_of(inner[0], known): value_of(inner[1], known)}
    if dataclasses.is_dataclass(hint):
        hints = get_type_hints(hint, include_extras=True)
        fields = dataclasses.fields(hint)
        return hint(**{field.name: value_of(hints[field.name], known, field.default) for field in fields})
    return _plain(hint, default)


def _plain(hint: Any, default: object) -> Any:
    if isinstance(hint, type) and issubclass(hint, Enum):
        return next(member for member in hint if member != default)
    if hint is bool:
        return default is not True
    if hint is int:
        return 7
    if hint is Decimal:
        return Decimal("80.5")
    if hint is float:
        return 80.5
    if hint is str:
        return "七"
    if hint is date:
        return date(2026, 11, 27)
    if hint is datetime:
        return datetime.fromisoformat("2026-11-23T10:00:00+08:00")
    if hint is uuid.UUID:
        return uuid.UUID(int=7)
    if hint is TravelTimes:
        return STRAIGHT
    if hint is Path:
        return Path("seven.csv")
    if hint is Any:
        return "七"
    raise TypeError(f"no value is known for {hint}")


def _within(marks: tuple[Any, ...], value: Any, known: ArgsOf) -> Any:
    for mark in marks:
        if isinstance(mark, Le) and mark.le == 86_400:
            return 10 * 3600  # a second of the day: pages give windows by the hour
        if isinstance(mark, Ge) and isinstance(value, int | float) and value < mark.ge:
            value = type(value)(mark.ge)
        if isinstance(mark, Le) and isinstance(value, int | float) and value > mark.le:
            value = type(value)(mark.le)
        if isinstance(mark, MinLen) and isinstance(value, str | tuple):
            value = value * max(1, mark.min_length)
        pattern = getattr(mark, "pattern", None)
        if isinstance(pattern, str):
            value = known["digest"] if "64" in pattern else PATTERNS[pattern]
    return value


PATTERNS: dict[str, str] = {r"^\d{6,12}$": "320412000000", r"^\+?[0-9]{5,20}$": "+8613800000007", r"^[a-z]{2}$": "en"}


BY_NAME = frozenset({"text_name", "locale"})
"""Fields that name something in an address, though by no id of a row."""


def command_of(act: type, known: ArgsOf, /, **given: Any) -> Any:
    """The act with every field filled in: with what is ``given``, else with a value that is not the default."""
    hints = RULES[act].hints
    fields = [field for field in dataclasses.fields(act) if field.name not in given]
    made = {
        field.name: known[field.name] if field.name in BY_NAME else value_of(hints[field.name], known, field.default)
        for field in fields
    }
    return act(**made, **given)


def with_foreign_ids(act: type, ours: ArgsOf, theirs: ArgsOf) -> list[tuple[str, Any]]:
    """The act once for each type of id in it, with that id replaced by one that the actor may not name."""
    names = sorted(ARGUMENT[kind] for kind in kinds_of(act))
    return [(name, command_of(act, {**ours, name: theirs[name]})) for name in names]


def kinds_of(act: type, *, but: Collection[str] = ()) -> set[object]:
    """The types of ids in an act that name rows, wherever they stand; of all fields but those."""
    kinds: set[object] = set()
    for name, hint in RULES[act].hints.items():
        kinds |= set() if name in but else _kinds_in(hint)
    return kinds


def _kinds_in(hint: Any) -> set[object]:
    if hint in ROWS:
        return {hint}
    found: set[object] = set()
    for one in get_args(hint)[: 1 if get_origin(hint) is Annotated else None]:
        found |= _kinds_in(one)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        for one in get_type_hints(hint, include_extras=True).values():
            found |= _kinds_in(one)
    return found


def as_json(value: Any) -> Any:
    """A field as a JSON body carries it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: as_json(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, tuple | list | frozenset):
        return [as_json(one) for one in value]
    if isinstance(value, Mapping):
        return {str(key): as_json(one) for key, one in value.items()}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value) if isinstance(value, uuid.UUID | Decimal) else value


def as_form(value: Any) -> Any:
    """A field as a form carries it."""
    plain = as_json(value)
    if isinstance(plain, bool):
        return "on" if plain else None
    if isinstance(plain, list):
        return [str(one) for one in plain]
    return str(plain)
