"""Gateway: hands over one SMS or raises one of three errors, and can be asked what it accepted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class OutgoingSms:
    """One SMS, ready to go. ``repr`` shows no person."""

    message_id: int
    reference: str
    to: str = field(repr=False)
    body: str = field(repr=False)
    text: str
    locale: str
    values: Mapping[str, str] = field(repr=False)
    started_at: datetime
    valid_s: int | None = None


@dataclass(frozen=True, slots=True)
class ProviderRecord:
    """One SMS that the provider's own list shows. A list may lack its id, its body or our reference."""

    provider_id: str | None
    body: str | None = field(repr=False)
    reference: str | None
    at: datetime | None
    status: str
    error_code: str | None = None


class SmsRefused(Exception):
    """The provider will not send this one: ``code`` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(f"refused with {code}")
        self.code = code


class NotProcessed(Exception):
    """The provider certainly did not take it: it may be sent later. ``trouble``: the gateway itself is at fault."""

    def __init__(self, code: str, *, trouble: bool = True) -> None:
        super().__init__(f"not processed: {code}")
        self.code, self.trouble = code, trouble


class Unclear(Exception):
    """The provider may have taken it: look it up before anything is sent again."""

    def __init__(self, code: str) -> None:
        super().__init__(f"unclear: {code}")
        self.code = code


class Gateway(Protocol):
    """One way to send: Twilio, a domestic provider, the console."""

    name: str

    def send(self, sms: OutgoingSms) -> str | None:
        """Hand over one SMS and return the provider's id. Raises SmsRefused, NotProcessed or Unclear."""

    def find(self, sms: OutgoingSms) -> list[ProviderRecord]:
        """What the provider's list shows for this number since the attempt began. Raises Unclear."""
