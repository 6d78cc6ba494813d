"""Merkle trees as RFC 9162 (Certificate Transparency 2.0, section 2.1) hashes and proves them. Pure."""

import hashlib
from collections.abc import Sequence


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256 over 0x00 and the entry, so that no entry can be taken for an inner node."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 over 0x01 and both children."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class MerkleTree:
    """A tree over leaf hashes: its root and proofs at this size or any smaller one. n hashes to make, log n a proof."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self.size = len(leaves)
        self._levels = [list(leaves)]
        while len(below := self._levels[-1]) > 1:
            pairs = range(0, len(below) - 1, 2)
            self._levels.append([node_hash(below[i], below[i + 1]) for i in pairs])

    def root(self, size: int | None = None) -> bytes:
        """The hash of the first ``size`` leaves; of none, SHA-256 over nothing."""
        upto = self._checked(self.size if size is None else size)
        return self._hash(0, upto) if upto else hashlib.sha256().digest()

    def inclusion_proof(self, position: int, size: int) -> list[bytes]:
        """PATH(m, D_n): the siblings from the leaf at ``position`` up to the root of ``size``, lowest first."""
        if not 0 <= position < self._checked(size):
            raise ValueError(f"a tree of {size} has no leaf {position}")
        low, high, found = 0, size, []
        while high - low > 1:
            middle = low + _split(high - low)
            if position < middle:
                found.append(self._hash(middle, high))
                high = middle
            else:
                found.append(self._hash(low, middle))
                low = middle
        return found[::-1]

    def consistency_proof(self, first: int, second: int) -> list[bytes]:
        """PROOF(m, D_n): that the tree of ``second`` begins with the whole tree of ``first``."""
        if not 0 < first <= self._checked(second):
            raise ValueError(f"a tree of {second} does not hold one of {first}")
        low, high, found, is_whole = 0, second, [], True
        while high != first:
            middle = low + _split(high - low)
            if first <= middle:
                found.append(self._hash(middle, high))
                high = middle
            else:
                found.append(self._hash(low, middle))
                low, is_whole = middle, False
        if not is_whole:
            found.append(self._hash(low, high))
        return found[::-1]

    def _checked(self, size: int) -> int:
        if not 0 <= size <= self.size:
            raise ValueError(f"the tree has {self.size} leaves, not {size}")
        return size

    def _hash(self, low: int, high: int) -> bytes:
        """The hash of the leaves from ``low`` to before ``high``; ``low`` is a multiple of the largest part's size."""
        width = high - low
        if width & (width - 1) == 0:
            return self._levels[width.bit_length() - 1][low // width]
        middle = low + _split(width)
        return node_hash(self._hash(low, middle), self._hash(middle, high))


def _split(width: int) -> int:
    """The largest power of two below ``width``."""
    return 1 << ((width - 1).bit_length() - 1)


def is_consistent(first: int, old_root: bytes, second: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the tree of ``second`` begins with the tree of ``first`` (RFC 9162, 2.1.4.2)."""
    if first >= second:
        return first == second and old_root == new_root and not proof
    if first == 0 or not proof:
        return first == 0 and not proof
    place, last = first - 1, second - 1
    path = list(proof) if first & (first - 1) else [old_root, *proof]
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and (old, new) == (old_root, new_root)
