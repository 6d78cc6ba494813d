"""House figures: size, rooms, names, types and documents of a checkout, side by side with others.

`python tests/benchmarks/house_figures.py NAME=FOLDER …` prints a table, a column a folder;
with ``--write`` the table goes into ARCHITECTURE.md, between its markers.
"""

import argparse
import ast
import json
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles

ROOT = Path(__file__).resolve().parent.parent.parent
ROOMS = ("web", "dispatch", "agents", "routing", "notifications")
GROUND = ("db.py", "key_ring.py", "servers.py", "prepare.py", "wsgi.py")
ELSEWHERE = {"vendor", "node_modules", "__pycache__", "instance", "build", ".venv", "migrations"}
LONG = 60
LIMITS = ("lint.mccabe.max-complexity=15", "lint.pylint.max-args=8", "lint.pylint.max-statements=50")
Function = ast.FunctionDef | ast.AsyncFunctionDef


def sources(folder: Path, *, tests: bool = False) -> list[Path]:
    """The program's files, or its tests'; migrations count with neither."""
    tops = ("tests",) if tests else (*ROOMS, "servers")
    found = [path for top in tops for path in (folder / top).rglob("*.py")]
    found += [] if tests else [folder / name for name in GROUND]
    return [path for path in found if path.exists() and not ELSEWHERE & set(path.relative_to(folder).parts)]


def lines_of(path: Path) -> int:
    return len(path.read_text().splitlines())


def spread(numbers: list[int]) -> str:
    """Median, 90th percentile and the largest."""
    tenths = quantiles(numbers, n=10, method="inclusive")
    return f"{tenths[4]:.0f} / {tenths[8]:.0f} / {max(numbers):,}"


def nodes_of(paths: list[Path]) -> Iterator[ast.AST]:
    for path in paths:
        yield from ast.walk(ast.parse(path.read_text(), str(path)))


def length(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def is_strict(module: str, tool: dict[str, object]) -> bool:
    """Whether mypy holds this module to what --strict means."""
    mypy = tool["mypy"]
    assert isinstance(mypy, dict)
    strict = bool(mypy.get("strict") or mypy.get("disallow_untyped_defs"))
    for override in mypy.get("overrides", []):
        named = override["module"] if isinstance(override["module"], list) else [override["module"]]
        hit = any(module == name or (name.endswith(".*") and f"{module}.".startswith(name[:-1])) for name in named)
        if hit and "disallow_untyped_defs" in override:
            strict = bool(override["disallow_untyped_defs"])
    return strict


def over_the_limits(folder: Path) -> str:
    """How many functions are too complex, take too many parameters, hold too many statements."""
    ruff = Path(sys.executable).with_name("ruff")
    named = [str(path) for path in sources(folder)]
    command = [ruff, "check", "--isolated", "--preview", "--no-cache", "--output-format", "json"]
    command += [word for limit in LIMITS for word in ("--config", limit)]
    command += ["--select", "C901,PLR0913,PLR0915", "--ignore-noqa", *named]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = Counter(fault["code"] for fault in json.loads(done.stdout))
    return " / ".join(str(found[code]) for code in ("C901", "PLR0913", "PLR0915"))


def figures(folder: Path) -> dict[str, str]:
    """Every figure of one checkout, in the order of the table."""
    paths, tests = sources(folder), sources(folder, tests=True)
    sizes = {path: lines_of(path) for path in paths}
    nodes = list(nodes_of(paths))
    functions = [node for node in nodes if isinstance(node, Function)]
    classes = Counter(node.name for node in nodes if isinstance(node, ast.ClassDef))
    tool = tomllib.loads((folder / "pyproject.toml").read_text())["tool"]
    modules = {p: ".".join(p.relative_to(folder).with_suffix("").parts).removesuffix(".__init__") for p in paths}
    strict = sum(size for path, size in sizes.items() if is_strict(modules[path], tool))
    rooms = {path.parent for path in paths if path.parent != folder}
    largest = Counter(path.parent for path in paths if path.parent != folder).most_common(1)[0]
    text = "\n".join(path.read_text() for path in paths)
    pages = [*folder.glob("*.md"), *(folder / "docs").rglob("*.md")]
    words = "\n".join(path.read_text() for path in pages)
    by_hand = re.sub(r"<!-- made: .*?<!-- /made -->", "", words, flags=re.DOTALL)
    any_types = len(re.findall(r"\bAny\b", text))
    return {
        "files; lines, tests and migrations aside": f"{len(paths):,}; {sum(sizes.values()):,}",
        "lines a file, median / p90 / max": spread(list(sizes.values())),
        "files above 450 lines": str(sum(size > 450 for size in sizes.values())),
        "folders with code; files in the fullest": f"{len(rooms)}; {largest[1]} in {largest[0].relative_to(folder)}/",
        "layers and other contracts held by import-linter": str(len(tool["importlinter"]["contracts"])),
        "class names that stand for more than one class": str(sum(n > 1 for n in classes.values())),
        "functions; lines, median / p90 / max": f"{len(functions):,}; {spread([length(f) for f in functions])}",
        f"functions above {LONG} lines": str(sum(length(f) > LONG for f in functions)),
        "above complexity 15 / 8 parameters / 50 statements": over_the_limits(folder),
        "lines under mypy --strict": f"{100 * strict / sum(sizes.values()):.0f} %",
        "`Any`; `# type: ignore`": f"{any_types:,}; {text.count('# type: ignore')}",
        "test files; lines": f"{len(tests):,}; {sum(map(lines_of, tests)):,}",
        "pages of documents; words written by hand": f"{len(pages)}; {len(by_hand.split()):,}",
        "longest line of a document": str(max(map(len, words.splitlines()))),
    }


def table(checkouts: dict[str, Path]) -> str:
    columns = {name: figures(folder) for name, folder in checkouts.items()}
    head = ["what", *columns]
    rows = [[what, *(column[what] for column in columns.values())] for what in next(iter(columns.values()))]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])


def main() -> None:
    parser = argparse.ArgumentParser(description="figures of checkouts, side by side")
    parser.add_argument("checkouts", nargs="+", metavar="NAME=FOLDER")
    parser.add_argument("--write", action="store_true", help="put the table into ARCHITECTURE.md")
    asked = parser.parse_args()
    text = table({name: Path(folder).resolve() for name, folder in (one.split("=", 1) for one in asked.checkouts)})
    print(text)
    if asked.write:
        page = ROOT / "ARCHITECTURE.md"
        between = re.compile(r"(<!-- figures -->\n).*?(<!-- /figures -->)", re.DOTALL)
        page.write_text(between.sub(lambda found: f"{found[1]}{text}\n{found[2]}", page.read_text()))


if __name__ == "__main__":
    main()
