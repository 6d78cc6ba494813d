"""Two gateways: shares by weight, traffic that leaves a failing or slow one, and drifts back."""

import random
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import select, update

import db
from notifications import health
from notifications.delivery import deliver
from notifications.health import GatewayHealth, pick
from notifications.message import Attempt, Message, State
from notifications.settings import GatewayShare, TwilioAccount
from tests.notifications.builders import say, twilio_settings
from tests.notifications.provider_server import SID, TOKEN, Behaviour, Provider

TWO = (GatewayShare("first", 80), GatewayShare("second", 20))


def test_each_gateway_gets_its_share():
    draw = random.Random(3)
    counted = Counter(pick(TWO, {}, draw.random()) for _ in range(10_000))
    assert 0.78 < counted["first"] / 10_000 < 0.82


def test_a_fallen_gateway_gets_nothing_and_a_drifting_one_a_part():
    draw = random.Random(3)
    assert {pick(TWO, {"first": 0}, draw.random()) for _ in range(1000)} == {"second"}
    part = Counter(pick(TWO, {"first": 50}, draw.random()) for _ in range(10_000))
    assert 0.64 < part["first"] / 10_000 < 0.69  # 40 of 60


def test_when_all_have_fallen_the_set_weights_hold():
    assert {pick(TWO, {"first": 0, "second": 0}, d / 100) for d in range(100)} == {"first", "second"}


@pytest.fixture
def pair(make_post):
    with Provider() as first, Provider() as second:
        accounts = {
            "first": TwilioAccount(SID, TOKEN, sender="+15005550006", base_url=first.url),
            "second": TwilioAccount(SID, TOKEN, sender="+15005550006", base_url=second.url),
        }
        rules = twilio_settings("http://unused", twilio=accounts, mainland=TWO, foreign=TWO, errors_in_a_minute=3)
        yield make_post(rules), first, second


def posted(sessions, i, **more):
    with sessions.begin() as session:
        return say(session, key=f"m{i}", to=f"1380000{i:04}", **more).id


def test_errors_within_a_minute_move_the_traffic(sessions, ten, pair):
    post, first, second = pair
    first.behaviour = Behaviour(broken_before=1.0)
    for i in range(60):
        deliver(post, posted(sessions, i))
        with sessions() as session:
            if health.percents(session).get("first") == 0:
                break
    asked = first.requests
    assert asked == 3
    for i in range(100, 120):
        deliver(post, posted(sessions, i))
    assert first.requests == asked
    assert len(second.taken) >= 20


def test_an_unclear_message_is_never_given_to_the_other_gateway(sessions, ten, pair):
    post, first, second = pair
    second.behaviour = first.behaviour = Behaviour(drop_after_accept=1.0)
    message_id = posted(sessions, 1)
    deliver(post, message_id)
    with sessions.begin() as session:
        used = session.get_one(Message, message_id).gateway
        health._set(session, used, 0, db.real_now(session), "fallen")
        session.get_one(Message, message_id).lease_until = db.real_now(session) - timedelta(seconds=1)
    deliver(post, message_id)
    assert len(first.taken) + len(second.taken) == 1
    with sessions() as session:
        assert session.get_one(Message, message_id).state is State.SENT


def test_traffic_drifts_back_a_tenth_at_a_time(sessions, pair):
    post, *_ = pair
    with sessions.begin() as session:
        health._set(session, "first", 0, db.real_now(session), "3 errors in 60 s")
    seen = []
    for minutes in (1, 6, 1, 1):
        with sessions.begin() as session:
            session.execute(
                update(GatewayHealth).values(changed_at=db.real_now(session) - timedelta(minutes=minutes, seconds=1))
            )
            health.review(session, post.settings)
            seen.append(health.percents(session)["first"])
    assert seen == [0, 10, 20, 30]


def test_a_slow_quarter_of_an_hour_moves_the_traffic(sessions, ten, pair):
    post, *_ = pair
    for i in range(40):
        deliver(post, posted(sessions, i))
    with sessions.begin() as session:
        health.review(session, post.settings)
        assert health.percents(session) == {}
        session.execute(update(Attempt).where(Attempt.gateway == "first").values(took_ms=9000))
        health.review(session, post.settings)
        row = session.scalars(select(GatewayHealth)).one()
    assert (row.name, row.percent) == ("first", 0)
    assert "slow" in row.reason
