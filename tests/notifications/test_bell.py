"""The bell: whoever rings at a broker that is gone or silent is let go at once, and the row waits for the sweep."""

import socket
from collections.abc import Iterator

import pytest
from celery import Celery
from kombu.exceptions import OperationalError
from sqlalchemy import select

from notifications import outbox, tasks
from notifications.message import Message, Priority, State
from tests.notifications.builders import say

AS_SHIPPED = {"visibility_timeout": 3600, "socket_timeout": 10, "socket_connect_timeout": 2}


@pytest.fixture(params=["gone", "silent"])
def broken(request: pytest.FixtureRequest) -> Iterator[Celery]:
    """The queue's application where nobody listens, and where somebody listens and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1] if request.param == "silent" else 1
        with Celery("bell", broker=f"redis://127.0.0.1:{port}/0") as app:
            app.conf.broker_transport_options = AS_SHIPPED
            app.set_default()
            yield app


def test_a_ring_tries_once_and_with_little_patience(broken: Celery) -> None:
    connection = tasks.bell(broken).connections.connection
    options = connection.transport_options
    assert (options["socket_timeout"], options["socket_connect_timeout"]) == (tasks.BELL_S, tasks.BELL_S)
    assert options["max_retries"] == 0
    assert options["visibility_timeout"] == 3600  # what is shipped stays as it is
    assert tasks.BELL_S < 1
    with pytest.raises(OperationalError):
        tasks.ring(1, Priority.CODE)


def test_a_request_whose_bell_is_not_heard_loses_nothing(broken: Celery, sessions, ten, monkeypatch) -> None:
    rung = []

    def ring(message_id: int, priority: Priority) -> None:
        rung.append(message_id)
        tasks.ring(message_id, priority)

    outbox.use_doorbell(ring)
    with sessions.begin() as session:
        ids = [say(session, key=str(i), to=f"1390000000{i}").id for i in range(3)]
    assert rung == ids[:1]  # after the first nobody waits again
    with sessions() as session:
        assert [m.state for m in session.scalars(select(Message))] == [State.QUEUED] * 3
