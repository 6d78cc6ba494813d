"""The house rules that no linter knows: lengths of files and of lines in documents, and subjects of commits.

``python -m tests.gates.house`` checks them all; with ``--message FILE`` only the subject of a commit being written.
What still stands against a rule is listed by name in ``[tool.house]`` of pyproject.toml. A name whose reason is gone
is a fault too, so the list can only get shorter.
"""

import argparse
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("web", "dispatch", "agents", "routing", "notifications", "servers")
PROGRAM = (*ROOMS, "db.py", "key_ring.py", "wsgi.py", "prepare.py")
HIDDEN = {"node_modules", "vendor", "migrations", "build", "instance"}

LONGEST_FILE = 450
WIDEST_LINE = 140
LONGEST_SUBJECT = 72
SUBJECT = re.compile(r"[a-z][a-z0-9_/-]*: \S.*")
RULES_BEGIN = "8711e53"  # subjects were free until this commit


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--message", type=Path, metavar="FILE", help="check only the commit message in FILE")
    message = parser.parse_args().message
    if message:
        subject = message.read_text().partition("\n")[0]
        faults = list(faults_of_subject(subject, subject))
    else:
        exceptions = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["house"]
        faults = [
            *against(long_files(), exceptions["long_files"], f"is longer than {LONGEST_FILE} lines"),
            *against(wide_documents(), exceptions["wide_documents"], f"has lines wider than {WIDEST_LINE} characters"),
            *faults_of_migrations(),
            *faults_of_commits(),
        ]
    sys.stderr.write("".join(f"{fault}\n" for fault in faults))
    return 1 if faults else 0


def against(found: Iterable[str], excepted: Iterable[str], fault: str) -> Iterator[str]:
    """What breaks a rule and is not excepted, and what is excepted and no longer breaks it."""
    broken, excused = set(found), set(excepted)
    yield from (f"{name} {fault}" for name in sorted(broken - excused))
    yield from (
        f"{name} no longer {fault}: take it off the list in pyproject.toml" for name in sorted(excused - broken)
    )


def long_files() -> list[str]:
    """The program's files that are longer than one job needs; migrations and tests are not counted."""
    files = [file for name in PROGRAM for file in ([ROOT / name] if name.endswith(".py") else _under(name, "*.py"))]
    return [_named(file) for file in files if len(file.read_text().splitlines()) > LONGEST_FILE]


def wide_documents() -> list[str]:
    """The documents in which some line is wider than a reader's window."""
    documents = [*ROOT.glob("*.md"), *(file for name in ("docs", *ROOMS) for file in _under(name, "*.md"))]
    return [
        _named(file) for file in documents if any(len(line) > WIDEST_LINE for line in file.read_text().splitlines())
    ]


def faults_of_migrations(folder: Path = ROOT / "web" / "migrations" / "versions") -> Iterator[str]:
    """Migrations that do not stand in one row: a number twice, a gap, or one that does not come after its number's."""
    before = ""
    for file in sorted(folder.glob("[0-9]*.py")):
        number = file.name.partition("_")[0]
        said = dict(re.findall(r'^(revision|down_revision)(?:: [^=]+)? = "?(\w+)"?$', file.read_text(), re.MULTILINE))
        if said != {"revision": number, "down_revision": before or "None"}:
            yield f"{file.name} should be revision {number} after {before or 'None'}, not {said}"
        before = number


def _under(folder: str, pattern: str) -> Iterator[Path]:
    for file in (ROOT / folder).rglob(pattern):
        if not HIDDEN & set(file.relative_to(ROOT).parts):
            yield file


def _named(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def faults_of_commits() -> Iterator[str]:
    """Every commit since the rule whose subject breaks it; a copy without that history has none to check."""
    try:
        told = subprocess.run(
            ["git", "log", "--no-merges", "--format=%h %s", f"{RULES_BEGIN}..HEAD"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        sys.stdout.write("the history is not here: subjects of commits are not checked\n")
        return
    for line in told.splitlines():
        commit, _, subject = line.partition(" ")
        yield from faults_of_subject(subject, f"commit {commit}")


def faults_of_subject(subject: str, name: str) -> Iterator[str]:
    """What is wrong with one subject: ``room: what``, and no longer than a terminal shows."""
    if subject.startswith(("Merge ", "Revert ", "fixup! ")):
        return
    if not SUBJECT.fullmatch(subject):
        yield f"{name}: the subject does not read as `room: what`"
    if len(subject) > LONGEST_SUBJECT:
        yield f"{name}: the subject has {len(subject)} characters, {LONGEST_SUBJECT} at most"


if __name__ == "__main__":
    sys.exit(main())
