"""Task publisher: a broker that is gone or silent holds nobody up; a rush shares tasks; the row waits for the sweep."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from itertools import count
from types import SimpleNamespace

import pytest
from celery import Celery
from hypothesis import given
from hypothesis import strategies as st
from kombu.exceptions import OperationalError
from sqlalchemy import select

from notifications import task_publisher, tasks
from notifications.message import Message, Priority, State
from tests.notifications.builders import say

AS_SHIPPED = {"visibility_timeout": 3600, "socket_timeout": 10, "socket_connect_timeout": 2}


@pytest.fixture(params=["gone", "silent"])
def broken(request: pytest.FixtureRequest) -> Iterator[Celery]:
    """The queue's application where nobody listens, and where somebody listens and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1] if request.param == "silent" else 1
        with Celery("publishing", broker=f"redis://127.0.0.1:{port}/0") as app:
            app.conf.broker_transport_options = AS_SHIPPED
            app.set_default()
            yield app


def test_publishing_tries_once_and_gives_up_within_a_second(broken: Celery) -> None:
    connection = tasks.quick_producers(broken).connections.connection
    options = connection.transport_options
    assert (options["socket_timeout"], options["socket_connect_timeout"]) == (
        tasks.BROKER_TIMEOUT_S,
        tasks.BROKER_TIMEOUT_S,
    )
    assert options["max_retries"] == 0
    assert options["visibility_timeout"] == 3600  # what is shipped stays as it is
    assert tasks.BROKER_TIMEOUT_S < 1
    with pytest.raises(OperationalError):
        tasks.publish([1], Priority.CODE)


def test_a_request_that_cannot_publish_loses_nothing(broken: Celery, sessions, ten, monkeypatch) -> None:
    published = []

    def publish(message_ids: Sequence[int], priority: Priority) -> None:
        published.append(message_ids)
        tasks.publish(message_ids, priority)

    task_publisher.use(publish)
    with sessions.begin() as session:
        ids = [say(session, key=str(i), to=f"139000000{i:02}").id for i in range(3 * task_publisher.BATCH_SIZE)]
    assert published == [ids[: task_publisher.BATCH_SIZE]]  # after the first failure nobody waits again
    with sessions() as session:
        assert {m.state for m in session.scalars(select(Message))} == {State.QUEUED}


class RecordingPublisher:
    """What was published, in which threads, and a way to wait for it."""

    def __init__(self) -> None:
        self.tasks: list[tuple[list[int], Priority]] = []
        self.threads: set[str] = set()
        self.again = threading.Event()

    def __call__(self, message_ids: Sequence[int], priority: Priority) -> None:
        self.tasks.append((list(message_ids), priority))
        self.threads.add(threading.current_thread().name)
        self.again.set()

    def ids(self) -> list[int]:
        return [i for ids, _ in self.tasks for i in ids]


def test_the_first_task_is_published_at_once_and_a_rush_shares_tasks() -> None:
    published = RecordingPublisher()
    publisher = task_publisher.TaskPublisher(published, window_s=3600)
    for i in range(12):
        publisher.publish_due([(i, Priority.PROGRESS)])
    assert published.tasks == [([0], Priority.PROGRESS)]
    publisher.flush()
    assert [ids for ids, _ in published.tasks] == [[0], [1, 2, 3, 4, 5], [6, 7, 8, 9, 10], [11]]


def test_what_waits_is_published_without_anybody_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_publisher, "time", SimpleNamespace(monotonic=lambda: 0.0))  # all of it is one rush
    published = RecordingPublisher()
    publisher = task_publisher.TaskPublisher(published, window_s=0.2)
    publisher.publish_due([(1, Priority.PROGRESS)])
    published.again.clear()
    publisher.publish_due([(2, Priority.PROGRESS), (3, Priority.COURIER)])
    assert published.again.wait(60)
    publisher.flush()
    assert sorted(published.ids()) == [1, 2, 3]
    assert published.tasks[1] == ([3], Priority.COURIER)  # what matters more first
    assert len(published.threads) > 1  # nobody's request waited for the second


def test_where_no_thread_can_be_had_everything_is_published_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Timer, "start", refused)
    published = RecordingPublisher()
    publisher = task_publisher.TaskPublisher(published, window_s=3600)
    for i in range(3):
        publisher.publish_due([(i, Priority.PROGRESS)])
    assert published.ids() == [0, 1, 2]


def test_a_one_time_code_waits_for_nobody_and_shares_with_nobody() -> None:
    published = RecordingPublisher()
    publisher = task_publisher.TaskPublisher(published, window_s=3600)
    publisher.publish_due([(1, Priority.PROGRESS)])
    publisher.publish_due([(2, Priority.CODE), (3, Priority.CODE), (4, Priority.DEFECT)])
    assert published.tasks == [([1], Priority.PROGRESS), ([2], Priority.CODE), ([3], Priority.CODE)]
    publisher.flush()
    assert published.tasks[3:] == [([4], Priority.DEFECT)]


@given(st.lists(st.lists(st.sampled_from(Priority), max_size=12), max_size=12), st.sampled_from([0.0, 3600.0]))
def test_every_message_is_published_once_at_its_own_priority(rushes: list[list[Priority]], window_s: float) -> None:
    published, number = RecordingPublisher(), count()
    publisher = task_publisher.TaskPublisher(published, window_s=window_s)
    due = [[(next(number), priority) for priority in rush] for rush in rushes]
    for rush in due:
        publisher.publish_due(rush)
    publisher.flush()
    assert sorted((i, p) for ids, p in published.tasks for i in ids) == sorted(one for rush in due for one in rush)
    assert all(1 <= len(ids) <= task_publisher.BATCH_SIZE for ids, _ in published.tasks)


def test_a_process_that_ends_publishes_what_waits() -> None:
    ends = """
from notifications import task_publisher
from notifications.message import Priority
task_publisher.use(lambda ids, priority: print(*ids, flush=True), window_s=3600)
for i in range(3):
    task_publisher.publish_due([(i, Priority.PROGRESS)])
"""
    said = subprocess.run([sys.executable, "-c", ends], capture_output=True, text=True, check=True, timeout=60)
    assert said.stdout.split() == ["0", "1", "2"]


def test_a_forked_process_does_not_publish_what_waits_in_its_parent() -> None:
    forks = """
import os
from notifications import task_publisher
from notifications.message import Priority
task_publisher.use(lambda ids, priority: os.write(1, f"{ids} ".encode()), window_s=3600)
for i in range(2):
    task_publisher.publish_due([(i, Priority.PROGRESS)])
if os.fork() == 0:
    task_publisher.publish_due([(7, Priority.PROGRESS)])
    task_publisher.flush()
    os._exit(0)
os.wait()
"""
    said = subprocess.run([sys.executable, "-c", forks], capture_output=True, text=True, check=True, timeout=60)
    assert said.stdout.split() == ["[0]", "[7]", "[1]"]
