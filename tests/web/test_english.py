"""English: on the pages of enterprises, couriers and the team nothing stays Chinese but names and what people wrote."""

import os
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.types import String

import db
import web
from dispatch.catalogue.matter import Matter, Requirement
from dispatch.core.actor import Role
from dispatch.path.matter_variants import matter_variants
from tests.web.test_scope import ROUTES, client_of, routes, url
from tests.web.world import World, app_over

CHINESE = re.compile(r"[\u4e00-\u9fff]+")
TEMPLATES = Path(web.__file__).parent / "templates"
SENTENCES = {"case_event", "promised", "message", "text_version", "proposal", "case_file"}
"""Tables of what the program itself says; all others hold names, and what people wrote."""
IN_CHINESE = re.compile(r'<(\w+)[^>]* lang="zh[^>]*>.*?</\1>', re.DOTALL)
"""What says itself that it is Chinese, as the button that changes the language does."""
A_SIGN = 30
"""Names and addresses are shorter than this."""
NOT_READ = {"script", "style"}
STAY_CHINESE = ("/lists", "/outbox")
"""Pages of the team whose body is Chinese: the seven lists, messages as they were sent."""


class Read(HTMLParser):
    """What a reader reads or hears of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in NOT_READ
        self.pieces += [
            value for name, value in attrs if value and name in {"aria-label", "title", "placeholder", "alt"}
        ]

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in NOT_READ

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.pieces.append(data)


@pytest.fixture(scope="module")
def app(postgres: str, county_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application over a world with something on every page."""
    folder = tmp_path_factory.mktemp("english")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAIBAN_HOME", str(folder))
        made = app_over(postgres, county_database, f"english_{os.getpid()}", folder)
        yield made
    made.extensions["daiban.sessions"].kw["bind"].dispose()


@pytest.fixture(scope="module")
def names(app: Flask) -> list[str]:
    """Everything that stands in the database and is not a sentence of the program, longest first."""
    found: set[str] = set()
    with app.extensions["daiban.sessions"]() as session:
        for table in db.Base.metadata.sorted_tables:
            if table.name in SENTENCES:
                continue
            for column in table.columns:
                if isinstance(column.type, String) or "Encrypted" in type(column.type).__name__:
                    found.update(str(one) for one in session.scalars(select(column).distinct()) if one)
    found.update(one.changes["name"] for each in matter_variants().values() for one in each if "name" in one.changes)
    return sorted((name for name in found if CHINESE.search(name) and len(name) > 1), key=len, reverse=True)


@pytest.fixture(scope="module")
def translated(app: Flask) -> set[str]:
    """Names of the catalogue that have an English form."""
    with app.extensions["daiban.sessions"]() as session:
        matters = session.execute(select(Matter.name, Matter.short_name, Matter.name_en)).all()
        papers = session.execute(select(Requirement.name, Requirement.name_en)).all()
    return {name for *both, english in [*matters, *papers] for name in both if english}


def pages_of(app: Flask, role: Role) -> list[str]:
    """The pages that this role may open by hand."""
    world: World = app.extensions["world"]
    return [
        url(app, line, world.ours)
        for line in routes(app)
        if line.startswith("GET ") and "/api/" not in line and role in ROUTES[line].roles
    ]


def pieces_of(page: str) -> list[str]:
    """What is read of a page, without what says itself that it is Chinese."""
    reader = Read()
    reader.feed(IN_CHINESE.sub("", page))
    return reader.pieces


def left_over(page: str, names: list[str]) -> set[str]:
    """Chinese words of a page that are no names."""
    text = "\n".join(pieces_of(page))
    for name in names:
        text = text.replace(name, "")
    signs = "\n".join(name for name in names if len(name) < A_SIGN)  # a page may show the end of an address alone
    return {left for left in CHINESE.findall(text) if left not in signs}


@pytest.mark.parametrize("role", [Role.ENTERPRISE, Role.COURIER, Role.LEAD, Role.AGENT])
def test_a_page_in_english_says_nothing_in_chinese_but_names(
    app: Flask, names: list[str], translated: set[str], role: Role
) -> None:
    browser = client_of(app, app.extensions["world"], role)
    browser.post("/language/en", data={"next": "/"})
    stayed = {}
    for path in pages_of(app, role):
        if path.endswith(STAY_CHINESE):
            continue
        with browser.get(path) as answer:
            if answer.status_code == 200 and answer.mimetype == "text/html":
                said = {piece.strip() for piece in pieces_of(answer.text)}
                stayed[path] = left_over(answer.text, names) | (said & translated)
    assert len(stayed) > 3
    found = [f"{path}: {' '.join(sorted(words))}" for path, words in stayed.items() if words]
    assert not found, "\n".join(found)


def test_marks_between_words_are_in_the_readers_language_too() -> None:
    """。 and ； stand in a template only where they are translated."""
    for template in sorted(TEMPLATES.rglob("*.html")):
        words = template.read_text(encoding="utf-8")
        plain = re.sub(r"\{#.*?#\}|'[^'\n]*'", "", words, flags=re.DOTALL)
        assert not re.findall("[，；。：（）、]", plain), template.name
        assert "join('、')" not in words, f"{template.name}: that is what ``each`` is for"
