"""Alibaba Cloud SMS (阿里云短信): signed requests, approved templates, look-up by our own reference."""

import hashlib
import hmac
import json
import logging
import secrets
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import NewConnectionError

from db import SHANGHAI
from notifications.crash_points import reached
from notifications.gateways.gateway import NotProcessed, OutgoingSms, ProviderRecord, SmsRefused, Unclear
from notifications.settings import DomesticAccount
from notifications.verdicts import Verdict, verdict

VERSION = "2017-05-25"
STATUS = {"1": "sent", "2": "undelivered", "3": "delivered"}
PAGE = 50


def signed_headers(
    account: DomesticAccount, action: str, query: dict[str, str], *, version: str, at: datetime, nonce: str
) -> dict[str, str]:
    """The headers of a POST without a body, signed with ACS3-HMAC-SHA256."""
    nothing = hashlib.sha256(b"").hexdigest()
    headers = {
        "host": urlsplit(account.endpoint).netloc,
        "x-acs-action": action,
        "x-acs-content-sha256": nothing,
        "x-acs-date": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": nonce,
        "x-acs-version": version,
    }
    names = ";".join(sorted(headers))
    canonical = "\n".join(
        (
            "POST",
            "/",
            "&".join(f"{_quoted(k)}={_quoted(v)}" for k, v in sorted(query.items())),
            "".join(f"{k}:{v}\n" for k, v in sorted(headers.items())),
            names,
            nothing,
        )
    )
    to_sign = "ACS3-HMAC-SHA256\n" + hashlib.sha256(canonical.encode()).hexdigest()
    signature = hmac.new(account.key_secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    headers["Authorization"] = (
        f"ACS3-HMAC-SHA256 Credential={account.key_id},SignedHeaders={names},Signature={signature}"
    )
    return headers


def _quoted(value: str) -> str:
    return quote(value, safe="-_.~")


class Domestic:
    """Messages through one Alibaba Cloud account, by template code and variables; the words are registered there."""

    def __init__(self, name: str, account: DomesticAccount, *, timeout_s: float) -> None:
        self.name, self._account, self._timeout_s = name, account, timeout_s
        logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)
        self._session = requests.Session()
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=0, pool_maxsize=64))

    def send(self, sms: OutgoingSms) -> str:
        template = self._account.templates.get(f"{sms.text}/{sms.locale}")
        if template is None:
            raise SmsRefused("isv.SMS_TEMPLATE_ILLEGAL")
        answer = self._ask(
            "SendSms",
            {
                "PhoneNumbers": sms.to.removeprefix("+86"),
                "SignName": self._account.sign_name,
                "TemplateCode": template,
                "TemplateParam": json.dumps(dict(sms.values), ensure_ascii=False),
                "OutId": sms.reference,
            },
        )
        reached("send.answered")
        code = str(answer.get("Code"))
        if code == "OK" and answer.get("BizId"):
            return str(answer["BizId"])
        raise _error_of(code)

    def find(self, sms: OutgoingSms) -> list[ProviderRecord]:
        found: list[ProviderRecord] = []
        # an SMS started just before midnight may be listed under either day
        days = {sms.started_at.astimezone(SHANGHAI).date(), datetime.now(SHANGHAI).date()}
        for day in sorted(days):
            page = 1
            while True:
                answer = self._ask(
                    "QuerySendDetails",
                    {
                        "PhoneNumber": sms.to.removeprefix("+86"),
                        "SendDate": day.strftime("%Y%m%d"),
                        "PageSize": str(PAGE),
                        "CurrentPage": str(page),
                    },
                )
                if answer.get("Code") != "OK":
                    raise Unclear(str(answer.get("Code")))
                rows = (answer.get("SmsSendDetailDTOs") or {}).get("SmsSendDetailDTO") or []
                found += [_found(row) for row in rows]
                if len(rows) < PAGE:
                    break
                page += 1
        return found

    def _ask(self, action: str, query: dict[str, str]) -> dict[str, Any]:
        headers = signed_headers(
            self._account, action, query, version=VERSION, at=datetime.now(UTC), nonce=secrets.token_hex(16)
        )
        body = urlencode(query, quote_via=quote, safe="-_.~")
        try:
            response = self._session.post(
                f"{self._account.endpoint}/?{body}", headers=headers, timeout=self._timeout_s, allow_redirects=False
            )
        except requests.RequestException as error:
            reason = getattr(error.args[0], "reason", None) if error.args else None
            if isinstance(error, requests.ConnectTimeout) or isinstance(reason, NewConnectionError):
                raise NotProcessed("no connection") from None
            raise Unclear(type(error).__name__) from None
        if response.status_code == 429:
            raise NotProcessed("429")
        try:
            answer = response.json()
        except ValueError:
            raise Unclear(f"unreadable {response.status_code}") from None
        if not isinstance(answer, dict):
            raise Unclear("unreadable")
        if response.status_code >= 500 and not str(answer.get("Code", "")).startswith("Throttling"):
            raise Unclear(str(response.status_code))
        return answer


def _error_of(code: str) -> Exception:
    found = verdict(code)
    if found in (Verdict.BACK_OFF, Verdict.ACCOUNT):
        return NotProcessed(code, trouble=code != "isv.BUSINESS_LIMIT_CONTROL")
    if code.startswith("isp."):
        return Unclear(code)  # the provider's own failure: it may have taken it
    return SmsRefused(code)


def _found(row: dict[str, Any]) -> ProviderRecord:
    at = None
    if row.get("SendDate"):
        at = datetime.strptime(str(row["SendDate"]), "%Y-%m-%d %H:%M:%S").replace(tzinfo=SHANGHAI)
    status = STATUS.get(str(row.get("SendStatus")), "sent")
    code = str(row["ErrCode"]) if status == "undelivered" and row.get("ErrCode") else None
    return ProviderRecord(None, row.get("Content"), str(row.get("OutId") or "") or None, at, status, code)
