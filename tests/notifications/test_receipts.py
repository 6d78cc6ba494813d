"""Receipts: late, twice, in any order, forged; every message ends in one state."""

import itertools
import json
import os
import random
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update
from twilio.request_validator import RequestValidator

import db
from notifications import receipts, sweep
from notifications.delivery import deliver
from notifications.message import Attempt, Message, State
from notifications.receipts import ProviderReceipt, Receipt, ReceiptResult
from notifications.suppression import SuppressedNumber, SuppressionReason
from tests.notifications.builders import PUBLIC, TEN, say, twilio_settings
from tests.notifications.provider_server import SID, TOKEN, Behaviour

ENDS = [
    ("delivered", None),
    ("read", None),
    ("undelivered", "30003"),
    ("undelivered", "30004"),
    ("undelivered", "30005"),
    ("undelivered", "30006"),
    ("undelivered", "30007"),
    ("undelivered", "30008"),
    ("undelivered", "30410"),
    ("failed", "21610"),
    ("failed", "30001"),
    ("failed", None),
    ("failed", "12345"),
]
ON_THE_WAY = [("queued", None), ("sending", None), ("sent", None), ("accepted", None), ("something new", None)]


@pytest.fixture
def post(make_post, provider):
    provider.behaviour = Behaviour(receipts=())
    return make_post(twilio_settings(provider.url))


def sent(sessions, post, key="one", **more):
    with sessions.begin() as session:
        message_id = say(session, key=key, **more).id
    deliver(post, message_id)
    with sessions() as session:
        return session.get_one(Message, message_id)


def said(message, status, code=None, number=1):
    return ProviderReceipt("twilio", message.provider_id, f"{message.id}.{number}", status, code)


def end_of(session, message, history):
    """The end that one history of receipts leads to; the session's transaction is rolled back to where it was."""
    with session.begin_nested() as here:
        for status, code in history:
            receipts.apply(session, said(message, status, code))
        session.flush()
        row = session.get_one(Message, message.id, populate_existing=True)
        attempt = session.scalars(select(Attempt).where(Attempt.message_id == message.id)).one()
        end = (row.state, row.error_code, attempt.rank, attempt.error_code)
        here.rollback()
    session.expire_all()
    return end


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    history=st.lists(st.sampled_from(ENDS + ON_THE_WAY), min_size=1, max_size=5),
    seed=st.randoms(use_true_random=False),
)
def test_any_order_and_repetition_of_the_same_receipts_ends_alike(sessions, ten, post, history, seed):
    with sessions() as session:
        message = session.scalars(select(Message).limit(1)).first()
    if message is None:
        message = sent(sessions, post)
    other = [*history, *seed.choices(history, k=2)]
    seed.shuffle(other)
    with sessions() as session:
        assert end_of(session, message, history) == end_of(session, message, other)
        session.rollback()


HISTORIES = 10_000 if os.environ.get("CHAOS") == "long" else 30


@pytest.mark.timeout(7200)
def test_chaos_of_receipt_histories_permuted_doubled_and_forged_ends_alike(sessions, ten, post):
    """Each receipt comes with its signature; forged ones stand among them and are refused at the door."""
    message = sent(sessions, post)
    rules, draw = post.settings, random.Random(7)
    genuine, forger = RequestValidator(TOKEN), RequestValidator("another token")

    def arrived(said_so):
        status, code, signer = said_so
        path = f"/hooks/twilio/status?g=twilio&m={message.id}.1"
        form = {"MessageSid": message.provider_id, "MessageStatus": status} | ({"ErrorCode": code} if code else {})
        return receipts.verify(rules, "twilio", path, form, signer.compute_signature(PUBLIC + path, form))

    with sessions() as session:
        for _ in range(HISTORIES):
            history = [(*draw.choice(ENDS + ON_THE_WAY), genuine) for _ in range(draw.randint(1, 5))]
            other = [*history, *draw.choices(history, k=2), *[(*draw.choice(ENDS), forger) for _ in range(2)]]
            draw.shuffle(other)
            taken = [(status, code) for status, code, signer in other if arrived((status, code, signer))]
            assert len(taken) == len(other) - 2
            plain = [(status, code) for status, code, _ in history]
            assert end_of(session, message, plain) == end_of(session, message, taken)
        session.rollback()


def test_every_pair_of_endings_commutes(sessions, ten, post):
    message = sent(sessions, post)
    with sessions() as session:
        for one, two in itertools.combinations(ENDS, 2):
            assert end_of(session, message, [one, two]) == end_of(session, message, [two, one]), (one, two)
        session.rollback()


def test_nothing_follows_delivered(sessions, ten, post):
    message = sent(sessions, post)
    with sessions.begin() as session:
        assert receipts.apply(session, said(message, "delivered")) is ReceiptResult.CHANGED
        for status, code in ENDS + ON_THE_WAY:
            assert receipts.apply(session, said(message, status, code)) is ReceiptResult.NOTHING_NEW
        assert session.get_one(Message, message.id).state is State.DELIVERED


@pytest.mark.parametrize(
    ("code", "state", "mark"),
    [
        ("30004", State.FAILED_PERMANENT, SuppressionReason.UNREACHABLE),
        ("30005", State.FAILED_PERMANENT, SuppressionReason.UNREACHABLE),
        ("30006", State.FAILED_PERMANENT, SuppressionReason.UNREACHABLE),
        ("30007", State.FAILED_PERMANENT, None),
        ("30008", State.FAILED_TEMPORARY, None),
        ("30410", State.FAILED_TEMPORARY, None),
        ("21610", State.FAILED_PERMANENT, SuppressionReason.ASKED_PROVIDER),
    ],
)
def test_each_class_of_error_does_what_it_must(sessions, ten, post, provider, code, state, mark):
    message = sent(sessions, post)
    with sessions.begin() as session:
        receipts.apply(session, said(message, "undelivered", code))
    with sessions() as session:
        row = session.get_one(Message, message.id)
        assert (row.state, row.error_code) == (state, code)
        marked = session.scalars(select(SuppressedNumber)).first()
        assert (marked.reason if marked else None) is mark
    deliver(post, message.id)
    assert len(provider.taken) == 1  # none of these is sent again


def test_a_handset_that_was_not_reached_gets_three_tries_over_24_hours(sessions, ten, post, provider):
    message = sent(sessions, post)
    sent_at = []
    now = TEN
    for number in (1, 2, 3):
        sent_at.append(now)
        with sessions.begin() as session:
            row = session.get_one(Message, message.id)
            receipts.apply(session, said(row, "undelivered", "30003", number))
            state, not_before = row.state, row.not_before
        if number < 3:
            assert state is State.QUEUED
            now = not_before
            for _ in range(3):  # the morning after, and the budget, may each hold it once more
                with sessions.begin() as session:
                    db.set_clock(session, now + timedelta(seconds=5))
                deliver(post, message.id)
                with sessions() as session:
                    now = max(now, session.get_one(Message, message.id).not_before)
    assert state is State.FAILED_TEMPORARY
    assert len(provider.taken) == 3
    assert timedelta(hours=23) <= sent_at[2] - sent_at[0] <= timedelta(hours=36)


def test_no_receipt_in_72_hours_is_a_temporary_failure_that_the_handset_may_still_overrule(sessions, ten, post):
    message = sent(sessions, post)
    with sessions.begin() as session:
        sweep.sweep(session, post.settings)
        assert session.get_one(Message, message.id).state is State.SENT
        session.execute(update(Message).values(handed_over_at=db.real_now(session) - timedelta(hours=72, seconds=1)))
    with sessions.begin() as session:
        sweep.sweep(session, post.settings)
        assert session.get_one(Message, message.id).state is State.FAILED_TEMPORARY
    with sessions.begin() as session:
        receipts.apply(session, said(message, "delivered"))
        assert session.get_one(Message, message.id).state is State.DELIVERED


def test_a_receipt_that_is_faster_than_its_worker_settles_the_message(sessions, ten, post, provider):
    def receipt_at_once(taken):
        receipts.receive(sessions, ProviderReceipt("twilio", taken.sid, taken.reference, "delivered"))

    provider.on_taken = receipt_at_once
    message = sent(sessions, post)
    assert message.state is State.DELIVERED
    assert message.provider_id == provider.taken[0].sid


def test_a_receipt_finds_the_message_whose_worker_died(sessions, ten, post, provider):
    provider.behaviour = Behaviour(receipts=(), drop_after_accept=1.0)
    message = sent(sessions, post)
    assert (message.state, message.provider_id) == (State.CLAIMED, None)
    receipts.receive(sessions, ProviderReceipt("twilio", provider.taken[0].sid, provider.taken[0].reference, "sent"))
    with sessions() as session:
        row = session.get_one(Message, message.id)
    assert (row.state, row.provider_id) == (State.SENT, provider.taken[0].sid)
    deliver(post, message.id)
    assert len(provider.taken) == 1


@pytest.mark.parametrize("reference", ["", "7", "x.y", "99999.1", "1.9", "1.1; drop table message", "9" * 40 + ".1"])
def test_an_unknown_message_is_answered_and_changes_nothing(sessions, ten, post, reference):
    message = sent(sessions, post)
    assert receipts.receive(sessions, ProviderReceipt("twilio", "SMnobody", reference, "failed", "30005")) is (
        ReceiptResult.UNKNOWN_MESSAGE
    )
    with sessions() as session:
        assert session.get_one(Message, message.id).state is State.SENT


def test_a_receipt_of_another_message_does_not_settle_this_one(sessions, ten, post):
    message = sent(sessions, post)
    assert receipts.receive(sessions, ProviderReceipt("twilio", "SMother", f"{message.id}.1", "delivered")) is (
        ReceiptResult.UNKNOWN_MESSAGE
    )


def test_a_repeated_receipt_is_counted_once_and_remembered(sessions, ten, post):
    message = sent(sessions, post)
    for _ in range(3):
        receipts.receive(sessions, said(message, "delivered"))
    with sessions() as session:
        assert session.scalars(select(Receipt)).one().times == 3


def test_a_signature_is_checked_against_the_public_url_behind_a_proxy(provider):
    rules = twilio_settings(provider.url)
    path, form = (
        "/hooks/twilio/status?g=twilio&m=7.1",
        {"MessageSid": "SM1", "MessageStatus": "sent", "AccountSid": SID},
    )
    genuine = RequestValidator(TOKEN).compute_signature(PUBLIC + path, form)
    assert receipts.verify(rules, "twilio", path, form, genuine)
    inside = RequestValidator(TOKEN).compute_signature("http://127.0.0.1:8000" + path, form)
    forged = RequestValidator("guess").compute_signature(PUBLIC + path, form)
    assert not receipts.verify(rules, "twilio", path, form, inside)
    assert not receipts.verify(rules, "twilio", path, form, forged)
    assert not receipts.verify(rules, "twilio", path, form, "")
    assert not receipts.verify(rules, "nobody", path, form, genuine)
    assert not receipts.verify(rules, "twilio", path, form | {"MessageStatus": "failed"}, genuine)
    assert not receipts.verify(rules, "twilio", path.replace("7.1", "8.1"), form, genuine)


def test_ten_thousand_forged_receipts_are_all_refused_and_all_genuine_ones_taken(provider):
    rules, draw = twilio_settings(provider.url), random.Random(5)
    genuine, wrong = RequestValidator(TOKEN), RequestValidator("another token")
    for i in range(5_000):
        path = f"/hooks/twilio/status?g=twilio&m={i}.1"
        form = {"MessageSid": f"SM{i:032x}", "MessageStatus": draw.choice(["sent", "delivered", "undelivered"])}
        good = genuine.compute_signature(PUBLIC + path, form)
        assert receipts.verify(rules, "twilio", path, form, good)
        assert not receipts.verify(rules, "twilio", path, form, wrong.compute_signature(PUBLIC + path, form))
        at = draw.randrange(len(good) - 2)
        bent = good[:at] + ("A" if good[at] != "A" else "B") + good[at + 1 :]
        assert not receipts.verify(rules, "twilio", path, form, bent)


@pytest.mark.parametrize(
    "form", [{}, {"MessageSid": "SM1"}, {"MessageStatus": "sent"}, {"MessageSid": "S" * 99, "MessageStatus": "x"}]
)
def test_what_is_no_receipt_is_named_so(form):
    with pytest.raises(receipts.BadReceipt):
        receipts.from_twilio({}, form)


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff", b"[" * 100_000])
def test_what_is_no_domestic_push_is_named_so(body):
    with pytest.raises(receipts.BadReceipt):
        receipts.from_domestic("domestic", body)


def test_an_odd_row_spoils_no_other():
    rows = [
        {"biz_id": "a", "out_id": "1.1", "success": True},
        {"phone_number": "13900139001", "content": "TD", "send_time": "2026-11-24 10:01:00"},
        {"biz_id": "b", "out_id": "2.1", "success": "false", "err_code": "X"},
        {"biz_id": "c"},
        {"success": True},
        {"biz_id": ["d"], "success": {}},
        {"biz_id": "e\x00", "success": True},
        {"biz_id": "f", "success": True, "out_id": "\ud800"},
        1,
        None,
    ]
    push = receipts.from_domestic("domestic", json.dumps(rows).encode())
    assert [(r.provider_id, r.status, r.error_code) for r in push.receipts] == [
        ("a", "delivered", None), ("b", "undelivered", "X"),
    ]  # fmt: skip
    assert [(r.phone, r.words) for r in push.replies] == [("13900139001", "TD")]
    assert list(push.odd) == rows[3:]


def test_receipts_count_into_the_day(sessions, ten, post):
    message = sent(sessions, post)
    with sessions.begin() as session:
        receipts.apply(session, said(message, "undelivered", "30008"))
        receipts.apply(session, said(message, "delivered"))
        receipts.apply(session, said(message, "delivered"))
    with sessions.begin() as session:
        sweep.sweep(session, post.settings)
        counted = dict(
            session.execute(
                select(sweep.facts.NoticeDay.measure, func.sum(sweep.facts.NoticeDay.n)).group_by(
                    sweep.facts.NoticeDay.measure
                )
            ).all()
        )
    assert counted["delivered"] == 1
    assert counted["failed_temporary"] == 0
