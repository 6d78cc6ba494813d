"""Every route is listed here with who may use it, and probed as every role; a route that nobody listed fails.

To add a page, add its line to ROUTES. What stands in its URL is looked up in tests/web/world.py: ``ours`` must open for
the roles listed, ``theirs`` must answer them, and everybody else whatever they ask for, the same 404.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dispatch.scope import Role
from notifications import outbox
from tests.web.conftest import signed_in_client
from tests.web.world import ArgsOf, World, make_world
from web.app import create_app
from web.settings import Settings

ENTERPRISE, AGENT, LEAD, COURIER, SUPERVISOR, OPERATOR = (
    Role.ENTERPRISE, Role.AGENT, Role.LEAD, Role.COURIER, Role.SUPERVISOR, Role.OPERATOR,
)  # fmt: skip
EVERYBODY = frozenset({ENTERPRISE, AGENT, LEAD, COURIER, SUPERVISOR, OPERATOR})
STAFF = frozenset({AGENT, LEAD, SUPERVISOR, OPERATOR})


@dataclass(frozen=True)
class Row:
    """Who may use a route. ``public`` needs no login; ``scoped`` has a URL that may name somebody else's row."""

    roles: frozenset[Role] = field(default_factory=frozenset)
    public: bool = False
    scoped: bool = True
    json: dict[str, object] | None = None
    form: dict[str, str] | None = None
    sees_all: frozenset[Role] = frozenset({OPERATOR})


PUBLIC = Row(public=True)
SIGNED_IN = Row(EVERYBODY)


def only(*roles: Role, **more: object) -> Row:
    """A row for these roles."""
    return Row(frozenset(roles), **more)  # type: ignore[arg-type]


ROUTES: dict[str, Row] = {
    # the entrance
    "GET /": PUBLIC,
    "GET /login": PUBLIC,
    "POST /login": PUBLIC,
    "POST /login/code": PUBLIC,
    "POST /logout": PUBLIC,
    "GET /register": PUBLIC,
    "POST /register": PUBLIC,
    "POST /register/code": PUBLIC,
    "POST /language/<code>": PUBLIC,
    "GET /account/waiting": SIGNED_IN,
    "GET /account/people": only(ENTERPRISE),
    "POST /account/people/<int:account_id>/approval": only(ENTERPRISE),
    "POST /account/people/<int:account_id>/removal": only(ENTERPRISE),
    # health, documents, hooks: a hook knows its caller by a signature
    "GET /healthz": PUBLIC,
    "GET /readyz": PUBLIC,
    "GET /metrics": PUBLIC,
    "GET /docs": PUBLIC,
    "GET /docs/problems": PUBLIC,
    "GET /openapi.json": PUBLIC,
    "POST /hooks/twilio/status": PUBLIC,
    "POST /hooks/domestic/<secret>/status": PUBLIC,
    # the operator
    "GET /operator/accounts": only(OPERATOR),
    "POST /operator/accounts/<int:account_id>": only(OPERATOR),
    "POST /operator/clock": only(LEAD, OPERATOR, form={"step": "hour"}),
    # the four audiences
    "GET /my": only(ENTERPRISE),
    "GET /my/projects/<project_no>": only(ENTERPRISE),
    "GET /my/projects/<project_no>/card": only(ENTERPRISE),
    "GET /my/projects/<project_no>/letter": only(ENTERPRISE),
    "POST /my/projects/<project_no>/letter": only(ENTERPRISE),
    "GET /my/projects/<project_no>/revocation": only(ENTERPRISE),
    "POST /my/projects/<project_no>/revocation": only(ENTERPRISE),
    "POST /my/projects/<project_no>/cases": only(ENTERPRISE),
    "GET /my/intake": only(ENTERPRISE),
    "POST /my/intake": only(ENTERPRISE),
    "POST /my/intake/discard": only(ENTERPRISE),
    "GET /my/intake/counties.geojson": only(ENTERPRISE),
    "GET /my/intake/places": only(ENTERPRISE),
    **{
        f"{method} /my/intake/{step}": only(ENTERPRISE)
        for method in ("GET", "POST")
        for step in ("project", "site", "facts", "matters", "papers", "ways", "letter", "review")
    },
    "GET /my/cases/<case_no>": only(ENTERPRISE),
    **{
        f"{method} /my/cases/<case_no>/{page}": only(ENTERPRISE)
        for method in ("GET", "POST")
        for page in ("withdrawal", "evaluation", "pickup", "delivery", "papers/<int:material_id>")
    },
    "POST /my/cases/<case_no>/correction": only(ENTERPRISE),
    "GET /my/parcels/<waybill>/window": only(ENTERPRISE),
    "POST /my/parcels/<waybill>/window": only(ENTERPRISE),
    "GET /my/tickets": only(ENTERPRISE),
    "POST /my/tickets": only(ENTERPRISE),
    "GET /team": Row(STAFF),
    "GET /run": only(COURIER),
    "GET /track": PUBLIC,
    "POST /track": PUBLIC,
    # the API
    "GET /api/v1/me": SIGNED_IN,
    "GET /api/v1/me/tokens": SIGNED_IN,
    "POST /api/v1/me/tokens": Row(EVERYBODY, json={"name": "probe"}),
    "DELETE /api/v1/me/tokens/<int:token_id>": only(LEAD, sees_all=frozenset()),
}

MAY_ANSWER_ANYTHING_BUT = {401, 403, 404, 405, 500, 501}


# ---------------------------------------------------------------- the world


@pytest.fixture(scope="module")
def app(postgres: str, template_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application over the world that world.py makes, once for all probes."""
    folder = tmp_path_factory.mktemp("scope")
    name = f"scope_{os.getpid()}"
    with psycopg.connect(postgres.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template_database} STRATEGY FILE_COPY")
    made = create_app(
        Settings(
            database_url=postgres.rsplit("/", 1)[0] + "/" + name,
            broker_url="redis://127.0.0.1:1/0",
            home=folder,
            secret_key="k" * 64,
            limit_requests=False,
        )
    )
    made.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    outbox.use_doorbell(None)
    made.extensions["world"] = make_world(made.extensions["daiban.sessions"], Path(folder))
    yield made
    made.extensions["daiban.sessions"].kw["bind"].dispose()


@pytest.fixture(scope="module")
def world(app: Flask) -> World:
    found: World = app.extensions["world"]
    return found


def routes(app: Flask) -> dict[str, tuple[str, str, list[str]]]:
    """Every route but static files: its line in the table → method, rule, names in the URL."""
    return {
        f"{method} {rule.rule}": (method, rule.rule, sorted(rule.arguments))
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static"
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def url(app: Flask, line: str, args: ArgsOf) -> str:
    """The line's URL with these parts; a part that the world does not know is a word nobody has."""
    method, rule, names = routes(app)[line]
    found = next(r for r in app.url_map.iter_rules() if r.rule == rule and method in (r.methods or set()))
    adapter = app.url_map.bind("localhost")
    return adapter.build(found.endpoint, {name: args.get(name, "nobody") for name in names}, method=method)


def ask(app: Flask, client: FlaskClient, line: str, args: ArgsOf) -> TestResponse:
    row = ROUTES[line]
    method = line.split(" ", 1)[0]
    body: dict[str, object] = {"json": row.json} if row.json is not None else {"data": row.form or {}}
    if method in {"GET", "DELETE"}:
        body = {}
    elif "/api/" in line and row.json is None:
        body = {"json": {}}
    return client.open(url(app, line, args), method=method, **body)  # type: ignore[arg-type]


def client_of(app: Flask, world: World, role: Role) -> FlaskClient:
    with app.extensions["daiban.sessions"]() as session:
        account = session.get_one(type(world.accounts[role]), world.accounts[role].id)
    return signed_in_client(app, account)


# ---------------------------------------------------------------- the probes


def test_every_route_is_listed_and_every_line_is_a_route(app: Flask) -> None:
    there, listed = set(routes(app)), set(ROUTES)
    assert sorted(there - listed) == [], "say in ROUTES who may use these"
    assert sorted(listed - there) == [], "these lines of ROUTES are no routes"


def test_the_world_knows_every_part_of_a_scoped_url(app: Flask, world: World) -> None:
    unknown = {
        name
        for line, (_, _, names) in routes(app).items()
        if line in ROUTES and not ROUTES[line].public
        for name in names
        if name not in world.ours or name not in world.theirs
    }
    assert unknown == set(), "add these to a_case_of in tests/web/world.py"


def test_a_stranger_sees_only_what_is_public(app: Flask, world: World) -> None:
    for line in sorted(set(ROUTES) & set(routes(app))):
        answer = ask(app, app.test_client(), line, world.ours)
        if ROUTES[line].public:
            assert answer.status_code != 401, line
            assert not (answer.location or "").startswith("/login"), line
        elif "/api/" in line:
            assert answer.status_code == 401, line
        else:
            assert answer.status_code == 302, line
            assert answer.location.startswith("/login"), line


@pytest.mark.parametrize("role", sorted(EVERYBODY))
def test_a_role_is_answered_where_it_may_be_and_finds_nothing_elsewhere(app: Flask, world: World, role: Role) -> None:
    browser = client_of(app, world, role)
    absent = {
        "page": without_address(browser.get("/nowhere/at/all")),
        "api": without_address(browser.get("/api/v1/nowhere/at/all")),
    }
    for line in sorted(set(ROUTES) & set(routes(app)), key=lambda line: (not line.startswith("GET"), line)):
        row, names = ROUTES[line], routes(app)[line][2]
        if row.public or line == "POST /logout":
            continue
        kind = "api" if "/api/" in line else "page"
        if role not in row.roles:
            answer = ask(app, browser, line, world.ours)
            assert answer.status_code == 404, f"{role} on {line}"
            assert without_address(answer) == absent[kind], f"{role} on {line} learns something"
            continue
        if names and row.scoped and role not in row.sees_all:
            answer = ask(app, browser, line, world.theirs)
            assert answer.status_code == 404, f"{role} on another's {line}"
            assert without_address(answer) == absent[kind], f"{role} on another's {line} learns something"
        answer = ask(app, browser, line, world.ours)
        assert answer.status_code not in MAY_ANSWER_ANYTHING_BUT, f"{role} on {line}: {answer.status_code}"


def without_address(answer: TestResponse) -> str:
    """The page without what must differ: its own address, form tokens, the way back, news of what was done before."""
    page = re.sub(r'(?:content|value|href)="[^"]*"', "", answer.get_data(as_text=True))
    page = re.sub(r'<p class="notice (?:good|bad)" role="status">[^<]*</p>', "", page)
    return re.sub(r"\s+", " ", page)
