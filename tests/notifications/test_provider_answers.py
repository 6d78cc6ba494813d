"""What a provider answers over HTTP, and what it means: sent, refused, not taken, or nobody knows."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from notifications.gateways.domestic import PAGE, SHANGHAI, Domestic
from notifications.gateways.gateway import NotProcessed, OutgoingSms, SmsRefused, Unclear
from notifications.gateways.twilio import Twilio
from notifications.settings import DomesticAccount, TwilioAccount

NOW = datetime.now(UTC)
SMS = OutgoingSms(7, "r7", "+8613812345678", "【武进代办】已受理", "accepted", "zh", {"case_no": "1"}, NOW)


class Provider(ThreadingHTTPServer):
    """Gives the answers in their order, the last one for ever, and keeps what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.answers: list[tuple[int, bytes]] = []
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def say(self, *answers: tuple[int, object]) -> None:
        self.answers = [(code, one if isinstance(one, bytes) else json.dumps(one).encode()) for code, one in answers]


class Answering(BaseHTTPRequestHandler):
    server: Provider

    def do_GET(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.answer()

    def answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.server.asked.append(self.path + "\n" + self.rfile.read(length).decode())
        code, body = self.server.answers.pop(0) if len(self.server.answers) > 1 else self.server.answers[0]
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as server:
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def domestic(provider: Provider) -> Domestic:
    account = DomesticAccount("id", "secret", "武进代办", {"accepted/zh": "SMS_1"}, provider.url)
    return Domestic("domestic", account, timeout_s=5)


@pytest.fixture
def twilio(provider: Provider) -> Twilio:
    return Twilio("twilio", TwilioAccount("AC1", "t", sender="+1555", base_url=provider.url), timeout_s=5, callback="")


# ---------------------------------------------------------------- the domestic gateway


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        ((429, {}), NotProcessed),
        ((200, b"<html>"), Unclear),
        ((200, ["OK"]), Unclear),
        ((502, {"Code": "InternalError"}), Unclear),
        ((503, {"Code": "Throttling.User"}), NotProcessed),
        ((200, {"Code": "isp.SYSTEM_ERROR"}), Unclear),
        ((200, {"Code": "isv.MOBILE_NUMBER_ILLEGAL"}), SmsRefused),
    ],
)
def test_an_answer_of_the_domestic_gateway_is_read_for_what_it_is(
    provider: Provider, domestic: Domestic, answer: tuple[int, object], meaning: type[Exception]
) -> None:
    provider.say(answer)
    with pytest.raises(meaning):
        domestic.send(SMS)


def test_where_nobody_listens_nothing_was_sent(provider: Provider, domestic: Domestic, twilio: Twilio) -> None:
    nowhere = "http://127.0.0.1:9"
    deaf = Domestic("domestic", DomesticAccount("id", "s", "武进代办", {"accepted/zh": "SMS_1"}, nowhere), timeout_s=5)
    with pytest.raises(NotProcessed):
        deaf.send(SMS)
    silent = Twilio("twilio", TwilioAccount("AC1", "t", sender="+1555", base_url=nowhere), timeout_s=5, callback="")
    with pytest.raises(NotProcessed):
        silent.send(SMS)


def test_a_day_of_many_messages_is_looked_up_page_by_page(provider: Provider, domestic: Domestic) -> None:
    at = (NOW + timedelta(seconds=3)).astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
    other = {"OutId": "", "Content": "别的", "SendStatus": 3, "SendDate": at}
    ours = {"OutId": "r7", "Content": "已受理", "SendStatus": 2, "ErrCode": "MK:0001"}
    full = {"Code": "OK", "SmsSendDetailDTOs": {"SmsSendDetailDTO": [other] * PAGE}}
    rest = {"Code": "OK", "SmsSendDetailDTOs": {"SmsSendDetailDTO": [ours]}}
    provider.say((200, full), (200, rest), (200, {"Code": "OK"}))
    found = domestic.find(SMS)
    assert len(found) == PAGE + 1
    assert (found[0].reference, found[0].status, found[0].error_code) == (None, "delivered", None)
    assert (found[-1].reference, found[-1].at, found[-1].status) == ("r7", None, "undelivered")
    assert found[-1].error_code == "MK:0001"
    assert ["CurrentPage=1" in provider.asked[0], "CurrentPage=2" in provider.asked[1]] == [True, True]


def test_a_look_up_that_is_not_answered_is_unclear_and_never_empty(
    provider: Provider, domestic: Domestic, twilio: Twilio
) -> None:
    provider.say((200, {"Code": "isv.BUSINESS_LIMIT_CONTROL"}))
    with pytest.raises(Unclear):
        domestic.find(SMS)
    provider.say((200, b"<html>"))
    with pytest.raises(Unclear):
        twilio.find(SMS)


# ---------------------------------------------------------------- Twilio


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        ((201, b"<html>"), Unclear),
        ((201, {"body": "…"}), Unclear),
        ((429, {"code": 20429, "message": ""}), NotProcessed),
        ((500, {"code": 20500, "message": ""}), Unclear),
        ((401, {"code": 20003, "message": ""}), NotProcessed),
        ((403, {"code": 70002, "message": ""}), NotProcessed),
        ((400, {"code": 21211, "message": ""}), SmsRefused),
    ],
)
def test_an_answer_of_twilio_is_read_for_what_it_is(
    provider: Provider, twilio: Twilio, answer: tuple[int, object], meaning: type[Exception]
) -> None:
    provider.say(answer)
    with pytest.raises(meaning):
        twilio.send(SMS)


def test_a_messaging_service_sends_where_one_is_set(provider: Provider) -> None:
    account = TwilioAccount("AC1", "t", messaging_service="MG1", base_url=provider.url)
    provider.say((201, {"sid": "SM1"}))
    assert Twilio("twilio", account, timeout_s=5, callback="https://d.cn/h").send(SMS) == "SM1"
    assert "MessagingServiceSid=MG1" in provider.asked[0]
    assert "From=" not in provider.asked[0]
    assert "StatusCallback=" in provider.asked[0]


def test_a_look_up_keeps_what_has_no_date_and_leaves_out_what_is_older(provider: Provider, twilio: Twilio) -> None:
    def message(sid: str, sent: datetime | None, error: int | None = None) -> dict[str, object]:
        at = None if sent is None else sent.strftime("%a, %d %b %Y %H:%M:%S +0000")
        return {
            "sid": sid,
            "body": "已受理",
            "date_sent": at,
            "date_created": at,
            "status": "sent",
            "error_code": error,
        }

    listed = [message("SM1", NOW, 30003), message("SM2", NOW - timedelta(days=1)), message("SM3", None)]
    provider.say((200, {"messages": listed, "next_page_uri": None}))
    found = twilio.find(SMS)
    assert [(one.provider_id, one.error_code) for one in found] == [("SM1", "30003"), ("SM3", None)]
