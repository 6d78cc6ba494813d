"""Foreign ids: a body that names another's row is answered as if there were none, whatever the address and role."""

import dataclasses
import os
import re
from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

import pytest
from flask import Flask
from sqlalchemy import func, select

from dispatch.acts.act import RULES
from dispatch.acts.act_record import ActRecord
from dispatch.acts.named_rows import ROWS
from dispatch.core.actor import Role
from tests.dispatch.every_act import every_act
from tests.web.conftest import signed_in_client
from tests.web.parity.forms import BY_THE_HOUSE, UPLOADS
from tests.web.parity.values import ARGUMENT, as_json, with_foreign_ids
from tests.web.world import World, app_over

NAMES_A_ROW = re.compile(r"(^|_)(id|ids|no|nos|code|codes|waybills?)$")
PLAIN: dict[str, str] = {
    "scan_id": "the scanner's own number of a scan",
    "event_id": "the phone's own number of a report",
    "notice_no": "the number on an authority's paper",
    "paper_no": "the number on a paper that an enterprise holds",
    "project_code": "the number that the province gave the project",
    "seal_no": "the number on a seal",
    "credit_code": "an enterprise by the number that it shows",
    "code": "the door's code, or a matter of the catalogue",
    "waybills": "what a courier saw, compared with what stands at the stop",
    "recipient_id": "a person of the case's own letter, looked up there",
    "division_code": "any place may be a site; the act compares it with the actor's reach",
}
"""Fields that look like a name of a row and are none, or name what belongs to everybody."""


@pytest.fixture(scope="module")
def app(postgres: str, county_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application over the world that world.py makes."""
    folder = tmp_path_factory.mktemp("foreign")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAIBAN_HOME", str(folder))
        made = app_over(postgres, county_database, f"foreign_{os.getpid()}", folder)
        yield made
    made.extensions["daiban.sessions"].kw["bind"].dispose()


def fields_of(hint: Any) -> Iterator[tuple[str, Any]]:
    """The fields of a command or of a value in one, with their types."""
    for one in get_args(hint):
        yield from fields_of(one)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        for name, inner in get_type_hints(hint, include_extras=True).items():
            if name in {field.name for field in dataclasses.fields(hint)}:
                yield name, inner
                yield from fields_of(inner)


def kinds_in(hint: Any) -> set[object]:
    """The types of a field, whatever it is wrapped in."""
    return {hint} if hint in ARGUMENT else set[object]().union(*(kinds_in(one) for one in get_args(hint)))


def test_a_field_that_names_a_row_has_the_type_of_its_id() -> None:
    """Only an id of its own type is looked up for the actor: a plain number would be taken from anybody."""
    unchecked = {
        f"{act.__name__}.{name}"
        for act in every_act()
        if RULES[act].by != {Role.SYSTEM}
        for name, hint in fields_of(act)
        if NAMES_A_ROW.search(name) and not kinds_in(hint) & set(ROWS) and name not in PLAIN
    }
    assert unchecked == set()


def addresses(app: Flask) -> list[tuple[str, str, type, dict[str, str], frozenset[Role]]]:
    """Each address of the API that takes a body: method, rule, act, the word of the step, who finds it."""
    return [
        (min((rule.methods or set()) - {"HEAD", "OPTIONS"}), rule.rule, act, word, view.allowed_roles)
        for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule)
        if rule.rule.startswith("/api/")
        for view in [app.view_functions[rule.endpoint]]
        for act, word in getattr(view, "offered_acts", {}).items()
        if act not in UPLOADS
    ]  # type: ignore[attr-defined]


def test_a_body_with_anothers_id_finds_nothing_and_changes_nothing(app: Flask) -> None:
    world: World = app.extensions["world"]
    sessions, taken, tried = app.extensions["daiban.sessions"], [], set()
    for method, rule, act, word, allowed in addresses(app):
        in_address = set(re.findall(r"<(?:\w+:)?(\w+)>", rule))
        for role in sorted((RULES[act].by & allowed) - {Role.OPERATOR, Role.SYSTEM}):
            with sessions() as session:
                client = signed_in_client(app, session.get_one(type(world.accounts[role]), world.accounts[role].id))
            for kind, command in with_foreign_ids(act, world.ours, world.theirs):
                if kind in in_address:
                    continue
                tried.add(f"{act.__name__}.{kind}")
                with sessions() as session:
                    before = session.scalar(select(func.count()).select_from(ActRecord))
                answer = client.open(
                    app.url_map.bind("localhost").build(
                        next(r.endpoint for r in app.url_map.iter_rules() if r.rule == rule and method in r.methods),
                        {name: world.ours[name] for name in in_address},
                        method=method,
                    ),
                    method=method,
                    json=word | body_of(command, in_address),
                )
                with sessions() as session:
                    after = session.scalar(select(func.count()).select_from(ActRecord))
                if answer.status_code != 404 or after != before:
                    taken.append(f"{method} {rule} as {role}: foreign {kind} is answered {answer.status_code}")
    assert taken == []
    assert {"RequestProject.enterprise_id", "RequestProject.contact_id", "AssignProject.agent_id"} <= tried


def body_of(command: Any, in_address: set[str]) -> dict[str, Any]:
    """The command as a body carries it: without what stands in the address."""
    hints = RULES[type(command)].hints
    return {
        name: as_json(getattr(command, name))
        for name, hint in hints.items()
        if name not in in_address | BY_THE_HOUSE and ARGUMENT.get(hint) not in in_address
    }
