"""What every test may ask for: a real database of its own, a real broker, the program, a browser, a clock to move."""

import itertools
import os
import shutil
import socket
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import hypothesis
import psycopg
import pytest
import redis
from playwright.sync_api import Browser, BrowserContext, Playwright, sync_playwright
from sqlalchemy.orm import Session, sessionmaker

import db
from prepare import BROWSERS, missing_for_browsers
from servers import Postgres, Valkey, until
from tests.dispatch.builders import make_county
from web import run
from web.wiring import database_schema
from web.wiring.supervisor import Command

pytest_plugins = ["tests.notifications.scanner"]
_numbers = itertools.count()


# How long an example takes says something about the machine, nothing about the program.
hypothesis.settings.register_profile("daiban", deadline=None)
hypothesis.settings.load_profile("daiban")


@pytest.fixture(scope="session", autouse=True)
def keys() -> None:
    """Tests encrypt with keys of their own and never touch a home folder's."""
    db.use_keys(db.Keyring.generate())


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a running server."""
    if url := os.environ.get("TEST_DATABASE_URL"):
        yield db.psycopg_url(url)
        return
    server = Postgres().start()
    yield server.url
    server.stop()


def _plain(url: str) -> str:
    return url.replace("+psycopg", "")


@pytest.fixture(scope="session")
def template_database(postgres: str) -> str:
    """The schema, made once; every test clones it (tens of milliseconds)."""
    name = f"template_{os.getpid()}"
    with psycopg.connect(_plain(postgres), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    database_schema.upgrade(postgres.rsplit("/", 1)[0] + "/" + name)
    return name


@pytest.fixture
def database_url(postgres: str, template_database: str) -> Iterator[str]:
    """The URL of an empty, migrated database that belongs to this test alone."""
    name = f"t{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(_plain(postgres), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template_database} STRATEGY FILE_COPY")
    yield postgres.rsplit("/", 1)[0] + "/" + name
    with psycopg.connect(_plain(postgres), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def sessions(database_url: str) -> Iterator[sessionmaker[Session]]:
    """Sessions on this test's database, whose clock may be moved."""
    factory = db.sessions(database_url)
    with factory.begin() as session:
        db.allow_clock_changes(session)
    yield factory
    factory.kw["bind"].dispose()


@pytest.fixture
def session(sessions: sessionmaker[Session]) -> Iterator[Session]:
    """One open transaction; what the test does not commit is rolled back."""
    with sessions() as session:
        yield session


@pytest.fixture(scope="session")
def county_database(postgres: str, template_database: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database that holds 武进区; tests clone it."""
    name = f"county_{os.getpid()}"
    with psycopg.connect(postgres.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template_database} STRATEGY FILE_COPY")
    factory = db.sessions(postgres.rsplit("/", 1)[0] + "/" + name)
    with factory.begin() as session:
        db.allow_clock_changes(session)
        make_county(session, Path(tmp_path_factory.mktemp("county")))
    factory.kw["bind"].dispose()
    return name


@pytest.fixture
def county_url(postgres: str, county_database: str) -> Iterator[str]:
    """The URL of a database of this test's own that holds 武进区."""
    name = f"c{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(postgres.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {county_database} STRATEGY FILE_COPY")
    yield postgres.rsplit("/", 1)[0] + "/" + name
    with psycopg.connect(postgres.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def county_sessions(county_url: str) -> Iterator[sessionmaker[Session]]:
    """Sessions on this test's county, at ten on a Monday."""
    factory = db.sessions(county_url)
    yield factory
    factory.kw["bind"].dispose()


@pytest.fixture(scope="session")
def valkey() -> Iterator[str]:
    """The URL of a running broker."""
    if url := os.environ.get("TEST_BROKER_URL"):
        yield url
        return
    server = Valkey().start()
    yield server.url
    server.stop()


@pytest.fixture
def broker_url(valkey: str) -> str:
    """The broker, emptied for this test."""
    with redis.Redis.from_url(valkey) as client:
        client.flushdb()
    return valkey


# ---------------------------------------------------------------- the program itself


@dataclass
class Program:
    """A real gunicorn and a real Celery worker, on this test's database and broker."""

    url: str
    web: Command
    worker: Command
    environment: Mapping[str, str]
    started: list[Command] = field(default_factory=list)

    def start(self, *commands: Command) -> None:
        """Start what is given, else both; the pages answer when this returns."""
        for command in commands or (self.web, self.worker):
            command.start()
            self.started.append(command)
        if self.web in self.started:
            host, port = self.url.removeprefix("http://").split(":")
            assert until(lambda: run.answers(host, int(port)) or self.web.ending() is not None, 120)
            assert self.web.ending() is None, self.web.log.read_text()

    def stop(self) -> None:
        """End everything that was started."""
        for command in self.started:
            command.ask_to_end()
        for command in self.started:
            command.stop()


@pytest.fixture
def program(database_url: str, broker_url: str, tmp_path: Path) -> Iterator[Program]:
    """The program on this test's database, not yet started: ``program.start()``."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as door:
        port = door.getsockname()[1]
        environment = {
            **os.environ,
            "DATABASE_URL": database_url,
            "BROKER_URL": broker_url,
            "DAIBAN_HOME": str(tmp_path / "home"),
            "DAIBAN_KEYS": db.keyring().line(),
            "PORT": str(port),
        }
        door.set_inheritable(True)
        gunicorn = [
            "-m",
            "gunicorn",
            "wsgi:app",
            "--bind",
            f"fd://{door.fileno()}",
            "--no-control-socket",
            "--threads",
            "8",
        ]
        queues = ",".join(queue for _, queues in run.WORKERS.values() for queue in queues)
        celery = ["-m", "celery", "-A", "wsgi:celery", "worker", "-Q", queues, "--pool", "threads", "-c", "4"]
        program = Program(
            url=f"http://127.0.0.1:{port}",
            web=Command(
                "web",
                [sys.executable, *gunicorn],
                log=tmp_path / "web.log",
                environment=environment,
                folder=run.ROOT,
                pass_fds=[door.fileno()],
            ),
            worker=Command(
                "worker",
                [sys.executable, *celery, "--loglevel", "INFO", "--without-gossip", "--without-mingle"],
                log=tmp_path / "worker.log",
                environment=environment,
                folder=run.ROOT,
            ),
            environment=environment,
        )
        yield program
        program.stop()


# ---------------------------------------------------------------- browsers

CHROMIUM = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """The driver of browsers, and what it knows about phones."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Debian's Chromium. Without it or a Chinese font the test is skipped, and `make test` says so and fails."""
    if missing := missing_for_browsers():
        pytest.skip(missing)
    program = next(found for name in BROWSERS if (found := shutil.which(name)))
    browser = playwright.chromium.launch(executable_path=program, headless=True, args=CHROMIUM)
    yield browser
    browser.close()


@pytest.fixture
def phone(playwright: Playwright, browser: Browser) -> Iterator[BrowserContext]:
    """A courier's phone in 武进区."""
    context = browser.new_context(
        **playwright.devices["Pixel 7"],
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
        permissions=["geolocation", "background-sync"],
        geolocation={"latitude": 31.70, "longitude": 119.94},
        service_workers="allow",
    )
    context.set_default_timeout(30_000)
    yield context
    context.close()


@pytest.fixture
def desk(browser: Browser) -> Iterator[BrowserContext]:
    """An office's wide screen."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="zh-CN", timezone_id="Asia/Shanghai")
    context.set_default_timeout(30_000)
    yield context
    context.close()
