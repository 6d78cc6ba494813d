"""The query page opens with the code and four digits alone, and shows nothing personal."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from flask import Flask

import db
from notifications import task_publisher
from tests.dispatch.builders import an_assigned_case, make_county, the_county
from web.app import create_app
from web.wiring.settings import Settings


@pytest.fixture(scope="module")
def app(postgres: str, template_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application over 武进区 with its limits on, counted in memory."""
    folder, name = tmp_path_factory.mktemp("track"), f"track_{os.getpid()}"
    with psycopg.connect(postgres.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template_database} STRATEGY FILE_COPY")
    url = postgres.rsplit("/", 1)[0] + "/" + name
    made = create_app(Settings(database_url=url, broker_url="", home=folder, secret_key="k" * 64))
    made.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    with made.extensions["daiban.sessions"].begin() as session:
        db.allow_clock_changes(session)
        make_county(session, Path(folder))
    yield made
    task_publisher.use(None)
    made.extensions["daiban.sessions"].kw["bind"].dispose()


@pytest.fixture
def known(app: Flask) -> tuple[str, str]:
    """The query code and number of a case that an agent has."""
    with app.extensions["daiban.sessions"].begin() as session:
        case, _ = an_assigned_case(the_county(session))
        return case.query_code, case.case_no


@pytest.mark.parametrize(
    "write", [str, lambda number: number.replace("-", ""), lambda number: f" {number} ", lambda _: ""]
)
def test_the_code_and_four_digits_open_the_case_however_its_number_is_written(
    app: Flask, known: tuple[str, str], write: Callable[[str], str]
) -> None:
    code, case_no = known
    page = app.test_client().post("/track", data={"code": code.lower(), "last_four": "5678", "case_no": write(case_no)})
    assert page.status_code == 200
    assert case_no in page.text
    assert "已指派代办员" in page.text
    assert "代办服务不收费" in page.text


def test_nothing_personal_is_shown(app: Flask, known: tuple[str, str]) -> None:
    page = app.test_client().post("/track", data={"code": known[0], "last_four": "5678"}).text
    for personal in (
        "王经理",
        "13812345678",
        "常州精机有限公司",
        "精密机床扩产项目",
        "代办员1",
        "人民东路",
        "张法人",
        known[0],
    ):
        assert personal not in page, personal


def test_every_mismatch_reads_the_same_and_keeps_what_was_typed(app: Flask, known: tuple[str, str]) -> None:
    code, case_no = known
    client = app.test_client()
    wrong = [
        {"code": "ABCDEFGH", "last_four": "5678", "case_no": case_no},
        {"code": code, "last_four": "0000", "case_no": case_no},
        {"code": code, "last_four": "5678", "case_no": "320412-20261123-00099"},
    ]
    for typed in wrong:
        answer = client.post("/track", data=typed)
        assert answer.status_code == 422
        assert "没有查到" in answer.text
        assert f'value="{typed["code"]}"' in answer.text
    assert "是4位数字" in client.post("/track", data={"code": code, "last_four": "56"}).text


def test_guessing_the_digits_of_one_code_is_stopped_from_wherever_it_comes(app: Flask, known: tuple[str, str]) -> None:
    statuses = [
        app.test_client().post(
            "/track", data={"code": known[0], "last_four": f"{n:04d}"}, environ_base={"REMOTE_ADDR": f"10.0.0.{n}"}
        ).status_code
        for n in range(1, 13)
    ]  # fmt: skip
    assert statuses[:10] == [422] * 10
    assert statuses[10:] == [429] * 2
