"""Inbound: an answer is kept once and has its effect; what nobody can read is kept too; a person's data can go."""

from datetime import timedelta

import pytest
from sqlalchemy import select

import db
from notifications import inbound, people, suppression
from notifications.inbound import InboundSms, OddPush, Reply
from notifications.suppression import NeverAgain, SuppressionReason

PHONE = "+8613912340000"


def living(session):
    stop = suppression.stop_of(session, PHONE)
    return None if stop is None else stop.reason


def reply(words, n=1, **more):
    return Reply("domestic", f"r{n}", "139 1234 0000", words, **more)


@pytest.mark.parametrize("words", ["TD", "td", " Ｔ ", "退订。", "STOP", "N"])
def test_who_answers_that_it_is_enough_is_left_alone(session, words):
    assert inbound.take_reply(session, reply(words)).stops
    assert living(session) is SuppressionReason.ASKED_US


@pytest.mark.parametrize("words", ["好的", "TD服务何时到", "明天不在", ""])
def test_an_answer_in_words_is_kept_and_stops_nothing(session, words):
    kept = inbound.take_reply(session, reply(words))
    assert (kept.words, kept.stops, kept.masked) == (words, False, "139****0000")
    assert living(session) is None


def test_half_a_character_and_a_nul_are_kept_as_signs(session):
    assert inbound.take_reply(session, reply("好\ud800的\0")).words == "好?的\ufffd"
    inbound.keep_odd(session, "domestic", {"x": "\ud800\0"})
    assert inbound.odd_pushes(session)[0].times == 1


def test_an_answer_that_comes_twice_is_one(session):
    assert inbound.take_reply(session, reply("好的")) is not None
    assert inbound.take_reply(session, reply("好的")) is None
    assert len(session.scalars(select(InboundSms)).all()) == 1


def test_what_the_provider_blocks_only_its_owner_undoes(session):
    inbound.take_reply(session, reply("STOP", is_stopped=True))
    assert living(session) is SuppressionReason.ASKED_PROVIDER
    with pytest.raises(NeverAgain):
        suppression.opt_in(session, PHONE, by_account=1)
    inbound.take_reply(session, reply("START", 2))
    assert living(session) is None


def test_a_dead_line_is_not_woken_by_words(session):
    suppression.mark_number(session, db.keyed_hash(PHONE), PHONE, SuppressionReason.UNREACHABLE, "21614")
    inbound.take_reply(session, reply("START"))
    assert living(session) is SuppressionReason.UNREACHABLE


def test_what_nobody_can_read_is_kept_and_counted(session):
    for _ in range(3):
        inbound.keep_odd(session, "domestic", {"b": 1, "a": None})
    inbound.take_reply(session, Reply("domestic", "x", "no number", "好的"))
    kept = {row.body: row.times for row in inbound.odd_pushes(session)}
    assert kept == {'{"a": null, "b": 1}': 3, '{"content": "好的", "phone_number": "no number"}': 1}


def test_a_person_who_is_erased_takes_the_answers_along(session):
    inbound.take_reply(session, reply("明天不在"))
    people.erase(session, PHONE, account_id=1, reason="asked")
    row = session.scalars(select(InboundSms).execution_options(populate_existing=True)).one()
    assert (row.words, row.from_hash, row.masked) == (None, None, "****")


def test_old_answers_and_pushes_lose_who_and_what(session):
    inbound.take_reply(session, reply("明天不在"))
    inbound.keep_odd(session, "domestic", 1)
    inbound.forget_old(session, keep=timedelta(days=1))
    fresh = {"populate_existing": True}
    assert session.scalars(select(InboundSms), execution_options=fresh).one().words == "明天不在"
    db.set_clock(session, db.now(session) + timedelta(days=2))
    inbound.forget_old(session, keep=timedelta(days=1))
    assert session.scalars(select(InboundSms), execution_options=fresh).one().words is None
    assert session.scalars(select(OddPush), execution_options=fresh).one().body is None
