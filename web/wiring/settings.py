"""Settings: what the environment says, read once, checked with one clear line each, and frozen."""

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import db
from dispatch.core.actor import Role
from notifications.webhooks.post import Network


class BadSetting(ValueError):
    """One setting is missing or cannot be what it says; the message names it and what would be right."""


def _long(value: str) -> str:
    if len(value.strip()) < 32:
        raise ValueError("must have at least 32 characters")
    return value.strip()


def _url(*schemes: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        parts = urlsplit(value.strip())
        if parts.scheme not in schemes or not (parts.netloc or parts.query or parts.path.strip("/")):
            raise ValueError(f"must be a URL that begins with {' or '.join(s + '://' for s in schemes)}")
        return value.strip()

    return check


def _web_url(value: str) -> str:
    checked = _url("http", "https")(value).rstrip("/")
    if not urlsplit(checked).hostname:
        raise ValueError("must name a host, for example https://daiban.example.gov.cn")
    return checked


def _whole(least: int, most: int) -> Callable[[str], int]:
    def check(value: str) -> int:
        if not value.strip().isascii() or not value.strip().isdigit() or not least <= int(value) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(value)

    return check


def _yes(value: str) -> bool:
    if value.strip().lower() not in {"0", "1", "no", "yes", "false", "true"}:
        raise ValueError("must be yes or no")
    return value.strip().lower() in {"1", "yes", "true"}


Shares = tuple[tuple[str, int], ...]

NEEDED: dict[str, tuple[str, ...]] = {
    "console": (),
    "twilio": ("twilio_account_sid", "twilio_auth_token", "twilio_from"),
    "domestic": ("domestic_key_id", "domestic_key_secret", "domestic_sign_name", "receipt_secret"),
}


def _gateways(value: str) -> Shares:
    found: dict[str, int] = {}
    for part in value.lower().split(","):
        name, _, share = (word.strip() for word in part.partition(":"))
        if name not in NEEDED or name in found:
            raise ValueError(f"must be one of {', '.join(NEEDED)}, or two with shares like domestic:90,twilio:10")
        found[name] = _whole(1, 100)(share or "100")
    if len(found) > 1 and "console" in found:
        raise ValueError("must not share the traffic with console, which sends nothing")
    return tuple(found.items())


FACTOR_ROLES: Mapping[str, frozenset[Role]] = {
    "no": frozenset(),
    "operators": frozenset({Role.OPERATOR}),
    "staff": frozenset({Role.AGENT, Role.LEAD, Role.SUPERVISOR, Role.OPERATOR}),
}


def _factor(value: str) -> frozenset[Role]:
    if (roles := FACTOR_ROLES.get(value.strip().lower())) is None:
        raise ValueError(f"must be one of {', '.join(FACTOR_ROLES)}")
    return roles


def _tiles(value: str) -> str:
    checked = _url("http", "https")(value)
    if not all(part in checked for part in ("{x}", "{y}", "{z}")):
        raise ValueError("must contain {x}, {y} and {z}")
    return checked


def _roads(value: str) -> str:
    path = Path(value.strip()).absolute()
    if not path.name.endswith((".npz", ".osm", ".osm.pbf", ".pbf")):
        raise ValueError("must be a file that ends in .npz, .osm or .osm.pbf")
    if not path.is_file():
        raise ValueError("must name a file that is there")
    return str(path)


def _networks(value: str) -> tuple[Network, ...]:
    try:
        return tuple(ip_network(part.strip()) for part in value.split(",") if part.strip())
    except ValueError as error:
        raise ValueError(f"must be networks like 10.0.0.0/8,fd00::/8: {error}") from None


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that differs between a laptop, a test and a province's machines."""

    database_url: str = field(repr=False)
    broker_url: str = field(repr=False)
    home: Path
    secret_key: str = field(repr=False)
    port: int = 8000
    public_url: str = "http://127.0.0.1:8000"
    gateways: Shares = ()
    """Who sends to mainland numbers, and shares. Nobody named: domestic where its account is set, else console."""
    twilio_account_sid: str = ""
    twilio_auth_token: str = field(default="", repr=False)
    twilio_from: str = ""
    twilio_messaging_service: str = ""
    twilio_base_url: str = ""
    domestic_key_id: str = ""
    domestic_key_secret: str = field(default="", repr=False)
    domestic_sign_name: str = ""
    domestic_templates: str = ""
    domestic_url: str = ""
    receipt_secret: str = field(default="", repr=False)
    metrics_token: str = field(default="", repr=False)
    signature: str = "武进代办"
    notice_changes: Mapping[str, Any] = field(default_factory=dict)
    """Rules of notices that differ from what the mainland allows; only tests set them."""
    osrm_url: str = ""
    road_graph: str = ""
    amap_key: str = field(default="", repr=False)
    amap_url: str = "https://restapi.amap.com"
    nominatim_url: str = ""
    tile_url: str = ""
    trusted_proxies: int = 0
    pool_size: int = 10
    limit_requests: bool = True
    second_factor: frozenset[Role] = frozenset()
    """Who may not work without a second factor."""
    webhook_networks: tuple[Network, ...] = ()
    """Networks inside which webhooks may be told, also over http; a public address is told over https alone."""

    def __post_init__(self) -> None:
        if not self.gateways:
            object.__setattr__(self, "gateways", (("domestic" if self.domestic_key_id else "console", 100),))
        for gateway, _ in self.gateways:
            missing = [name.upper() for name in NEEDED[gateway] if not getattr(self, name)]
            if missing:
                raise BadSetting(f"messages go through {gateway} (GATEWAY), so {', '.join(missing)} must be set")

    @property
    def sends(self) -> bool:
        """Whether messages leave this machine."""
        return any(gateway != "console" for gateway, _ in self.gateways)

    @property
    def over_tls(self) -> bool:
        """Whether people reach the pages over HTTPS: cookies are then sent over nothing else."""
        return self.public_url.startswith("https://")

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Read and check every setting. Raises BadSetting with the first that is wrong."""
        found = {**running_servers(db.home()), **{name: value for name, value in environ.items() if value.strip()}}
        values: dict[str, Any] = {}
        for name, where, check in CHECKS:
            if name in found:
                try:
                    values[where] = check(found[name])
                except ValueError as error:
                    raise BadSetting(f"{name} {error}, not {_shown(name, found[name])}") from None
        for name in ("DATABASE_URL", "BROKER_URL"):
            if name.lower() not in values:
                raise BadSetting(f"{name} is not set: start `make run` first, or name a server in the environment")
        values.setdefault("public_url", f"http://127.0.0.1:{values.get('port', 8000)}")
        try:
            db.keyring()
            secret = values.get("secret_key") or secret_from_keys()
        except db.BadKeys as error:
            raise BadSetting(f"{keys_from(environ)}: {error}") from None
        values["secret_key"] = secret
        return cls(home=db.home(), **values)


def _shown(name: str, value: str) -> str:
    return "the value given" if any(word in name for word in ("TOKEN", "SECRET", "DATABASE", "BROKER")) else repr(value)


def running_servers(home: Path) -> dict[str, str]:
    """What a running `make run` wrote down about its embedded servers: NAME=value lines, empty when there is none."""
    path = home / "run.env"
    if not path.is_file():
        return {}
    pairs = (line.split("=", 1) for line in path.read_text().splitlines() if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, value in pairs}


def keys_from(environ: Mapping[str, str]) -> str:
    """Where the keyring comes from, for who has to mend it."""
    return "DAIBAN_KEYS" if environ.get("DAIBAN_KEYS") else str(db.home() / "keys")


def secret_from_keys() -> str:
    """The key of session cookies when none is set: the same on every machine that shares the keyring."""
    session = db.keyring().session
    if not session:
        raise BadSetting("SECRET_KEY is not set, and DAIBAN_KEYS has no session=base64 key of 32 bytes")
    return hashlib.sha256(b"session cookies:" + session).hexdigest()


CHECKS: tuple[tuple[str, str, Callable[[str], Any]], ...] = (
    ("DATABASE_URL", "database_url", _url("postgresql", "postgres", "postgresql+psycopg")),
    ("BROKER_URL", "broker_url", _url("redis", "rediss", "unix", "redis+socket")),
    ("SECRET_KEY", "secret_key", _long),
    ("PORT", "port", _whole(1, 65535)),
    ("PUBLIC_URL", "public_url", _web_url),
    ("GATEWAY", "gateways", _gateways),
    ("TWILIO_ACCOUNT_SID", "twilio_account_sid", str.strip),
    ("TWILIO_AUTH_TOKEN", "twilio_auth_token", str.strip),
    ("TWILIO_FROM", "twilio_from", str.strip),
    ("TWILIO_MESSAGING_SERVICE", "twilio_messaging_service", str.strip),
    ("DOMESTIC_KEY_ID", "domestic_key_id", str.strip),
    ("DOMESTIC_KEY_SECRET", "domestic_key_secret", str.strip),
    ("DOMESTIC_SIGN_NAME", "domestic_sign_name", str.strip),
    ("DOMESTIC_TEMPLATES", "domestic_templates", str.strip),
    ("DOMESTIC_URL", "domestic_url", _web_url),
    ("RECEIPT_SECRET", "receipt_secret", _long),
    ("METRICS_TOKEN", "metrics_token", _long),
    ("SIGNATURE", "signature", str.strip),
    ("TWILIO_BASE_URL", "twilio_base_url", _web_url),
    ("OSRM_URL", "osrm_url", _web_url),
    ("ROAD_GRAPH", "road_graph", _roads),
    ("AMAP_KEY", "amap_key", str.strip),
    ("AMAP_URL", "amap_url", _web_url),
    ("NOMINATIM_URL", "nominatim_url", _web_url),
    ("TILE_URL", "tile_url", _tiles),
    ("TRUSTED_PROXIES", "trusted_proxies", _whole(0, 10)),
    ("POOL_SIZE", "pool_size", _whole(1, 200)),
    ("LIMIT_REQUESTS", "limit_requests", _yes),
    ("SECOND_FACTOR", "second_factor", _factor),
    ("WEBHOOK_NETWORKS", "webhook_networks", _networks),
)
