"""Answers: what an operation of the API answers, as a schema in its description and as JSON on the way out."""

import hashlib
import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from functools import cache, wraps
from typing import Annotated, Any, Union, cast, get_args, get_origin, get_type_hints

from flask import Response, jsonify, request
from pydantic import BaseModel, Field, create_model

from web.wiring.resource_json import as_json

View = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class DescribedAnswer:
    """An operation's good answer: its schema, None for an empty one, and its status."""

    model: type[BaseModel] | None
    status: int


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file that was taken; a step names it by its digest (SHA-256, hexadecimal)."""

    sha256: str


class NothingMore(BaseModel):
    """It was taken; there is nothing to say."""


# ---------------------------------------------------------------- schemas


@cache
def answer_model(shape: type, without: tuple[str, ...] = ()) -> type[BaseModel]:
    """The schema of a view or result: its fields under the names that they have in JSON."""
    if issubclass(shape, BaseModel):
        return shape
    hints = get_type_hints(shape, include_extras=True)
    described: dict[str, Any] = {
        one.metadata.get("json", one.name): (_plain(hints[one.name]), ...)
        for one in fields(cast(Any, shape))
        if one.name not in without
    }
    return create_model(shape.__name__, __doc__=shape.__doc__, **described)


@cache
def page_model(shape: type, without: tuple[str, ...] = ()) -> type[BaseModel]:
    """A page of a list: its lines, and where it goes on."""
    line = answer_model(shape, without)
    described: dict[str, Any] = {
        "items": (list[line], ...),  # type: ignore[valid-type]
        "next_cursor": (str | None, Field(description="What the next page takes as `cursor`; null: none")),
    }
    return create_model(f"{shape.__name__}Page", __doc__="A page of a list.", **described)


def _plain(hint: Any) -> Any:
    """A field's type as it stands in JSON: views become schemas, localised text a string, a tuple a list."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _plain(inner[0])
    if origin in {Union, types.UnionType}:
        return Union[tuple(_plain(one) for one in inner)]  # noqa: UP007
    if origin in {list, tuple} and (len(inner) == 1 or inner[-1] is Ellipsis):
        return list[_plain(inner[0])]  # type: ignore[misc]
    if origin is tuple:
        either: Any = Union[tuple(_plain(one) for one in inner)]  # noqa: UP007
        return Annotated[list[either], Field(min_length=len(inner), max_length=len(inner))]
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return dict[str, _plain(inner[1])]  # type: ignore[misc]
    if not isinstance(hint, type):
        return hint
    if is_dataclass(hint):
        return answer_model(hint)
    return str if issubclass(hint, str) and not issubclass(hint, Enum) else hint


# ---------------------------------------------------------------- answering


def answers(shape: type | None, status: int = 200) -> Callable[[View], View]:
    """Marks a view with what it answers; a dataclass that it returns is sent as JSON. None: an empty answer.

    What is read carries an ETag, and is not sent again to whoever has it (If-None-Match)."""
    described = DescribedAnswer(None if shape is None else answer_model(shape), status)

    def mark(view: View) -> View:
        @wraps(view)
        def answered(*args: Any, **kwargs: Any) -> Response:
            given = view(*args, **kwargs)
            if isinstance(given, Response):
                return given
            body, *more = given if isinstance(given, tuple) else (given,)
            plain = as_json(body) if is_dataclass(body) else body
            response = Response(status=status) if plain == "" else jsonify(plain)
            response.status_code = more[0] if more else status
            response.headers.extend(more[1] if len(more) > 1 else {})
            if request.method == "GET":
                response.set_etag(_etag(plain, response))
                response.make_conditional(request)
            return response

        answered.described_answer = described  # type: ignore[attr-defined]
        return answered

    return mark


def _etag(plain: Any, response: Response) -> str:
    """``VERSION.DIGEST`` of what has a version, else the digest: a lamp changes the answer and not the version."""
    digest = hashlib.sha256(response.get_data()).hexdigest()[:16]
    version = plain.get("version") if isinstance(plain, dict) else None
    return digest if version is None else f"{version}.{digest}"


def version_asked_for() -> int | None:
    """The version that ``If-Match`` names, as the ETag of what was read has it."""
    named: Iterable[str | None] = request.if_match.as_set() if request.if_match else ()
    versions = {int(head) for head, dot, _ in ((tag or "").partition(".") for tag in named) if dot and head.isdecimal()}
    return versions.pop() if len(versions) == 1 else None


def takes_file(**words: str) -> Callable[[View], View]:
    """Marks a view that takes multipart/form-data: ``file``, and these fields, each with what it is."""

    def mark(view: View) -> View:
        view.described_upload = words  # type: ignore[attr-defined]
        return view

    return mark
