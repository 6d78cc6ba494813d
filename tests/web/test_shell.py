"""The shell's own promises: settings, health, headers, limits, the demo's clock, the way numbers are read."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

import db
from dispatch.core.actor import Role
from dispatch.core.limit import limit_words, read_limit
from notifications import task_publisher
from notifications.tasks import QUEUES, ROUTES
from web import run
from web.app import create_app
from web.wiring import formatting, jobs
from web.wiring.accounts import Account
from web.wiring.auth import safe_target
from web.wiring.settings import BadSetting, Settings

SignIn = Callable[..., FlaskClient]
GOOD = {"DATABASE_URL": "postgresql://a@b/c", "BROKER_URL": "redis://b:1/0", "SECRET_KEY": "s" * 40}


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DAIBAN_HOME", str(tmp_path))
    return tmp_path


# ---------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"DATABASE_URL": "mysql://a/b"}, "DATABASE_URL must be a URL that begins with postgresql://"),
        ({"BROKER_URL": "amqp://a"}, "BROKER_URL must be a URL that begins with redis://"),
        ({"PORT": "http"}, "PORT must be a whole number from 1 to 65535, not 'http'"),
        ({"PORT": "70000"}, "PORT must be a whole number from 1 to 65535"),
        (
            {"GATEWAY": "pigeon"},
            "GATEWAY must be one of console, twilio, domestic, or two with shares like domestic:90,twilio:10",
        ),
        (
            {"GATEWAY": "twilio"},
            "messages go through twilio (GATEWAY), so TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, TWILIO_FROM must be set",
        ),
        ({"PUBLIC_URL": "daiban.gov.cn"}, "PUBLIC_URL must be a URL that begins with http:// or https://"),
        ({"TILE_URL": "https://tiles.example/{z}"}, "TILE_URL must contain {x}, {y} and {z}"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY must have at least 32 characters, not the value given"),
        ({"DATABASE_URL": ""}, "DATABASE_URL is not set: start `make run` first"),
    ],
)
def test_a_wrong_setting_is_one_clear_line(wrong: dict[str, str], words: str) -> None:
    with pytest.raises(BadSetting) as told:
        Settings.from_environment(GOOD | wrong)
    assert words in str(told.value)
    assert "\n" not in str(told.value)


def test_the_commands_find_the_servers_of_a_running_program(own_home: Path) -> None:
    (own_home / "run.env").write_text(
        "# by make run\nDATABASE_URL=postgresql://x@y/z\nBROKER_URL=redis://y:2/0\nPORT=8123\n"
    )
    found = Settings.from_environment({"SECRET_KEY": "s" * 40})
    assert (found.database_url, found.port, found.public_url) == ("postgresql://x@y/z", 8123, "http://127.0.0.1:8123")
    assert Settings.from_environment(GOOD).database_url == "postgresql://a@b/c"


def test_settings_show_no_secret() -> None:
    shown = repr(Settings.from_environment(GOOD | {"TWILIO_AUTH_TOKEN": "hush-hush"}))
    assert "hush" not in shown
    assert "s" * 40 not in shown


# ---------------------------------------------------------------- health, headers, limits


def test_health_tells_what_is_up(client: FlaskClient) -> None:
    assert client.get("/healthz").json == {"status": "ok"}
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json["database"] == "ok"
    assert ready.json["broker"] == "ConnectionError"
    assert "daiban_request_seconds" in client.get("/metrics").text


@pytest.mark.parametrize(
    ("address", "headers"),
    [
        ("203.0.113.7", {}),
        ("127.0.0.1", {"X-Forwarded-For": "203.0.113.7"}),
        ("127.0.0.1", {"Forwarded": "for=203.0.113.7"}),
        ("", {}),
    ],
)
def test_figures_are_for_this_machine_alone(client: FlaskClient, address: str, headers: dict[str, str]) -> None:
    assert client.get("/metrics", environ_base={"REMOTE_ADDR": address}, headers=headers).status_code == 404


def test_figures_are_for_who_bears_the_token_where_one_is_set(app: Flask) -> None:
    token = "m" * 32
    app.extensions["daiban.settings"] = replace(app.extensions["daiban.settings"], metrics_token=token)
    far = {"REMOTE_ADDR": "203.0.113.7"}
    for headers in (
        {},
        {"Authorization": f"Bearer {token}x"},
        {"Authorization": f"Bearer {'ｍ' * 32}"},
        {"Authorization": "Basic eDp5"},
    ):
        assert app.test_client().get("/metrics", headers=headers).status_code == 404
    bearer = {"Authorization": f"Bearer {token}"}
    assert app.test_client().get("/metrics", environ_base=far, headers=bearer).status_code == 200


def test_no_page_holds_a_script_or_a_style_of_its_own(client: FlaskClient, sign_in_as: SignIn) -> None:
    pages = [(client, "/"), (client, "/login"), (client, "/register"), (client, "/docs"), (client, "/none")]
    pages += [(sign_in_as(Role.LEAD), "/team"), (sign_in_as(Role.COURIER), "/run")]
    for browser, path in pages:
        answer = browser.get(path, headers={"Accept": "text/html"})
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert not re.search(r"<script(?![^>]*\bsrc=)|\sstyle=|\son[a-z]+=|<style", answer.text), path
        assert not re.search(r'(?:src|href)="(?:https?:)?//', answer.text), path


def test_many_tries_are_slowed_down(settings: Settings, sessions: sessionmaker[Session]) -> None:
    app = create_app(replace(settings, broker_url="", limit_requests=True))
    app.config.update(WTF_CSRF_ENABLED=False)
    task_publisher.use(None)
    browser = app.test_client()
    tries = [browser.post("/login", data={"name": "", "password": ""}).status_code for _ in range(21)]
    assert tries == [422] * 20 + [429]
    told = browser.post("/login", data={"name": "a", "password": "b"}, headers={"Accept": "text/html"})
    assert "操作过于频繁" in told.text
    app.extensions["daiban.sessions"].kw["bind"].dispose()


def test_every_queue_that_is_used_has_a_worker(app: Flask) -> None:
    served = {queue for _, queues in run.WORKERS.values() for queue in queues}
    celery = app.extensions["celery"]
    scheduled = {line.get("options", {}).get("queue") for line in celery.conf.beat_schedule.values()} - {None}
    routed = {route["queue"] for route in ROUTES.values()} | {celery.conf.task_default_queue, jobs.QUEUE}
    assert scheduled | routed | set(QUEUES) <= served


def test_everything_on_the_schedule_is_a_task(app: Flask) -> None:
    celery = app.extensions["celery"]
    celery.loader.import_default_modules()
    assert {line["task"] for line in celery.conf.beat_schedule.values()} <= set(celery.tasks)


# ---------------------------------------------------------------- the demo's clock


def test_a_lead_moves_the_clock_of_a_demo_on(sign_in_as: SignIn, sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        db.set_clock(session, datetime(2026, 3, 12, 2, tzinfo=UTC))
    browser = sign_in_as(Role.LEAD)
    assert "3月12日（周四） 10:00" in browser.get("/team").text
    assert browser.post("/operator/clock", data={"step": "day"}).status_code == 302
    assert "3月13日（周五） 10:00" in browser.get("/team").text


def test_the_clock_of_a_real_database_does_not_move(sign_in_as: SignIn, sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        row = session.get_one(db.ClockOffset, 1)
        row.is_demo = False
    browser = sign_in_as(Role.LEAD)
    assert "演示库" not in browser.get("/team").text
    assert browser.post("/operator/clock", data={"step": "day"}).status_code == 404


# ---------------------------------------------------------------- the operator


def test_an_operator_changes_a_lost_number_only_with_a_reason(
    sign_in_as: SignIn, account: Callable[..., Account], sessions: sessionmaker[Session]
) -> None:
    person = account(Role.ENTERPRISE, phone="+8613805192233")
    operator = sign_in_as(Role.OPERATOR)
    address = f"/operator/accounts/{person.id}"
    assert "138****2233" in operator.post("/operator/accounts", data={"q": "13805192233"}).text
    assert operator.post(address, data={"act": "number", "phone": "13805192244"}).status_code == 422
    form = {"act": "number", "phone": "13805192244", "reason": "手机遗失，已核验营业执照"}
    changing = operator.post(address, data=form)
    assert changing.location == f"/operator/accounts?id={person.id}"  # no URL holds a number
    assert "138****2244" in operator.get(changing.location).text
    with sessions() as session:
        changed = session.scalars(select(Account).where(Account.id == person.id)).one()
        assert (changed.phone, changed.epoch) == ("+8613805192244", person.epoch + 1)
    assert operator.post(address, data={"act": "unbind", "reason": "离职"}).status_code == 302
    assert operator.post("/operator/accounts", data={"q": "13805192244"}).text.count("已关闭") == 1


# ---------------------------------------------------------------- words


def test_dates_read_as_people_say_them(app: Flask) -> None:
    with app.test_request_context():
        this_year = formatting.today().year
        assert formatting.day(date(this_year, 3, 12)).startswith("3月12日（周")
        assert formatting.day(date(2019, 3, 12)) == "2019年3月12日（周二）"
        assert formatting.moment(datetime(2019, 3, 12, 16, 30, tzinfo=UTC)) == "2019年3月13日（周三） 00:30"
        assert formatting.window((32400, 41400)) == "09:00–11:30"
        assert [formatting.remaining(n) for n in (4, 0, -2, None)] == [
            "还剩 4 个工作日",
            "今天到期",
            "已超期 2 个工作日",
            "—",
        ]


@pytest.mark.parametrize(
    ("limit", "words"),
    [("1wd", "1 working day"), ("2wd", "2 working days"), ("21wd", "21 working days"), ("1cal", "1 calendar day")],
)
def test_one_day_is_one_day_in_english(app: Flask, limit: str, words: str) -> None:
    with app.test_request_context(headers={"Accept-Language": "en"}):
        assert formatting.in_words(limit_words(read_limit(limit), none="")) == words


def test_filters_live_in_the_address(app: Flask) -> None:
    with app.test_request_context("/team?lamp=red&q=a%26b&cursor=xyz"):
        assert formatting.with_query(lamp=None) == "/team?q=a%26b"
        assert formatting.with_query(lamp="amber") == "/team?q=a%26b&lamp=amber"


@pytest.mark.parametrize("target", ["//evil", "/\\evil", "https://evil", "javascript:x", "/a\n/b", "", None])
def test_no_way_back_leads_out_of_the_house(target: str | None) -> None:
    assert safe_target(target) is None


def test_the_language_stays_chosen(client: FlaskClient) -> None:
    assert 'lang="zh-CN"' in client.get("/").text
    client.post("/language/en", data={"next": "/login"})
    assert 'lang="en"' in client.get("/login").text


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("en-US,en;q=0.9", "en"), ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"), ("zh-TW,en;q=0.5", "zh-CN"), ("fr", "zh-CN"),
        ("fr,en;q=0.7", "en"), ("*", "zh-CN"), ("\x00;;q=x", "zh-CN"),
    ],
)  # fmt: skip
def test_a_visitor_reads_what_the_browser_asks_for(client: FlaskClient, asked: str, answered: str) -> None:
    for path in ("/", "/login", "/track"):
        assert f'lang="{answered}"' in client.get(path, headers={"Accept-Language": asked}).text
    client.post("/language/zh", data={"next": "/"})
    assert 'lang="zh-CN"' in client.get("/", headers={"Accept-Language": "en"}).text


def test_an_account_keeps_its_language_whatever_the_browser_asks(sign_in_as: SignIn) -> None:
    assert 'lang="zh-CN"' in sign_in_as(Role.LEAD).get("/team", headers={"Accept-Language": "en"}).text


def test_over_tls_a_cookie_belongs_to_this_host_alone(settings: Settings) -> None:
    app = create_app(replace(settings, public_url="https://daiban.example"))
    app.config.update(WTF_CSRF_ENABLED=False)
    answer = app.test_client().post("/language/en", data={"next": "/"}, base_url="https://daiban.example")
    given = answer.headers["Set-Cookie"]
    assert given.startswith("__Host-daiban=")
    assert {"Secure", "HttpOnly", "Path=/"} <= set(given.split("; "))
    assert "Domain=" not in given
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "max-age=" in answer.headers["Strict-Transport-Security"]
    app.extensions["daiban.sessions"].kw["bind"].dispose()
