"""Delivery: once, through a real client, whatever the provider does; when it is not certain, looked up first."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

import db
from notifications import delivery, facts, outbox, sweep
from notifications.claim import claim
from notifications.delivery import deliver
from notifications.message import Attempt, AttemptOutcome, Message, State
from notifications.settings import NoticeSettings
from notifications.suppression import SuppressedNumber, SuppressionReason, opt_in, opt_out
from notifications.text_catalogue import catalogue
from tests.notifications.builders import TEN, VALUES, say, twilio_settings
from tests.notifications.provider_server import Behaviour


@pytest.fixture
def post(make_post, provider):
    return make_post(twilio_settings(provider.url))


def posted(sessions, **more):
    with sessions.begin() as session:
        return say(session, **more).id


def stored(sessions, message_id):
    with sessions() as session:
        return session.get_one(Message, message_id)


def let_lease_pass(sessions, message_id, *, seconds=3600):
    """As if the worker had died that long ago."""
    gone = func.make_interval(0, 0, 0, 0, 0, 0, seconds)
    with sessions.begin() as session:
        message = session.get_one(Message, message_id)
        message.lease_until = db.real_now(session) - timedelta(seconds=1)
        session.execute(
            update(Attempt)
            .where(Attempt.message_id == message_id, Attempt.outcome.is_(None))
            .values(started_at=Attempt.started_at - gone, ended_at=Attempt.ended_at - gone)
        )


def test_a_message_goes_out_once_with_its_signature_and_reference(sessions, ten, post, provider):
    message_id = posted(sessions)
    deliver(post, message_id)
    deliver(post, message_id)
    [taken] = provider.taken
    assert taken.body.startswith("【武进代办】武进区已收到代办申请3204122026112300001")
    assert taken.to == "+8613812341234"
    assert taken.reference == f"{message_id}.1"
    row = stored(sessions, message_id)
    assert (row.state, row.provider_id, row.segments) == (State.SENT, taken.sid, 2)
    assert row.sent_at is not None and row.handed_over_at is not None


def test_no_transaction_is_open_during_the_call(sessions, ten, post, provider):
    open_ones = []

    def look(_):
        with sessions() as session:
            open_ones.extend(
                session.connection()
                .exec_driver_sql(
                    "select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
                    " and state like 'idle in transaction%%'"
                )
                .all()
            )

    provider.on_taken = look
    deliver(post, posted(sessions))
    assert len(provider.taken) == 1
    assert open_ones == []


def test_two_workers_at_once_send_one_message(sessions, ten, post, provider):
    message_id = posted(sessions)
    with sessions() as first, sessions() as second:
        assert claim(first, message_id, post.settings) is not None
        first.commit()
        assert claim(second, message_id, post.settings) is None


@pytest.mark.parametrize(
    ("number", "code", "why"),
    [
        ("13800021211", "21211", SuppressionReason.UNREACHABLE),
        ("13800021614", "21614", SuppressionReason.UNREACHABLE),
        ("13800021610", "21610", SuppressionReason.ASKED_PROVIDER),
    ],
)
def test_a_number_that_the_provider_refuses_is_marked_and_left_alone(sessions, ten, post, provider, number, code, why):
    first = posted(sessions, to=number)
    deliver(post, first)
    row = stored(sessions, first)
    assert (row.state, row.error_code) == (State.FAILED_PERMANENT, code)
    with sessions() as session:
        assert session.scalars(select(SuppressedNumber)).one().reason is why
    asked = provider.requests
    second = posted(sessions, key="two", to=number)
    deliver(post, second)
    assert provider.requests == asked
    assert stored(sessions, second).state is State.SUPPRESSED


def test_a_429_was_never_processed_and_backs_off_with_jitter(sessions, ten, post, provider):
    provider.behaviour = Behaviour(too_many=1.0)
    message_id = posted(sessions)
    deliver(post, message_id)
    row = stored(sessions, message_id)
    assert row.state is State.QUEUED
    with sessions() as session:
        waits = row.retry_at - db.real_now(session)
        assert session.scalars(select(Attempt)).one().outcome is AttemptOutcome.NOT_PROCESSED
    assert timedelta(0) < waits <= timedelta(seconds=2)
    provider.behaviour = Behaviour()
    deliver(post, message_id)
    assert provider.taken == []  # not before its time
    with sessions.begin() as session:
        session.get_one(Message, message_id).retry_at = None
    deliver(post, message_id)
    assert len(provider.taken) == 1


@pytest.mark.parametrize(
    ("behaviour", "was_taken"),
    [
        (Behaviour(broken_before=1.0), False),
        (Behaviour(broken_after=1.0), True),
        (Behaviour(drop_after_accept=1.0), True),
        (Behaviour(never_answers=True), True),
    ],
    ids=["5xx before", "5xx after", "cut off", "too slow"],
)
def test_an_unclear_call_is_looked_up_before_anything_is_sent_again(
    sessions, ten, make_post, provider, behaviour, was_taken
):
    post = make_post(twilio_settings(provider.url))
    impatient = make_post(twilio_settings(provider.url, timeout_s=1 if behaviour.never_answers else 120))
    provider.behaviour = behaviour
    message_id = posted(sessions)
    deliver(impatient, message_id)
    assert stored(sessions, message_id).state is State.CLAIMED
    deliver(post, message_id)  # its lease still stands
    provider.behaviour = Behaviour()
    let_lease_pass(sessions, message_id)
    deliver(post, message_id)
    if was_taken:
        assert stored(sessions, message_id).state is State.SENT
        assert stored(sessions, message_id).provider_id == provider.taken[0].sid
    else:
        assert stored(sessions, message_id).state is State.QUEUED
        deliver(post, message_id)
        assert stored(sessions, message_id).state is State.SENT
    assert len(provider.taken) == 1


def test_a_worker_that_died_before_the_call_is_found_out(sessions, ten, post, provider):
    message_id = posted(sessions)
    with sessions.begin() as session:
        assert claim(session, message_id, post.settings)
    deliver(post, message_id)
    assert provider.requests == 0
    let_lease_pass(sessions, message_id)
    deliver(post, message_id)
    deliver(post, message_id)
    assert len(provider.taken) == 1


def test_a_worker_that_died_after_the_call_sends_nothing_twice(sessions, ten, post, provider):
    message_id = posted(sessions)
    with sessions.begin() as session:
        claimed = claim(session, message_id, post.settings)
    delivery.attempt(post, claimed)
    let_lease_pass(sessions, message_id)
    deliver(post, message_id)
    assert stored(sessions, message_id).state is State.SENT
    assert len(provider.taken) == 1


def test_a_look_up_younger_than_the_providers_lag_waits_in_the_row(sessions, ten, make_post, provider):
    post = make_post(twilio_settings(provider.url))
    provider.behaviour = Behaviour(drop_after_accept=1.0, list_lag_s=3600)
    message_id = posted(sessions)
    deliver(post, message_id)
    let_lease_pass(sessions, message_id, seconds=0)
    deliver(post, message_id)
    row = stored(sessions, message_id)
    with sessions() as session:
        assert row.state is State.CLAIMED
        assert row.lease_until > db.real_now(session)
    assert len(provider.taken) == 1


def test_what_cannot_be_looked_up_for_an_hour_is_for_a_person(sessions, ten, post, provider):
    provider.behaviour = Behaviour(drop_after_accept=1.0, list_broken=1.0)
    message_id = posted(sessions)
    deliver(post, message_id)
    let_lease_pass(sessions, message_id, seconds=600)
    deliver(post, message_id)
    assert stored(sessions, message_id).state is State.CLAIMED
    let_lease_pass(sessions, message_id, seconds=3600)
    deliver(post, message_id)
    assert stored(sessions, message_id).state is State.UNKNOWN
    deliver(post, message_id)
    assert len(provider.taken) == 1


def test_a_look_up_counts_our_own_rows_with_the_same_words(sessions, ten, post, provider):
    first, second = posted(sessions, key="one"), posted(sessions, key="two")
    deliver(post, first)
    with sessions.begin() as session:
        assert claim(session, second, post.settings)
    let_lease_pass(sessions, second, seconds=1800)
    deliver(post, second)
    # the list shows one such text, and that is the first message's
    assert stored(sessions, second).state is State.QUEUED
    deliver(post, second)
    assert len(provider.taken) == 2


def test_two_identical_texts_that_are_both_unclear_end_as_two(sessions, ten, post, provider):
    provider.behaviour = Behaviour(drop_after_accept=1.0)
    first, second = posted(sessions, key="one"), posted(sessions, key="two")
    deliver(post, first)
    with sessions.begin() as session:
        assert claim(session, second, post.settings)
    provider.behaviour = Behaviour()
    for message_id in (first, second):
        let_lease_pass(sessions, message_id, seconds=1800)
    for message_id in (second, first, second, first):
        deliver(post, message_id)
    assert {stored(sessions, m).state for m in (first, second)} == {State.SENT}
    assert len(provider.taken) == 2
    assert len({stored(sessions, m).provider_id for m in (first, second)}) == 2


def test_a_one_time_code_is_never_sent_a_second_time(sessions, ten, post, provider):
    provider.behaviour = Behaviour(broken_before=1.0)
    message_id = posted(sessions, text="login_code")
    deliver(post, message_id)
    provider.behaviour = Behaviour()
    let_lease_pass(sessions, message_id)
    deliver(post, message_id)
    row = stored(sessions, message_id)
    assert (row.state, row.reason) == (State.FAILED_TEMPORARY, "a one-time code is not resent")
    with sessions.begin() as session, pytest.raises(outbox.NotResendable, match="a new one is made"):
        outbox.resend(session, session.get_one(Message, message_id), reason="lost", by_account=1, at=TEN)
    assert provider.taken == []


def test_a_late_worker_does_not_call_any_more(sessions, ten, post, provider, monkeypatch):
    message_id = posted(sessions)
    with sessions.begin() as session:
        claimed = claim(session, message_id, post.settings)
    held_up = delivery.Claim(
        claimed.sms, claimed.gateway, claimed.attempt_id, False, claimed.leased_at, claimed.since - 301
    )
    result = delivery.attempt(post, held_up)
    assert (result.outcome, result.code) == (AttemptOutcome.NOT_PROCESSED, "held up")
    assert provider.requests == 0


def test_no_connection_means_that_nothing_was_sent(sessions, ten, make_post, provider):
    post = make_post(twilio_settings("http://127.0.0.1:1"))
    message_id = posted(sessions)
    deliver(post, message_id)
    row = stored(sessions, message_id)
    assert (row.state, row.reason) == (State.QUEUED, "no connection")


def test_a_call_must_end_before_half_its_lease():
    with pytest.raises(ValueError, match="lease"):
        NoticeSettings(lease_s=20, timeout_s=10)


def test_quiet_hours_hold_everything_but_codes(sessions, post, provider):
    night = TEN + timedelta(hours=11, minutes=30)  # 21:30
    with sessions.begin() as session:
        db.set_clock(session, night)
        notice = say(session, at=TEN).id  # posted in the day, found in the night
        code = say(session, key="code", text="login_code", at=night).id
    deliver(post, notice)
    deliver(post, code)
    assert [b[:11] for b in provider.bodies()] == ["【武进代办】验证码48"]
    held = stored(sessions, notice)
    assert (held.state, held.not_before) == (State.QUEUED, TEN + timedelta(hours=22))  # 08:00


def test_a_courier_notice_expires_with_its_window(sessions, make_post, provider):
    post = make_post(twilio_settings(provider.url))
    with sessions.begin() as session:
        db.set_clock(session, TEN + timedelta(hours=3))
        session.execute(update(db.ClockOffset).values(is_demo=False))
        message_id = say(session, text="pickup", expires_at=TEN + timedelta(hours=2)).id
        other = say(session, key="other", text="pickup", to="13900000001", expires_at=TEN + timedelta(hours=2)).id
    deliver(post, message_id)
    assert stored(sessions, message_id).state is State.EXPIRED
    with sessions.begin() as session:
        assert sweep.sweep(session, post.settings) == []
    assert stored(sessions, other).state is State.EXPIRED
    assert provider.requests == 0


def test_a_demo_whose_clock_jumps_over_a_window_still_tells_of_it(sessions, post, provider):
    with sessions.begin() as session:
        db.set_clock(session, TEN)
        message_id = say(
            session, text="pickup", at=TEN + timedelta(days=1), expires_at=TEN + timedelta(days=1, hours=2)
        ).id
    deliver(post, message_id)
    assert provider.requests == 0
    with sessions.begin() as session:
        db.set_clock(session, TEN + timedelta(days=4))
        [(due, _)] = sweep.sweep(session, post.settings)
    deliver(post, due)
    assert stored(sessions, message_id).state is State.SENT


def test_who_opted_out_gets_codes_that_they_ask_for_and_nothing_else(sessions, ten, post, provider):
    with sessions.begin() as session:
        opt_out(session, "138 1234 1234", by_account=7, note="asked at the counter")
    notice, code = posted(sessions), posted(sessions, key="code", text="login_code")
    deliver(post, notice)
    deliver(post, code)
    assert (stored(sessions, notice).state, stored(sessions, notice).reason) == (State.SUPPRESSED, "asked_us")
    assert stored(sessions, code).state is State.SENT
    with sessions.begin() as session:
        opt_in(session, "13812341234", by_account=7)
    after = posted(sessions, key="after")
    deliver(post, after)
    assert stored(sessions, after).state is State.SENT


def test_a_resend_asks_why_and_is_a_message_of_its_own(sessions, ten, post, provider):
    with sessions.begin() as session:
        failed = say(session, to="0519-12345678")
        with pytest.raises(outbox.NotResendable, match="reason"):
            outbox.resend(session, failed, reason=" ", by_account=1, at=TEN)
        failed.to_phone = "+8613812341234"  # as an operator mended the contact
        again = outbox.resend(session, failed, reason="the number was mistyped", by_account=1, at=TEN)
        assert again.resend_of_id == failed.id
        assert again.resend_reason == "the number was mistyped (account 1)"
    deliver(post, again.id)
    assert len(provider.taken) == 1
    with sessions.begin() as session, pytest.raises(outbox.NotResendable, match="sent"):
        outbox.resend(session, session.get_one(Message, again.id), reason="again", by_account=1, at=TEN)


def test_magic_numbers_reach_the_three_ends_through_the_receipt_path(sessions, ten, post, provider):
    ends = {}
    for number in ("10000000001", "10000000002", "10000000003"):
        ends[number] = posted(sessions, key=number, to=number)
        deliver(post, ends[number])
    assert [stored(sessions, m).state for m in ends.values()] == [
        State.DELIVERED,
        State.FAILED_PERMANENT,
        State.FAILED_TEMPORARY,
    ]
    assert provider.requests == 0


def test_the_day_is_counted_as_it_happens(sessions, ten, post, provider):
    deliver(post, posted(sessions))
    deliver(post, posted(sessions, key="two", to="13900000001"))
    posted(sessions, key="three", to="nobody")
    with sessions.begin() as session:
        assert facts.fold(session) == 12
        assert facts.fold(session) == 0
        [row] = facts.report(session, TEN.date(), TEN.date())
    assert (row.day, row.text) == (TEN.date(), "requested")
    assert row.counts == {
        "posted": 3,
        "sent": 2,
        "within_10s": 2,
        "segments": 4,
        "cost_fen": 160,
        "failed_permanent": 1,
    }


def test_every_text_can_be_posted_and_sent(sessions, make_post, ten, provider):
    from_catalogue = sorted(catalogue().texts)
    post = make_post(twilio_settings(provider.url))
    for i, name in enumerate(from_catalogue):
        locale = ("zh", "en")[i % 2]
        message_id = posted(sessions, key=name, text=name, locale=locale, to=f"139{i:08}", values=VALUES)
        deliver(post, message_id)
    assert len(provider.taken) == len(from_catalogue)
    assert all("{" not in body and body.startswith("【") for body in provider.bodies())
