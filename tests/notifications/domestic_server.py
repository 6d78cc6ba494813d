"""A local server that speaks Alibaba Cloud SMS's HTTP: it checks signatures itself, takes, lists and reports."""

import hashlib
import hmac
import itertools
import json
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from db import SHANGHAI

KEY_ID, KEY_SECRET = "test-key-id", "test-key-secret"


class DomesticProvider:
    """``with DomesticProvider() as provider:`` … ``provider.taken``; ``answer`` is the code of every SendSms."""

    def __init__(self) -> None:
        self.taken: list[dict[str, str]] = []
        self.nonces: set[str] = set()
        self.answer: str | None = None
        self.status = 200
        self.may_answer = threading.Event()
        """While it is cleared, a message that was taken is not answered."""
        self.may_answer.set()
        self.cut = False
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def __enter__(self) -> "DomesticProvider":
        provider = self

        class Handler(_Handler):
            owner = provider

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.may_answer.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def push(self, *, success: bool = True, code: str = "DELIVERED") -> bytes:
        """The body that the provider posts for everything that it took."""
        return json.dumps(
            [
                {
                    "phone_number": t["PhoneNumbers"],
                    "send_time": "2026-11-23 10:00:00",
                    "report_time": "2026-11-23 10:00:02",
                    "success": success,
                    "err_code": code,
                    "err_msg": "",
                    "sms_size": "1",
                    "biz_id": t["BizId"],
                    "out_id": t["OutId"],
                }
                for t in self.taken
            ]
        ).encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner: DomesticProvider

    def log_message(self, *_: object) -> None:
        """Quiet: request lines hold numbers."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        owner = self.owner
        target = urlsplit(self.path)
        if not self._is_signed(target.query):
            self._say(400, {"Code": "SignatureDoesNotMatch", "Message": "", "RequestId": "r"})
            return
        query = dict(parse_qsl(target.query, keep_blank_values=True))
        if self.headers["x-acs-action"] == "SendSms":
            if owner.answer and owner.status == 200:
                self._say(200, {"Code": owner.answer, "Message": "", "RequestId": "r"})
                return
            with owner._lock:
                biz_id = f"{next(owner._numbers):018d}^0"
                now = datetime.now(UTC).astimezone(SHANGHAI)
                owner.taken.append(query | {"BizId": biz_id, "SendDate": now.strftime("%Y-%m-%d %H:%M:%S")})
            owner.may_answer.wait()
            if owner.cut:
                self.close_connection = True
                self.connection.close()
            elif owner.status != 200:
                self._say(owner.status, {"Code": owner.answer or "InternalError", "RequestId": "r"})
            else:
                self._say(200, {"Code": "OK", "Message": "OK", "BizId": biz_id, "RequestId": "r"})
        elif self.headers["x-acs-action"] == "QuerySendDetails":
            day = datetime.strptime(query["SendDate"], "%Y%m%d").replace(tzinfo=SHANGHAI).strftime("%Y-%m-%d")
            rows = [
                {
                    "PhoneNum": t["PhoneNumbers"],
                    "SendDate": t["SendDate"],
                    "SendStatus": 3,
                    "ErrCode": "DELIVERED",
                    "TemplateCode": t["TemplateCode"],
                    "OutId": t["OutId"],
                    "Content": "words that only the provider has",
                }
                for t in owner.taken
                if t["PhoneNumbers"] == query["PhoneNumber"] and t["SendDate"].startswith(day)
            ]
            first = (int(query["CurrentPage"]) - 1) * int(query["PageSize"])
            page = rows[first : first + int(query["PageSize"])]
            self._say(
                200,
                {
                    "Code": "OK",
                    "TotalCount": len(rows),
                    "SmsSendDetailDTOs": {"SmsSendDetailDTO": page},
                    "RequestId": "r",
                },
            )

    def _is_signed(self, query: str) -> bool:
        """ACS3-HMAC-SHA256, derived again from the request line and the headers as they came."""
        scheme, _, rest = self.headers.get("Authorization", "").partition(" ")
        parts = dict(p.split("=", 1) for p in rest.split(",") if "=" in p)
        names = parts.get("SignedHeaders", "").split(";")
        nonce = self.headers.get("x-acs-signature-nonce", "")
        if scheme != "ACS3-HMAC-SHA256" or parts.get("Credential") != KEY_ID or nonce in self.owner.nonces:
            return False
        self.owner.nonces.add(nonce)
        canonical = (
            f"POST\n/\n{'&'.join(sorted(query.split('&')))}\n"
            + "".join(f"{n}:{self.headers[n].strip()}\n" for n in names)
            + f"\n{';'.join(names)}\n{hashlib.sha256(b'').hexdigest()}"
        )
        to_sign = f"ACS3-HMAC-SHA256\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        expected = hmac.new(KEY_SECRET.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected, parts.get("Signature", ""))

    def _say(self, status: int, body: dict[str, Any]) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)
