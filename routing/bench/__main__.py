"""``python -m routing.bench``: the bench's commands by themselves; the table when none is named."""

from __future__ import annotations

import argparse
import sys

from routing.bench.command import add_parts


def main() -> int:
    """The exit code of the command that the arguments name."""
    parser = argparse.ArgumentParser(prog="python -m routing.bench", description=__doc__)
    add_parts(parser)
    args = parser.parse_args(sys.argv[1:] or ["table"])
    return int(args.run(args))


if __name__ == "__main__":
    sys.exit(main())
