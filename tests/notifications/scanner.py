"""The scanner: while tests run, no unmasked mobile number in a log, a URL, a task's arguments or an error page.

It is a pytest plugin. It listens where such text passes anyhow: log records, standard error and log files, Celery's
publish signal, Flask's request signals, the request lines of HTTP clients. A test in which a number passes is named at
the end of the run, and fails; with NUMBERS=report in the environment it is only named.
"""

import gzip
import logging
import os
import re
import sys
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from celery import signals
from flask import Request, Response, request, request_finished, request_started

MOBILE = re.compile(r"(?<![0-9A-Za-z.])(?:\+?86[ -]?)?1[3-9]\d([ -]?)\d{4}\1\d{4}(?![0-9A-Za-z])")
LONGEST_LOG = 20_000_000
PASSED_BY = "An unmasked mobile number passed by"
MUST_FAIL = os.environ.get("NUMBERS") != "report"


@dataclass(frozen=True)
class Lawful:
    """A place where a whole number may stand, and why. What its pattern finds is left out of what is read."""

    where: str
    text: re.Pattern[str]
    why: str


LAWFUL = (
    Lawful(
        "request line",
        re.compile(r"^GET /2010-04-01/Accounts/AC\w+/Messages\.json\?.*"),
        "Twilio's list is asked by number: its API has no other way; it travels inside TLS and is not logged",
    ),
    Lawful(
        "request line",
        re.compile(r"^POST /\?(?:[^ ]*&)?PhoneNumbers?=.*"),
        "the domestic provider's API takes its parameters in the query; it travels inside TLS and is not logged",
    ),
    Lawful(
        "error page",
        re.compile(r"<input\b[^>]*>|<textarea\b[^>]*>[^<]*</textarea>"),
        "a form that is refused gives its sender back what the sender typed",
    ),
    Lawful(
        "error page",
        re.compile(r'<p class="sms">[^<]*</p>'),
        "the preview of a text that is refused shows its editor what the editor typed",
    ),
    Lawful(
        "error page",
        re.compile(r'href="tel:[^"]*"'),
        "a courier calls whoever waits at the stop, also from the page that refuses a form",
    ),
)


class Scanner:
    """What passed by, and the numbers in it."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def look(self, where: str, text: str) -> None:
        """Note the first number in ``text``, with its neighbourhood masked but for the number's kind."""
        for place in LAWFUL:
            if place.where == where.partition(" of ")[0]:
                text = place.text.sub("", text)
        if hit := MOBILE.search(text):
            line = text[max(0, hit.start() - 200) : hit.end() + 60].replace("\n", " ")
            self.found.append(f"{where}: {MOBILE.sub('<a mobile number>', line)}")

    def take(self) -> list[str]:
        """What was found since the last time."""
        found, self.found = list(dict.fromkeys(self.found)), []
        return found


SCANNER = Scanner()


# ---------------------------------------------------------------- where it listens


def _record_factory(*args: Any, **kwargs: Any) -> logging.LogRecord:
    record = logging.LogRecord(*args, **kwargs)
    try:
        SCANNER.look("log", record.getMessage())
        if record.exc_info and record.exc_info[1] is not None:
            SCANNER.look("log", f"{record.exc_info[1]}")
    except (TypeError, ValueError):
        pass  # a record that cannot be formatted is told by logging itself
    return record


def _published(body: object = None, headers: object = None, **_: object) -> None:
    SCANNER.look("task", f"{body!r} {headers!r}")


def _url_of(asked: Request) -> str:
    return unquote(str(asked.environ.get("RAW_URI") or asked.environ.get("REQUEST_URI") or asked.full_path))


def _started(_: object, **__: object) -> None:
    SCANNER.look("URL", _url_of(request))


def _finished(_: object, response: Response, **__: object) -> None:
    if response.location:
        SCANNER.look("URL", unquote(response.location))
    if response.status_code >= 400 and not response.direct_passthrough:
        body = response.get_data()
        packed = response.headers.get("Content-Encoding") == "gzip"
        SCANNER.look(f"error page of {request.endpoint}", (gzip.decompress(body) if packed else body).decode())


def _audited(event: str, args: tuple[Any, ...]) -> None:
    if event == "http.client.send" and isinstance(args[1], bytes):
        line = args[1][:4000].split(b"\r\n", 1)[0]
        if line.endswith((b"HTTP/1.1", b"HTTP/1.0")):
            SCANNER.look("request line", unquote(line.decode(errors="replace")))


def pytest_configure(config: pytest.Config) -> None:
    """Listen from the first test to the last."""
    logging.setLogRecordFactory(_record_factory)
    signals.before_task_publish.connect(_published, weak=False)
    request_started.connect(_started, weak=False)
    request_finished.connect(_finished, weak=False)
    sys.addaudithook(_audited)


def _logs_in(folder: object) -> Iterable[Path]:
    if isinstance(folder, Path):
        yield from (path for path in folder.rglob("*.log*") if path.is_file() and path.stat().st_size < LONGEST_LOG)


# ---------------------------------------------------------------- what comes of it


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """When a test is over, what passed meanwhile makes it fail."""
    report = yield
    if report.when == "teardown":
        SCANNER.look("standard error", report.capstderr)
        for path in _logs_in((getattr(item, "funcargs", None) or {}).get("tmp_path")):
            SCANNER.look(f"log file {path.name}", path.read_text(errors="replace"))
        if found := SCANNER.take():
            report.sections.append((PASSED_BY, "\n".join(found)))
            if MUST_FAIL:
                report.outcome, report.longrepr = "failed", f"{PASSED_BY}:\n" + "\n".join(found)
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """What a background thread said after the last test."""
    found = SCANNER.take()
    if found and hasattr(session.config, "workeroutput"):
        session.config.workeroutput["numbers"] = found
    _fail(session, found)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """What a worker of xdist found after its last test."""
    SCANNER.found += (getattr(node, "workeroutput", None) or {}).get("numbers", [])


def _fail(session: pytest.Session, found: list[str]) -> None:
    if found:
        sys.stderr.write(f"{PASSED_BY} after the last test:\n" + "\n".join(found) + "\n")
        if MUST_FAIL:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Every test in which a number passed by, by name."""
    reports = [r for some in terminalreporter.stats.values() for r in some if isinstance(r, pytest.TestReport)]
    for report in reports:
        for title, text in report.sections:
            if title == PASSED_BY:
                terminalreporter.write_line(f"{PASSED_BY}: {report.nodeid}: {text}", red=True)
