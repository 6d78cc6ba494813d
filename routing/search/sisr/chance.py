"""Random numbers of the core: xorshift64*, its state in one array, the same on every machine."""

# mypy: ignore-errors
# Numba infers the types of what it compiles from the arrays of layout.Core.
import math

import numpy as np

from routing.search.sisr.compiled import part


@part
def draw(RNG):
    """The next 53 random bits as a float in [0, 1)."""
    x = RNG[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    RNG[0] = x
    return np.float64((x * np.uint64(0x2545F4914F6CDD1D)) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@part
def below(RNG, n):
    """A whole number from 0 to n - 1."""
    return int(draw(RNG) * n)


@part
def gap(RNG, mean):
    """How many events pass before the next one that happens once in ``mean``."""
    return int(math.log(1.0 - draw(RNG)) / math.log(1.0 - 1.0 / mean))
