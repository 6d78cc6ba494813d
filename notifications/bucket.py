"""The token bucket: each provider's rate, counted in the broker for all workers, and carefully without it."""

import logging
import threading
import time
from collections.abc import Mapping

import redis

log = logging.getLogger(__name__)

RATE = 100.0
RETRY_S = 5.0

# One key a gateway: the moment, on the broker's clock, at which its bucket is full again. A missing key is a full
# bucket, so a broker that lost its memory lets one burst of a second through and no more.
_TAKE = """
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local each, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local full = tonumber(redis.call('GET', KEYS[1]) or now)
if full < now then full = now end
local wait = full + each - now - burst
if wait > 0 then return wait end
redis.call('SET', KEYS[1], string.format('%.0f', full + each), 'PX', math.ceil((full + each - now) / 1000) + 1000)
return 0
"""


class Bucket:
    """Takes one token at a time. Never lets more through than the rate, whether the broker answers or not."""

    def __init__(self, url: str, rates: Mapping[str, float], *, workers: int, timeout_s: float = 0.5) -> None:
        self._rates, self._workers = rates, max(1, workers)
        self._redis = (
            redis.Redis.from_url(
                url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s, health_check_interval=0
            )
            if url
            else None
        )
        self._without_until = 0.0
        self._full_at: dict[str, float] = {}
        self._lock = threading.Lock()

    def take(self, gateway: str) -> float:
        """0 when the message may go now, else the seconds to wait before asking again."""
        rate = self._rates.get(gateway, RATE)
        if self._redis is not None and time.monotonic() >= self._without_until:
            try:
                each = 1_000_000 / rate
                burst = max(1_000_000.0, each)
                waited = self._redis.eval(_TAKE, 1, f"daiban:notices:bucket:{gateway}", each, burst)
                return int(waited) / 1_000_000
            except redis.RedisError:
                self._without_until = time.monotonic() + RETRY_S
                log.warning("the broker does not count for gateway %s: this process keeps to its part", gateway)
        return self._without_broker(gateway, rate)

    def _without_broker(self, gateway: str, rate: float) -> float:
        """This process's part of the rate, with no burst to speak of: others may be alone too."""
        each = self._workers / rate
        with self._lock:
            now = time.monotonic()
            full = max(self._full_at.get(gateway, now), now)
            if (wait := full - now) > 0:
                return wait
            self._full_at[gateway] = full + each
        return 0.0
