"""Compiling: the inner loops of the search as machine code, made by numba when first called."""

from collections.abc import Callable
from typing import Any, TypeVar

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compiled by numba when it is first called, and kept for the next process where some folder can be written."""
    options = {"nogil": True, "error_model": "numpy"}
    try:
        return numba.njit(cache=True, **options)(function)  # type: ignore[no-any-return]
    except RuntimeError:  # neither the folder of this file nor the account's own takes a file
        return numba.njit(**options)(function)  # type: ignore[no-any-return]
