"""The database dies at each moment of a delivery, on a server that promises little: nothing lost, nothing twice."""

from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

import db
from notifications import crash_points, receipts
from notifications.delivery import deliver
from notifications.message import Attempt, Message, State
from servers.postgres import Postgres
from tests.notifications.builders import say, twilio_settings
from tests.notifications.chaos import make_tables
from tests.notifications.provider_server import Behaviour

MOMENTS = ("claim.committed", "send.calling", "send.answered", "send.returned", "settle.written", "settle.committed")


@pytest.fixture(scope="module")
def forgetful() -> Iterator[Postgres]:
    """A server that answers a commit before it is written, and writes ten seconds later when nobody insists."""
    server = Postgres(durable=False).start()
    try:
        make_tables(server.url)
        with psycopg.connect(server.url.replace("+psycopg", ""), autocommit=True) as connection:
            assert connection.execute("SHOW synchronous_commit").fetchone() == ("off",)
            connection.execute("ALTER SYSTEM SET wal_writer_delay = '10s'")
            connection.execute("SELECT pg_reload_conf()")
        yield server
    finally:
        server.stop()


@pytest.fixture
def sessions(forgetful: Postgres) -> Iterator[sessionmaker[Session]]:
    factory = db.sessions(forgetful.url)
    with factory.begin() as session:
        db.allow_clock_changes(session)
    yield factory
    factory.kw["bind"].dispose()


def certainly(sessions: sessionmaker[Session]) -> None:
    """Everything so far is written: the test is about what comes next."""
    with sessions.begin() as session:
        session.connection().exec_driver_sql("SET LOCAL synchronous_commit = on")
        session.connection().exec_driver_sql("CREATE TABLE IF NOT EXISTS written (at timestamptz)")
        session.connection().exec_driver_sql("INSERT INTO written VALUES (now())")


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_message_is_sent_once_whenever_the_database_dies(sessions, ten, make_post, provider, forgetful, moment):
    post = make_post(twilio_settings(provider.url))
    with sessions.begin() as session:
        message_id = say(session, key=moment, to=f"1380000{MOMENTS.index(moment):04}").id
    certainly(sessions)
    died = []

    def die(reached: str) -> None:
        if reached == moment and not died:
            died.append(reached)
            forgetful.kill()

    crash_points.watch(die)
    try:
        deliver(post, message_id)
    except DBAPIError:
        pass  # as the task would fail; its row is found by the sweep
    finally:
        crash_points.watch(None)
        forgetful.start()
    assert died == [moment]
    hour = func.make_interval(0, 0, 0, 0, 1)
    with sessions.begin() as session:
        assert session.get_one(Message, message_id).state in {State.CLAIMED, State.SENT}, "its claim was forgotten"
        session.execute(update(Message).values(lease_until=db.real_now(session) - timedelta(seconds=1)))
        session.execute(update(Attempt).values(started_at=Attempt.started_at - hour))
    for _ in range(3):
        deliver(post, message_id)
    with sessions() as session:
        assert session.get_one(Message, message_id).state is State.SENT
    assert len(provider.taken) == 1


def test_a_receipt_that_was_answered_is_not_forgotten(sessions, ten, make_post, provider, forgetful):
    provider.behaviour = Behaviour(receipts=())
    post = make_post(twilio_settings(provider.url))
    with sessions.begin() as session:
        message_id = say(session, key="receipt", to="13800009999").id
    deliver(post, message_id)
    certainly(sessions)
    with sessions() as session:
        provider_id = session.scalar(select(Message.provider_id).where(Message.id == message_id))
    said = receipts.ProviderReceipt("twilio", provider_id, f"{message_id}.1", "delivered")
    assert receipts.receive(sessions, said) is receipts.ReceiptResult.CHANGED
    forgetful.kill()
    forgetful.start()
    with sessions() as session:
        assert session.get_one(Message, message_id).state is State.DELIVERED
