"""Parity: every act through every door, with good data, foreign ids, an old version, twice, and as each role."""

import dataclasses
import os
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

import db
from dispatch.acts.act import RULES, ids_in, perform
from dispatch.acts.act import every_act as all_acts
from dispatch.acts.act_record import ActRecord
from dispatch.core.actor import Actor, Role
from dispatch.core.errors import DispatchError, NotFound, Stale
from routing.day.errors import RunError
from tests.web.act_forms import BY_THE_HOUSE, UPLOADS, WRITTEN
from tests.web.act_values import ARGUMENT, as_form, as_json, command_of, with_foreign_ids
from tests.web.conftest import signed_in_client
from tests.web.world import World, app_over
from web.wiring.auth import person_of

ACTS = all_acts()
OF_PEOPLE = [act for act in ACTS if RULES[act].by - {Role.SYSTEM}]
VERSIONED = [act for act in ACTS if "version" in RULES[act].hints and RULES[act].target is not None]
REFUSALS = (DispatchError, RunError)
PEOPLE = frozenset(role for role in Role if role is not Role.SYSTEM)


@pytest.fixture(scope="module")
def app(postgres: str, template_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application over the world that world.py makes."""
    folder = tmp_path_factory.mktemp("parity")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAIBAN_HOME", str(folder))
        made = app_over(postgres, template_database, f"parity_{os.getpid()}", folder)
        yield made
    made.extensions["daiban.sessions"].kw["bind"].dispose()


@pytest.fixture(scope="module")
def world(app: Flask) -> World:
    found: World = app.extensions["world"]
    return found


def actor_of(app: Flask, world: World, role: Role) -> Actor:
    with app.extensions["daiban.sessions"]() as session:
        return person_of(session, session.get_one(type(world.accounts[role]), world.accounts[role].id)).viewer


class Rolled(Exception):
    """The step went through; nothing of it is kept."""


def outcome(app: Flask, command: Any, actor: Actor, **more: Any) -> Exception | None:
    """What became of the step; every trace of it is rolled back."""
    try:
        with app.extensions["daiban.sessions"].begin() as session:
            perform(session, command, actor, **more)
            raise Rolled
    except Rolled:
        return None
    except Exception as error:  # noqa: BLE001  what the step answers is looked at by the test
        return error


# ---------------------------------------------------------------- the acts themselves


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_no_act_takes_an_id_that_is_not_the_actors(app: Flask, world: World, act: type) -> None:
    for role in sorted(RULES[act].by - {Role.SYSTEM, Role.OPERATOR}):
        for name, command in with_foreign_ids(act, world.ours, world.theirs):
            error = outcome(app, command, actor_of(app, world, role))
            assert isinstance(error, NotFound), f"{act.__name__} as {role} takes a foreign {name}: {error!r}"


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_an_act_is_there_for_its_roles_alone(app: Flask, world: World, act: type) -> None:
    command = command_of(act, world.ours)
    for role in sorted(PEOPLE - RULES[act].by):
        assert isinstance(outcome(app, command, actor_of(app, world, role)), NotFound), f"{role} may {act.__name__}"


@pytest.mark.parametrize("act", VERSIONED, ids=lambda act: act.__name__)
def test_an_old_version_is_refused(app: Flask, world: World, act: type) -> None:
    old = dataclasses.replace(command_of(act, world.ours), version=2**31)
    role = next(role for role in (Role.OPERATOR, Role.ENTERPRISE, Role.COURIER) if role in RULES[act].by)
    assert isinstance(outcome(app, old, actor_of(app, world, role)), Stale), act.__name__


@pytest.mark.parametrize("act", OF_PEOPLE, ids=lambda act: act.__name__)
def test_the_same_client_id_takes_the_step_once(app: Flask, world: World, act: type) -> None:
    """A step that was taken is not taken again; one that this world refuses leaves its id free for the next try."""
    role = min(RULES[act].by - {Role.SYSTEM})
    fields = {"version": None} if "version" in RULES[act].hints else {}
    command = dataclasses.replace(command_of(act, world.ours), **fields)
    actor, client_id = actor_of(app, world, role), uuid.uuid4()
    count = select(func.count()).select_from(ActRecord)
    with app.extensions["daiban.sessions"]() as session:
        before = session.scalar(count)
        try:
            with session.begin_nested():
                first = perform(session, command, actor, client_id=client_id)
        except REFUSALS:
            assert session.scalar(count) == before, "a refused step leaves its id free"
            return
        assert session.scalar(count) == before + 1
        again = perform(session, command, actor, client_id=client_id)
        assert session.scalar(count) == before + 1
        assert type(first) is type(again)
        session.rollback()


# ---------------------------------------------------------------- the doors


class Seen(DispatchError):
    """What arrived at the acts through a door."""

    def __init__(self, command: Any) -> None:
        super().__init__("seen")
        self.command = command


def doors(app: Flask) -> list[tuple[str, str, list[str], type, dict[str, str]]]:
    """Each door and act: method, rule, names in the address, the act, the word that tells it apart."""
    found = []
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        offered = getattr(app.view_functions[rule.endpoint], "offered_acts", {})
        for act, word in offered.items():
            method = next(iter(sorted((rule.methods or set()) - {"HEAD", "OPTIONS", "GET"})))
            found.append((method, rule.rule, sorted(rule.arguments), act, word))
    return found


def test_every_act_of_people_has_a_door(app: Flask) -> None:
    offered = {act for *_, act, _ in doors(app)}
    lost = {act.__name__ for act in ACTS if RULES[act].by != {Role.SYSTEM}} - {act.__name__ for act in offered}
    assert lost == WITHOUT_A_DOOR


WITHOUT_A_DOOR: set[str] = set()
"""Acts of people that no page and no resource offers yet: each is a gap."""

BY_HAND: dict[tuple[str, str], str] = {
    ("AddAgent", "/team/people/new"): "one form of choices makes an agent or a courier, with an account",
    ("AddCourier", "/team/people/new"): "one form of choices makes an agent or a courier, with an account",
    **{
        (act, "/my/intake/review"): "the draft of eight pages is sent, whose fields are tried page by page"
        for act in ("RequestProject", "OpenCase", "SignDelegation", "GiveMaterial")
    },
    **dict.fromkeys(
        (
            ("BookPickup", "/my/cases/<case_no>/pickup"),
            ("BookDelivery", "/my/cases/<case_no>/delivery"),
            ("RescheduleLeg", "/my/parcels/<waybill>/window"),
        ),
        "a time of those that may be booked, a person of the letter, the address",
    ),
    ("SignDelegation", "/my/projects/<project_no>/letter"): "powers are ticked and persons filled in line by line",
    ("GiveMaterial", "/my/cases/<case_no>/papers/<int:material_id>"): "only a paper that is asked for is taken",
    ("EvaluateCase", "/my/cases/<case_no>/evaluation"): "only a delivered case has the form",
    ("WithdrawCase", "/my/cases/<case_no>/withdrawal"): "the reason is all that is asked",
    ("RevokeDelegation", "/my/projects/<project_no>/revocation"): "the reason is all that is asked",
    ("OpenTicket", "/my/tickets"): "the place and the number are the enterprise's own, the case one of a list",
}
"""Doors whose form is put together by the page itself; what stands there is tried by the page's own tests."""


def test_no_door_drops_a_field(app: Flask, world: World) -> None:
    dropped = []
    seen: list[Any] = []

    def look(_session: Any, command: Any, _actor: Any, **_: Any) -> Any:
        seen.append(command)
        raise Seen(command)

    app.extensions["daiban.perform"] = look
    try:
        for method, rule, names, act, word in doors(app):
            if (act.__name__, rule) in BY_HAND:
                continue
            allowed = allowed_at(app, method, rule)
            role = next(role for role in ROLES if role in RULES[act].by & allowed)
            seen.clear()
            wanted = send(
                app, client_of(app, world, role), method, rule, names, command_of(act, world.ours), word, world
            )
            if not seen:
                dropped.append(f"{method} {rule}: {act.__name__} does not arrive")
                continue
            dropped += [
                f"{method} {rule}: {act.__name__}.{field.name} is {getattr(seen[0], field.name)!r}"
                for field in dataclasses.fields(act)
                if field.name not in BY_THE_HOUSE
                if as_json(getattr(seen[0], field.name)) != as_json(getattr(wanted, field.name))
            ]
    finally:
        app.extensions["daiban.perform"] = perform
    assert "\n".join(dropped) == ""


ROLES = (Role.OPERATOR, Role.ENTERPRISE, Role.COURIER, Role.LEAD)


def allowed_at(app: Flask, method: str, rule: str) -> frozenset[Role]:
    """Who finds this door at all."""
    endpoint = next(r.endpoint for r in app.url_map.iter_rules() if r.rule == rule and method in (r.methods or set()))
    found: frozenset[Role] = app.view_functions[endpoint].allowed_roles  # type: ignore[attr-defined]
    return found


def client_of(app: Flask, world: World, role: Role) -> FlaskClient:
    with app.extensions["daiban.sessions"]() as session:
        account = session.get_one(type(world.accounts[role]), world.accounts[role].id)
    return signed_in_client(app, account)


def send(
    app: Flask,
    client: FlaskClient,
    method: str,
    rule: str,
    names: list[str],
    wanted: Any,
    word: dict[str, str],
    world: World,
) -> Any:
    """Send the command as this door takes it: what stands in the address, and the rest as JSON or as a form.

    Returns what is to arrive: a form that the page puts together may say it in its own way."""
    act = type(wanted)
    left, in_address = set(names), set()
    for name, hint in RULES[act].hints.items():
        if ARGUMENT.get(hint) in left or name in left:
            left -= {ARGUMENT.get(hint), name}
            in_address.add(name)
    plain = {name: world.ours[name] for name in in_address if RULES[act].hints[name] not in ARGUMENT}
    wanted = dataclasses.replace(wanted, **plain)
    body = {name: getattr(wanted, name) for name in RULES[act].hints if name not in in_address}
    adapter = app.url_map.bind("localhost")
    endpoint = next(r.endpoint for r in app.url_map.iter_rules() if r.rule == rule and method in (r.methods or set()))
    address = adapter.build(endpoint, {name: world.ours.get(name, 1) for name in names}, method=method)
    if method == "DELETE":
        client.open(address, method=method, query_string={name: as_form(value) for name, value in body.items()})
        return wanted
    if rule.startswith("/api/") and act not in UPLOADS:
        client.open(address, method=method, json={**word, **{name: as_json(value) for name, value in body.items()}})
        return wanted
    form = {**word, **{name: as_form(value) for name, value in body.items()}}
    if act in WRITTEN:
        wanted, form = WRITTEN[act](wanted, form, world.ours)
    client.open(address, method=method, data={name: value for name, value in form.items() if value is not None})
    return wanted


def test_ids_are_found_wherever_they_stand(world: World) -> None:
    """Ids are found in tuples, mappings and nested values: nothing is let through unseen."""
    for act in ACTS:
        command = command_of(act, world.ours)
        named = {kind for name, hint in RULES[act].hints.items() for kind, _ in ids_in(hint, getattr(command, name))}
        assert {ARGUMENT[kind] for kind in named} == {
            name for name, _ in with_foreign_ids(act, world.ours, world.theirs)
        }


def test_a_step_leaves_one_line(app: Flask, world: World) -> None:
    """Who took it, on what, and when, by both clocks."""
    done = 0
    for act in ACTS:
        if Role.OPERATOR not in RULES[act].by:
            continue
        fields = {"version": None} if "version" in RULES[act].hints else {}
        command = dataclasses.replace(command_of(act, world.ours), **fields)
        actor = actor_of(app, world, Role.OPERATOR)
        try:
            with app.extensions["daiban.sessions"].begin() as session:
                try:
                    perform(session, command, actor)
                except Exception as error:
                    raise Rolled from error
                line = session.scalars(select(ActRecord).order_by(ActRecord.id.desc()).limit(1)).one()
                assert (line.act, line.account_id) == (act.__name__, actor.account_id)
                assert line.actor == actor.label
                assert line.at is not None and abs(line.at - db.now(session)) < timedelta(minutes=5)
                done += 1
                raise Rolled
        except Rolled:
            continue
    assert done >= 3
