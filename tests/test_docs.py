"""Documents: drawings, tables, links and names hold against the code; lines stay short."""

import re
import socket
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest

from dispatch.cases.stages import Stage
from tests.gates.docs_blocks import BLOCK, pages, registered, renewed
from web.run import WORKERS, LocalRun

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("web", "dispatch", "agents", "routing", "notifications")
LONGEST_LINE = 140
SUFFIXES = "py|md|toml|html|js|css|csv|txt|json|in|po"
PATH = re.compile(rf"(?:[\w.-]+/)*[\w.-]+\.(?:{SUFFIXES})|(?:[\w-]+/)+")
TEST = re.compile(r"(?:([\w/]+\.py))?::(\w+)(…?)")
MADE_AT_RUN = {
    *("prepared.json", "report.jsonl", "demo-logins.txt", "runs.csv", "measure.py", "files/", "logs/", "instance/"),
}
EVERY_PAGE = pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))


@cache
def tracked() -> frozenset[str]:
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    here = done.stdout.splitlines() or [str(p.relative_to(ROOT)) for p in ROOT.rglob("*") if p.is_file()]
    return frozenset(here)


@cache
def source() -> str:
    """Everything a document may name: code, templates, data and settings of the program and its tests."""
    kept = {".py", ".toml", ".html", ".js", ".css", ".csv", ".in", ".json", "", ".txt"}
    named = [ROOT / name for name in tracked() if Path(name).suffix in kept and "requirements" not in name]
    return "\n".join(path.read_text(errors="replace") for path in named if path.is_file())


@cache
def words_of_the_code() -> frozenset[str]:
    return frozenset(re.findall(r"\w+", source()))


def part(page: str, name: str) -> str:
    """What stands between a page's markers of this name."""
    found = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", (ROOT / page).read_text(), re.DOTALL)
    assert found, f"{page} has no part {name}"
    return found[1]


def prose(page: Path) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)


def in_backticks(page: Path) -> list[str]:
    return re.findall(r"`([^`\n]+)`", prose(page))


# ---------------------------------------------------------------- the drawings of ARCHITECTURE.md


def drawn_rooms() -> dict[str, list[str]]:
    rooms: dict[str, list[str]] = {}
    room = ""
    for line in part("ARCHITECTURE.md", "rooms").splitlines()[2:-1]:
        room = line[:15].strip() or room
        rooms.setdefault(room, []).append(line[15:54].strip())
    return rooms


def contracts() -> list[dict]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]


def test_the_drawn_rooms_are_the_rooms():
    drawn = drawn_rooms()
    assert set(drawn) == set(ROOMS)
    ranked = next(one["layers"] for one in contracts() if one["type"] == "layers" and not one.get("containers"))
    order = [room for layer in ranked for room in layer.split(" | ")]
    assert list(drawn) == order


def test_the_drawn_layers_are_those_of_the_import_contract():
    drawn = drawn_rooms()
    for contract in contracts():
        for room in contract.get("containers", ()):
            assert drawn[room] == contract["layers"], room


@pytest.mark.parametrize("room", ROOMS)
def test_every_folder_of_a_room_is_drawn(room: str):
    drawn = {name for layer in drawn_rooms()[room] for name in layer.split(" | ")}
    folders = {path.parent.name for path in (ROOT / room).glob("*/__init__.py")}
    assert folders <= drawn
    assert {name for name in drawn if not (ROOT / room / name).is_dir()} <= {"run", "app"}


def test_every_process_is_drawn():
    with socket.socket() as door:
        commands = LocalRun({}, print)._commands(door)
    drawn = set(re.findall(r"\[(\w+)\]", part("ARCHITECTURE.md", "processes")))
    assert drawn == {command.name for command in commands} | {"supervisor", "PostgreSQL", "Valkey"}


def test_every_queue_is_drawn():
    drawn = set(re.findall(r"<([a-z-]+)>", part("ARCHITECTURE.md", "processes")))
    assert drawn == {queue for _, queues in WORKERS.values() for queue in queues}


def test_every_task_is_listed():
    assert set(re.findall(r"^\| `([\w.]+)` \|", (ROOT / "ARCHITECTURE.md").read_text(), re.MULTILINE)) == set(
        registered()
    )


# ---------------------------------------------------------------- what is made from the code and the figures


@pytest.mark.parametrize("page", [page for page in pages() if BLOCK.search(page.read_text())], ids=lambda p: p.name)
def test_made_blocks_hold_what_is_made_now(page: Path):
    assert page.read_text() == renewed(page.read_text()), "run python -m tests.gates.docs_blocks"


def test_the_path_names_every_stage():
    assert {stage.name for stage in Stage} <= set(re.findall(r"[A-Z_]+", (ROOT / "docs/path.md").read_text()))


def test_every_decision_is_in_the_list():
    listed = set(re.findall(r"\(([\w-]+\.md)\)", (ROOT / "docs/decisions/README.md").read_text()))
    assert listed == {page.name for page in (ROOT / "docs/decisions").glob("*.md")} - {"README.md"}


def test_a_decision_is_one_page():
    for page in (ROOT / "docs/decisions").glob("*.md"):
        assert page.name == "README.md" or len(page.read_text().splitlines()) <= 60, page.name


# ---------------------------------------------------------------- lines, links and names


@EVERY_PAGE
def test_lines_are_short(page: Path):
    assert [number for number, line in enumerate(page.read_text().splitlines(), 1) if len(line) > LONGEST_LINE] == []


@EVERY_PAGE
def test_every_link_leads_somewhere(page: Path):
    links = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", prose(page))
    assert [link for link in links if not (page.parent / link).exists()] == []


@EVERY_PAGE
def test_every_file_in_backticks_exists(page: Path):
    names = {Path(name).name for name in tracked()}
    folders = {f"{parent}/" for name in tracked() for parent in Path(name).parents}
    missing = [
        name
        for name in (word for quoted in in_backticks(page) for word in quoted.split(" "))
        if PATH.fullmatch(name) and name not in MADE_AT_RUN
        if not (ROOT / name).exists() and not any(folder.endswith(f"/{name}") for folder in folders)
        if name not in names and not any(known.endswith(f"/{name}") for known in tracked())
    ]
    assert missing == []


@EVERY_PAGE
def test_every_name_of_the_code_in_backticks_exists(page: Path):
    """Whatever looks like a class, a function or a name with a dot is a word of the code."""
    unknown = [
        quoted
        for quoted in in_backticks(page)
        if re.fullmatch(r"[A-Za-z_][\w.]*(?:\(\))?", quoted) and not PATH.fullmatch(quoted)
        if re.search(r"[A-Z][a-z]|_|\(\)|\.", quoted) and quoted not in MADE_AT_RUN
        if not set(re.findall(r"\w+", quoted)) <= words_of_the_code()
    ]
    assert unknown == []


@EVERY_PAGE
def test_a_name_with_its_module_stands_in_that_module(page: Path):
    """`module.name` and `package.module`: the part behind the dot is found where the part before it says."""
    modules: dict[str, list[str]] = {}
    for name in tracked():
        if name.endswith(".py") and name.split("/")[0] in {*ROOMS, "servers", "db.py", "key_ring.py"}:
            modules.setdefault(Path(name).stem, []).append(name)
    wrong = [
        quoted
        for quoted in in_backticks(page)
        if (found := re.fullmatch(r"([a-z_]+)\.([A-Za-z_]\w*)(?:\(.*\))?", quoted)) and found[1] in modules
        if not PATH.fullmatch(quoted) and not (ROOT / quoted.replace(".", "/")).is_dir()
        if not any(re.search(rf"\b{found[2]}\b", (ROOT / name).read_text()) for name in modules[found[1]])
    ]
    assert wrong == []


@EVERY_PAGE
def test_every_test_that_a_page_names_exists(page: Path):
    named = [TEST.fullmatch(quoted) for quoted in in_backticks(page)]
    gone = [
        found[0]
        for found in named
        if found and not re.search(f"def {found[2]}" + ("" if found[3] else r"\b"), source())
    ]
    assert gone == []
