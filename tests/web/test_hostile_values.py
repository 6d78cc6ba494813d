"""Hostile values: whatever stands in a body, a form or an address, nobody is answered that it was our fault."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dispatch.acts.act import RULES
from tests.web.test_every_page import ORDER
from tests.web.test_scope import ROUTES, client_of, routes, url
from tests.web.world import World, app_over
from web.wiring.api_schema import MOST_DEPTH

SOURCES = [path for room in ("pages", "api") for path in Path("web", room).rglob("*.py")]
READ = re.compile(r"""request\.(?:args|form)\.(?:get|getlist)\(["'](\w+)""")
FIELD = re.compile(r"^\s+(\w+) = \w*Field\(", re.M)
NAMES = sorted(
    {name for path in SOURCES for pattern in (READ, FIELD) for name in pattern.findall(path.read_text())}
    | {name for rule in RULES.values() for name in rule.hints}
)
DIGITS = "9" * 5000
VALUES = (DIGITS, "9" * 19, "-" + DIGITS, "1e999", "nan", "٩" * 30, "a\x00b", "办" * 3000)
ENDS_SOMETHING = {"POST /logout", "POST /operator/clock", "POST /account/security/sessions", "POST /account/proof"}
DEEP = "[" * 100_000
READ_IN_ADDRESSES = ("cursor", "id", "limit", "on", "q", "version")
BODIES = {
    "an array in an array": DEEP,
    "an object in an object": '{"facts":' * 100_000,
    "closed": '{"facts":' * 10_000 + "1" + "}" * 10_000,
    "facts": '{"name":"x","facts":' + '{"a":' * 5000 + "1" + "}" * 5001,
    "digits": '{"version":' + DIGITS + ',"words":' + DIGITS + "}",
    "no number": '{"version": NaN, "lon": Infinity, "limit_s": 1e999}',
    "many": "[" + "0," * 200_000 + "0]",
    "no JSON": "{not json",
}


@pytest.fixture(scope="module")
def app(postgres: str, county_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application over a world, answering as in production: an error of ours is a 500 and no trace."""
    folder = tmp_path_factory.mktemp("hostile")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAIBAN_HOME", str(folder))
        made = app_over(postgres, county_database, f"hostile_{os.getpid()}", folder)
        made.config.update(TESTING=False, PROPAGATE_EXCEPTIONS=False)
        yield made
    made.extensions["daiban.sessions"].kw["bind"].dispose()


@pytest.fixture(scope="module")
def clients(app: Flask) -> dict[str, FlaskClient]:
    """Every line of ROUTES with a browser of somebody who may use it; signing out would end the rest."""
    world: World = app.extensions["world"]
    browsers = {role: client_of(app, world, role) for role in ORDER}
    nobody = app.test_client()
    return {
        line: nobody if row.public else browsers[next(role for role in ORDER if role in row.roles)]
        for line, row in ROUTES.items()
        if line in routes(app) and line not in ENDS_SOMETHING
    }


@pytest.mark.parametrize("value", VALUES, ids=lambda value: ascii(value)[:16])
def test_no_value_in_a_form_or_an_address_is_a_fault_of_ours(
    app: Flask, clients: dict[str, FlaskClient], value: str
) -> None:
    world: World = app.extensions["world"]
    given = dict.fromkeys(NAMES, value)
    for line, client in clients.items():
        method, address = line.split(" ", 1)[0], url(app, line, world.ours)
        if method == "GET":
            asked = dict.fromkeys(READ_IN_ADDRESSES, value[:1000])
            answer = client.get(address, query_string=asked, buffered=True)
        else:
            kept = {name: word for name, word in (ROUTES[line].form or {}).items() if name in {"what", "act", "step"}}
            answer = client.open(address, method=method, data=given | kept, buffered=True)
        assert answer.status_code < 500, f"{line} with {value[:20]!r}"


@pytest.mark.parametrize("name", BODIES)
def test_no_body_is_a_fault_of_ours(app: Flask, clients: dict[str, FlaskClient], name: str) -> None:
    world: World = app.extensions["world"]
    for line, client in clients.items():
        method = line.split(" ", 1)[0]
        if "/api/" not in line or method == "GET":
            continue
        answer = client.open(
            url(app, line, world.ours), method=method, data=BODIES[name], content_type="application/json"
        )
        assert answer.status_code < 500, line


@pytest.mark.parametrize("depth", [MOST_DEPTH - 3, MOST_DEPTH + 1])
def test_facts_may_be_nested_as_deep_as_anybody_needs(app: Flask, clients: dict[str, FlaskClient], depth: int) -> None:
    line = "POST /api/v1/tickets"
    body = '{"kind":"question","words":' + '{"a":' * depth + "1" + "}" * depth + "}"
    answer = clients[line].post("/api/v1/tickets", data=body, content_type="application/json")
    assert answer.status_code == (422 if depth < MOST_DEPTH else 400)
