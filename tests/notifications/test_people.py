"""People: masked wherever it shows, unmasked on the record, exported and forgotten on request."""

import logging
from datetime import timedelta

import pytest
from sqlalchemy import select, update

import db
from notifications import facts, people
from notifications.claim import claim
from notifications.delivery import deliver
from notifications.message import Attempt, Message, State
from notifications.phone import BadNumber, normalise
from notifications.settings import NoticeSettings
from notifications.suppression import NeverAgain, SuppressionReason, mark_number, opt_in, opt_out, reason_of
from tests.notifications.builders import TEN, mobiles_in, say, twilio_settings
from tests.notifications.provider_server import Behaviour

RULES = NoticeSettings()


@pytest.fixture
def post(make_post, provider):
    return make_post(twilio_settings(provider.url))


def test_an_unmasking_needs_a_reason_and_is_written_down(session):
    row = say(session)
    assert people.shown(row) == "138****1234"
    with pytest.raises(people.NoReason):
        people.unmask(session, row, account_id=4, reason="")
    assert people.unmask(session, row, account_id=4, reason="called back") == "+8613812341234"
    [seen] = people.accesses(session)
    assert (seen.kind, seen.account_id, seen.masked, seen.reason) == ("unmask", 4, "138****1234", "called back")


def test_one_persons_data_are_exported_masked_and_covered(sessions, ten, post):
    with sessions.begin() as session:
        ids = [say(session).id, say(session, key="p", text="pickup").id]
        say(session, key="other", to="13900000001")
    for message_id in ids:
        deliver(post, message_id)
    with sessions.begin() as session:
        rows = people.export(session, "138-1234-1234", account_id=4, reason="asked in writing")
        assert [r.text for r in rows] == ["requested", "pickup"]
        assert not any("13812341234" in str(r) or "482913" in str(r) or "K7M2XW9P" in str(r) for r in rows)
        [done] = people.accesses(session)
    assert (done.kind, done.masked, done.messages) == ("export", "138****1234", 2)


def test_one_person_is_forgotten_and_the_figures_stay(sessions, ten, post, provider):
    with sessions.begin() as session:
        sent = say(session).id
        waiting = say(session, key="later", at=TEN + timedelta(hours=2)).id
        other = say(session, key="other", to="13900000001").id
        opt_out(session, "13900000009", by_account=1)
    deliver(post, sent)
    with sessions.begin() as session:
        assert people.erase(session, "13812341234", account_id=4, reason="asked in writing") == 2
        facts.fold(session)
        [day] = facts.report(session, TEN.date(), TEN.date())
    assert (day.counts["posted"], day.counts["sent"], day.counts["suppressed"]) == (3, 1, 1)
    with sessions() as session:
        for message_id in (sent, waiting):
            row = session.get_one(Message, message_id)
            assert (row.to_phone, row.to_hash, row.values_json) == (None, None, None)
        assert session.get_one(Message, sent).state is State.SENT
        assert session.get_one(Message, waiting).state is State.SUPPRESSED
        assert session.get_one(Message, other).to_phone is not None
    deliver(post, waiting)
    assert len(provider.taken) == 1


def test_what_is_on_its_way_is_forgotten_as_soon_as_it_has_arrived(sessions, ten, post):
    with sessions.begin() as session:
        message_id = say(session).id
    with sessions.begin() as session:
        assert claim(session, message_id, post.settings)
    with sessions.begin() as session:
        assert people.erase(session, "13812341234", account_id=4, reason="asked in writing") == 0
        people.retention(session, RULES)
        assert session.get_one(Message, message_id).to_phone
        session.get_one(Message, message_id).state = State.SENT
        session.flush()
        people.retention(session, RULES)
    with sessions() as session:
        assert session.get_one(Message, message_id).to_phone is None
        [done] = people.accesses(session)
        assert (done.messages, done.unfinished) == (1, False)


def test_the_retention_job_forgets_what_is_old_and_settled(sessions, ten, post):
    with sessions.begin() as session:
        old, young, held = say(session).id, say(session, key="2", at=TEN + timedelta(days=80)).id, None
        held = say(session, key="3", to="13900000002", at=TEN).id
    deliver(post, old)
    with sessions.begin() as session:
        session.execute(update(Message).where(Message.id == old).values(state=State.DELIVERED))
        db.set_clock(session, TEN + timedelta(days=91))
        assert people.retention(session, RULES) == 1
        assert people.retention(session, RULES) == 0
    with sessions() as session:
        assert session.get_one(Message, old).values == {}
        assert session.get_one(Message, young).values
        assert session.get_one(Message, held).values  # still waiting: it is not forgotten before it was said
        assert session.scalars(select(Attempt)).one().to_hash is None


def test_who_opted_out_with_the_provider_stays_out(session):
    mark_number(session, db.keyed_hash("+8613812341234"), "+8613812341234", SuppressionReason.ASKED_PROVIDER, "21610")
    opt_out(session, "13812341234", by_account=1)
    with pytest.raises(NeverAgain):
        opt_in(session, "13812341234", by_account=1)
    assert session.scalar(reason_of(db.keyed_hash("+8613812341234"))) is SuppressionReason.ASKED_PROVIDER


def test_no_log_and_no_error_names_a_number(sessions, ten, make_post, provider, caplog):
    caplog.set_level(logging.DEBUG)
    worst = (Behaviour(), Behaviour(too_many=1), Behaviour(broken_before=1), Behaviour(drop_after_accept=1))
    for i, behaviour in enumerate(worst):
        provider.behaviour = behaviour
        post = make_post(twilio_settings(provider.url))
        with sessions.begin() as session:
            message_id = say(session, key=f"a{i}", to="13800021211").id
            other = say(session, key=f"b{i}").id
        for one in (message_id, other):
            deliver(post, one)
        with sessions.begin() as session:
            session.execute(update(Message).values(lease_until=db.real_now(session)))
        deliver(post, other)
    with pytest.raises(BadNumber) as refused:
        normalise("1381234123")
    said = "\n".join(f"{r.name} {r.getMessage()}" for r in caplog.records if not r.name.startswith("sqlalchemy"))
    assert mobiles_in(said) == []
    assert "13800021211" not in said
    assert "1381234123" not in str(refused.value)
