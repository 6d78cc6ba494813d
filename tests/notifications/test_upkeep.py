"""Sweep, heartbeat and tasks: whatever is due is found and published once, and somebody notices when nobody sends."""

from datetime import timedelta

import pytest
from celery import Celery
from sqlalchemy import select, update

import db
from notifications import heartbeat, sweep, task_publisher, tasks
from notifications.claim import claim
from notifications.message import Attempt, Message, Priority, State
from notifications.settings import NoticeSettings
from notifications.text_catalogue import catalogue
from tests.notifications.builders import TEN, say, twilio_settings

RULES = NoticeSettings()


def swept(sessions, **more):
    with sessions.begin() as session:
        return [i for i, _ in sweep.sweep(session, RULES, **more)]


def later(sessions, seconds):
    """As if what was done to the rows had been done that long ago."""
    with sessions.begin() as session:
        past = timedelta(seconds=seconds)
        for row in session.scalars(select(Message)):
            for name in ("rung_at", "posted_at", "due_since", "lease_until", "retry_at"):
                if getattr(row, name) is not None:
                    setattr(row, name, getattr(row, name) - past)


def test_a_row_with_a_task_gets_another_only_after_a_minute(sessions, ten):
    with sessions.begin() as session:
        message_id = say(session).id
    assert swept(sessions) == []
    later(sessions, 61)
    assert swept(sessions) == [message_id]
    assert swept(sessions) == []


def test_what_matters_most_is_found_first(sessions, ten):
    with sessions.begin() as session:
        rows = {name: say(session, key=name, text=name, at=TEN).id for name in ("closed", "requested", "pickup")}
        rows["login_code"] = say(session, key="code", text="login_code").id
        rows["correction"] = say(session, key="c", text="correction").id
    later(sessions, 61)
    assert swept(sessions) == [rows[n] for n in ("login_code", "pickup", "correction", "requested", "closed")]


def test_a_dead_workers_lease_is_found(sessions, ten):
    with sessions.begin() as session:
        message_id = say(session).id
    with sessions.begin() as session:
        assert claim(session, message_id, RULES)
    later(sessions, 30)
    assert swept(sessions) == []
    later(sessions, 61)
    assert swept(sessions) == [message_id]


def test_two_sweeps_at_once_do_not_find_the_same_row(sessions, ten):
    with sessions.begin() as session:
        say(session)
    later(sessions, 61)
    with sessions() as one, sessions() as two:
        found = sweep.sweep(one, RULES)
        assert len(found) == 1
        two.connection().exec_driver_sql("set local lock_timeout = '2s'")
        assert sweep._due(two, 60) == []
        one.rollback()


def test_what_a_full_queue_cannot_take_waits_for_a_later_sweep(sessions, ten):
    with sessions.begin() as session:
        ids = [say(session, key=str(i), to=f"1390000000{i}").id for i in range(5)]
        dead = say(session, key="dead", to="13900000009").id
    with sessions.begin() as session:
        assert claim(session, dead, RULES)
    later(sessions, 61)
    room = iter([True, True])
    assert swept(sessions, queue_takes=lambda _: next(room, False)) == [dead, ids[0]]  # a dead worker's first
    assert swept(sessions) == ids[1:]


def test_a_sweep_of_workers_that_are_behind_does_not_flood_the_queue(sessions, ten, broker_url, monkeypatch):
    monkeypatch.setattr(tasks, "QUEUE_LIMIT", 3)
    tasks.configure(RULES, sessions)
    with sessions.begin() as session:
        for i in range(8):
            say(session, key=str(i), to=f"1390000000{i}")
    with Celery("behind", broker=broker_url) as app:
        app.set_default()
        task_publisher.use(tasks.publish, window_s=0)
        for _ in range(3):
            later(sessions, 61)
            tasks.sweep()
            assert tasks.queue_length(tasks.NOTICES) == 1  # a task for three of the eight
        assert tasks.queue_length(tasks.URGENT) == 0


def test_the_schedule_and_the_queues_name_what_exists():
    assert {s["options"]["queue"] for s in tasks.SCHEDULE.values()} <= set(tasks.QUEUES)
    assert set(tasks.QUEUE_OF) == set(Priority)
    assert set(tasks.QUEUE_OF.values()) | {tasks.UPKEEP} == set(tasks.QUEUES)
    known = {t.name for t in (tasks.deliver, tasks.sweep, tasks.heartbeat_task, tasks.retention)}
    assert {s["task"] for s in tasks.SCHEDULE.values()} <= known
    assert set(tasks.ROUTES) == known
    assert {t.priority for t in catalogue().texts.values()} == set(Priority)


def test_messages_go_out_without_a_broker_too(sessions, ten, provider):
    tasks.configure(twilio_settings(provider.url), sessions)
    with sessions.begin() as session:
        say(session)
    assert tasks.deliver_due(at_once=True) == 1
    assert tasks.deliver_due(at_once=True) == 0
    assert len(provider.taken) == 1


def test_a_task_takes_ids_and_nothing_else():
    assert tasks.deliver.run.__annotations__ == {"message_ids": int, "return": None}
    assert tasks.deliver.acks_late
    assert tasks.deliver.reject_on_worker_lost


def test_liveness_is_the_age_of_the_oldest_due_row(sessions, ten):
    with sessions.begin() as session:
        assert heartbeat.liveness(session, RULES).oldest_due_s is None
        say(session)
        say(session, key="tomorrow", at=TEN + timedelta(days=1))
    with sessions() as session:
        assert not heartbeat.liveness(session, RULES).is_silent
    later(sessions, 130)
    with sessions() as session:
        found = heartbeat.liveness(session, RULES)
    assert 130 <= found.oldest_due_s < 200
    assert found.is_silent
    assert found.last_sweep_s is None
    swept(sessions)
    with sessions() as session:
        assert heartbeat.liveness(session, RULES).last_sweep_s < 60


def test_a_clock_that_jumped_makes_nobody_late(sessions, ten):
    with sessions.begin() as session:
        say(session, at=TEN + timedelta(days=1))
        db.set_clock(session, TEN + timedelta(days=9))
    swept(sessions)
    with sessions() as session:
        assert heartbeat.liveness(session, RULES).oldest_due_s < 60


def test_the_watchdog_restarts_silent_workers_once_and_gives_them_time(sessions, ten):
    restarted, clock = [], [1000.0]
    dog = heartbeat.Watchdog(sessions, RULES, lambda: restarted.append(clock[0]), clock=lambda: clock[0])
    assert not dog.look()
    with sessions.begin() as session:
        say(session)
    later(sessions, 130)
    assert dog.look()
    clock[0] += 100
    assert not dog.look()
    clock[0] += 200
    assert dog.look()
    assert len(restarted) == 2


def test_a_one_time_code_is_covered_when_its_time_is_over(sessions):
    with sessions.begin() as session:
        db.set_clock(session, TEN)
        row = say(session, text="login_code")
        row.state = State.SENT
        row.handed_over_at = db.real_now(session)
        db.set_clock(session, TEN + timedelta(minutes=11))
        session.execute(update(db.ClockOffset).values(is_demo=False))
    swept(sessions)
    with sessions() as session:
        assert session.get_one(Message, row.id).values == {"code": "******"}


@pytest.mark.parametrize("priority", list(Priority))
def test_a_task_goes_to_the_queue_of_its_priority(priority, broker_url):
    with Celery("queues", broker=broker_url) as app:
        app.set_default()
        tasks.publish([5], priority)
        assert {q: tasks.queue_length(q) for q in tasks.QUEUES} == {
            q: int(q == tasks.QUEUE_OF[priority]) for q in tasks.QUEUES
        }


def test_what_fails_for_one_message_does_not_keep_the_others_of_its_task_waiting(sessions, ten, provider, monkeypatch):
    tasks.configure(twilio_settings(provider.url), sessions)
    with sessions.begin() as session:
        bad, good = (say(session, key=str(i), to=f"1390000000{i}").id for i in range(2))
    deliver = tasks.deliver_one

    def torn(post, message_id):
        if message_id == bad:
            raise ConnectionError("the database went away")
        deliver(post, message_id)

    monkeypatch.setattr(tasks, "deliver_one", torn)
    with pytest.raises(ConnectionError):
        tasks.deliver(bad, good)
    with sessions() as session:
        assert session.get_one(Message, bad).state is State.QUEUED
        assert session.get_one(Message, good).state is State.SENT


def test_an_attempt_names_itself_to_the_provider():
    assert Attempt(message_id=12, number=3).reference == "12.3"
