"""What a file imports: its own lines, and everything they bring along through the project's other files."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

SERVED = frozenset({"alembic", "celery", "flask", "kombu", "playwright", "psycopg", "redis", "sqlalchemy"})
"""A file that brings one of these may ask for a database, a broker, a browser or the web."""

SEARCHES = frozenset({"numba", "ortools"})
"""A file that brings one of these is compiled first, or searches for seconds."""


def needs_servers(path: Path) -> bool:
    """Whether something that the file imports, directly or through others, talks to a server."""
    return bool(brought_by(path) & SERVED)


def is_quick(path: Path) -> bool:
    """Whether the file brings neither servers nor searches."""
    return not brought_by(path) & (SERVED | SEARCHES)


@cache
def brought_by(path: Path) -> frozenset[str]:
    """The first words of the foreign modules that come with a file, through any number of the project's own."""
    foreign: set[str] = set()
    seen, open_files = {path}, [path]
    while open_files:
        for module in _imported(open_files.pop()):
            files = _own_files(module)
            if not files:
                foreign.add(module.split(".")[0])
            open_files += [file for file in files if file not in seen]
            seen.update(files)
    return frozenset(foreign)


@cache
def _imported(path: Path) -> frozenset[str]:
    text = path.read_text()
    try:  # imports stand above the first function or class, and reading no further takes a tenth of the time
        tree = ast.parse(re.split(r"^(?:@|(?:async )?def |class )", text, maxsplit=1, flags=re.MULTILINE)[0])
    except SyntaxError:  # that was a line of a text
        tree = ast.parse(text, str(path))
    return frozenset(_names(tree.body))


def _names(body: list[ast.stmt]) -> Iterator[str]:
    """Every module named by an import that runs when the file is imported; the rest is for type checkers."""
    for node in body:
        match node:
            case ast.Import():
                yield from (alias.name for alias in node.names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module
                yield from (f"{module}.{alias.name}" for alias in node.names)
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                yield from _names(node.orelse)
            case ast.If() | ast.Try() | ast.With():
                for field in ("body", "orelse", "finalbody"):
                    yield from _names(getattr(node, field, []))


@cache
def _own_files(module: str) -> tuple[Path, ...]:
    """The project's files that run when a module is imported: its own, and the opening file of each package above."""
    parts = module.split(".")
    found = []
    for length in range(1, len(parts) + 1):
        place = ROOT.joinpath(*parts[:length])
        candidates = (place / "__init__.py", place.with_suffix(".py"))
        found += [file for file in candidates if file.is_file()]
    return tuple(found) or (() if not (ROOT / parts[0]).is_dir() else (Path(__file__),))
