"""Statements a page: no page asks the database more than a dozen times, whoever asks and however long its lists are."""

import os
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import event

from dispatch.core.actor import Role
from tests.web.test_scope import EVERYBODY, ROUTES, client_of, url
from tests.web.world import World, app_over

MOST = 12

MORE: dict[str, int] = {
    "GET /api/v1/projects/<project_no>/assignment": 17,
    "GET /team/projects/<project_no>/why": 15,
    "GET /team/projects/<project_no>": 13,
    "GET /team/report": 23,
    "GET /team/report.csv": 24,
    "GET /team/report.xlsx": 24,
    "GET /team/agents/<int:agent_id>/departure": 23,
    "GET /api/v1/agents/<int:agent_id>/departure": 23,
    "GET /run": 15,
}
"""Pages that ask more, and how much at most. A line may only become smaller; the test says when it can."""


@pytest.fixture(scope="module")
def app(postgres: str, county_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application over a world with something on every page."""
    folder = tmp_path_factory.mktemp("statements")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAIBAN_HOME", str(folder))
        made = app_over(postgres, county_database, f"statements_{os.getpid()}", folder)
        yield made
    made.extensions["daiban.sessions"].kw["bind"].dispose()


def counted(app: Flask, role: Role) -> dict[str, int]:
    """Each page that the role may open → how many statements it takes once the process is warm."""
    world: World = app.extensions["world"]
    engine, said = app.extensions["daiban.sessions"].kw["bind"], []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        said.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    browser, found = client_of(app, world, role), {}
    for line, row in ROUTES.items():
        if line.startswith("GET ") and role in row.roles:
            for _ in range(3):  # new words of a text are written down by who first looks at them
                said.clear()
                answer = browser.get(url(app, line, world.ours), buffered=True)
                answer.close()
            assert answer.status_code < 500, line
            found[line] = len(said)
    event.remove(engine, "before_cursor_execute", note)
    return found


@pytest.mark.parametrize("role", sorted(EVERYBODY))
def test_no_page_asks_the_database_more_than_a_dozen_times(app: Flask, role: Role) -> None:
    found = counted(app, role)
    too_many = {line: n for line, n in found.items() if n > MORE.get(line, MOST)}
    assert too_many == {}, "these ask too often"


def test_the_pages_that_ask_more_are_pages_that_do(app: Flask) -> None:
    found = counted(app, Role.LEAD)
    assert {line: n for line, n in found.items() if line in MORE and n <= MOST} == {}, "take these off the list"
