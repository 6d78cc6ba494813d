"""The tree of the log: RFC 9162's own definitions, written down a second time, and proofs that a stranger checks."""

import hashlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.custody.merkle import MerkleTree, leaf_hash
from tests.dispatch.custody.receipt_verifier import Note, Wrong, check_consistency, root_from

AT = datetime(2026, 11, 24, tzinfo=UTC)
SIZES = st.integers(1, 70)


def entries(size: int) -> list[bytes]:
    return [f"entry {n}".encode() for n in range(size)]


def tree_of(size: int) -> MerkleTree:
    return MerkleTree([leaf_hash(entry) for entry in entries(size)])


def mth(data: list[bytes]) -> bytes:
    """MTH(D_n) as the RFC defines it."""
    if not data:
        return hashlib.sha256().digest()
    if len(data) == 1:
        return hashlib.sha256(b"\x00" + data[0]).digest()
    k = 1
    while k * 2 < len(data):
        k *= 2
    return hashlib.sha256(b"\x01" + mth(data[:k]) + mth(data[k:])).digest()


@pytest.mark.parametrize(
    ("size", "root"),
    [
        (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
        (2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
        (3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
        (4, "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"),
        (5, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
        (6, "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"),
        (7, "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"),
        (8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
    ],
)
def test_the_roots_are_those_of_the_reference(size: int, root: str) -> None:
    """The vectors of Certificate Transparency's reference implementation."""
    data = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    leaves = [leaf_hash(bytes.fromhex(one)) for one in data[:size]]
    assert MerkleTree(leaves).root().hex() == root


@given(SIZES, st.data())
def test_a_root_is_that_of_the_definition_at_every_size(size: int, data: st.DataObject) -> None:
    smaller = data.draw(st.integers(0, size))
    assert tree_of(size).root(smaller) == mth(entries(size)[:smaller])


@given(SIZES, st.data())
def test_every_entry_is_proved_and_no_other_one_by_its_proof(size: int, data: st.DataObject) -> None:
    tree = tree_of(size)
    at_size = data.draw(st.integers(1, size))
    position = data.draw(st.integers(0, at_size - 1))
    proof = tree.inclusion_proof(position, at_size)
    assert root_from(f"entry {position}".encode(), position, at_size, proof) == tree.root(at_size)
    assert _root_or_none(b"another entry", position, at_size, proof) != tree.root(at_size)
    if proof:
        bent = [bytes([proof[0][0] ^ 1]) + proof[0][1:], *proof[1:]]
        assert _root_or_none(f"entry {position}".encode(), position, at_size, bent) != tree.root(at_size)
    for other in {data.draw(st.integers(0, at_size - 1)), at_size} - {position}:
        assert _root_or_none(f"entry {position}".encode(), other, at_size, proof) != tree.root(at_size)


def _root_or_none(line: bytes, position: int, size: int, proof: list[bytes]) -> bytes | None:
    try:
        return root_from(line, position, size, proof)
    except Wrong:
        return None


@given(SIZES, st.data())
def test_a_larger_log_begins_with_a_smaller_one_and_a_rewritten_one_does_not(size: int, data: st.DataObject) -> None:
    tree = tree_of(size)
    first = data.draw(st.integers(1, size))
    old, new = Note(first, tree.root(first), AT), Note(size, tree.root(), AT)
    proof = tree.consistency_proof(first, size)
    check_consistency(old, new, proof)
    changed = data.draw(st.integers(0, first - 1))
    leaves = [leaf_hash(entry) for entry in entries(size)]
    leaves[changed] = leaf_hash(b"rewritten")
    other = MerkleTree(leaves)
    with pytest.raises(Wrong, match="split"):
        check_consistency(old, Note(size, other.root(), AT), other.consistency_proof(first, size))
    with pytest.raises(Wrong, match="split"):
        check_consistency(old, Note(size, other.root(), AT), proof)


@pytest.mark.parametrize(("position", "size"), [(3, 3), (-1, 3), (0, 4), (0, -1)])
def test_what_the_log_never_held_is_not_proved(position: int, size: int) -> None:
    with pytest.raises(ValueError, match=r"leaf|leaves"):
        tree_of(3).inclusion_proof(position, size)


@pytest.mark.parametrize(("first", "second"), [(0, 3), (4, 3), (2, 4)])
def test_sizes_that_the_log_never_had_are_not_compared(first: int, second: int) -> None:
    with pytest.raises(ValueError, match=r"hold|leaves"):
        tree_of(3).consistency_proof(first, second)
