"""Twilio: its own client, with a time-out, no retries, no request logs, and its errors as those of gateway.py."""

import logging
from collections.abc import Mapping
from datetime import UTC, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client
from urllib3.exceptions import NewConnectionError

from notifications.crash_points import reached
from notifications.gateways.gateway import NotProcessed, OutgoingSms, ProviderRecord, SmsRefused, Unclear
from notifications.settings import TwilioAccount
from notifications.verdicts import Verdict, verdict

_silent = logging.getLogger("notifications.twilio.silent")
_silent.disabled = True  # the client logs request bodies, and those are people

SKEW = timedelta(minutes=2)
"""Our clock and the provider's may differ by so much."""
MOST_FOUND = 100


class _Session(requests.Session):
    """The HTTP session of the client: it calls the account's own base URL, and reads each host's proxies once."""

    def __init__(self, base_url: str) -> None:
        super().__init__()
        self._base = urlsplit(base_url) if base_url else None
        self._known: dict[tuple[str, str], Mapping[str, Any]] = {}
        for scheme in ("https://", "http://"):
            self.mount(scheme, HTTPAdapter(max_retries=0, pool_maxsize=64))

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        if self._base:
            to, base = urlsplit(str(request.url)), self._base
            request.url = urlunsplit((base.scheme, base.netloc, base.path.rstrip("/") + to.path, to.query, to.fragment))
        return super().prepare_request(request)

    def merge_environment_settings(self, url: Any, *args: Any, **kwargs: Any) -> Any:
        to = urlsplit(str(url))
        if (to.scheme, to.netloc) not in self._known:
            self._known[to.scheme, to.netloc] = super().merge_environment_settings(url, *args, **kwargs)
        return dict(self._known[to.scheme, to.netloc])


def _client(account: TwilioAccount, timeout_s: float) -> Client:
    """Twilio's client for one account: never waits without end, never logs a request."""
    http_client = TwilioHttpClient(timeout=timeout_s, logger=_silent)
    http_client.session = _Session(account.base_url)
    return Client(account.sid, account.token, http_client=http_client)


class Twilio:
    """Messages through one Twilio account. ``callback`` is the public URL that its receipts are posted to."""

    def __init__(self, name: str, account: TwilioAccount, *, timeout_s: float, callback: str) -> None:
        self.name, self._account, self._callback = name, account, callback
        # the URL of an SMS holds a number: it must not stand in a debug log either
        logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)
        self._client = _client(account, timeout_s)

    def send(self, sms: OutgoingSms) -> str:
        more: dict[str, Any] = {}
        if self._account.messaging_service:
            more["messaging_service_sid"] = self._account.messaging_service
        else:
            more["from_"] = self._account.sender
        if self._callback:
            more["status_callback"] = f"{self._callback}?{urlencode({'g': self.name, 'm': sms.reference})}"
        if sms.valid_s is not None:
            more["validity_period"] = max(1, min(sms.valid_s, 36_000))
        try:
            made = self._client.messages.create(to=sms.to, body=sms.body, **more)
        except TwilioRestException as error:
            raise _error_of(error) from None
        except requests.RequestException as error:
            raise _error_of_connection(error) from None
        except (TwilioException, ValueError) as error:
            raise Unclear(type(error).__name__) from None  # an answer that nobody can read
        reached("send.answered")
        if not made.sid:
            raise Unclear("no sid")
        return str(made.sid)

    def find(self, sms: OutgoingSms) -> list[ProviderRecord]:
        since = sms.started_at - SKEW
        try:
            listed = self._client.messages.list(to=sms.to, date_sent_after=since, limit=MOST_FOUND)
        except (TwilioException, requests.RequestException, ValueError) as error:
            raise Unclear(type(error).__name__) from None
        found = []
        for m in listed:
            at = m.date_sent or m.date_created
            at = at.replace(tzinfo=UTC) if at and at.tzinfo is None else at
            if at is None or at >= since:
                code = str(m.error_code) if m.error_code else None
                found.append(ProviderRecord(m.sid, m.body, None, at, str(m.status), code))
        return found


def _error_of(error: TwilioRestException) -> Exception:
    """Twilio's answer. Its text is left behind: it repeats the number."""
    code = str(error.code or error.status)
    if error.status == 429 or verdict(code) is Verdict.BACK_OFF:
        return NotProcessed(code)
    if error.status >= 500:
        return Unclear(str(error.status))
    if error.status in (401, 403) or verdict(code) is Verdict.ACCOUNT:
        return NotProcessed(code)
    return SmsRefused(code)


def _error_of_connection(error: requests.RequestException) -> Exception:
    """A connection that was never made carried nothing; every other failure may have carried the SMS."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(error, requests.ConnectTimeout) or isinstance(reason, NewConnectionError):
        return NotProcessed("no connection")
    return Unclear(type(error).__name__)
