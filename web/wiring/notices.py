"""Notices' wiring: which gateways the settings name, and what every process needs before a message goes out."""

import json
from pathlib import Path

from celery import Celery
from flask import Flask

from notifications import task_publisher, tasks, text_catalogue
from notifications.settings import DomesticAccount, GatewayShare, NoticeSettings, TwilioAccount
from web.wiring.settings import BadSetting, Settings


def notice_settings(settings: Settings) -> NoticeSettings:
    """The rules of this installation: mainland numbers as GATEWAY says, foreign ones by Twilio when it is set."""
    twilio: dict[str, TwilioAccount] = {}
    domestic: dict[str, DomesticAccount] = {}
    if settings.twilio_account_sid:
        twilio["twilio"] = TwilioAccount(
            sid=settings.twilio_account_sid,
            token=settings.twilio_auth_token,
            sender=settings.twilio_from,
            messaging_service=settings.twilio_messaging_service,
            base_url=settings.twilio_base_url,
        )
    if settings.domestic_key_id:
        domestic["domestic"] = DomesticAccount(
            key_id=settings.domestic_key_id,
            key_secret=settings.domestic_key_secret,
            sign_name=settings.domestic_sign_name,
            templates=_templates(settings.domestic_templates),
            **({"endpoint": settings.domestic_url} if settings.domestic_url else {}),
        )
    mainland = tuple(GatewayShare(gateway, share) for gateway, share in settings.gateways)
    return NoticeSettings(
        signature=settings.signature,
        public_url=settings.public_url,
        receipt_secret=settings.receipt_secret,
        mainland=mainland,
        foreign=(GatewayShare("twilio"),) if twilio and settings.sends else mainland,
        twilio=twilio,
        domestic=domestic,
        broker_url=settings.broker_url,
        **settings.notice_changes,
    )


def _templates(path: str) -> dict[str, str]:
    if not path:
        return {}
    try:
        found = json.loads(Path(path).read_text())
    except (OSError, ValueError) as error:
        raise BadSetting(f"DOMESTIC_TEMPLATES must name a JSON file of template codes: {error}") from None
    if not isinstance(found, dict) or not all(isinstance(code, str) for code in found.values()):
        raise BadSetting('DOMESTIC_TEMPLATES must name a JSON file like {"pickup/zh": "SMS_123456789"}')
    known = {f"{name}/{locale}" for name in text_catalogue.catalogue().texts for locale in text_catalogue.LOCALES}
    for name, code in found.items():
        if name not in known:
            raise BadSetting(f"DOMESTIC_TEMPLATES names {name!r}, which is no text: the page of texts lists them")
        if not code.startswith("SMS_"):
            raise BadSetting(f"DOMESTIC_TEMPLATES gives {name!r} the code {code!r}: an approved one begins with SMS_")
    return found


def install(app: Flask, celery: Celery, settings: Settings) -> None:
    """Say from which database and by which gateways messages go out, and who publishes them after a commit."""
    chosen = notice_settings(settings)
    app.extensions["daiban.notices"] = chosen
    tasks.configure(chosen, app.extensions["daiban.sessions"])
    task_publisher.use(tasks.publish)
    celery.conf.task_routes = {**(celery.conf.task_routes or {}), **tasks.ROUTES}
