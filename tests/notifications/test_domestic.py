"""The domestic gateway: signed as documented, by template and variables, looked up by our own reference."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, update

import db
from notifications import outbox, receipts, text_catalogue
from notifications.delivery import deliver
from notifications.gateways.domestic import signed_headers
from notifications.message import Attempt, Message, State
from notifications.settings import DomesticAccount, GatewayShare, NoticeSettings
from tests.notifications.builders import say
from tests.notifications.domestic_server import KEY_ID, KEY_SECRET, DomesticProvider

TEMPLATES = {f"{name}/zh": f"SMS_{i:09}" for i, name in enumerate(text_catalogue.catalogue().texts, 1)}


@pytest.fixture
def domestic():
    with DomesticProvider() as provider:
        yield provider


def domestic_settings(url, domestic=None, **more):
    account = DomesticAccount(KEY_ID, KEY_SECRET, sign_name="武进代办", templates=TEMPLATES, endpoint=url)
    patient = {"lease_s": 600, "timeout_s": 120, "lag_s": 600}  # no machine is so slow that a call outlives its lease
    return NoticeSettings(
        mainland=(GatewayShare("domestic"),),
        domestic=domestic or {"domestic": account},
        receipt_secret="a secret of tests",
        **patient | more,
    )


@pytest.fixture
def post(make_post, domestic):
    return make_post(domestic_settings(domestic.url))


def posted(sessions, **more):
    with sessions.begin() as session:
        return say(session, **more).id


def stored(sessions, message_id):
    with sessions() as session:
        return session.get_one(Message, message_id)


def test_the_signature_is_that_of_the_providers_own_example():
    account = DomesticAccount("YourAccessKeyId", "YourAccessKeySecret", endpoint="https://ecs.cn-shanghai.aliyuncs.com")
    headers = signed_headers(
        account,
        "RunInstances",
        {"ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd", "RegionId": "cn-shanghai"},
        version="2014-05-26",
        at=datetime(2023, 10, 26, 10, 22, 32, tzinfo=UTC),
        nonce="3156853299f313e23d1673dc12e1703d",
    )
    assert headers["Authorization"].endswith(
        "Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )


def test_a_message_goes_out_as_template_and_variables_of_at_most_twenty_characters(sessions, ten, post, domestic):
    message_id = posted(sessions, text="pickup")
    deliver(post, message_id)
    [taken] = domestic.taken
    assert taken["PhoneNumbers"] == "13812341234"
    assert taken["TemplateCode"] == TEMPLATES["pickup/zh"]
    assert taken["SignName"] == "武进代办"
    assert taken["OutId"] == f"{message_id}.1"
    values = json.loads(taken["TemplateParam"])
    assert (values["day"], values["window"]) == ("11月24日", "9:00-11:00")
    assert all(len(v) <= 20 for v in values.values())
    assert stored(sessions, message_id).provider_id == taken["BizId"]


def test_a_wrong_secret_is_the_accounts_fault_and_nothing_is_lost(sessions, ten, make_post, domestic):
    account = DomesticAccount(KEY_ID, "wrong", sign_name="x", templates=TEMPLATES, endpoint=domestic.url)
    post = make_post(domestic_settings(domestic.url, domestic={"domestic": account}))
    message_id = posted(sessions)
    deliver(post, message_id)
    assert (stored(sessions, message_id).state, stored(sessions, message_id).reason) == (
        State.QUEUED,
        "SignatureDoesNotMatch",
    )


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("isv.BUSINESS_LIMIT_CONTROL", State.QUEUED),
        ("Throttling.User", State.QUEUED),
        ("isv.AMOUNT_NOT_ENOUGH", State.QUEUED),
        ("isv.MOBILE_NUMBER_ILLEGAL", State.FAILED_PERMANENT),
        ("isv.SMS_TEMPLATE_ILLEGAL", State.FAILED_PERMANENT),
        ("isv.BLACK_KEY_CONTROL_LIMIT", State.FAILED_PERMANENT),
        ("isp.SYSTEM_ERROR", State.CLAIMED),
        ("isv.SOMETHING_NEW", State.FAILED_PERMANENT),
    ],
)
def test_each_answer_means_what_it_says(sessions, ten, post, domestic, code, state):
    domestic.answer = code
    message_id = posted(sessions)
    deliver(post, message_id)
    assert stored(sessions, message_id).state is state


@pytest.mark.parametrize("how", ["cut", "slow", "500"])
def test_an_unclear_call_is_found_again_by_our_reference(sessions, ten, make_post, domestic, how):
    post = make_post(domestic_settings(domestic.url))
    impatient = make_post(domestic_settings(domestic.url, timeout_s=1 if how == "slow" else 120))
    domestic.cut, domestic.status = how == "cut", 500 if how == "500" else 200
    if how == "slow":
        domestic.may_answer.clear()
    message_id = posted(sessions)
    deliver(impatient, message_id)
    assert stored(sessions, message_id).state is State.CLAIMED
    domestic.may_answer.set()
    domestic.cut, domestic.status = False, 200
    with sessions.begin() as session:
        session.get_one(Message, message_id).lease_until = db.real_now(session) - timedelta(seconds=1)
        hour = func.make_interval(0, 0, 0, 0, 1)
        session.execute(update(Attempt).values(started_at=Attempt.started_at, ended_at=Attempt.ended_at - hour))
    deliver(post, message_id)
    assert stored(sessions, message_id).state is State.SENT
    assert len(domestic.taken) == 1
    for said in receipts.from_domestic("domestic", domestic.push()).receipts:
        assert receipts.receive(sessions, said) is receipts.ReceiptResult.CHANGED
    assert stored(sessions, message_id).state is State.DELIVERED
    assert stored(sessions, message_id).provider_id == domestic.taken[0]["BizId"]


def test_a_push_settles_many_messages_and_may_come_twice(sessions, ten, post, domestic):
    ids = [posted(sessions, key=str(i), to=f"1391234000{i}") for i in range(3)]
    for message_id in ids:
        deliver(post, message_id)
    for _ in range(2):
        for said in receipts.from_domestic(
            "domestic", domestic.push(success=False, code="MOBILE_NOT_ON_SERVICE")
        ).receipts:
            receipts.receive(sessions, said)
    assert {stored(sessions, m).state for m in ids} == {State.FAILED_PERMANENT}


def test_where_only_chinese_words_are_registered_chinese_is_what_is_sent_and_shown(sessions, ten, post, domestic):
    message_id = posted(sessions, locale="en")
    deliver(post, message_id)
    assert domestic.taken[0]["TemplateCode"] == TEMPLATES["requested/zh"]
    with sessions() as session:
        row = session.get_one(Message, message_id)
        assert outbox.body_of(session, row).startswith("【武进代办】武进区已收到")


def test_a_text_without_a_template_is_for_its_owner(sessions, ten, make_post, domestic):
    account = DomesticAccount(KEY_ID, KEY_SECRET, sign_name="武进代办", endpoint=domestic.url)
    post = make_post(domestic_settings(domestic.url, domestic={"domestic": account}))
    message_id = posted(sessions)
    deliver(post, message_id)
    row = stored(sessions, message_id)
    assert (row.state, row.reason) == (State.FAILED_PERMANENT, "the text's owner must look")
    assert domestic.taken == []


def test_the_push_is_known_by_its_secret(domestic):
    rules = domestic_settings(domestic.url)
    assert receipts.verify_domestic(rules, "a secret of tests")
    assert not receipts.verify_domestic(rules, "another")
    assert not receipts.verify_domestic(NoticeSettings(), "")
