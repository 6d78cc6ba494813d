"""Limits of a reader's own process, which it sets before it reads a byte: no more memory, time, files or children."""

import resource
import sys
from collections.abc import Callable

MEMORY_BYTES = 768 * 1024 * 1024
CPU_S = 8
REFUSED = 3


class RefusedByReader(Exception):
    """Why the bytes are not taken, in one word."""


def run_reader(read: Callable[[bytes], bytes]) -> None:
    """Read standard input within the limits, and answer on standard output; a refusal is one word and code REFUSED."""
    for kind, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 32),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))
    try:
        answer = read(sys.stdin.buffer.read())
    except RefusedByReader as error:
        sys.stderr.write(str(error))
        sys.exit(REFUSED)
    except MemoryError:
        sys.stderr.write("exhausted")
        sys.exit(REFUSED)
    sys.stdout.buffer.write(answer)
    sys.stdout.flush()
