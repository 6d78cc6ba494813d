"""Tampering: a door of our own making in the program under test, honest or with one fault, to see what parity says."""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from flask import Flask, Response, current_app, jsonify, request
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from dispatch.acts.act import RULES, ActContext, perform
from dispatch.acts.named_rows import ROWS, NamedRow
from dispatch.acts.pausing import PauseReview
from dispatch.cases.review import Review
from dispatch.core.actor import SYSTEM, Actor
from dispatch.core.errors import NotFound
from dispatch.core.ids import ReviewId
from tests.web.parity.doors import PEOPLE, Door
from tests.web.parity.program import Program
from web.wiring.act_door import command_from, offers, schema_of, take, take_in
from web.wiring.resource_json import as_json
from web.wiring.transactions import transaction

Taken = Callable[[PauseReview], Any]


def honest(command: PauseReview) -> Any:
    """As every door should."""
    return take(command)


def dropping_a_field(command: PauseReview) -> Any:
    """The hand-written copy of a list of fields that has forgotten one."""
    return take(dataclasses.replace(command, rule=""))


def overwriting(command: PauseReview) -> Any:
    """Whatever version the person saw, the newest is taken for it."""
    with transaction() as session:
        newest = session.get_one(Review, command.review).version
    return take(dataclasses.replace(command, version=newest))


def in_the_programs_name(command: PauseReview) -> Any:
    """The door answers for everybody, and asks nobody who they are."""
    with transaction() as session:
        return current_app.extensions["daiban.perform"](session, command, SYSTEM)


def taking_it_twice(command: PauseReview) -> Any:
    """The client's id goes no further than the door."""
    with transaction() as session:
        return take_in(session, command, client_id=uuid4())


def with_door(program: Program, taken: Taken, *, is_guarded: bool = True) -> Program:
    """The program with one door more, and only that one looked at."""
    app = program.app
    name = taken.__name__ if is_guarded else f"unguarded_{taken.__name__}"
    endpoint, rule = f"made_up.{name}", f"/api/v1/made-up/{name}/<int:review_id>"
    if endpoint not in app.view_functions:

        def view(review_id: int) -> Response:
            body = schema_of(PauseReview, path=("review",))(**request.get_json())
            return jsonify(as_json(taken(command_from(PauseReview, body, review=review_id))))

        app.url_map.add(Rule(rule, endpoint=endpoint, methods=["POST"]))
        app.view_functions[endpoint] = offers(PauseReview)(view) if is_guarded else view
    door = Door("POST", rule, endpoint, ("review_id",), PauseReview, {}, RULES[PauseReview].by & PEOPLE)
    return dataclasses.replace(program, doors=[door])


def find_for_anybody(session: Session, _actor: Actor, review_id: int) -> Review:
    """A review of whatever county: the check of scope is gone."""
    review = session.get(Review, review_id)
    if review is None:
        raise NotFound(f"review {review_id}")
    return review


UNSCOPED = NamedRow(Review, ROWS[ReviewId].rank, find_for_anybody)


@contextmanager
def pages_with(app: Flask, written: str, instead: str) -> Iterator[None]:
    """Every page as it is, but for these words."""

    def change(response: Response) -> Response:
        if response.mimetype == "text/html" and not response.direct_passthrough:
            response.set_data(response.get_data(as_text=True).replace(written, instead))
        return response

    after = app.after_request_funcs.setdefault(None, [])
    after.append(change)
    try:
        yield
    finally:
        after.remove(change)


@contextmanager
def acts_that_look_away(name: str, instead: Callable[..., None]) -> Iterator[None]:
    """``perform`` with one of its checks replaced."""
    before = perform.__globals__[name]
    perform.__globals__[name] = instead
    try:
        yield
    finally:
        perform.__globals__[name] = before


def no_version(_command: object, _context: ActContext, _rule: object) -> None:
    """Any version will do."""
