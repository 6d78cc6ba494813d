"""The rules of a parcel one by one: who may hold it next, what is undone, and how often a code may be guessed."""

import hashlib
from datetime import timedelta

import pytest

from dispatch.core.errors import AlreadyHeld, Refused, WrongStage
from dispatch.custody.handover import Handover, Holder, digest_of
from dispatch.custody.parcel import NEXT_PARCEL, Leg, Parcel, ParcelState, code_digest
from dispatch.custody.verification import first_bad_link
from dispatch.custody.waybill import waybill_from
from tests.dispatch.moments import TEN

CODE, WRONG = "483920", "000000"


def an_envelope(serial: int = 1, state: ParcelState = ParcelState.BOOKED) -> Parcel:
    """A parcel of one enterprise; no database is needed."""
    return Parcel(
        waybill=waybill_from(serial), leg=Leg.PICKUP, state=state, holder=Holder.ENTERPRISE,
        holder_ref="enterprise:1", chain_length=0, chain_head=b"", code_tries=0,
    )  # fmt: skip


def handed(parcel: Parcel, to: Holder, ref: str, *, scan_id: str = "", minutes: int = 0) -> Handover:
    return parcel.hand_over(
        to=to, ref=ref, scan_id=scan_id or f"{to}-{ref}-{minutes}", at=TEN + timedelta(minutes=minutes), by="account:1"
    )


# ---------------------------------------------------------------- hands


def test_the_same_person_cannot_receive_a_parcel_twice():
    parcel = an_envelope()
    handed(parcel, Holder.COURIER, "courier:1")
    with pytest.raises(AlreadyHeld):
        handed(parcel, Holder.COURIER, "courier:1", minutes=1)


def test_another_person_of_the_same_kind_may_take_a_parcel_over():
    parcel = an_envelope()
    handed(parcel, Holder.COURIER, "courier:1")
    link = handed(parcel, Holder.COURIER, "courier:2", minutes=1)
    assert (link.from_ref, link.to_ref, link.seq) == ("courier:1", "courier:2", 2)
    assert (parcel.holder_ref, parcel.state) == ("courier:2", ParcelState.ON_THE_WAY)


@pytest.mark.parametrize(
    ("state", "to", "becomes"),
    [
        (ParcelState.BOOKED, Holder.COURIER, ParcelState.ON_THE_WAY),
        (ParcelState.BOOKED, Holder.CENTRE, ParcelState.AT_CENTRE),
        (ParcelState.ON_THE_WAY, Holder.CENTRE, ParcelState.AT_CENTRE),
        (ParcelState.AT_CENTRE, Holder.AUTHORITY, ParcelState.WITH_AUTHORITY),
        (ParcelState.AT_CENTRE, Holder.TRUNK, ParcelState.ON_THE_WAY),
        (ParcelState.WITH_AUTHORITY, Holder.CENTRE, ParcelState.AT_CENTRE),
        (ParcelState.HANDED_OVER, Holder.COURIER, ParcelState.ON_THE_WAY),
    ],
)
def test_the_new_holder_says_where_the_parcel_is(state, to, becomes):
    parcel = an_envelope(state=state)
    link = handed(parcel, to, "new:1", minutes=5)
    assert (parcel.state, parcel.holder, parcel.holder_ref) == (becomes, to, "new:1")
    assert (parcel.moved_at, parcel.chain_length, parcel.chain_head) == (link.at, 1, link.digest)


@pytest.mark.parametrize("state", ParcelState)
@pytest.mark.parametrize("to", Holder)
def test_no_hand_may_skip_a_state(state, to):
    parcel = an_envelope(state=state)
    parcel.holder, parcel.holder_ref = Holder.CENTRE, "centre:9"
    becomes = {
        Holder.ENTERPRISE: ParcelState.HANDED_OVER, Holder.COURIER: ParcelState.ON_THE_WAY,
        Holder.TRUNK: ParcelState.ON_THE_WAY, Holder.CENTRE: ParcelState.AT_CENTRE,
        Holder.AUTHORITY: ParcelState.WITH_AUTHORITY,
    }[to]  # fmt: skip
    if becomes is state or becomes in NEXT_PARCEL[state]:
        handed(parcel, to, "new:1")
        assert parcel.state is becomes
    else:
        with pytest.raises(WrongStage):
            handed(parcel, to, "new:1")


def test_a_cancelled_parcel_goes_nowhere():
    parcel = an_envelope()
    parcel.cancel()
    assert parcel.state is ParcelState.CANCELLED
    for to in Holder:
        with pytest.raises(WrongStage):
            handed(parcel, to, "new:1")


@pytest.mark.parametrize("state", [state for state in ParcelState if state is not ParcelState.BOOKED])
def test_only_a_parcel_that_has_not_moved_can_be_cancelled(state):
    parcel = an_envelope(state=state)
    with pytest.raises(WrongStage):
        parcel.cancel()


def test_a_cancelled_parcel_is_booked_again_when_what_cancelled_it_was_none():
    parcel = an_envelope()
    with pytest.raises(WrongStage):
        parcel.book_again()
    parcel.cancel()
    parcel.book_again()
    assert parcel.state is ParcelState.BOOKED


def test_undoing_the_first_handover_books_the_parcel_again():
    parcel = an_envelope()
    link = handed(parcel, Holder.COURIER, "courier:1")
    parcel.undo(link, scan_id="undo", at=TEN, by="account:1")
    assert (parcel.state, parcel.holder, parcel.holder_ref) == (ParcelState.BOOKED, Holder.ENTERPRISE, "enterprise:1")


def test_undoing_a_later_handover_gives_the_state_of_who_had_the_parcel():
    parcel = an_envelope()
    handed(parcel, Holder.COURIER, "courier:1")
    link = handed(parcel, Holder.CENTRE, "centre:1", minutes=1)
    undone = parcel.undo(link, scan_id="undo", at=TEN + timedelta(minutes=2), by="account:1")
    assert (parcel.state, parcel.holder_ref, undone.action) == (ParcelState.ON_THE_WAY, "courier:1", "undo")


def test_an_older_handover_cannot_be_undone():
    parcel = an_envelope()
    first = handed(parcel, Holder.COURIER, "courier:1")
    handed(parcel, Holder.CENTRE, "centre:1", minutes=1)
    with pytest.raises(Refused, match="only the latest"):
        parcel.undo(first, scan_id="undo", at=TEN, by="account:1")


@pytest.mark.parametrize("state", ParcelState)
def test_papers_are_out_from_the_first_pickup_until_they_are_handed_over(state):
    out = {ParcelState.ON_THE_WAY, ParcelState.AT_CENTRE, ParcelState.WITH_AUTHORITY}
    assert an_envelope(state=state).is_out is (state in out)


def test_the_order_of_the_proofs_does_not_change_a_link():
    one, other = an_envelope(), an_envelope()
    for parcel, proofs in ((one, ["bb", "aa"]), (other, ["aa", "bb"])):
        parcel.hand_over(to=Holder.COURIER, ref="courier:1", scan_id="s", at=TEN, by="account:1", proofs=proofs)
    assert one.chain_head == other.chain_head


# ---------------------------------------------------------------- the code at the door


def test_a_right_code_gives_a_digest_and_uses_no_try():
    parcel = an_envelope()
    parcel.set_code(CODE)
    assert parcel.check_code(f" {CODE} ") == hashlib.sha256(code_digest(parcel.waybill, CODE)).hexdigest()
    assert parcel.code_tries == 0


def test_a_parcel_without_a_code_accepts_none():
    with pytest.raises(Refused, match="has no code"):
        an_envelope().check_code("")


def test_each_wrong_code_counts_and_the_fifth_is_the_last_try():
    parcel = an_envelope()
    parcel.set_code(CODE)
    for n in range(1, 6):
        with pytest.raises(Refused, match="wrong code"):
            parcel.check_code(WRONG)
        assert parcel.code_tries == n
    with pytest.raises(Refused, match="too many tries"):
        parcel.check_code(WRONG)
    assert parcel.code_tries == 5


def test_a_right_code_after_four_wrong_ones_is_accepted_and_after_five_is_not():
    parcel = an_envelope()
    parcel.set_code(CODE)
    for _ in range(4):
        with pytest.raises(Refused):
            parcel.check_code(WRONG)
    assert parcel.check_code(CODE)
    with pytest.raises(Refused):
        parcel.check_code(WRONG)
    with pytest.raises(Refused, match="too many tries"):
        parcel.check_code(CODE)


def test_a_new_code_brings_new_tries():
    parcel = an_envelope()
    parcel.set_code(CODE)
    parcel.code_tries = 5
    parcel.set_code("111222")
    assert parcel.check_code("111222")
    with pytest.raises(Refused, match="wrong code"):
        parcel.check_code(CODE)


def test_the_tries_of_one_parcel_do_not_lock_another():
    one, other = an_envelope(1), an_envelope(2)
    for parcel in (one, other):
        parcel.set_code(CODE)
    for _ in range(6):
        with pytest.raises(Refused):
            one.check_code(WRONG)
    assert other.code_tries == 0
    assert other.check_code(CODE)


def test_a_code_opens_only_its_own_parcel():
    one, other = an_envelope(1), an_envelope(2)
    for parcel in (one, other):
        parcel.set_code(CODE)
    assert one.code_hash != other.code_hash
    one.code_hash = other.code_hash
    with pytest.raises(Refused, match="wrong code"):
        one.check_code(CODE)


def test_an_erased_code_can_still_be_checked_but_not_read():
    parcel = an_envelope()
    parcel.set_code(CODE)
    assert parcel.code == CODE
    parcel.erase_code()
    assert parcel.code is None
    assert parcel.check_code(CODE)


# ---------------------------------------------------------------- what a chain must explain


def a_journey() -> Parcel:
    parcel = an_envelope()
    handed(parcel, Holder.COURIER, "courier:1")
    handed(parcel, Holder.CENTRE, "centre:1", minutes=1)
    return parcel


def test_a_link_from_somebody_who_did_not_have_the_papers_is_bad_though_its_digest_fits():
    parcel = a_journey()
    forged = parcel.handovers[1]
    forged.from_ref = "courier:7"
    forged.digest = parcel.chain_head = digest_of(parcel.waybill, forged)
    bad = first_bad_link(parcel, parcel.handovers)
    assert bad is not None
    assert (bad.seq, bad.reason) == (2, "the papers were with somebody else")


def test_a_link_behind_the_recorded_head_is_bad():
    parcel = a_journey()
    parcel.chain_length = 1
    bad = first_bad_link(parcel, parcel.handovers)
    assert bad is not None
    assert (bad.seq, bad.reason) == (2, "a link was added behind the recorded head")


def test_another_recorded_head_is_bad():
    parcel = a_journey()
    parcel.chain_head = parcel.handovers[0].digest
    bad = first_bad_link(parcel, parcel.handovers)
    assert bad is not None
    assert (bad.seq, bad.reason) == (2, "the recorded head is another one")
