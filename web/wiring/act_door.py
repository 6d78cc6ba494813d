"""The door to the acts: schemas and forms made from a command's own fields, and the one call that performs it."""

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, reduce
from operator import or_
from types import UnionType
from typing import Annotated, Any, Literal, NewType, ParamSpec, TypeVar, Union, cast, get_args, get_origin
from uuid import NAMESPACE_OID, UUID, uuid5

from annotated_types import Ge, Le, MaxLen
from flask import Flask, current_app, request
from flask_babel import gettext
from pydantic import Discriminator, RootModel, ValidationError, create_model
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from dispatch.acts.act import RULES, Act, perform
from dispatch.acts.act_fields import Digest, Wanted
from dispatch.acts.act_record import earlier_answer
from dispatch.acts.courier_desk import AttachProofs
from dispatch.acts.named_rows import ROWS
from dispatch.cases.access_control import stop_of_event
from dispatch.cases.case import Case
from dispatch.cases.review import Review
from dispatch.core.actor import Role
from dispatch.core.errors import Refused
from dispatch.core.ids import BIGGEST, LONGEST, CaseNo, FileId
from web.wiring import files
from web.wiring.api_answers import version_asked_for
from web.wiring.api_schema import Strict
from web.wiring.auth import current_actor, roles
from web.wiring.field_faults import FAULTS
from web.wiring.kept_uploads import UNBOUND, check_uploaded, of_case, of_stop
from web.wiring.security_log import ACTS, record
from web.wiring.transactions import transaction

P = ParamSpec("P")
R = TypeVar("R")
Result = TypeVar("Result")
C = TypeVar("C")

MULTIPLE = (list, tuple, frozenset)


def offers(
    *commands: type,
    steps: Mapping[str, type] | None = None,
    key: str = "step",
    only: frozenset[Role] | None = None,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Marks a view with the acts that it offers: only who may take one of them finds it.

    ``steps``: acts that the door tells apart by a word in the field ``key``. ``only``: a page for fewer roles."""
    words = {command: {key: word} for word, command in (steps or {}).items()}
    offered = {command: words.get(command, {}) for command in (*commands, *words)}

    def mark(view: Callable[P, R]) -> Callable[P, R]:
        allowed = frozenset[Any]().union(*(RULES[command].by for command in offered))
        guarded = roles(*sorted(allowed if only is None else allowed & only))(view)
        guarded.offered_acts = offered  # type: ignore[attr-defined]
        return guarded

    return mark


# ---------------------------------------------------------------- schemas


@cache
def schema_of(command: type, *, path: tuple[str, ...] = (), key: str = "step", step: str = "") -> type[Strict]:
    """The body that an API takes for a command: its fields but those that stand in the address.

    ``step``: the word by which one address tells several commands apart, in the field ``key``."""
    fields: dict[str, Any] = {}
    if step:
        fields[key] = (Literal[step], ...)
    for field in dataclasses.fields(command):
        if field.name in path:
            continue
        hint = _checked(RULES[command].hints[field.name])
        fields[field.name] = (hint, _default(field))
    return create_model(f"{command.__name__}In", __base__=Strict, __doc__=command.__doc__, **fields)


def body_of_steps(
    name: str, steps: Mapping[str, type], *, path: tuple[str, ...], key: str = "step"
) -> type[RootModel[Any]]:
    """The body of an address that offers several commands, told apart by the word in ``key``."""
    bodies = [schema_of(command, path=path, key=key, step=word) for word, command in steps.items()]
    either: Any = Annotated[reduce(or_, cast(Any, bodies)), Discriminator(key)]
    return create_model(name, __base__=RootModel[either], __doc__="One step: which, and what its paper says.")


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return ...


def _checked(hint: Any) -> Any:
    """The field's type with the limits that its ids have: a number that no row can have is refused at the door."""
    if isinstance(hint, NewType):
        plain = hint.__supertype__
        return Annotated[plain, Ge(1), Le(BIGGEST)] if plain is int else Annotated[plain, MaxLen(LONGEST)]
    origin, inner = get_origin(hint), get_args(hint)
    if origin in {Union, UnionType}:
        return Union[tuple(_checked(one) for one in inner)]  # noqa: UP007
    if origin in MULTIPLE:
        return origin[tuple(one if one is Ellipsis else _checked(one) for one in inner)]
    return hint


# ---------------------------------------------------------------- commands from what came in


def command_from(command: type[C], body: Strict, **path: object) -> C:
    """The command that a checked body and the parts of the address make; If-Match names the version that was seen."""
    fields = RULES[command].hints
    given = {name: getattr(body, name) for name in type(body).model_fields if name in fields}
    if "version" in fields and given.get("version") is None and (seen := version_asked_for()) is not None:
        given["version"] = seen
    return command(**given, **path)


def command_from_form(command: type[C], form: MultiDict[str, str], **given: object) -> C:
    """The command that a page's form makes; ``given`` are parts of the address and what the page itself puts together.

    An empty field counts as not filled in. Raises Refused, in words for the person who typed."""
    values: dict[str, object] = {}
    for field in dataclasses.fields(cast(Any, command)):
        if field.name in given or field.name not in form:
            continue
        typed = [_seconds(text.strip()) for text in form.getlist(field.name) if text.strip()]
        if typed:
            values[field.name] = typed if _takes_several(RULES[command].hints[field.name]) else typed[-1]
    try:
        body = schema_of(cast(type, command), path=tuple(sorted(given)))(**values)
    except ValidationError as error:
        _check_address(cast(type, command), given)
        raise Refused(f"{command.__name__}: {error}", user_message=_first_fault(command, error)) from None
    return command_from(command, body, **given)


def _seconds(typed: str) -> str:
    """A time of day as a page's field writes it (17:30) is the second of the day; anything else stays as it is."""
    clock = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)", typed)
    return typed if clock is None else str(int(clock[1]) * 3600 + int(clock[2]) * 60)


def _check_address(command: type, given: Mapping[str, object]) -> None:
    """A form that is filled in badly tells nobody whether another's row is there. Raises NotFound."""
    hints = RULES[command].hints
    with transaction() as session:
        for name, value in given.items():
            if hints.get(name) in ROWS:
                ROWS[hints[name]].find(session, current_actor(), value)


def _takes_several(hint: Any) -> bool:
    return get_origin(get_args(hint)[0] if get_origin(hint) is Annotated else hint) in MULTIPLE


MISSING = {
    "kind": "请选择种类",
    "on": "请选择日期",
    "until": "请选择日期",
    "reason": "请填写理由",
    "words": "请填写内容",
}


def _first_fault(command: type, error: ValidationError) -> str:
    """What the person is told: the field's own words where it has some, else what kind of fault it is."""
    first: Mapping[str, Any] = error.errors(include_url=False, include_input=False, include_context=False)[0]
    field = str(first["loc"][0]) if first["loc"] else ""
    for mark in _marks(RULES[command].hints.get(field)):
        if isinstance(mark, Wanted):
            return mark.user_message
    if first["type"] == "missing":
        return MISSING.get(field, "填写有误，请核对后再提交")
    return FAULTS.get(first["type"], "填写有误，请核对后再提交")


def _marks(hint: Any) -> Iterator[Any]:
    """What a field's type is annotated with, also within a choice of types."""
    yield from getattr(hint, "__metadata__", ())
    for one in get_args(hint):
        yield from getattr(one, "__metadata__", ())


# ---------------------------------------------------------------- performing


def take(command: Act[Result], *, path: Iterable[tuple[object, object]] = ()) -> Result:
    """Perform a command for who is asking, in a transaction of its own."""
    with transaction() as session:
        return take_in(session, command, path=path)


def take_in(
    session: Session,
    command: Act[Result],
    *,
    path: Iterable[tuple[object, object]] = (),
    client_id: UUID | None = None,
) -> Result:
    """The same beside something of web's own, such as an account or a draft, in one transaction.

    Several steps of one form each have an id of their own, made from the form's."""
    _check_files(session, command, path)
    performer: Callable[..., Result] = current_app.extensions["daiban.perform"]
    own = client_id or _own_id(command)
    result = performer(session, command, current_actor(), client_id=own, path=tuple(path))
    if (kind := ACTS.get(type(command).__name__)) is not None:
        record(session, kind, account_id=current_actor().account_id, act=type(command).__name__)
    return result


def is_repeat(session: Session, command: Act[Any]) -> bool:
    """Whether this form was sent before and its step was taken: it is answered as it was then, whatever stands now."""
    return earlier_answer(session, current_actor(), _own_id(command)) is not None


def form_id(step: str) -> UUID | None:
    """The id of a form's one step of this name, where what it says is not at hand when the form is sent again."""
    given = _client_id()
    return None if given is None else uuid5(given, step)


def _check_files(session: Session, command: Act[Any], path: Iterable[tuple[object, object]]) -> None:
    """Every file that a command names is kept; what the caller names by a digest, the caller uploaded for this."""
    named = list(_files_named(command, Digest))
    files.check_kept(*named, *_files_named(command, FileId))
    check_uploaded(session, current_actor().account_id, named, _subject_of(session, command, path))


def _subject_of(session: Session, command: Act[Any], path: Iterable[tuple[object, object]]) -> str:
    """What a command's files belong to: the stop or the case that it, its address or the act before it names."""
    stop = getattr(command, "stop", None)
    if isinstance(command, AttachProofs):
        stop = stop_of_event(session, command.event_id)
    if stop is not None:
        return of_stop(stop)
    case_no = getattr(command, "case", None) or next((value for kind, value in path if kind is CaseNo), None)
    if case_no is None and (review := getattr(command, "review", None)) is not None:
        of_review = select(Case.case_no).join(Review, Review.case_id == Case.id).where(Review.id == review)
        case_no = session.scalar(of_review)
    return UNBOUND if case_no is None else of_case(str(case_no))


def _files_named(command: Act[Any], by: object) -> Iterator[str]:
    """The kept files that a command names, alone or several in one field."""
    for name, hint in RULES[type(command)].hints.items():
        if _names_files(hint, by) and (value := getattr(command, name)):
            yield from (value,) if isinstance(value, str) else value


def _names_files(hint: Any, by: object) -> bool:
    return hint == by or any(_names_files(one, by) for one in get_args(hint))


def install(app: Flask) -> None:
    """Acts are performed by ``perform``; a test of the doors alone passes in one that only looks at what arrives."""
    app.extensions["daiban.perform"] = perform


def _own_id(command: Act[Any]) -> UUID | None:
    """The id of one step: a form's several steps are told apart by what they say, a program's key names one."""
    given = _client_id()
    if given is not None:
        return uuid5(given, type(command).__name__ + repr(command))
    key = request.headers.get("Idempotency-Key", "").strip()
    return uuid5(NAMESPACE_OID, key) if key else None


def _client_id() -> UUID | None:
    """The id that a form carries, so that sending it twice takes its steps once."""
    given = request.form.get("client_id", "") if request.form else ""
    try:
        return UUID(given) if given else None
    except ValueError:
        raise Refused(f"client id {given!r} is none", user_message=gettext("填写有误，请核对后再提交")) from None
