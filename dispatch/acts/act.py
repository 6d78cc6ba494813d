"""Act: one typed command for each step, and the one function that performs it, whichever door it came through."""

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from types import UnionType
from typing import Annotated, Any, ClassVar, Protocol, TypeVar, Union, cast, get_args, get_origin, get_type_hints
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

import db
from db import Base
from dispatch.acts.act_record import ActRecord, claim, last_actor
from dispatch.acts.named_rows import ONLY_NAMES, OWNED_BY, ROWS
from dispatch.core.actor import SYSTEM, Actor, Role
from dispatch.core.errors import CountedFailure, NotFound, Stale
from dispatch.core.localized_text import LocalizedText

Row = TypeVar("Row")
Result = TypeVar("Result")
Result_co = TypeVar("Result_co", covariant=True)
Command = TypeVar("Command", bound=type)

STAFF = frozenset({Role.AGENT, Role.LEAD, Role.OPERATOR})
LEADS = frozenset({Role.LEAD, Role.OPERATOR})
APPLICANTS = frozenset({Role.ENTERPRISE, *STAFF})


@dataclass(frozen=True, slots=True)
class ActContext:
    """What an act is performed in: the transaction, who acts, the business moment, and the rows that it names."""

    session: Session
    actor: Actor
    at: datetime
    rows: Mapping[tuple[type, object], object]
    touched: set[str] = dataclasses.field(default_factory=set)
    is_history: bool = False

    def touch(self, noun: type[Base], row_id: int) -> None:
        """The audit line names this row too: the step found it itself."""
        self.touched.add(f"{noun.__tablename__}:{row_id}")

    def real_at(self) -> datetime:
        """The moment by the database's own clock, which a phone's clock is compared with; of history, its own."""
        return self.at if self.is_history else db.real_now(self.session)

    def row(self, noun: type[Row], named: object) -> Row:
        """The row that the command names: it is the actor's to see, and locked where its noun is locked."""
        return cast(Row, self.rows[noun, named])


class Act(Protocol[Result_co]):
    """A command: a frozen dataclass whose first field names its target, and which knows how to be performed."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def perform(self, context: ActContext) -> Result_co:
        """Find, decide, change, tell; an error passes through and nothing has changed."""


@dataclass(frozen=True, slots=True)
class ActRule:
    """Who may, and the fields of the command with the ids that stand in them."""

    by: frozenset[Role]
    hints: Mapping[str, Any]
    target: str | None
    counts_failures: bool
    is_routine: bool


RULES: dict[type, ActRule] = {}


def act(
    *, by: frozenset[Role] | set[Role] = frozenset(), counts_failures: bool = False, is_routine: bool = False
) -> Callable[[Command], Command]:
    """Registers a command: who may take it. The schedule and the command line (Role.SYSTEM) may take every step.

    ``counts_failures``: the step may end in a CountedFailure, so that it stands in a savepoint of its own.
    ``is_routine``: the schedule looks every minute, and a look that finds nothing leaves no line."""

    def register(command: Command) -> Command:
        if any(known.__name__ == command.__name__ for known in RULES):
            raise TypeError(f"two acts are named {command.__name__}")
        hints = {
            name: hint
            for name, hint in get_type_hints(command, include_extras=True).items()
            if name in {field.name for field in dataclasses.fields(command)}
        }
        first = next(iter(hints), None)
        target = first if first is not None and hints[first] in ROWS else None
        RULES[command] = ActRule(frozenset(by) | {Role.SYSTEM}, hints, target, counts_failures, is_routine)
        return command

    return register


def perform(
    session: Session,
    command: Act[Result],
    actor: Actor,
    *,
    client_id: UUID | None = None,
    path: tuple[tuple[object, object], ...] = (),
    at: datetime | None = None,
) -> Result:
    """Take the step in the caller's transaction, once for each ``client_id`` of an account.

    ``at``: the moment of the act where history is written (the demo's); no door gives it, and it is now.

    Every id in the command, and those that a door's address names besides (``path``), must be the actor's to name; rows
    are locked in one order. Raises NotFound for what is absent or not the actor's, Stale for an old version, and what
    the step itself refuses. A CountedFailure (a wrong code) is counted although the transaction is rolled back.
    """
    rule = RULES[type(command)]
    if actor.role not in rule.by:
        raise NotFound(f"{type(command).__name__} is not for {actor.role}")
    record = None
    if client_id is not None:
        record, earlier = claim(session, type(command).__name__, actor, client_id, _fingerprint(command))
        if earlier is not None:
            return cast(Result, _result_type(type(command)).validate_python(earlier["result"]))
    moment = db.now(session) if at is None else at
    rows = _named_rows(session, command, actor, rule, path)
    context = ActContext(session, actor, moment, rows, is_history=at is not None)
    _check_version(command, context, rule)
    session.info[db.ACTING] = actor.label
    try:
        with session.begin_nested() if rule.counts_failures else nullcontext():
            result = command.perform(context)
        session.flush()
    except CountedFailure as failure:
        failure.count(session)
        session.commit()
        raise
    finally:
        del session.info[db.ACTING]
    if result or not rule.is_routine:
        _keep_record(context, command, record, client_id, result)
    return result


# ---------------------------------------------------------------- the rows that a command names


def ids_in(hint: Any, value: Any) -> Iterator[tuple[object, object]]:
    """The ids in a value of this type, each with its type: also in tuples, mappings and nested dataclasses."""
    if value is None:
        return
    if hint in ROWS:
        yield hint, value
        return
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        yield from ids_in(inner[0], value)
    elif origin in {Union, UnionType}:
        for one in inner:
            yield from ids_in(one, value)
    elif origin in {tuple, list, frozenset}:
        for item in value:
            yield from ids_in(inner[0], item)
    elif isinstance(origin, type) and issubclass(origin, Mapping):
        for key, item in value.items():
            yield from ids_in(inner[0], key)
            yield from ids_in(inner[1], item)
    elif dataclasses.is_dataclass(hint) and isinstance(value, cast(type, hint)):
        for name, field_hint in get_type_hints(hint, include_extras=True).items():
            yield from ids_in(field_hint, getattr(value, name))


def _named_rows(
    session: Session, command: object, actor: Actor, rule: ActRule, path: tuple[tuple[object, object], ...]
) -> dict[tuple[type, object], object]:
    """Each named row, found as the actor may see it and locked in the one order of the nouns, then by its id."""
    named = [*path]
    for name, hint in rule.hints.items():
        named += ids_in(hint, getattr(command, name))
    found: dict[tuple[type, object], object] = {}
    for kind, value in sorted(set(named), key=lambda one: (ROWS[one[0]].rank, str(one[1]))):
        noun = ROWS[kind]
        found[noun.noun, value] = noun.find(session, actor, value)
    _check_belonging(found)
    return found


def _check_belonging(found: Mapping[tuple[type, object], Any]) -> None:
    """What belongs to a case, project or enterprise must be of one that is named: another case's paper is not there."""
    owners: dict[str, set[int]] = {}
    for (noun, _), row in found.items():
        if noun in OWNED_BY:
            owners.setdefault(OWNED_BY[noun], set()).add(row.id)
    for (noun, value), row in found.items():
        for key, named in owners.items():
            owner = None if (noun, key) in ONLY_NAMES else getattr(row, key, None)
            if owner is not None and owner not in named:
                raise NotFound(f"{noun.__name__} {value} has another {key} than {sorted(named)}")


def _check_version(command: object, context: ActContext, rule: ActRule) -> None:
    version = getattr(command, "version", None)
    if version is None or rule.target is None:
        return
    noun: Any = ROWS[rule.hints[rule.target]].noun
    row: Any = context.rows[noun, getattr(command, rule.target)]
    if row.version != version:
        name = getattr(row, "changed_by", "") or last_actor(context.session, noun.__tablename__, row.id) or SYSTEM.label
        raise Stale(
            f"{noun.__name__} {row.id} is at version {row.version}, not {version}; last changed by {name}",
            user_message=LocalizedText("刚刚由%(name)s修改过，请刷新后再试", name=name),
        )


# ---------------------------------------------------------------- what is kept of it


def _fingerprint(command: object) -> bytes:
    said = (
        field.name for field in dataclasses.fields(cast(Any, command)) if field.repr
    )  # the rest is the program's own
    fields = {name: getattr(command, name) for name in said}
    return hashlib.sha256(json.dumps(fields, sort_keys=True, default=str).encode()).digest()


@cache
def _result_type(command: type) -> TypeAdapter[Any]:
    return TypeAdapter(get_type_hints(command.perform)["return"])  # type: ignore[attr-defined]


def _keep_record(
    context: ActContext, command: Act[Any], record: ActRecord | None, client_id: UUID | None, result: object
) -> None:
    """The audit line: who took which step on what, when by both clocks; with a client's id also what came of it."""
    named = {f"{noun.__tablename__}:{getattr(row, 'id', value)}" for (noun, value), row in context.rows.items()}  # type: ignore[attr-defined]
    if record is None:
        record = ActRecord(act=type(command).__name__, account_id=context.actor.account_id)
        context.session.add(record)
    record.actor, record.at, record.named = context.actor.label, context.at, sorted(named | context.touched)
    if client_id is not None:
        record.answer = {"result": _result_type(type(command)).dump_python(cast(Any, result), mode="json")}
