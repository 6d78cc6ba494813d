"""What an operator may set about notices, checked once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta


@dataclass(frozen=True, slots=True)
class GatewayShare:
    """A gateway by name and its share of the traffic when all is well."""

    gateway: str
    weight: int = 100


@dataclass(frozen=True, slots=True)
class TwilioAccount:
    """How to reach one Twilio account; ``base_url`` is for a server that speaks its HTTP."""

    sid: str
    token: str = field(repr=False)
    sender: str = ""
    messaging_service: str = ""
    base_url: str = ""


@dataclass(frozen=True, slots=True)
class DomesticAccount:
    """How to reach Alibaba Cloud SMS (阿里云短信); ``templates`` maps "text/locale" to an approved template code."""

    key_id: str
    key_secret: str = field(repr=False)
    sign_name: str = ""
    templates: Mapping[str, str] = field(default_factory=dict)
    endpoint: str = "https://dysmsapi.aliyuncs.com"


@dataclass(frozen=True, slots=True)
class NoticeSettings:
    """Defaults are what mainland China allows; times are seconds unless they say otherwise."""

    signature: str = "武进代办"
    signature_en: str = "Daiban"
    hotline: str = "12345"
    public_url: str = ""
    """Where a provider's receipts reach us, as the provider sees it: scheme, host and path before /hooks."""
    receipt_secret: str = field(default="", repr=False)
    """Part of the path of receipts that their provider does not sign."""

    mainland: tuple[GatewayShare, ...] = (GatewayShare("console"),)
    foreign: tuple[GatewayShare, ...] = (GatewayShare("console"),)
    twilio: Mapping[str, TwilioAccount] = field(default_factory=dict)
    domestic: Mapping[str, DomesticAccount] = field(default_factory=dict)
    rates: Mapping[str, float] = field(default_factory=dict)
    """Messages a second a gateway takes; without an entry 100."""
    broker_url: str = ""
    workers: int = 4
    """How many processes share a rate when the broker cannot count for them."""

    lease_s: float = 60
    timeout_s: float = 20
    lag_s: float = 120
    """How long the provider's own list may be behind what it accepted."""
    unknown_after_s: float = 3600
    publish_again_s: float = 60
    """A row whose task was published and that is still due gets another task after this long."""
    receipt_within: timedelta = timedelta(hours=72)

    quiet_from: time = time(21)
    quiet_to: time = time(8)
    identical_a_day: int = 2
    different_a_day: int = 4
    kept_for_urgent: int = 1
    """Of the different texts a day, those that progress may not use up."""
    codes_have_own_allowance: bool | None = None
    """Whether the provider counts one-time codes apart, so that they neither use nor meet the number's budget.

    None: yes, unless the number's messages may go through Twilio, which reviews the account at the fifth text.
    """
    day: timedelta = timedelta(hours=24, minutes=5)

    fen_a_segment: Mapping[str, int] = field(default_factory=lambda: {"console": 0, "domestic": 5, "twilio": 40})
    keep_values_days: int = 90
    errors_in_a_minute: int = 50
    slow_call_ms: int = 5000
    slow_share: float = 0.3
    silent_after_s: float = 120
    """A due row older than this means that nobody is sending."""

    def codes_apart(self, routes: tuple[GatewayShare, ...]) -> bool:
        """Whether codes that may take these ``routes`` stand outside the number's budget."""
        if self.codes_have_own_allowance is not None:
            return self.codes_have_own_allowance
        return not any(route.gateway in self.twilio for route in routes)

    def __post_init__(self) -> None:
        if self.timeout_s >= self.lease_s / 2:
            raise ValueError(f"a call of {self.timeout_s} s needs a lease of more than {2 * self.timeout_s} s")
        if not self.signature or not self.signature_en:
            raise ValueError("a message without a signature is refused by every mainland carrier")
        if not 0 <= self.kept_for_urgent < self.different_a_day:
            raise ValueError("progress needs at least one text a day")
        known = {"console", *self.twilio, *self.domestic}
        for route in (*self.mainland, *self.foreign):
            if route.gateway not in known:
                raise ValueError(f"no account is set for gateway {route.gateway}")
