"""What nobody uses, beyond functions: whole definitions, parameters, columns, texts, templates, static files.

``python -m tests.gates.unused`` names them. ``unused_allowed.txt`` says what is kept although nobody uses it, and why;
an entry whose reason is gone is a fault too. Names are compared as they are imported, so that a dead function does not
hide behind a live one of the same name in another module.
"""

import ast
import re
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.gates.house import HIDDEN, PROGRAM, ROOT

ALLOWED = Path(__file__).with_name("unused_allowed.txt")
HARMLESS = {"dataclass", "cache", "lru_cache", "compiled", "gc_disabled"}
"""Decorators that give a definition to nobody: what bears another one is used by the framework that it names."""


@dataclass(frozen=True, slots=True)
class Program:
    """The program's modules as trees, and every word of its templates and scripts."""

    trees: dict[Path, ast.Module]
    on_pages: str

    @property
    def words_on_pages(self) -> set[str]:
        return set(re.findall(r"\w+", self.on_pages))

    def strings(self, *, without: tuple[str, ...] = ()) -> Iterator[str]:
        """Every string of the code that is no docstring."""
        for file, tree in self.trees.items():
            if file.name in without:
                continue
            docs = {id(node.body[0].value) for node in ast.walk(tree) if _has_docstring(node)}
            for node in ast.walk(tree):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
                    yield node.value


def main() -> int:
    """The command line: one line a fault."""
    found, allowed = set(unused()), allowed_names()
    faults = [f"{name} is used by no part of the program" for name in sorted(found - allowed)]
    faults += [f"{ALLOWED.name}: {name} is used or gone: take it off the list" for name in sorted(allowed - found)]
    sys.stderr.write("".join(f"{fault}\n" for fault in faults))
    return 1 if faults else 0


def allowed_names() -> set[str]:
    """One ``kind name  # why`` a line."""
    lines = (line.partition("#")[0].strip() for line in ALLOWED.read_text().splitlines())
    return {line for line in lines if line}


def read_program() -> Program:
    files = [ROOT / name for name in PROGRAM if name.endswith(".py") and (ROOT / name).is_file()]
    for name in PROGRAM:
        files += [file for file in sorted((ROOT / name).rglob("*.py")) if not HIDDEN & set(file.parts)]
    pages = [*(ROOT / "web" / "templates").rglob("*"), *(ROOT / "web" / "static").glob("*.js")]
    return Program(
        {file.relative_to(ROOT): ast.parse(file.read_text()) for file in files},
        "\n".join(file.read_text() for file in pages if file.is_file()),
    )


def unused() -> Iterator[str]:
    """``kind name`` of everything that nobody uses."""
    program = read_program()
    yield from (f"definition {name}" for name in definitions(program))
    yield from (f"parameter {name}" for name in parameters(program))
    yield from (f"column {name}" for name in columns(program))
    catalogue = tomllib.loads((ROOT / "notifications" / "texts.toml").read_text())
    yield from (f"text {name}" for name in unsent(program, catalogue))
    yield from (f"file {name}" for name in unloaded(program))


# ---------------------------------------------------------------- functions and classes of a module


def definitions(program: Program) -> Iterator[str]:
    """``module.name`` of a function or class that neither its module nor one that imports it uses."""
    imported: set[tuple[str, str]] = set()
    through: set[tuple[str, str]] = set()
    for tree in program.trees.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                imported |= {(node.module, alias.name) for alias in node.names}
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
                of = node.value.id if isinstance(node.value, ast.Name) else node.value.attr
                through.add((of, node.attr))
    for file, tree in program.trees.items():
        module = ".".join(file.with_suffix("").parts).removesuffix(".__init__")
        names = _names_read(tree)
        for unit in tree.body:
            if not isinstance(unit, ast.FunctionDef | ast.ClassDef) or not _is_bare(unit):
                continue
            by_itself = _names_read(unit)[unit.name]
            is_used = (module, unit.name) in imported or (module.rpartition(".")[2], unit.name) in through
            if not is_used and names[unit.name] == by_itself:
                yield f"{module}.{unit.name}"


def _names_read(tree: ast.AST) -> Counter[str]:
    found: Counter[str] = Counter()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            found[node.id] += 1
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
            found[node.value] += 1  # an annotation in quotes, a lookup by name
    return found


def _is_bare(unit: ast.FunctionDef | ast.ClassDef) -> bool:
    return all(_decorator(one) in HARMLESS for one in unit.decorator_list)


def _decorator(node: ast.expr) -> str:
    call = node.func if isinstance(node, ast.Call) else node
    return call.id if isinstance(call, ast.Name) else ast.unparse(call)


def _has_docstring(node: ast.AST) -> bool:
    if not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module) or not node.body:
        return False
    first = node.body[0]
    return isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)


# ---------------------------------------------------------------- parameters


def parameters(program: Program) -> Iterator[str]:
    """``function.parameter`` with a default that no call of the program replaces.

    A function that is handed on as a value is left out: who calls it there cannot be seen."""
    calls: dict[str, list[ast.Call]] = defaultdict(list)
    mentions: Counter[str] = Counter()
    for tree in program.trees.values():
        other = {
            alias.asname: alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
            if alias.asname
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and (name := _called(node)):
                calls[other.get(name, name)].append(node)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                mentions[other.get(node.id, node.id)] += 1
            elif isinstance(node, ast.Attribute):
                mentions[node.attr] += 1
    for file, tree in program.trees.items():
        module = ".".join(file.with_suffix("").parts)
        for function, skipped in _functions(tree):
            made = calls[function.name]
            if not made or mentions[function.name] > len(made):
                continue
            for name, place in _with_default(function):
                if not any(_passes(call, name, None if place is None else place - skipped) for call in made):
                    yield f"{module}.{function.name}.{name}"


def _called(call: ast.Call) -> str:
    if isinstance(call.func, ast.Name):
        return call.func.id
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _functions(tree: ast.Module) -> Iterator[tuple[ast.FunctionDef, int]]:
    """Functions of the module and methods of its classes, with the number of arguments that a call leaves out."""
    for unit in tree.body:
        if isinstance(unit, ast.FunctionDef):
            yield unit, 0
        elif isinstance(unit, ast.ClassDef):
            for method in unit.body:
                if isinstance(method, ast.FunctionDef) and not method.name.startswith("__"):
                    yield method, 0 if any(_decorator(d) == "staticmethod" for d in method.decorator_list) else 1


def _with_default(function: ast.FunctionDef) -> Iterator[tuple[str, int | None]]:
    """Each parameter with a default, and its place among the arguments; None where it has to be named."""
    args = function.args
    places = [*args.posonlyargs, *args.args]
    first = len(places) - len(args.defaults)
    yield from ((arg.arg, first + n) for n, arg in enumerate(places[first:]))
    yield from ((a.arg, None) for a, value in zip(args.kwonlyargs, args.kw_defaults, strict=True) if value is not None)


def _passes(call: ast.Call, name: str, place: int | None) -> bool:
    if any(keyword.arg in {name, None} for keyword in call.keywords):
        return True
    return place is not None and (len(call.args) > place or any(isinstance(a, ast.Starred) for a in call.args))


# ---------------------------------------------------------------- columns, texts, files


def columns(program: Program) -> Iterator[str]:
    """``Class.column`` that is written and read nowhere: no attribute, no page, no SQL names it."""
    read = {
        node.attr
        for tree in program.trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
    }
    read |= program.words_on_pages
    read |= {word for words in program.strings() if " " in words for word in re.findall(r"\w+", words)}
    tables = [
        unit
        for tree in program.trees.values()
        for unit in ast.walk(tree)
        if isinstance(unit, ast.ClassDef) and any(_assigns(line, "__tablename__") for line in unit.body)
    ]
    for table in tables:
        for line in table.body:
            if isinstance(line, ast.AnnAssign) and ast.unparse(line.annotation).startswith("Mapped["):
                name = ast.unparse(line.target)
                if name not in read:
                    yield f"{table.name}.{name}"


def _assigns(line: ast.stmt, name: str) -> bool:
    return isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name) and line.targets[0].id == name


def unsent(program: Program, catalogue: dict[str, Any]) -> Iterator[str]:
    """Texts that no part of the program names; one text for several is sent in their place."""
    texts = catalogue["text"]
    named = set(program.strings(without=("sms_outbox.py",)))  # the labels of the outbox name every text
    together = {text.get("digest") for text in texts.values()} | {pair["into"] for pair in catalogue["pair"]}
    yield from (name for name in texts if name not in named and name not in together)


def unloaded(program: Program) -> Iterator[str]:
    """Templates that nothing renders, static files that no page loads."""
    named = "\n".join([program.on_pages, *program.strings()])
    for folder in ("templates", "static"):
        top = ROOT / "web" / folder
        for file in sorted(top.rglob("*")):
            if file.is_file() and "vendor" not in file.parts:
                name = file.relative_to(top).as_posix()
                if not any(part in named for part in (name, _with_gap(name))):
                    yield f"{folder}/{name}"


def _with_gap(name: str) -> str:
    """``enterprise/intake_site.html`` as an f-string begins it: ``enterprise/intake_``."""
    return re.sub(r"[a-z0-9]+\.\w+$", "", name) or name


if __name__ == "__main__":
    sys.exit(main())
