"""The chain of custody proves itself and names its first bad link; a waybill carries its own check."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.core.errors import AlreadyHeld, DispatchError, Refused, WrongStage
from dispatch.custody.handover import Handover, Holder
from dispatch.custody.parcel import Leg, Parcel, ParcelState
from dispatch.custody.verification import first_bad_link
from dispatch.custody.waybill import check_waybill, s10_check_digit, waybill_from
from tests.dispatch.moments import TEN

HANDS = [
    (Holder.ENTERPRISE, "enterprise:1"),
    (Holder.COURIER, "courier:1"),
    (Holder.COURIER, "courier:2"),
    (Holder.CENTRE, "centre:1"),
    (Holder.CENTRE, "centre:2"),
    (Holder.AUTHORITY, "authority"),
    (Holder.TRUNK, "trunk"),
]


def an_envelope(serial: int = 1) -> Parcel:
    """A parcel that waits with its enterprise; no database is needed."""
    return Parcel(
        waybill=waybill_from(serial), leg=Leg.PICKUP, state=ParcelState.BOOKED, holder=Holder.ENTERPRISE,
        holder_ref="enterprise:1", chain_length=0, chain_head=b"", code_tries=0,
    )  # fmt: skip


def travelled(hands: list[tuple[Holder, str]]) -> Parcel:
    """An envelope that went through these hands as far as the rules let it, a minute each."""
    parcel = an_envelope()
    for n, (to, ref) in enumerate(hands):
        try:
            parcel.hand_over(to=to, ref=ref, scan_id=f"s{n}", at=TEN + timedelta(minutes=n), by="account:1")
        except DispatchError:
            continue
    return parcel


journeys = st.lists(st.sampled_from(HANDS), min_size=2, max_size=14).map(travelled)
long_journeys = journeys.filter(lambda parcel: parcel.chain_length >= 2)


# ---------------------------------------------------------------- the chain by itself


@given(journeys)
def test_whatever_hands_a_parcel_goes_through_its_chain_verifies(parcel: Parcel) -> None:
    assert first_bad_link(parcel, parcel.handovers) is None
    assert [link.seq for link in parcel.handovers] == list(range(1, parcel.chain_length + 1))
    if parcel.handovers:
        assert (parcel.holder, parcel.holder_ref) == (parcel.handovers[-1].to_holder, parcel.handovers[-1].to_ref)


@given(journeys, st.sampled_from(HANDS))
def test_a_handover_that_is_refused_changes_nothing(parcel: Parcel, hand: tuple[Holder, str]) -> None:
    before = (parcel.state, parcel.holder, parcel.holder_ref, parcel.chain_length, parcel.chain_head)
    try:
        parcel.hand_over(to=hand[0], ref=hand[1], scan_id="last", at=TEN, by="account:1")
    except (AlreadyHeld, WrongStage):
        after = (parcel.state, parcel.holder, parcel.holder_ref, parcel.chain_length, parcel.chain_head)
        assert after == before
    assert first_bad_link(parcel, parcel.handovers) is None


@given(long_journeys, st.data())
def test_the_same_scan_twice_is_one_link(parcel: Parcel, data: st.DataObject) -> None:
    link = data.draw(st.sampled_from(parcel.handovers))
    length, head = parcel.chain_length, parcel.chain_head
    again = parcel.hand_over(to=Holder.TRUNK, ref="trunk", scan_id=link.scan_id, at=TEN, by="account:9")
    assert again is link
    assert (parcel.chain_length, parcel.chain_head) == (length, head)


@given(long_journeys)
def test_undoing_appends_a_link_and_gives_the_papers_back(parcel: Parcel) -> None:
    last = parcel.handovers[-1]
    parcel.undo(last, scan_id="undo", at=TEN, by="account:1")
    assert (parcel.holder, parcel.holder_ref) == (last.from_holder, last.from_ref)
    assert first_bad_link(parcel, parcel.handovers) is None
    with pytest.raises(Refused):
        parcel.undo(last, scan_id="undo again", at=TEN, by="account:1")


TAMPERINGS: dict[str, Callable[[Handover], object]] = {
    "to_ref": lambda link: "courier:666",
    "to_holder": lambda link: Holder.TRUNK if link.to_holder is not Holder.TRUNK else Holder.CENTRE,
    "from_ref": lambda link: "centre:666",
    "at": lambda link: link.at + timedelta(microseconds=1),
    "device_at": lambda link: datetime(2026, 1, 1, tzinfo=UTC),
    "by": lambda link: "account:666",
    "scan_id": lambda link: "forged",
    "action": lambda link: "undo",
    "proofs": lambda link: ["00" * 32],
    "previous": lambda link: b"\1" * 32,
    "digest": lambda link: b"\2" * 32,
}


@given(long_journeys, st.data(), st.sampled_from(sorted(TAMPERINGS)))
def test_a_changed_link_is_the_first_bad_one(parcel: Parcel, data: st.DataObject, column: str) -> None:
    link = data.draw(st.sampled_from(parcel.handovers))
    setattr(link, column, TAMPERINGS[column](link))
    bad = first_bad_link(parcel, parcel.handovers)
    assert bad is not None
    assert (bad.waybill, bad.seq) == (parcel.waybill, link.seq)


@given(long_journeys, st.data())
def test_a_deleted_link_is_named_where_it_is_missing(parcel: Parcel, data: st.DataObject) -> None:
    gone = data.draw(st.sampled_from(parcel.handovers))
    bad = first_bad_link(parcel, [link for link in parcel.handovers if link is not gone])
    assert bad is not None
    assert bad.seq == gone.seq


@given(long_journeys, st.data())
def test_links_in_another_order_are_named_at_the_first_that_moved(parcel: Parcel, data: st.DataObject) -> None:
    one, other = sorted(
        data.draw(st.lists(st.sampled_from(parcel.handovers), min_size=2, max_size=2, unique_by=id)),
        key=lambda link: link.seq,
    )
    one.seq, other.seq = other.seq, one.seq
    bad = first_bad_link(parcel, sorted(parcel.handovers, key=lambda link: link.seq))
    assert bad is not None
    assert bad.seq == min(one.seq, other.seq)


@given(long_journeys, st.data())
def test_a_cut_tail_is_named_at_the_first_link_that_is_gone(parcel: Parcel, data: st.DataObject) -> None:
    kept = data.draw(st.integers(0, parcel.chain_length - 1))
    bad = first_bad_link(parcel, parcel.handovers[:kept])
    assert bad is not None
    assert bad.seq == kept + 1
    assert "tail" in bad.reason


def test_a_chain_of_another_parcel_does_not_fit() -> None:
    one, other = travelled(HANDS), an_envelope(2)
    other.chain_length, other.chain_head = one.chain_length, one.chain_head
    bad = first_bad_link(other, one.handovers)
    assert bad is not None
    assert bad.seq == 1


@given(st.integers(0, 99_999_999), st.integers(2, 10), st.integers(1, 9))
def test_a_mistyped_digit_of_a_waybill_is_refused(serial: int, place: int, add: int) -> None:
    waybill = waybill_from(serial)
    assert check_waybill(f" {waybill.lower()} ") == waybill
    wrong = waybill[:place] + str((int(waybill[place]) + add) % 10) + waybill[place + 1 :]
    collisions = {0, 5}  # two remainders share a check digit in S10, so those two may pass
    if int(waybill[10]) not in collisions:
        with pytest.raises(Refused):
            check_waybill(wrong)


@pytest.mark.parametrize(
    "written", ["", "EA1", "EA²²²²²²²²²CN", "EA12345678٣CN", "１２３４５６７８９０１２３", "x" * 13]
)
def test_what_is_no_waybill_is_refused_in_words(written: str) -> None:
    with pytest.raises(Refused):
        check_waybill(written)


@pytest.mark.parametrize(
    ("serial", "digit"), [("47312482", 9), ("12345678", 5), ("00000000", 5), ("00000008", 0), ("99999999", 5)]
)
def test_the_check_digit_is_that_of_the_postal_union(serial: str, digit: int) -> None:
    """RR473124829GB is the example that the standard itself prints."""
    assert s10_check_digit(serial) == digit
    assert check_waybill(waybill_from(int(serial))) == f"EA{serial}{digit}CN"


def test_numbers_of_thirteen_digits_and_of_any_country_are_waybills() -> None:
    assert check_waybill(" 1234567890123 ") == "1234567890123"
    assert check_waybill("rr 473 124 829 gb") == "RR473124829GB"
    assert waybill_from(100_000_008) == "EA000000080CN"


@pytest.mark.parametrize(
    "written", ["123456789012", "12345678901234", "1A473124829GB", "RR4731248Z9GB", "RR473124829G1", "RR473124829GBX"]
)
def test_a_waybill_has_its_letters_and_digits_where_the_standard_puts_them(written: str) -> None:
    with pytest.raises(Refused, match="is not a waybill"):
        check_waybill(written)


def test_a_wrong_check_digit_is_told_apart_from_a_wrong_form() -> None:
    with pytest.raises(Refused, match="the check digit is wrong"):
        check_waybill("RR473124828GB")
