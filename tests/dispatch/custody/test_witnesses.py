"""Witnesses: two with keys of their own; a log that shows two people two histories gets their signatures under one."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from dispatch.custody.merkle import MerkleTree, is_consistent, leaf_hash
from dispatch.custody.signed_note import BadNote, Checkpoint, NoteKey, checkpoint_of, key_line, log_key, sign
from dispatch.custody.witness import SplitView, Witness, cosigned_at
from tests.dispatch.builders import TEN
from tests.dispatch.custody.receipt_verifier import Wrong, check_consistency, read_note, witnessed

CENTRE = Witness("centre.example/custody", Ed25519PrivateKey.generate())
EMS = Witness("ems.example/custody", Ed25519PrivateKey.generate())
KEYS = [CENTRE.key.line(), EMS.key.line()]


def a_tree(size: int, salt: str = "") -> MerkleTree:
    return MerkleTree([leaf_hash(f"{salt}{n}".encode()) for n in range(size)])


def a_note(tree: MerkleTree, at: datetime = TEN) -> str:
    return sign(Checkpoint(tree.size, tree.root(), at))


def signed(note: str, *witnesses: Witness, seen: Checkpoint | None = None, proof: Sequence[bytes] = ()) -> str:
    """The note with these witnesses' lines."""
    for witness in witnesses:
        _, line = witness.cosign(note, log_key(), seen=seen, proof=proof, at=TEN + timedelta(minutes=1))
        note += f"{line}\n"
    return note


@given(st.integers(1, 40), st.integers(1, 40), st.data())
def test_a_log_that_goes_on_is_told_from_every_other(first: int, second: int, data: st.DataObject) -> None:
    """As the stranger's verifier tells it, which was written by itself."""
    new = a_tree(second)
    old = a_tree(first) if data.draw(st.booleans()) else a_tree(first, "x")
    proof = new.consistency_proof(first, second) if first <= second else []
    if proof and data.draw(st.booleans()):
        proof[data.draw(st.integers(0, len(proof) - 1))] = bytes(32)
    expected = first <= second and new.root(first) == old.root() and proof == new.consistency_proof(first, second)
    assert is_consistent(first, old.root(), second, new.root(), proof) == expected
    notes = [read_note(a_note(tree), key_line()) for tree in (old, new)]
    if expected:
        check_consistency(*notes, proof)
    else:
        with pytest.raises(Wrong, match="split"):
            check_consistency(*notes, proof)


def test_a_stranger_finds_both_signatures_and_the_logs_own() -> None:
    note = signed(a_note(a_tree(3)), CENTRE, EMS)
    assert read_note(note, key_line()).size == 3
    assert witnessed(note, KEYS, least=2) == ["centre.example/custody", "ems.example/custody"]
    moments = {cosigned_at(NoteKey.parse(key), note, note.splitlines()) for key in KEYS}
    assert moments == {TEN + timedelta(minutes=1)}


def test_of_two_histories_only_one_is_signed_and_a_stranger_names_the_other() -> None:
    """Two people are shown two checkpoints of one size; the witnesses had signed the beginning of one of them."""
    begin, mine, theirs = a_tree(2), a_tree(5), a_tree(5, "x")
    seen = checkpoint_of(a_note(begin), log_key())
    shown = signed(a_note(mine), CENTRE, EMS, seen=seen, proof=mine.consistency_proof(2, 5))
    with pytest.raises(SplitView):
        signed(a_note(theirs), EMS, seen=seen, proof=theirs.consistency_proof(2, 5))
    assert len(witnessed(shown, KEYS, least=2)) == 2
    with pytest.raises(Wrong, match="unwitnessed"):
        witnessed(a_note(theirs), KEYS, least=2)
    with pytest.raises(Wrong, match="split"):
        check_consistency(read_note(shown, key_line()), read_note(a_note(theirs), key_line()), [])


def test_a_log_that_went_back_gets_no_signature() -> None:
    with pytest.raises(SplitView):
        signed(a_note(a_tree(2)), CENTRE, seen=checkpoint_of(a_note(a_tree(3)), log_key()))


@pytest.mark.parametrize("spoil", ["another log's key", "a changed size", "no signature"])
def test_what_the_log_did_not_sign_gets_none(spoil: str) -> None:
    note, log = a_note(a_tree(3)), log_key()
    if spoil == "another log's key":
        log = NoteKey(log.name, log.kind, EMS.key.key)
    elif spoil == "a changed size":
        note = note.replace("\n3\n", "\n4\n")
    else:
        note = note.partition("\n\n")[0] + "\n\n"
    with pytest.raises(BadNote):
        CENTRE.cosign(note, log, seen=None, proof=(), at=TEN)


def test_a_line_under_another_checkpoint_or_of_another_key_is_named() -> None:
    note, other = signed(a_note(a_tree(3)), EMS), a_note(a_tree(4))
    moved = other + note.splitlines()[-1] + "\n"
    with pytest.raises(Wrong, match="unwitnessed"):
        witnessed(moved, KEYS, least=1)
    with pytest.raises(BadNote):
        cosigned_at(EMS.key, moved, moved.splitlines())
    forged = Witness(EMS.name, Ed25519PrivateKey.generate())
    with pytest.raises(Wrong, match="unwitnessed"):
        witnessed(signed(a_note(a_tree(3)), forged), KEYS, least=1)


@pytest.mark.parametrize("line", ["", "a+b", "a+00000000+AA==", "a b+00000000+AA==", "a+zz+***"])
def test_what_is_no_key_is_refused(line: str) -> None:
    with pytest.raises(BadNote):
        NoteKey.parse(line)
