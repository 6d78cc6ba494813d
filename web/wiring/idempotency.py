"""Idempotency: a write that a phone repeats under the same key gets the first answer again and happens once."""

import hashlib
from collections.abc import Callable
from dataclasses import is_dataclass
from datetime import timedelta
from functools import wraps
from typing import Any

from flask import Response, jsonify, make_response, request
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from werkzeug.exceptions import BadRequest

import db
from web.wiring.accounts import IdempotencyKey
from web.wiring.auth import current_person
from web.wiring.transactions import transaction

LIFE = timedelta(days=2)
ABANDONED_AFTER = timedelta(seconds=60)
KEPT_HEADERS = ("Location", "Content-Type", "ETag")
LONGEST_KEY = 200


class KeyMisused(Exception):
    """The Idempotency-Key stands for another request, or for one that still runs."""

    status = 422
    slug = "idempotency-key-reused"
    user_message = "这个 Idempotency-Key 已用于另一个请求，请换一个新的。"


class ClientKeyInUse(KeyMisused):
    """The same request under the same key is still running."""

    status = 409
    slug = "idempotency-key-in-use"
    user_message = "使用这个 Idempotency-Key 的请求仍在处理，请稍后用同一个键再试。"


def idempotent(view: Callable[..., Any]) -> Callable[..., Any]:
    """For a write under ``Idempotency-Key``: the same key and body get the stored answer, another body gets 422.

    A write that fails changed nothing, so its key is free again. When a process dies between the write and the
    storing of its answer, the key is free after a minute: acts that must not happen twice carry an id of their own.
    """

    @wraps(view)
    def once(*args: Any, **kwargs: Any) -> Any:
        key = request.headers.get("Idempotency-Key", "").strip()
        if not key:
            return view(*args, **kwargs)
        if len(key) > LONGEST_KEY:
            raise BadRequest("the Idempotency-Key is too long")
        account_id = current_person().account_id
        with transaction() as session:
            stored = _claim(session, account_id, key)
        if stored is not None:
            return stored
        try:
            response = make_response(_jsonable(view(*args, **kwargs)))
        except BaseException:
            _forget(account_id, key)
            raise
        if response.status_code >= 400:
            _forget(account_id, key)
            return response
        with transaction() as session:
            row = session.scalar(_row(account_id, key))
            if row is not None:
                row.status = response.status_code
                row.headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
                row.body = response.get_data(as_text=True)
        return response

    once.takes_key = True  # type: ignore[attr-defined]
    return once


def _jsonable(answer: Any) -> Any:
    """A view's answer as Flask takes it: what an act answers is a dataclass."""
    body, *more = answer if isinstance(answer, tuple) else (answer,)
    if not is_dataclass(body):
        return answer
    return (jsonify(body), *more) if more else jsonify(body)


def _row(account_id: int, key: str) -> Any:
    return (
        select(IdempotencyKey)
        .where(IdempotencyKey.account_id == account_id, IdempotencyKey.key == key)
        .with_for_update()
    )


def _claim(session: Session, account_id: int, key: str) -> Response | None:
    """None when the key is ours now; else the stored answer. Raises 409 while it runs, 422 for another body."""
    fingerprint = hashlib.sha256(
        b"\0".join((request.method.encode(), request.full_path.encode(), request.get_data(cache=True)))
    ).digest()
    moment = db.real_now(session)
    made = session.execute(
        insert(IdempotencyKey)
        .values(account_id=account_id, key=key, fingerprint=fingerprint, created_at=moment)
        .on_conflict_do_nothing(index_elements=["account_id", "key"])
        .returning(IdempotencyKey.id)
    ).scalar()
    if made is not None:
        return None
    row = session.scalar(_row(account_id, key))
    if row is None:
        raise ClientKeyInUse("the key is just being freed")
    if row.fingerprint != fingerprint:
        raise KeyMisused("this Idempotency-Key was used for another request")
    if row.status is None:
        if moment - row.created_at < ABANDONED_AFTER:
            raise ClientKeyInUse("the same request is still running")
        row.created_at = moment
        return None
    response = Response(row.body, status=row.status, headers=row.headers)
    response.headers["Idempotency-Replayed"] = "true"
    return response


def _forget(account_id: int, key: str) -> None:
    with transaction() as session:
        session.execute(
            delete(IdempotencyKey).where(IdempotencyKey.account_id == account_id, IdempotencyKey.key == key)
        )


def forget_old_keys(session: Session) -> int:
    """Delete answers that nobody will ask for again; how many."""
    old = IdempotencyKey.created_at < func.clock_timestamp() - LIFE
    return len(session.execute(delete(IdempotencyKey).where(old).returning(IdempotencyKey.id)).all())
