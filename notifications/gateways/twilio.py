"""Twilio: its own client, with a time-out, no retries, no request logs, and three words for what went wrong."""

import logging
from collections.abc import Mapping
from datetime import UTC, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
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


class _Http(requests.Session):
    """A session that reads the proxies of its environment once for each host, and not before every letter."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[tuple[str, str], Mapping[str, Any]] = {}

    def merge_environment_settings(self, url: Any, *args: Any, **kwargs: Any) -> Any:
        to = urlsplit(str(url))
        if (to.scheme, to.netloc) not in self._known:
            self._known[to.scheme, to.netloc] = super().merge_environment_settings(url, *args, **kwargs)
        return dict(self._known[to.scheme, to.netloc])


class _HttpClient(TwilioHttpClient):
    """Twilio's client, pointed where the account says and never waiting without end."""

    def __init__(self, base_url: str, timeout_s: float) -> None:
        super().__init__(timeout=timeout_s, logger=_silent)
        self.base = urlsplit(base_url) if base_url else None
        self.session = _Http()
        for scheme in ("https://", "http://"):
            self.session.mount(scheme, HTTPAdapter(max_retries=0, pool_maxsize=64))

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        if self.base:
            to = urlsplit(url)
            url = urlunsplit(
                (self.base.scheme, self.base.netloc, self.base.path.rstrip("/") + to.path, to.query, to.fragment)
            )
        return super().request(method, url, *args, **kwargs)

    def log_request(self, kwargs: dict[str, Any]) -> None:
        """Requests are people."""

    def log_response(self, status_code: int, response: Response) -> None:
        """And so are answers."""


class Twilio:
    """Messages through one Twilio account. ``callback`` is the public URL that its receipts are posted to."""

    def __init__(self, name: str, account: TwilioAccount, *, timeout_s: float, callback: str) -> None:
        self.name, self._account, self._callback = name, account, callback
        # a letter's URL holds a number: it must not stand in a debug log either
        logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)
        self._client = Client(account.sid, account.token, http_client=_HttpClient(account.base_url, timeout_s))

    def send(self, letter: OutgoingSms) -> str:
        more: dict[str, Any] = {}
        if self._account.messaging_service:
            more["messaging_service_sid"] = self._account.messaging_service
        else:
            more["from_"] = self._account.sender
        if self._callback:
            more["status_callback"] = f"{self._callback}?{urlencode({'g': self.name, 'm': letter.reference})}"
        if letter.valid_s is not None:
            more["validity_period"] = max(1, min(letter.valid_s, 36_000))
        try:
            made = self._client.messages.create(to=letter.to, body=letter.body, **more)
        except TwilioRestException as error:
            raise _in_our_words(error) from None
        except requests.RequestException as error:
            raise _network(error) from None
        except (TwilioException, ValueError) as error:
            raise Unclear(type(error).__name__) from None  # an answer that nobody can read
        reached("send.answered")
        if not made.sid:
            raise Unclear("no sid")
        return made.sid

    def find(self, letter: OutgoingSms) -> list[ProviderRecord]:
        since = letter.started_at - SKEW
        try:
            listed = self._client.messages.list(to=letter.to, date_sent_after=since, limit=MOST_FOUND)
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


def _in_our_words(error: TwilioRestException) -> Exception:
    """Twilio's answer. Its text is left behind: it repeats the number."""
    code = str(error.code or error.status)
    if error.status == 429 or verdict(code) is Verdict.BACK_OFF:
        return NotProcessed(code)
    if error.status >= 500:
        return Unclear(str(error.status))
    if error.status in (401, 403) or verdict(code) is Verdict.ACCOUNT:
        return NotProcessed(code)
    return SmsRefused(code)


def _network(error: requests.RequestException) -> Exception:
    """A connection that was never made carried nothing; every other failure may have carried the letter."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(error, requests.ConnectTimeout) or isinstance(reason, NewConnectionError):
        return NotProcessed("no connection")
    return Unclear(type(error).__name__)
