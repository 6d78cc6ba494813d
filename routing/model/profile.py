"""Profiles: the seconds and metres from place to place for one kind of vehicle."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from routing.model.quantities import InvalidProblem, check_name

UNREACHABLE = 2**31 - 1
"""The matrix entry of a way that cannot be driven. Every way that can be driven is shorter."""
Cells = NDArray[np.int32]


def _cells(name: str, given: ArrayLike) -> Cells:
    """The matrix as read-only int32. An array that is that already is kept, not copied."""
    raw = np.asarray(given)
    if raw.ndim != 2 or raw.shape[0] != raw.shape[1]:
        raise InvalidProblem(f"{name} has shape {raw.shape}: it must be square")
    if raw.dtype.kind not in "iuf":
        raise InvalidProblem(f"{name} has entries of type {raw.dtype}: they must be whole numbers")
    for row in range(raw.shape[0]):
        entries = raw[row]
        if raw.dtype.kind == "f":
            _refuse(name, row, entries, ~np.isfinite(entries), "it must be a whole number, or UNREACHABLE")
            _refuse(name, row, entries, entries != np.floor(entries), "it must be a whole number")
        _refuse(name, row, entries, entries < 0, "it cannot be negative")
        _refuse(name, row, entries, entries > UNREACHABLE, f"it cannot exceed UNREACHABLE, {UNREACHABLE}")
        if entries[row] != 0:
            raise InvalidProblem(f"{name}[{row}, {row}] is {entries[row]}: a place is 0 from itself")
    if raw.dtype == np.int32 and raw.flags.c_contiguous and not raw.flags.writeable:
        kept: Cells = raw
        return kept
    cells: Cells = np.array(raw, dtype=np.int32, order="C")
    cells.flags.writeable = False
    return cells


def _refuse(name: str, row: int, entries: NDArray[np.generic], wrong: NDArray[np.bool_], why: str) -> None:
    if wrong.any():
        column = int(np.argmax(wrong))
        raise InvalidProblem(f"{name}[{row}, {column}] is {entries[column]}: {why}")


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """How long and how far it is from place to place for one kind of vehicle, both ways apart.

    Square, int32 and read-only once here; a way that cannot be driven is ``UNREACHABLE`` in both. Without ``metres``
    they are the seconds.
    """

    seconds: Cells
    metres: Cells
    name: str
    _digest: str = field(repr=False)

    def __init__(self, seconds: ArrayLike, metres: ArrayLike | None = None, name: str = "road") -> None:
        check_name("profile.name", name)
        seconds_ = _cells(f"profile {name}: seconds", seconds)
        same = metres is None or metres is seconds
        metres_ = seconds_ if same or metres is None else _cells(f"profile {name}: metres", metres)
        if metres_.shape != seconds_.shape:
            raise InvalidProblem(f"profile {name}: metres has shape {metres_.shape}, seconds {seconds_.shape}")
        if not same:
            for row in range(len(seconds_)):
                torn = (seconds_[row] == UNREACHABLE) != (metres_[row] == UNREACHABLE)
                _refuse(
                    f"profile {name}: metres", row, metres_[row], torn, "seconds and metres must both be UNREACHABLE"
                )
        self._hold(seconds_, metres_, name)

    def _hold(self, seconds: Cells, metres: Cells, name: str) -> None:
        object.__setattr__(self, "seconds", seconds)
        object.__setattr__(self, "metres", metres)
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "_digest", "")

    @property
    def digest(self) -> str:
        """The same for the same matrices; computed once."""
        if not self._digest:
            same = self.metres is self.seconds
            digest = hashlib.sha256(repr((self.name, self.seconds.shape, same)).encode())
            digest.update(self.seconds.data)
            if not same:
                digest.update(self.metres.data)
            object.__setattr__(self, "_digest", digest.hexdigest())
        return self._digest

    @property
    def size(self) -> int:
        """How many places there are."""
        return len(self.seconds)

    def among(self, locations: list[int]) -> Profile:
        """The same profile for some of its places, in the order given."""
        index = np.asarray(locations, dtype=np.intp)
        seconds = self.seconds[np.ix_(index, index)]
        seconds.flags.writeable = False
        metres = seconds
        if self.metres is not self.seconds:
            metres = self.metres[np.ix_(index, index)]
            metres.flags.writeable = False
        part = object.__new__(Profile)  # what was checked once is not checked again
        part._hold(seconds, metres, self.name)
        return part
