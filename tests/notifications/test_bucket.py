"""The token bucket: no more than the rate, for all workers together, whether the broker answers or not."""

import logging
import threading
import time
from types import SimpleNamespace

import pytest
import redis

from notifications import bucket as module
from notifications.bucket import RETRY_S, Bucket


def a_bucket(url, rates, *, workers=1):
    """One whose broker may take its time: a busy machine is not a dead broker."""
    return Bucket(url, rates, workers=workers, timeout_s=60)


def taken_of(bucket, tries):
    return sum(bucket.take("twilio") == 0 for _ in range(tries))


def test_a_burst_of_one_second_and_then_a_wait(broker_url):
    bucket, rate = a_bucket(broker_url, {"twilio": 50}), 50
    began = time.monotonic()
    taken = taken_of(bucket, 500)
    assert rate <= taken <= rate + rate * (time.monotonic() - began) + 1


def test_when_the_burst_is_spent_it_says_how_long_to_wait(broker_url):
    bucket = a_bucket(broker_url, {"twilio": 0.001})
    assert bucket.take("twilio") == 0
    assert 0 < bucket.take("twilio") <= 1000


def test_all_workers_share_one_bucket(broker_url):
    buckets = [a_bucket(broker_url, {"twilio": 5}, workers=4) for _ in range(4)]
    counts = []
    threads = [threading.Thread(target=lambda b=b: counts.append(taken_of(b, 5))) for b in buckets]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) <= 5 + 5 * (time.monotonic() - began) + 1


def test_each_gateway_has_its_own(broker_url):
    bucket = a_bucket(broker_url, {"twilio": 0.001, "domestic": 0.001})
    assert bucket.take("twilio") == 0
    assert bucket.take("domestic") == 0
    assert bucket.take("twilio") > 0


@pytest.mark.parametrize("url", ["", "redis://127.0.0.1:1/0"])
def test_without_a_broker_each_process_keeps_to_its_part(url):
    bucket = a_bucket(url, {"twilio": 0.004}, workers=4)
    assert bucket.take("twilio") == 0
    assert 250 < bucket.take("twilio") <= 1000


def test_a_broker_that_forgot_lets_one_burst_through_and_no_more(broker_url):
    bucket = a_bucket(broker_url, {"twilio": 3})
    began = time.monotonic()
    first = taken_of(bucket, 10)
    with redis.Redis.from_url(broker_url) as client:
        client.flushall()
    second = taken_of(bucket, 10)
    assert first + second <= 6 + 3 * (time.monotonic() - began)


# ---------------------------------------------------------------- without the broker, by a clock that the test moves


@pytest.fixture
def clock(monkeypatch):
    """The seconds that the bucket reads."""
    moment = SimpleNamespace(s=1000.0)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: moment.s))
    return moment


@pytest.mark.parametrize(("workers", "each_s"), [(0, 0.5), (1, 0.5), (4, 2.0)])
def test_one_process_sends_its_part_of_the_rate_evenly(clock, workers, each_s):
    bucket = Bucket("", {"twilio": 2}, workers=workers)
    assert bucket.take("twilio") == 0
    assert bucket.take("twilio") == pytest.approx(each_s)
    clock.s += each_s / 2
    assert bucket.take("twilio") == pytest.approx(each_s / 2)
    clock.s += each_s / 2
    assert bucket.take("twilio") == 0
    assert bucket.take("twilio") == pytest.approx(each_s)


def test_one_process_saves_no_burst_up(clock):
    bucket = Bucket("", {"twilio": 1}, workers=1)
    assert bucket.take("twilio") == 0
    clock.s += 60
    assert bucket.take("twilio") == 0
    assert bucket.take("twilio") == pytest.approx(1)


def test_a_gateway_without_a_rate_sends_a_hundred_a_second(clock):
    bucket = Bucket("", {"twilio": 1}, workers=1)
    assert bucket.take("other") == 0
    assert bucket.take("other") == pytest.approx(0.01)
    assert bucket.take("twilio") == 0


def test_a_broker_that_failed_is_asked_again_after_five_seconds_and_not_before(clock, caplog):
    caplog.set_level(logging.WARNING, logger=module.__name__)
    bucket = Bucket("redis://127.0.0.1:1/0", {"twilio": 1}, workers=1)
    asked = []
    for later in (0, 0, RETRY_S - 0.001, 0.001, 0):
        clock.s += later
        bucket.take("twilio")
        asked.append(len(caplog.records))
    assert asked == [1, 1, 1, 2, 2]
    assert RETRY_S == 5
