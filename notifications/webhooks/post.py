"""Webhook post: one signed POST to an address that may be told, by the Standard Webhooks form; never a redirect."""

import ipaddress
import socket
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from standardwebhooks.webhooks import Webhook

from notifications.webhooks.delivery import Told

CONNECT_S, ANSWER_S = 5.0, 15.0
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class ForbiddenAddress(Exception):
    """The address is inside a network that the installation has not opened for webhooks."""


def post(
    url: str,
    keys: Sequence[str],
    *,
    message_id: str,
    at: datetime,
    body: bytes,
    open_networks: Collection[Network] = (),
) -> Told:
    """Tell ``body`` to ``url``; every key signs. Whatever happens comes back as Told, the answer's body is not read."""
    stamp = datetime.fromtimestamp(int(at.timestamp()), at.tzinfo)
    headers = {
        "content-type": "application/cloudevents+json",
        "user-agent": "Daiban",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(stamp.timestamp())),
        "webhook-signature": " ".join(Webhook(key).sign(message_id, stamp, body.decode()) for key in keys),
    }
    try:
        address = checked_address(url, open_networks)
        with requests.Session() as session:
            session.trust_env = False  # a proxy of the environment would look the name up again
            session.mount(f"{urlsplit(url).scheme}://", _Pinned(address))
            with session.post(
                url, data=body, headers=headers, timeout=(CONNECT_S, ANSWER_S), allow_redirects=False, stream=True
            ) as answer:
                return Told(answer.status_code, "" if answer.ok else answer.reason or "")
    except ForbiddenAddress as error:
        return Told(403, str(error))
    except (requests.RequestException, OSError, ValueError) as error:
        return Told(0, type(error).__name__)


def checked_address(url: str, open_networks: Collection[Network]) -> str:
    """The numeric address that is called, looked up once, so that it is the one that was checked.

    A public one over https; within an opened network also over http. Raises ForbiddenAddress, OSError."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    found = [str(entry[4][0]) for entry in socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)]
    for text in found:
        address = ipaddress.ip_address(text.partition("%")[0])
        inner = getattr(address, "ipv4_mapped", None) or address
        is_opened = any(inner in network for network in open_networks if network.version == inner.version)
        is_public = inner.is_global and not inner.is_multicast
        if not is_opened and not (is_public and parts.scheme == "https"):
            raise ForbiddenAddress("WEBHOOK_NETWORKS does not hold this address" if not is_public else "https only")
    return found[0]


class _Pinned(HTTPAdapter):
    """Connects to one numeric address; the name still goes into Host, SNI and the check of the certificate."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__(max_retries=0)

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        parts = urlsplit(str(request.url))
        port = parts.port or (443 if parts.scheme == "https" else 80)
        request.headers["Host"] = parts.netloc
        is_tls = parts.scheme == "https"
        named = dict.fromkeys(("server_hostname", "assert_hostname"), parts.hostname) if is_tls else {}
        return self.poolmanager.connection_from_host(self._address, port, scheme=parts.scheme, pool_kwargs=named)
