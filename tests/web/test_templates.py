"""Templates read only what their values have: each one is rendered strictly, with values of its own type."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

import web
from dispatch.core.actor import Role
from tests.web.test_scope import ROUTES, client_of, routes, url
from tests.web.world import World, app_over

TEMPLATES = Path(web.__file__).parent / "templates"


@pytest.fixture(scope="module")
def app(postgres: str, template_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application over a world with something on every page."""
    folder = tmp_path_factory.mktemp("templates")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAIBAN_HOME", str(folder))
        made = app_over(postgres, template_database, f"templates_{os.getpid()}", folder)
        yield made
    made.extensions["daiban.sessions"].kw["bind"].dispose()


@pytest.mark.parametrize("role", [None, *(role for role in Role if role is not Role.SYSTEM)])
def test_every_page_of_a_role_reads_only_what_it_is_given(app: Flask, role: Role | None) -> None:
    world: World = app.extensions["world"]
    client = app.test_client() if role is None else client_of(app, world, role)
    failed = []
    for line in routes(app):
        row = ROUTES[line]
        if not line.startswith("GET ") or "/api/" in line or not (row.public if role is None else role in row.roles):
            continue
        with client.get(url(app, line, world.ours)) as answer:
            if answer.status_code >= 500 and not line.endswith("readyz"):
                failed.append(f"{line}: {answer.status_code}")
    assert failed == []
