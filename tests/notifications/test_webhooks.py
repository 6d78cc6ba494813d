"""Webhooks: which addresses may be told, how it is signed, and when a line is tried again."""

import ipaddress
import json
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from notifications.webhooks import post as posting
from notifications.webhooks.delivery import AGAIN_AFTER_S, Told
from notifications.webhooks.post import ForbiddenAddress, checked_address, post
from notifications.webhooks.subscription import WebhookSubscription, is_address, new_key

OWN_MACHINE = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
Asked = tuple[dict[str, str], bytes]


@pytest.fixture
def other_side() -> Iterator[tuple[str, list[Asked], list[int]]]:
    """A program that is told: its address, what it was asked, and the answers that it will give, then 204."""
    asked: list[Asked] = []
    answers: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            asked.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(answers.pop(0) if answers else 204)
            self.send_header("location", "/elsewhere")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook", asked, answers
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://park.example/hooks?a=1", True), ("http://10.1.2.3:8080/x", True), ("https://[fd00::1]/", True),
        ("", False), ("ftp://park.example/", False), ("https:///x", False), ("https://a:b@park.example/", False),
        ("https://park.example/#x", False), ("https://park.example/ x", False), ("https://park.example\\@evil/", False),
        ("https://park.example:99999/", False), ("https://园区.example/", False), ("https://[::1", False),
        ("javascript:alert(1)", False), ("https://park.example:0/", False), ("https://a/" + "x" * 500, False),
    ],
)  # fmt: skip
def test_what_is_an_address(url: str, good: bool) -> None:
    assert is_address(url) is good


@pytest.mark.parametrize(
    ("found", "scheme", "is_told"),
    [
        ("8.8.8.8", "https", True), ("8.8.8.8", "http", False), ("127.0.0.1", "https", False),
        ("169.254.169.254", "https", False), ("10.0.0.7", "https", False), ("10.9.0.7", "http", True),
        ("::ffff:127.0.0.1", "https", False), ("::1", "https", False), ("fe80::1%eth0", "https", False),
        ("0.0.0.0", "https", False), ("224.0.0.251", "https", False), ("2001:4860:4860::8888", "https", True),
        ("::ffff:10.9.0.7", "http", True),
    ],
)  # fmt: skip
def test_which_machines_are_told(monkeypatch: pytest.MonkeyPatch, found: str, scheme: str, is_told: bool) -> None:
    """Public ones over https, an opened network also over http; whatever the name looks up to is what is called."""
    family = socket.AF_INET6 if ":" in found else socket.AF_INET
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(family, socket.SOCK_STREAM, 6, "", (found, 443))])
    opened = [ipaddress.ip_network("10.9.0.0/16")]
    if is_told:
        assert checked_address(f"{scheme}://park.example/", opened) == found
    else:
        with pytest.raises(ForbiddenAddress):
            checked_address(f"{scheme}://park.example/", opened)


def test_one_forbidden_address_among_several_forbids_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 443)) for one in ("8.8.8.8", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(ForbiddenAddress):
        checked_address("https://park.example/", ())


def test_it_is_signed_as_the_standard_says(other_side: tuple[str, list[Asked], list[int]]) -> None:
    url, asked, _ = other_side
    old, new = new_key(), new_key()
    body = json.dumps({"words": "已揽收"}, ensure_ascii=False).encode()
    told = post(url, [new, old], message_id="evt_7", at=datetime.now(UTC), body=body, open_networks=OWN_MACHINE)
    assert told == Told(204)
    headers, taken = asked[0]
    assert headers["content-type"] == "application/cloudevents+json"
    for key in (old, new):
        assert Webhook(key).verify(taken, headers) == {"words": "已揽收"}
    for spoiled in (taken.replace("已".encode(), b""), b"{}"):
        with pytest.raises(WebhookVerificationError):
            Webhook(new).verify(spoiled, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new_key()).verify(taken, headers)


def test_a_redirect_is_an_answer_and_not_a_way(other_side: tuple[str, list[Asked], list[int]]) -> None:
    url, asked, answers = other_side
    answers.append(307)
    told = post(url, [new_key()], message_id="evt_7", at=datetime.now(UTC), body=b"{}", open_networks=OWN_MACHINE)
    assert (told.status, told.is_taken, len(asked)) == (307, False, 1)


def test_who_is_not_there_or_not_allowed_is_told_nothing(
    other_side: tuple[str, list[Asked], list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, asked, _ = other_side
    closed = post(url, [new_key()], message_id="evt_7", at=datetime.now(UTC), body=b"{}")
    assert (closed.status, closed.is_absent, asked) == (403, False, [])
    monkeypatch.setattr(posting, "CONNECT_S", 0.5)
    gone = post(
        "http://127.0.0.1:1/", [new_key()], message_id="evt_7", at=datetime.now(UTC), body=b"{}",
        open_networks=OWN_MACHINE,
    )  # fmt: skip
    assert (gone.status, gone.is_absent) == (0, True)


def test_both_keys_sign_for_a_day() -> None:
    at = datetime(2026, 3, 9, 2, tzinfo=UTC)
    row = WebhookSubscription(key="new", former_key="old", key_changed_at=at)
    assert row.keys_at(at + timedelta(hours=23)) == ["new", "old"]
    assert row.keys_at(at + timedelta(hours=25)) == ["new"]


def test_it_is_tried_for_three_days() -> None:
    assert timedelta(days=3) < timedelta(seconds=sum(AGAIN_AFTER_S)) < timedelta(days=4)
