"""The rooms and their contract: who may know whom, what files are called, and that proxy handling has no price."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import db
from web.wiring import database_schema

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("web", "dispatch", "agents", "routing", "notifications")
GROUND = ("db.py", "key_ring.py", "wsgi.py", "prepare.py")
TEXTS = {
    ".py",
    ".md",
    ".toml",
    ".html",
    ".js",
    ".css",
    ".json",
    ".in",
    ".txt",
    ".sh",
    ".csv",
    ".yml",
    ".yaml",
    ".po",
    "",
}
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc"}

# 代办服务不收费: what a word of price may stand for, because it informs and is never asked of an enterprise by us.
PRICE = {
    *("price", "prices", "pricing", "pay", "paid", "payment", "payments", "payable", "invoice", "invoices", "bill"),
    *("billing", "billed", "charge", "charges", "charged", "fee", "fees", "refund", "tariff", "surcharge", "deposit"),
    *("money", "amount", "currency", "cny", "yuan", "rmb", "cents", "fen", "wallet", "receivable"),
}
ONLY_INFORMATION = {
    "area_evaluation.saved_cents": "what an enterprise need not spend because an area evaluation stands in",
    "implementation.fee_basis": "the law that sets a statutory fee",
    "implementation.fee_payer": "who owes a statutory fee to the authority",
    "implementation.legal_fee_cents": "a matter's statutory fee, which the authority asks",
    "intermediary.fee_cents": "what a third party asks for its report, told beforehand",
    "intermediary.fee_payer": "who pays the third party, the government by default",
    "message.cost_fen": "what an SMS cost the operator",
    "parcel.declared_value_cents": "what title papers are worth to the post",
}

OWN_OF_TESTS = {"gates", "fixtures", "benchmarks"}

# What still stands against a rule; each goes when its file is mended, and a name without a reason fails.
PACKAGES_THAT_SAY_MORE = [
    "routing/__init__.py",  # the names of routing as a library
    "routing/bench/__init__.py",
    "routing/model/formats/__init__.py",
    "routing/travel/__init__.py",
    "web/pages/enterprise/__init__.py",
    "web/pages/team/__init__.py",
]


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def own(path: Path) -> bool:
    return not {"vendor", "node_modules", "__pycache__", "instance", "build", ".venv"} & set(
        path.relative_to(ROOT).parts
    )


def python_files(*, tests: bool = True) -> list[Path]:
    folders = (*ROOMS, "servers", *(("tests",) if tests else ()))
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py") if own(path)]
    return sorted([*found, *(ROOT / name for name in GROUND if (ROOT / name).exists())])


def imports_of(path: Path) -> set[str]:
    """The first word of every module that a file imports."""
    names: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


def said(path: Path) -> str:
    return str(path.relative_to(ROOT))


def settings() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]


# ---------------------------------------------------------------- who knows whom


def test_the_contract_between_the_rooms_holds():
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_ground_knows_no_room():
    for path in (ROOT / "db.py", ROOT / "key_ring.py", *(ROOT / "servers").glob("*.py")):
        assert not imports_of(path) & {*ROOMS, "wsgi", "prepare"}, said(path)


def test_only_web_and_tests_know_the_embedded_servers():
    knowing = [said(path) for path in python_files(tests=False) if "servers" in imports_of(path)]
    assert [name for name in knowing if not name.startswith(("web/", "servers/"))] == []


def test_the_environment_is_prepared_with_plain_python():
    assert imports_of(ROOT / "prepare.py") <= sys.stdlib_module_names


def test_the_doors_are_all_that_wsgi_holds():
    names = {
        target.id
        for node in tree_of(ROOT / "wsgi.py").body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    assert names == {"app", "celery"}


def test_tables_of_two_rooms_meet_in_a_foreign_key_and_never_in_a_relationship():
    database_schema.load_rooms()
    crossing = [
        f"{mapper.class_.__name__}.{relation.key}"
        for mapper in db.Base.registry.mappers
        for relation in mapper.relationships
        if mapper.class_.__module__.split(".")[0] != relation.mapper.class_.__module__.split(".")[0]
    ]
    assert crossing == []


STRICT = {
    *("disallow_any_generics", "disallow_subclassing_any", "disallow_untyped_calls", "disallow_untyped_defs"),
    *("disallow_incomplete_defs", "check_untyped_defs", "warn_return_any", "no_implicit_reexport", "strict_equality"),
}
WITHOUT_TYPES = {"web.wiring.auth", "web.pages.*", "notifications.gateways.twilio"}
"""Where classes of libraries that carry no types are subclassed: users, forms, the SMS client."""


def test_strict_types_are_asked_of_every_room():
    tools = settings()["mypy"]
    assert {flag for flag in STRICT if tools.get(flag)} == STRICT
    loosened = {
        name
        for override in tools["overrides"]
        if any(override.get(flag) is False for flag in STRICT)
        for name in override["module"]
    }
    assert loosened == WITHOUT_TYPES


def test_every_package_opens_with_one_docstring_and_nothing_else():
    opening = [path for path in python_files(tests=False) if path.name == "__init__.py"]
    told = {said(path) for path in opening if len(tree_of(path).body) != 1 or not ast.get_docstring(tree_of(path))}
    assert told == set(PACKAGES_THAT_SAY_MORE)


def test_every_folder_of_a_room_with_code_is_a_package():
    folders = {path.parent for path in python_files(tests=False) if path.parent != ROOT}
    bare = {said(folder) for folder in folders if not (folder / "__init__.py").exists()}
    assert bare <= {"web/migrations", "web/migrations/versions"}


def test_tests_mirror_the_rooms():
    folders = {path.parent.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("test_*.py")}
    lost = [str(folder) for folder in folders if not (ROOT / folder).is_dir() and folder.parts[0] not in OWN_OF_TESTS]
    assert lost == []


# ---------------------------------------------------------------- how files are written


def test_no_import_hides_in_a_function():
    hidden = [
        f"{said(path)}:{inner.lineno}"
        for path in python_files()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]
    assert hidden == []


def test_a_file_is_named_after_a_noun_or_a_verb():
    assert [said(p) for p in python_files() if {p.stem, *p.relative_to(ROOT).parts} & FORBIDDEN_NAMES] == []


def test_the_first_line_of_a_file_says_its_one_job():
    assert [said(path) for path in python_files() if not ast.get_docstring(tree_of(path))] == []


def test_no_two_classes_share_a_name():
    places: dict[str, list[str]] = {}
    for path in python_files(tests=False):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(said(path))
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_no_alias_hides_a_module():
    hidden = {
        f"{said(path)}: {alias.name} as {alias.asname}"
        for path in python_files(tests=False)
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in ROOMS
        for alias in node.names
        if alias.asname and is_module(f"{node.module}.{alias.name}")
    }
    assert hidden == set()


def is_module(name: str) -> bool:
    place = ROOT.joinpath(*name.split("."))
    return place.with_suffix(".py").exists() or (place / "__init__.py").exists()


def test_tests_are_no_package():
    assert [said(path) for path in (ROOT / "tests").rglob("__init__.py")] == []


def written_files() -> Iterator[Path]:
    for path in ROOT.rglob("*"):
        hidden = any(part.startswith(".") and part != ".ci" for part in path.relative_to(ROOT).parts)
        if path.is_file() and not hidden and own(path) and path.suffix in TEXTS:
            yield path


def test_no_file_knows_the_machine_it_was_written_on():
    machine = re.compile(r"(?<![\w.~-])/(?:root|work|workspace|home/\w+|Users/\w+|tmp/\w+)(?:/|\b)")
    told = [
        f"{said(path)}:{number}"
        for path in written_files()
        if path != Path(__file__)
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if machine.search(line)
    ]
    assert told == []


# ---------------------------------------------------------------- 代办服务不收费


def speaks_of_price(name: str) -> bool:
    """A shadow price (影子价格) is a dual value of the matching, no money: the name of a whole table."""
    return bool(set(re.split(r"[_\d.]+", name.lower().removeprefix("shadow_price."))) & PRICE)


def test_no_column_gives_proxy_handling_a_price():
    database_schema.load_rooms()
    columns = [f"{table.name}.{column.name}" for table in db.Base.metadata.tables.values() for column in table.columns]
    assert [name for name in columns if speaks_of_price(name) and name not in ONLY_INFORMATION] == []


def test_no_field_of_a_form_or_of_the_api_gives_proxy_handling_a_price():
    information = {name.split(".")[1] for name in ONLY_INFORMATION}
    priced = [
        f"{said(path)}: {field.target.id}"
        for path in python_files(tests=False)
        if path.is_relative_to(ROOT / "web")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ClassDef)
        for field in node.body
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if speaks_of_price(field.target.id) and field.target.id not in information
    ]
    assert priced == []


@pytest.mark.parametrize("name", ["case.price_cents", "service_fee", "invoice_no", "paid_at", "amount", "payment.id"])
def test_a_priced_column_would_be_noticed(name: str):
    assert speaks_of_price(name)


@pytest.mark.parametrize("name", ["payer", "saved_days", "payload", "coffee", "parcel.waybill"])
def test_a_word_that_only_sounds_like_money_is_allowed(name: str):
    assert not speaks_of_price(name)


def test_a_web_process_carries_no_solver():
    """What only workers and the command line need would double the start and the memory of every web process."""
    heavy = {"numba", "osmium", "alembic", "routing.search.solve", "web.commands.groups"}
    asked = f"import sys, web.app; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
