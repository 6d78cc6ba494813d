"""The watch: a worker that lives and is silent is found by what it leaves undone, and started again."""

import os
import signal

import pytest
from celery import Celery

from notifications.message import Message, State
from notifications.settings import NoticeSettings
from notifications.tasks import NOTICES
from servers.lifetimes import until
from tests.notifications.builders import say
from web.wiring.supervisor import Supervisor
from web.wiring.worker_watchdog import SILENT, Watch

PATIENCE_S = 200


def is_ready(command) -> bool:
    return command.log.exists() and " ready." in command.log.read_text()


@pytest.mark.timeout(600)
def test_a_worker_that_fell_silent_is_started_again_and_sends(program, sessions, ten, database_url, broker_url):
    said: list[str] = []
    supervisor = Supervisor(said.append)
    worker = program.worker
    worker.name = "notices"
    watch = Watch(
        database_url,
        NoticeSettings(silent_after_s=0.2),
        lambda: supervisor.restart(worker, SILENT),
        look_s=0.2,
    )
    supervisor.add(worker)
    program.started.append(worker)
    assert until(lambda: is_ready(worker), PATIENCE_S), worker.last_words()
    silent = worker.pid
    os.killpg(silent, signal.SIGSTOP)  # it lives: no exit code tells of it
    with sessions.begin() as session:
        message_id = say(session, to="10000000001").id
    watch.start()

    def restarted() -> bool:
        supervisor.look()
        watch.act()
        return worker.pid != silent

    assert until(restarted, PATIENCE_S)
    watch.stop()
    assert said == ["notices lives, but sends nothing that is due: it is started again"]

    with Celery("publisher", broker=broker_url) as publisher:
        publisher.send_task("notifications.deliver", (message_id,), queue=NOTICES, ignore_result=True)

    def state() -> State:
        with sessions() as session:
            return session.get_one(Message, message_id).state

    assert until(lambda: state() is State.DELIVERED, PATIENCE_S), worker.last_words()


def test_nobody_is_restarted_while_messages_go_out(sessions, ten, database_url):
    restarted: list[int] = []
    watch = Watch(database_url, NoticeSettings(), lambda: restarted.append(1), look_s=0.01)
    with sessions.begin() as session:
        say(session)
    assert not watch._dog.look()
    watch.start()
    watch.act()
    watch.stop()
    assert until(lambda: not watch._thread.is_alive(), PATIENCE_S)
    assert restarted == []


def test_a_database_that_does_not_answer_stops_nobodys_watch():
    watch = Watch("postgresql://nobody:x@127.0.0.1:1/none", NoticeSettings(), lambda: None, look_s=0.01)
    watch.start()
    assert not until(lambda: not watch._thread.is_alive(), 0.5)
    watch.act()
    watch.stop()
    assert until(lambda: not watch._thread.is_alive(), PATIENCE_S)
