"""A local server that speaks Twilio's HTTP: takes messages, lists them, posts signed receipts, as badly as asked."""

import base64
import heapq
import itertools
import json
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from twilio.request_validator import RequestValidator

SID, TOKEN = "AC" + "0" * 32, "a token of tests"

_sids = itertools.count(1)  # no two providers ever give the same id
# numbers that answer with an error at once, as Twilio's own test numbers do
ERRORS = {"+8613800021211": (400, 21211), "+8613800021610": (400, 21610), "+8613800021614": (400, 21614)}


@dataclass
class Behaviour:
    """How the provider behaves. Shares are 0 to 1; each request draws."""

    delay_s: float = 0.0
    """So long after it took the message it answers."""
    never_answers: bool = False
    """Takes the message and keeps the connection open until it is stopped."""
    drop_after_accept: float = 0.0
    """Takes the message, then cuts the connection."""
    too_many: float = 0.0
    """429, nothing taken."""
    broken_before: float = 0.0
    """503, nothing taken."""
    broken_after: float = 0.0
    """503 although it was taken."""
    list_lag_s: float = 0.0
    """So long a message is missing from the list."""
    list_broken: float = 0.0
    receipts: tuple[str, ...] = ("sent", "delivered")
    receipt_delay_s: tuple[float, float] = (0.0, 0.05)
    receipts_twice: float = 0.0
    receipts_forged: float = 0.0
    receipts_lost: float = 0.0
    final_for: dict[str, tuple[str, int | None]] = field(default_factory=dict)
    """The last receipt by number: ("undelivered", 30003)."""


@dataclass(frozen=True)
class Taken:
    """One message that the provider took."""

    sid: str
    to: str
    body: str
    at: datetime
    reference: str
    callback: str


class Provider:
    """``with Provider() as provider:`` … ``provider.taken``; point a TwilioAccount's base_url at ``provider.url``.

    ``public`` is our public URL as the receipts' signatures use it, ``hook`` where its requests really go: the proxy.
    """

    def __init__(self, behaviour: Behaviour | None = None, *, public: str = "", hook: str = "", seed: int = 0) -> None:
        self.behaviour = behaviour or Behaviour()
        self.public, self.hook = public, hook
        self.taken: list[Taken] = []
        self.requests = 0
        self.answers: list[tuple[str, int]] = []
        """(kind, HTTP status) of each receipt that was posted: kind is genuine or forged."""
        self.on_taken: Callable[[Taken], None] | None = None
        self._random = random.Random(seed)
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._post: list[tuple[float, int, str, dict[str, str], bool]] = []
        self._wake = threading.Condition()
        self._stopping = False
        self.ending = threading.Event()

    # ---------------------------------------------------------------- life

    def __enter__(self) -> "Provider":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, port: int = 0) -> "Provider":
        provider = self

        class Handler(_Handler):
            owner = provider

        self._server = _Server(("127.0.0.1", port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self._posters = [threading.Thread(target=self._post_receipts, daemon=True) for _ in range(4)]
        for thread in self._posters:
            thread.start()
        return self

    def stop(self) -> None:
        self.ending.set()
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        self._server.shutdown()
        self._server.server_close()
        for thread in self._posters:
            thread.join(5)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    # ---------------------------------------------------------------- what tests ask

    def bodies(self, to: str | None = None) -> list[str]:
        return [t.body for t in list(self.taken) if to is None or t.to == to]

    def receipts_waiting(self) -> int:
        with self._wake:
            return len(self._post)

    def draw(self, share: float) -> bool:
        with self._lock:
            return share > 0 and self._random.random() < share

    # ---------------------------------------------------------------- what it does

    def take(self, form: dict[str, str]) -> Taken:
        callback = form.get("StatusCallback", "")
        reference = parse_qs(urlsplit(callback).query).get("m", [""])[0]
        with self._lock:
            one = Taken(f"SM{next(_sids):032x}", form["To"], form["Body"], datetime.now(UTC), reference, callback)
            self.taken.append(one)
        if self.on_taken:
            self.on_taken(one)
        self._plan_receipts(one)
        return one

    def _plan_receipts(self, one: Taken) -> None:
        if not one.callback:
            return
        statuses: list[tuple[str, int | None]] = [(s, None) for s in self.behaviour.receipts]
        if one.to in self.behaviour.final_for and statuses:
            statuses[-1] = self.behaviour.final_for[one.to]
        for status, code in statuses:
            if self.draw(self.behaviour.receipts_lost):
                continue
            for _ in range(2 if self.draw(self.behaviour.receipts_twice) else 1):
                self.say(one, status, code)
        if self.draw(self.behaviour.receipts_forged):
            self.say(one, "failed", 30005, forged=True)

    def say(self, one: Taken, status: str, code: int | None = None, *, forged: bool = False) -> None:
        """Post one receipt, some time soon."""
        form = {"MessageSid": one.sid, "MessageStatus": status, "To": one.to, "AccountSid": SID}
        if code is not None:
            form["ErrorCode"] = str(code)
        low, high = self.behaviour.receipt_delay_s
        with self._lock:
            due = time.monotonic() + self._random.uniform(low, high)
        with self._wake:
            heapq.heappush(self._post, (due, next(self._numbers), one.callback, form, forged))
            self._wake.notify()

    def _post_receipts(self) -> None:
        http = requests.Session()
        while True:
            with self._wake:
                while not self._stopping and (not self._post or self._post[0][0] > time.monotonic()):
                    self._wake.wait(max(0.001, self._post[0][0] - time.monotonic()) if self._post else None)
                if self._stopping:
                    http.close()
                    return
                _, number, callback, form, forged = heapq.heappop(self._post)
            token = "somebody else's" if forged else TOKEN
            signature = RequestValidator(token).compute_signature(callback, form)
            url = callback.replace(self.public, self.hook, 1) if self.hook else callback
            try:
                status = http.post(url, data=form, headers={"X-Twilio-Signature": signature}, timeout=10).status_code
            except requests.RequestException:
                status = 0
            with self._lock:
                self.answers.append(("forged" if forged else "genuine", status))
            if (status == 0 or status >= 500) and not self._stopping:  # a provider tries again later
                with self._wake:
                    heapq.heappush(self._post, (time.monotonic() + 1, number, callback, form, forged))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A worker that was killed cuts its connections; that is what this server is for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    owner: Provider

    def log_message(self, *_: object) -> None:
        """Quiet: request lines hold numbers."""

    def do_POST(self) -> None:
        form = {k: v[0] for k, v in parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()).items()}
        owner, how = self.owner, self.owner.behaviour
        with owner._lock:
            owner.requests += 1
        if self._unknown_account():
            return
        if owner.draw(how.too_many):
            self._error(429, 20429)
        elif owner.draw(how.broken_before):
            self._error(503, 20503)
        elif form["To"] in ERRORS:
            self._error(*ERRORS[form["To"]])
        else:
            one = owner.take(form)
            time.sleep(how.delay_s)
            if how.never_answers:
                owner.ending.wait()
            if owner.draw(how.drop_after_accept):
                self.close_connection = True
                self.connection.close()
            elif owner.draw(how.broken_after):
                self._error(503, 20503)
            else:
                self._answer(201, _message(one, "queued"))

    def do_GET(self) -> None:
        owner, how = self.owner, self.owner.behaviour
        if self._unknown_account():
            return
        if owner.draw(how.list_broken):
            self._error(503, 20503)
            return
        query = {k: v[0] for k, v in parse_qs(urlsplit(self.path).query).items()}
        until = datetime.now(UTC).timestamp() - how.list_lag_s
        since = datetime.fromisoformat(query["DateSent>"]) if "DateSent>" in query else None
        listed = [
            _message(t, "sent")
            for t in reversed(list(owner.taken))
            if t.to == query.get("To", t.to) and t.at.timestamp() <= until and (since is None or t.at >= since)
        ]
        self._answer(200, {"messages": listed, "page": 0, "page_size": 50, "next_page_uri": None})

    def _unknown_account(self) -> bool:
        expected = "Basic " + base64.b64encode(f"{SID}:{TOKEN}".encode()).decode()
        if self.headers.get("Authorization") == expected:
            return False
        self._error(401, 20003)
        return True

    def _error(self, status: int, code: int) -> None:
        self._answer(status, {"code": code, "message": "an error of tests", "more_info": "", "status": status})

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)


def _message(one: Taken, status: str) -> dict[str, Any]:
    at = format_datetime(one.at)
    return {
        "sid": one.sid,
        "account_sid": SID,
        "to": one.to,
        "from": "+15005550006",
        "body": one.body,
        "status": status,
        "num_segments": "1",
        "num_media": "0",
        "direction": "outbound-api",
        "date_created": at,
        "date_updated": at,
        "date_sent": at,
        "price": None,
        "price_unit": "USD",
        "error_code": None,
        "error_message": None,
        "messaging_service_sid": None,
        "api_version": "2010-04-01",
        "uri": "/x",
        "subresource_uris": {},
    }
