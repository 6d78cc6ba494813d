"""The public guide: every matter opens, the questions lead to the matters that the catalogue's own cases name."""

import csv
import os
import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

import db
from dispatch.catalogue.matter import Matter
from dispatch.core.actor import Role
from dispatch.path.fact_table import AnswerKind, fact_table
from notifications import task_publisher
from tests.dispatch.builders import an_enterprise, make_county
from tests.web.conftest import signed_in_client
from web.app import create_app
from web.wiring.accounts import Account
from web.wiring.settings import Settings

CASES_FILE = Path(__file__).parents[3] / "dispatch/path/data/catalogue_cases.csv"
CASES = list(csv.DictReader(CASES_FILE.read_text().splitlines()))


@pytest.fixture(scope="module")
def app(postgres: str, template_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application over 武进区."""
    folder, name = tmp_path_factory.mktemp("guide"), f"guide_{os.getpid()}"
    with psycopg.connect(postgres.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template_database} STRATEGY FILE_COPY")
    url = postgres.rsplit("/", 1)[0] + "/" + name
    made = create_app(
        Settings(database_url=url, broker_url="", home=folder, secret_key="k" * 64, limit_requests=False)
    )  # fmt: skip
    made.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    with made.extensions["daiban.sessions"].begin() as session:
        db.allow_clock_changes(session)
        make_county(session, Path(folder))
    yield made
    task_publisher.use(None)
    made.extensions["daiban.sessions"].kw["bind"].dispose()


def asked(family: str, facts: str) -> dict[str, str]:
    """The address of these answers, as the page's own form would send it."""
    given = dict(pair.split("=") for pair in facts.split(";") if pair)
    every = [
        key for key, fact in fact_table().items() if family in fact.families and fact.kind is not AnswerKind.DERIVED
    ]
    return {"family": family, "place": "320412000000", "shown": " ".join(every)} | given


def matters_on(page: TestResponse) -> set[str]:
    return set(re.findall(r'/guide/matters/([A-Z0-9-]+)"', page.text))


@pytest.mark.parametrize("case", CASES, ids=[case["code"] for case in CASES])
def test_the_answers_lead_to_the_matters_that_the_case_names(app: Flask, case: dict[str, str]) -> None:
    page = app.test_client().get("/guide/needs", query_string=asked(case["family"], case["facts"]))
    assert page.status_code == 200
    shown = matters_on(page)
    registers = {pair for pair in case["facts"].split(";") if pair.startswith("shared_")}
    if not registers:  # what a register says is not asked of people
        assert set(filter(None, case["matters"].split(";"))) <= shown
        assert not set(filter(None, case["not_matters"].split(";"))) & shown


def test_every_matter_opens_in_both_languages_and_as_data(app: Flask) -> None:
    client = app.test_client()
    with app.extensions["daiban.sessions"]() as session:
        rows = session.execute(select(Matter.code, Matter.name, Matter.name_en)).all()
    listed = matters_on(client.get("/guide"))
    assert listed == {code for code, _, _ in rows}
    for code, name, english in rows:
        assert name in client.get(f"/guide/matters/{code}").text
        other = client.get(f"/guide/matters/{code}", headers={"Accept-Language": "en"})
        assert not english or english in other.text.replace("&#39;", "'")
        data = client.get(f"/guide/matters/{code}.jsonld")
        assert data.mimetype == "application/ld+json"
        assert data.json["identifier"] == code
        assert data.json["@type"] == ["GovernmentService", "cpsv:PublicService"]
        assert {"@language": "zh", "@value": name} in data.json["name"]
    assert client.get("/guide/matters/NONE-1").status_code == 404
    assert client.get("/guide/matters/NONE-1.jsonld").status_code == 404


def test_what_was_typed_wrongly_stays_and_is_named(app: Flask) -> None:
    client = app.test_client()
    assert client.get("/guide/needs?family=nonsense").status_code == 200
    first = client.get("/guide/needs?family=industrial_permit")
    assert first.status_code == 200
    assert "要您提供的材料" not in first.text
    wrong = asked("industrial_permit", "site_ha=vier")
    page = client.get("/guide/needs", query_string=wrong)
    assert page.status_code == 422
    assert "请填写不小于0的数" in page.text
    assert 'value="vier"' in page.text
    for place in ("", "999999999999", "abc"):
        page = client.get("/guide/needs", query_string=asked("industrial_permit", "site_ha=2") | {"place": place})
        assert page.status_code == 422
        assert "请选择县（市、区）" in page.text
        assert 'value="2"' in page.text


def test_bytes_that_are_no_text_are_no_fault(app: Flask) -> None:
    typed = asked("business_opening", "")
    query = "&".join(f"{name}={value.replace(' ', '+')}" for name, value in typed.items()) + "&x=\xff"
    for path in ("/guide/needs", "/guide", "/", "/login", "/track", "/openapi.json"):
        assert app.test_client().get(path, environ_overrides={"QUERY_STRING": query}).status_code == 200, path


def test_the_answers_go_along_into_the_request(app: Flask) -> None:
    with app.extensions["daiban.sessions"].begin() as session:
        enterprise = an_enterprise(session)
        owner = Account(
            role=Role.ENTERPRISE, name="王经理", login="wang", enterprise_id=enterprise[0].id,
            confirmed_at=db.real_now(session), is_owner=True,
        )  # fmt: skip
        session.add(owner)
        session.flush()
    client = signed_in_client(app, owner)
    answers = asked("industrial_permit", "site_ha=7.5;land=none;works=new_build")
    begin = client.get("/my/intake", query_string=answers)
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', begin.text))
    assert hidden["site_ha"] == "7.5"
    project = client.post("/my/intake", data=hidden, follow_redirects=True)
    assert re.search(r'value="industrial_permit"[^>]*checked|checked[^>]*value="industrial_permit"', project.text)
    site = client.post(
        "/my/intake/project",
        data={"family": "industrial_permit", "name": "精密机床项目", "state_secret": "no"},
        follow_redirects=True,
    )
    assert re.search(r'<option[^>]*value="320412000000"[^>]*selected|selected[^>]*value="320412000000"', site.text)
    facts = client.post(
        "/my/intake/site", data={"county": "320412000000", "address": "湖塘镇人民东路1号"}, follow_redirects=True
    )
    assert 'name="site_ha" inputmode="decimal" value="7.5"' in facts.text
