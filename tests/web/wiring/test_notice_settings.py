"""The settings of notices: template codes of the domestic provider are checked at the start and shown with texts."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dispatch.core.actor import Role
from notifications.settings import DomesticAccount, GatewayShare, NoticeSettings
from web.wiring.notices import notice_settings
from web.wiring.settings import BadSetting, Settings


def domestic(settings: Settings, path: Path) -> Settings:
    return replace(
        settings, gateways=(), domestic_key_id="id", domestic_key_secret="secret",
        domestic_sign_name="武进代办", receipt_secret="r" * 32, domestic_templates=str(path),
    )  # fmt: skip


def test_the_codes_of_approved_templates_are_read_from_a_file(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "templates.json"
    path.write_text(json.dumps({"pickup/zh": "SMS_123456789"}))
    account = notice_settings(domestic(settings, path)).domestic["domestic"]
    assert account.templates == {"pickup/zh": "SMS_123456789"}


def test_mainland_numbers_stay_with_the_domestic_gateway_when_there_is_twilio_too(
    settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "templates.json"
    path.write_text("{}")
    twilio = {"twilio_account_sid": "AC1", "twilio_auth_token": "t", "twilio_from": "+15005550006"}
    chosen = notice_settings(replace(domestic(settings, path), **twilio))
    assert chosen.mainland == (GatewayShare("domestic"),)
    assert chosen.foreign == (GatewayShare("twilio"),)


def test_an_operator_shares_the_traffic_between_two_gateways(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "templates.json"
    path.write_text("{}")
    twilio = {"twilio_account_sid": "AC1", "twilio_auth_token": "t", "twilio_from": "+15005550006"}
    both = replace(domestic(settings, path), gateways=(("domestic", 90), ("twilio", 10)), **twilio)
    assert notice_settings(both).mainland == (GatewayShare("domestic", 90), GatewayShare("twilio", 10))
    assert notice_settings(both).foreign == (GatewayShare("twilio"),)


def test_where_nobody_is_named_only_the_domestic_account_sends(
    settings: Settings,
) -> None:
    assert notice_settings(replace(settings, gateways=())).mainland == (GatewayShare("console"),)
    twilio = {"twilio_account_sid": "AC1", "twilio_auth_token": "t", "twilio_from": "+15005550006"}
    assert notice_settings(replace(settings, gateways=(), **twilio)).mainland == (GatewayShare("console"),)
    with pytest.raises(BadSetting, match=r"through domestic.*DOMESTIC_KEY_SECRET, DOMESTIC_SIGN_NAME"):
        replace(settings, gateways=(), domestic_key_id="id")


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("Twilio", (("twilio", 100),)),
        ("domestic:90, twilio:10", (("domestic", 90), ("twilio", 10))),
        ("pigeon", None),
        ("domestic,domestic", None),
        ("domestic:0", None),
        ("domestic:ninety", None),
        ("domestic,", None),
        ("console,twilio", None),
    ],
)
def test_who_sends_is_read_or_refused(said: str, heard: tuple[tuple[str, int], ...] | None) -> None:
    everything = {
        "DATABASE_URL": "postgresql:///daiban", "BROKER_URL": "redis://127.0.0.1", "GATEWAY": said,
        "TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "t", "TWILIO_FROM": "+15005550006",
        "DOMESTIC_KEY_ID": "id", "DOMESTIC_KEY_SECRET": "secret", "DOMESTIC_SIGN_NAME": "武进代办",
        "RECEIPT_SECRET": "r" * 32, "SECRET_KEY": "s" * 40,
    }  # fmt: skip
    if heard is None:
        with pytest.raises(BadSetting, match="GATEWAY must"):
            Settings.from_environment(everything)
    else:
        assert Settings.from_environment(everything).gateways == heard


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("{", "must name a JSON file of template codes"),
        ('["SMS_1"]', "must name a JSON file like"),
        ('{"pickup/zh": 5}', "must name a JSON file like"),
        ('{"pick_up/zh": "SMS_1"}', "names 'pick_up/zh', which is no text"),
        ('{"pickup/zh": "1234"}', "begins with SMS_"),
    ],
)
def test_a_wrong_file_of_codes_is_one_line_at_the_start(
    settings: Settings, tmp_path: Path, content: str, fault: str
) -> None:
    path = tmp_path / "templates.json"
    path.write_text(content)
    with pytest.raises(BadSetting, match=fault):
        notice_settings(domestic(settings, path))


def test_the_page_of_texts_shows_each_code_and_what_is_not_registered(
    app: Flask, sign_in_as: Callable[..., FlaskClient]
) -> None:
    operator = sign_in_as(Role.OPERATOR)
    assert "国内模板" not in operator.get("/team/texts").text
    account = DomesticAccount("id", "secret", templates={"pickup/zh": "SMS_123456789"})
    app.extensions["daiban.notices"] = replace(NoticeSettings(), domestic={"domestic": account})
    page = operator.get("/team/texts").text
    assert "SMS_123456789" in page
    assert "未登记" in page
    registered = operator.get("/team/texts/pickup/zh").text
    assert "编号 SMS_123456789" in registered
    assert "${window}" in registered
    assert "键为 closed/zh" in operator.get("/team/texts/closed/zh").text
