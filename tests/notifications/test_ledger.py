"""The ledger: one message is posted and delivered in few statements, and each leaves the rows as they should be."""

from collections.abc import Iterator

import pytest
from sqlalchemy import event, select

from notifications.delivery import deliver
from notifications.message import Attempt, AttemptOutcome, Message, State
from tests.notifications.builders import say, twilio_settings


@pytest.fixture
def statements(sessions) -> Iterator[list[str]]:
    """What is asked of the database, beside BEGIN and COMMIT."""
    asked: list[str] = []
    engine = sessions.kw["bind"]

    def note(connection, cursor, statement, *_):
        asked.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield asked
    event.remove(engine, "before_cursor_execute", note)


def test_a_message_is_posted_in_three_statements_and_delivered_in_six(sessions, ten, make_post, provider, statements):
    post = make_post(twilio_settings(provider.url))
    for key in ("the first asks for the words too", "two"):
        with sessions.begin() as session:
            statements.clear()
            message_id = say(session, key, to=f"138000{len(key):05}").id
            posting = len(statements)
        statements.clear()
        deliver(post, message_id)
        delivering = len(statements)
    assert (posting, delivering) == (3, 6)


def test_a_claim_and_its_end_are_whole(sessions, ten, make_post, provider):
    with sessions.begin() as session:
        message_id = say(session).id
    deliver(make_post(twilio_settings(provider.url)), message_id)
    with sessions() as session:
        message = session.get_one(Message, message_id)
        attempt = session.scalars(select(Attempt)).one()
    [taken] = provider.taken
    assert (message.state, message.attempts, message.gateway) == (State.SENT, 1, "twilio")
    assert (message.reason, message.lease_until, message.retry_at, message.error_code) == (None,) * 4
    assert (message.segments, message.cost_fen, message.provider_id) == (2, 80, taken.sid)
    assert (attempt.message_id, attempt.number, attempt.gateway) == (message_id, 1, "twilio")
    assert (attempt.outcome, attempt.provider_id, attempt.to_hash) == (AttemptOutcome.SENT, taken.sid, message.to_hash)
    assert attempt.started_at <= attempt.ended_at
    assert message.values["case_no"] in taken.body


def test_a_posted_row_is_in_the_session_as_it_is_in_the_database(sessions, ten):
    with sessions.begin() as session:
        row = say(session)
        assert session.get_one(Message, row.id) is row
        kept = {c.key: getattr(row, c.key) for c in Message.__mapper__.column_attrs}
        row.resend_reason = "a later change is written too"
    with sessions() as session:
        stored = session.get_one(Message, row.id)
        assert {key: getattr(stored, key) for key in kept} == kept | {"resend_reason": "a later change is written too"}
