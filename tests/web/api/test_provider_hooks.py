"""The hooks of SMS providers: who is not known by signature or secret is turned away, and odd words change nothing."""

import json
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker
from twilio.request_validator import RequestValidator
from werkzeug.test import TestResponse

from notifications.inbound import InboundSms, OddPush
from notifications.settings import TwilioAccount

PUBLIC, TOKEN, SECRET = "https://daiban.example", "a token of the provider", "known to the provider alone"


@pytest.fixture
def hooks(app: Flask) -> FlaskClient:
    """A client of the application that has an account with each kind of provider."""
    known = {"twilio": TwilioAccount("AC1", TOKEN, sender="+8613800000000")}
    notices = replace(app.extensions["daiban.notices"], public_url=PUBLIC, twilio=known, receipt_secret=SECRET)
    app.extensions["daiban.notices"] = notices
    return app.test_client()


def signed(hooks: FlaskClient, path: str, form: dict[str, str], *, token: str = TOKEN) -> TestResponse:
    signature = RequestValidator(token).compute_signature(PUBLIC + path, form)
    return hooks.post(path, data=form, headers={"X-Twilio-Signature": signature})


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/hooks/twilio/status?g=twilio&m=7.1", {"MessageSid": "SM1", "MessageStatus": "sent"}),
        ("/hooks/twilio/reply?g=twilio", {"MessageSid": "SM1", "From": "+8613812345678", "Body": "好的"}),
    ],
)
def test_what_twilio_signed_is_taken_and_nothing_else_is(hooks: FlaskClient, path: str, form: dict[str, str]) -> None:
    assert signed(hooks, path, form).status_code == 200
    assert signed(hooks, path, form, token="a guess").status_code == 403
    assert hooks.post(path, data=form).status_code == 403
    assert signed(hooks, path, form | {"MessageSid": ""}).status_code == 400


def test_an_answer_is_kept_once_and_answered_with_nothing_to_say(
    hooks: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    path, form = "/hooks/twilio/reply?g=twilio", {"MessageSid": "SM1", "From": "+8613812345678", "Body": "几点来？"}
    answers = [signed(hooks, path, form) for _ in range(2)]
    assert [(answer.text, answer.mimetype) for answer in answers] == [("<Response/>", "text/xml")] * 2
    with sessions() as session:
        assert [row.words for row in session.scalars(select(InboundSms))] == ["几点来？"]


def test_a_push_needs_the_secret_of_its_address_and_a_list_of_rows(
    hooks: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    rows = [
        {"biz_id": "a", "out_id": "1.1", "success": True},
        {"phone_number": "13900139001", "content": "收到", "send_time": "2026-11-24 10:01:00"},
        {"nobody": "knows"},
    ]
    body = json.dumps(rows)
    assert hooks.post("/hooks/domestic/a-guess/status", data=body).status_code == 404
    assert hooks.post(f"/hooks/domestic/{SECRET}/status", data="{}").status_code == 400
    taken = hooks.post(f"/hooks/domestic/{SECRET}/status", data=body)
    assert (taken.status_code, taken.json) == (200, {"code": 0, "msg": "ok"})
    with sessions() as session:
        assert [row.words for row in session.scalars(select(InboundSms))] == ["收到"]
        assert len(session.scalars(select(OddPush)).all()) == 1
