"""A link's digest, kept here as figures: whoever changes the form of a link makes every chain of today unreadable."""

import json
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256

import pytest

from dispatch.custody.anchors import anchor_digest
from dispatch.custody.handover import Handover, Holder, digest_of
from dispatch.custody.handover_list import HandoverList

AT = datetime(2026, 11, 29, 2, 30, 15, 123_456, UTC)
MICROSECONDS = 1_795_919_415_123_456


def a_link(**changes) -> Handover:
    facts = {
        "seq": 2, "scan_id": "s2", "action": "handover", "from_holder": Holder.COURIER, "from_ref": "courier:1",
        "to_holder": Holder.CENTRE, "to_ref": "centre:3", "at": AT, "device_at": None, "by": "account:9",
        "proofs": ["aa"], "previous": b"\x01\x02",
    } | changes  # fmt: skip
    return Handover(**facts)


def test_a_digest_is_taken_over_the_link_in_the_form_that_the_record_promises() -> None:
    line = (
        '{"action":"handover","at":1795919415123456,"by":"account:9","device_at":null,"from":["courier","courier:1"],'
        '"previous":"0102","proofs":["aa"],"scan_id":"s2","seq":2,"to":["centre","centre:3"],'
        '"waybill":"EA123456785CN"}'
    )
    assert digest_of("EA123456785CN", a_link()) == sha256(line.encode()).digest()
    assert timedelta(microseconds=MICROSECONDS) == AT - datetime(1970, 1, 1, tzinfo=UTC)


def test_the_phones_moment_counts_to_the_microsecond_and_in_any_zone() -> None:
    here, there = a_link(device_at=AT), a_link(device_at=AT.astimezone(timezone(timedelta(hours=8))))
    assert digest_of("1", here) == digest_of("1", there) != digest_of("1", a_link())
    for apart in (timedelta(microseconds=1), timedelta(seconds=1), timedelta(days=1)):
        assert digest_of("1", a_link(device_at=AT + apart)) != digest_of("1", here)
        assert digest_of("1", a_link(at=AT + apart)) != digest_of("1", a_link())


@pytest.mark.parametrize(
    "change",
    [
        {"seq": 3}, {"scan_id": "s3"}, {"action": "undo"}, {"from_holder": Holder.TRUNK}, {"from_ref": "courier:2"},
        {"to_holder": Holder.TRUNK}, {"to_ref": "centre:4"}, {"by": "account:8"}, {"proofs": []},
        {"previous": b"\x01\x03"},
    ],
)  # fmt: skip
def test_everything_that_a_link_says_is_in_its_digest(change: dict[str, object]) -> None:
    assert digest_of("1", a_link(**change)) != digest_of("1", a_link()) != digest_of("2", a_link())


def test_an_anchor_is_taken_over_its_day_its_heads_and_the_anchor_before() -> None:
    heads = {"EA2": [1, "aa"], "EA1": [2, "bb"]}
    line = json.dumps(["2026-11-29", {"EA1": [2, "bb"], "EA2": [1, "aa"]}, "ff"], separators=(",", ":"))
    assert anchor_digest(AT.date(), heads, b"\xff") == sha256(line.encode()).digest()


@pytest.mark.parametrize("centre_at", [None, AT])
@pytest.mark.parametrize("courier_at", [None, AT])
def test_a_list_is_signed_when_both_have_signed(centre_at: datetime | None, courier_at: datetime | None) -> None:
    signed = HandoverList(centre_signed_at=centre_at, courier_signed_at=courier_at)
    assert signed.is_signed is (centre_at is not None and courier_at is not None)


def test_a_letter_beyond_ascii_is_written_as_its_number() -> None:
    line = (
        '{"action":"handover","at":1795919415123456,"by":"account:9","device_at":null,"from":["courier","courier:1"],'
        '"previous":"0102","proofs":["aa"],"scan_id":"\\u626b1","seq":2,"to":["centre","centre:3"],"waybill":"1"}'
    )
    assert digest_of("1", a_link(scan_id="扫1")) == sha256(line.encode()).digest()
