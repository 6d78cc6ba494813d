"""The query page opens with the code and four digits alone, and shows nothing personal."""

import os
import re
from collections.abc import Callable, Iterator
from itertools import cycle

import psycopg
import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

import db
from dispatch.views.track import canonical_query_code
from notifications import task_publisher
from tests.dispatch.builders import TEN, an_assigned_case, the_county
from web.app import create_app
from web.wiring.settings import Settings


@pytest.fixture(scope="module")
def app(postgres: str, county_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application over 武进区 with its limits on, counted in memory."""
    folder, name = tmp_path_factory.mktemp("track"), f"track_{os.getpid()}"
    with psycopg.connect(postgres.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {county_database} STRATEGY FILE_COPY")
    url = postgres.rsplit("/", 1)[0] + "/" + name
    made = create_app(Settings(database_url=url, broker_url="", home=folder, secret_key="k" * 64))
    made.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    with made.extensions["daiban.sessions"].begin() as session:
        db.set_clock(session, TEN)
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
            "/track", data={"code": spelling, "last_four": f"{n:04d}"}, environ_base={"REMOTE_ADDR": f"10.0.0.{n}"}
        ).status_code
        for n, spelling in zip(range(1, 23), cycle([known[0], f"-{known[0]}", " ".join(known[0]), known[0].lower()]))
    ]  # fmt: skip
    assert statuses[:20] == [422] * 20
    assert statuses[20:] == [429] * 2


@pytest.fixture(scope="module")
def told(app: Flask) -> tuple[str, str]:
    """The query code and number of one case, for all who paste."""
    with app.extensions["daiban.sessions"].begin() as session:
        case, _ = an_assigned_case(the_county(session))
        return case.query_code, case.case_no


NOTICE = "【武进代办】武进区已收到代办申请3204122026112300001，将在1个工作日内指派代办员。查询码{}，请查询。"
NOTICE_EN = "3204122026112300001 received by Wujin. An agent follows in 1 working day. Query code {}. It is free."


@pytest.mark.parametrize(
    "paste",
    [
        lambda code: "".join(chr(ord(letter) + 0xFEE0) for letter in code),
        lambda code: f"查询码{code}。",
        NOTICE.format,
        NOTICE_EN.format,
        lambda code: f"{code[:4]}-{code[4:]}",
        lambda code: f" {code[:4]} {code[4:]}\u200b\n".lower(),
        lambda code: f"my code：{code}",
    ],
    ids=["full width", "with its word", "the Chinese notice", "the English notice", "hyphen", "spaces", "colon"],
)
def test_a_code_is_read_as_it_was_pasted(app: Flask, told: tuple[str, str], paste: Callable[[str], str]) -> None:
    page = app.test_client().post("/track", data={"code": paste(told[0]), "last_four": " ５６７８ "})
    assert page.status_code == 200
    assert told[1] in page.text


@given(
    st.text(alphabet="ABCDEFGHJKLMNPQRSTUVWXYZ23456789", min_size=8, max_size=8),
    st.sampled_from(["", " ", "-", " - ", "\u3000", "\u200b", "—"]),
)
def test_a_code_has_one_form_whatever_stands_between_its_letters(code: str, between: str) -> None:
    assert canonical_query_code(between.join(code)) == code
    assert canonical_query_code(f"查询码：{code[:4]} {code[4:].lower()}，请查询") == code


@pytest.mark.parametrize(
    "typed", ["。", "ABCDEFG", "ABCDEFGHJ", "320412-20261123-00001", "代办不收费", "RECEIVED", "3204122026112300001"]
)
def test_what_holds_no_code_is_told_so(app: Flask, typed: str) -> None:
    at = {"REMOTE_ADDR": "10.9.9.9"}
    answer = app.test_client().post("/track", data={"code": typed, "last_four": "5678"}, environ_base=at)
    assert answer.status_code == 422
    assert "查询码是8位字母和数字" in answer.text
    assert canonical_query_code(typed) == ""


def test_right_codes_of_one_hall_use_up_nothing_and_say_what_comes_next(app: Flask, told: tuple[str, str]) -> None:
    """A hall's visitors share one address: only what opened nothing is counted against it."""
    at, right = {"REMOTE_ADDR": "10.7.7.7"}, {"code": told[0], "last_four": "5678"}
    pages = [app.test_client().post("/track", data=right, environ_base=at) for _ in range(12)]
    assert [page.status_code for page in pages] == [200] * 12
    assert re.search(r'class="my-next">[^<]+<', pages[0].text)
