"""The scanner of numbers: it finds what is planted at each place where it listens, and fails the session for it."""

import logging
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from celery import Celery
from flask import Flask, abort

from tests.notifications.scanner import LAWFUL, SCANNER, Scanner

NUMBER = "13812341234"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def planted():
    """What was found since the test began; it is taken away, or this test would fail itself."""
    SCANNER.take()
    return SCANNER.take


@pytest.mark.parametrize(
    "text",
    [NUMBER, f"+86{NUMBER}", "sent to 138-1234-1234", "138 1234 1234", f'{{"to":"{NUMBER}"}}', f"号码{NUMBER}。"],
)
def test_a_number_is_found_however_it_is_written(text):
    scanner = Scanner()
    scanner.look("log", text)
    [found] = scanner.take()
    assert found.startswith("log: ")
    assert "1234" not in found
    assert scanner.take() == []


@pytest.mark.parametrize(
    "text",
    [
        "138****1234",
        "3204122026112300001",
        "0.13812341234",
        "took 1.13812341234 s",
        "a13812341234f",
        "EA138123412340CN",
        "10000000001",
        "0519-12345678",
        "1764900000000",
        "12345",
    ],
)
def test_what_is_no_mobile_number_is_left_alone(text):
    scanner = Scanner()
    scanner.look("log", text)
    assert scanner.take() == []


def test_a_log_record_is_read_with_its_arguments_and_its_exception(planted):
    log = logging.getLogger("tests.planted")
    log.warning("sent to %s", NUMBER)
    [found] = planted()
    assert found == "log: sent to <a mobile number>"
    try:
        raise ValueError(f"{NUMBER} is no number")
    except ValueError:
        log.warning("it failed", exc_info=True)
    assert [f.startswith("log: ") for f in planted()] == [True]


def test_a_tasks_arguments_are_read(planted):
    with Celery("planted", broker="memory://") as app:
        app.send_task("somewhere", (5,), ignore_result=True)
        assert planted() == []
        app.send_task("somewhere", (NUMBER,), ignore_result=True)
    assert [f.startswith("task: ") for f in planted()] == [True]


def test_urls_and_error_pages_are_read_and_good_pages_are_not(planted):
    app = Flask("planted")
    app.add_url_rule("/good", view_func=lambda: NUMBER, endpoint="good")
    app.add_url_rule("/bad", view_func=lambda: abort(422, f"{NUMBER} is no number"), endpoint="bad")
    app.add_url_rule("/form", view_func=lambda: (f'<input name="phone" value="{NUMBER}">', 422), endpoint="form")
    browser = app.test_client()
    browser.get("/good")
    assert planted() == []
    browser.get("/bad")
    assert [f.startswith("error page of bad: ") for f in planted()] == [True]
    browser.get("/form")
    assert planted() == []  # its sender's own words
    browser.get(f"/good?to=%2B86{NUMBER}")
    assert [f.startswith("URL: ") for f in planted()] == [True]


def test_what_our_clients_ask_for_is_read(planted):
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"http://127.0.0.1:1/?to={NUMBER}", timeout=5)
    assert planted() == []  # never connected, never said


def test_the_lawful_places_have_a_reason_and_nothing_wider(provider, planted):
    assert all(place.why for place in LAWFUL)
    for url in (f"{provider.url}/2010-04-01/Accounts/AC1/Messages.json?To={NUMBER}", f"{provider.url}/?to={NUMBER}"):
        with pytest.raises(urllib.error.HTTPError):  # without the account's password
            urllib.request.urlopen(url, timeout=60)
    assert planted() == ["request line: GET /?to=<a mobile number> HTTP/1.1"]


def test_the_session_fails_when_a_number_passes_by_on_several_workers_too(tmp_path):
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["tests.notifications.scanner"]\n')
    (tmp_path / "test_planted.py").write_text(
        "import logging, sys\n\n"
        "def test_good(): logging.warning('a mask: 138****1234')\n\n"
        f"def test_plants(): logging.warning('sent to {NUMBER}')\n\n"
        f"def test_says(): sys.stderr.write('sent to {NUMBER}')\n\n"
        f"def test_leaves_a_file(tmp_path): (tmp_path / 'worker.log').write_text('sent to {NUMBER}')\n"
    )
    words = [sys.executable, "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider", "-rA", str(tmp_path)]
    strict = os.environ | {"PYTHONPATH": str(ROOT), "NUMBERS": "fail"}
    ended = subprocess.run(words, cwd=ROOT, env=strict, capture_output=True, text=True, check=False)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    for name in ("test_plants", "test_says", "test_leaves_a_file"):
        assert re.search(rf"^ERROR .*test_planted.py::{name}\b", ended.stdout, re.MULTILINE)
    assert "3 errors" in ended.stdout
    assert "sent to <a mobile number>" in ended.stdout
