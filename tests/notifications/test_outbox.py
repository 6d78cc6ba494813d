"""Outbox: one row for one event, in its transaction, and a task after its commit."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

import db
from notifications import outbox, task_publisher, text_catalogue, text_rendering
from notifications.message import Message, Priority, State

TEN = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai, a Monday


def post(session, key="case-1:requested", **more):
    what = {
        "text": "requested",
        "to": "13812341234",
        "values": {"case_no": "320412-20261123-00001", "query_code": "K7M2XW9P", "area_name": "武进区"},
        "at": TEN,
    }
    return outbox.queue_message(session, outbox.NewMessage(event_key=key, **what | more))


@pytest.fixture
def published():
    published: list[tuple[int, Priority]] = []
    task_publisher.use(lambda ids, priority: published.extend((i, priority) for i in ids), window_s=0)
    yield published
    task_publisher.use(None)


def test_an_event_is_told_once_however_often_it_is_posted(sessions, published):
    with sessions.begin() as session:
        db.set_clock(session, TEN)
        first = post(session)
        second = post(session, to="13900000000")
        assert first.id == second.id
    with sessions.begin() as session:
        again = post(session)
        assert again.to_phone == "+8613812341234"
        assert len(session.scalars(select(Message)).all()) == 1
    assert published == [(first.id, Priority.PROGRESS)]


def test_what_is_rolled_back_is_never_told(sessions, published):
    with sessions() as session:
        post(session)
        session.rollback()
        session.commit()
        assert session.scalars(select(Message)).all() == []
    assert published == []


def test_a_task_is_published_only_after_the_outermost_commit(sessions, published):
    with sessions.begin() as session:
        db.set_clock(session, TEN)
        with session.begin_nested():
            row = post(session)
        assert published == []
    assert published == [(row.id, Priority.PROGRESS)]


def test_a_broker_that_is_down_fails_nothing(sessions):
    def down(message_ids, priority):
        raise ConnectionError("no broker")

    task_publisher.use(down)
    try:
        with sessions.begin() as session:
            db.set_clock(session, TEN)
            post(session)
            post(session, key="b")
        with sessions() as session:
            assert len(session.scalars(select(Message)).all()) == 2
    finally:
        task_publisher.use(None)


def test_a_message_of_later_waits_for_the_sweep(sessions, published):
    with sessions.begin() as session:
        db.set_clock(session, TEN)
        row = post(session, at=TEN + timedelta(hours=1))
    assert row.not_before == TEN + timedelta(hours=1)
    assert published == []


def test_the_night_holds_everything_but_codes(session):
    night = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)  # 22:30
    held = post(session, at=night)
    code = post(session, key="c", text="login_code", values={"code": "482913"}, at=night)
    assert held.not_before == datetime(2026, 11, 24, 0, 0, tzinfo=UTC)
    assert code.not_before == night
    assert code.expires_at == night + timedelta(minutes=10)


@pytest.mark.parametrize(
    ("number", "code"), [("0519-12345678", "21614"), ("hello", None), ("", None), ("12345", None), ("1381234", None)]
)
def test_a_number_that_no_sms_reaches_fails_the_message_and_not_the_event(session, number, code):
    row = post(session, to=number)
    assert row.state is State.FAILED_PERMANENT
    assert row.error_code == code


def test_a_missing_value_is_our_mistake_and_a_surplus_one_is_left_out(session):
    with pytest.raises(text_rendering.MissingValue, match="query_code"):
        post(session, values={"case_no": "1", "area_name": "2"})
    with pytest.raises(text_catalogue.UnknownText):
        post(session, text="nobody_wrote_this")
    row = post(session, values={"case_no": "1", "area_name": "武进", "query_code": "X", "more": "y"})
    assert row.values == {"case_no": "1", "area_name": "武进", "query_code": "X"}


def test_numbers_and_values_lie_encrypted(sessions):
    with sessions.begin() as session:
        post(session)
    with sessions() as session:
        stored = session.connection().exec_driver_sql('select "values", to_phone, to_hash from message').one()
    assert all(b"13812341234" not in bytes(part) and b"K7M2XW9P" not in bytes(part) for part in stored)
