"""Packages: the bill of materials holds every pin and nothing else, and the audit finds what OSV's rules say."""

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from web.wiring.package_audit import BadDatabase, audit, is_affected
from web.wiring.package_list import ROOT, LockedPackage, bill_of_materials, locked_packages

FLASK = LockedPackage("PyPI", "flask", "3.1.3", "BSD-3-Clause", (), ())


@pytest.fixture
def runner(app: Flask) -> FlaskCliRunner:
    return app.test_cli_runner()


def a_database(folder: Path, *records: dict[str, Any]) -> Path:
    path = folder / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number, record in enumerate(records):
            archive.writestr(f"{number}.json", json.dumps(record))
    return path


def a_record(package: str = "flask", ecosystem: str = "PyPI", **more: Any) -> dict[str, Any]:
    affected = {"package": {"ecosystem": ecosystem, "name": package}, "ranges": [], "versions": ["3.1.3"]}
    record = {"id": "GHSA-1", "modified": "2026-11-01T00:00:00Z", "summary": "leaks", "affected": [affected]}
    affected.update(more.pop("affected", {}))
    return record | more


def test_the_bill_holds_every_pin_and_nothing_else() -> None:
    pins = re.findall(r"^([A-Za-z0-9._-]+)(?:\[.*?])?==([^\s;\\]+)", (ROOT / "requirements.txt").read_text(), re.M)
    node = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    wanted = {f"pkg:pypi/{re.sub('[-_.]+', '-', name).lower()}@{version}" for name, version in pins}
    wanted |= {
        f"pkg:npm/{path.rpartition('node_modules/')[2].replace('@', '%40')}@{entry['version']}"
        for path, entry in node.items() if path and not entry.get("dev")
    }  # fmt: skip
    bill = bill_of_materials(locked_packages())
    assert {one["purl"] for one in bill["components"]} == wanted
    assert all(one["properties"] for one in bill["components"])
    listed = {one["bom-ref"] for one in bill["components"]} | {bill["metadata"]["component"]["bom-ref"]}
    for line in bill["dependencies"]:
        assert {line["ref"], *line["dependsOn"]} <= listed
    reached, front = set(), {bill["metadata"]["component"]["bom-ref"]}
    needs = {line["ref"]: line["dependsOn"] for line in bill["dependencies"]}
    while front:
        reached |= front
        front = {purl for one in front for purl in needs[one]} - reached
    assert reached == listed  # what nothing needs is not in the lock
    assert bill == bill_of_materials(locked_packages())


@pytest.mark.parametrize(
    ("version", "events", "is_named"),
    [
        ("3.1.3", [{"introduced": "0"}], True),
        ("3.1.3", [{"introduced": "0"}, {"fixed": "3.1.3"}], False),
        ("3.1.3", [{"introduced": "0"}, {"fixed": "3.1.4"}], True),
        ("3.1.3", [{"introduced": "3.2"}], False),
        ("3.1.3", [{"introduced": "0"}, {"last_affected": "3.1.3"}], True),
        ("3.1.4", [{"introduced": "0"}, {"last_affected": "3.1.3"}], False),
        ("3.10", [{"introduced": "3.2"}, {"fixed": "3.9"}], False),
        ("2.0", [{"introduced": "0"}, {"fixed": "1.0"}, {"introduced": "1.5"}, {"fixed": "2.1"}], True),
        ("1.2", [{"introduced": "1.5"}, {"fixed": "2.1"}, {"introduced": "0"}, {"fixed": "1.0"}], False),
        ("2.0rc1", [{"introduced": "1.0"}, {"fixed": "2.0"}], True),
    ],
)
def test_a_range_is_read_by_the_rules_of_osv(version: str, events: list[dict[str, str]], is_named: bool) -> None:
    assert is_affected(version, {"ranges": [{"type": "ECOSYSTEM", "events": events}]}) is is_named


def test_what_is_another_or_withdrawn_is_not_found(tmp_path: Path) -> None:
    records = [
        a_record(id="A"), a_record("flask-login", id="B"), a_record(ecosystem="npm", id="C"),
        a_record(id="D", withdrawn="2026-01-01T00:00:00Z"), a_record("Flask", id="E"),
        a_record(id="F", affected={"versions": ["3.1.2"]}),
    ]  # fmt: skip
    found = audit([FLASK], a_database(tmp_path, *records))
    assert [one.record for one in found.found] == ["A", "E"]
    assert (found.records, f"{found.newest:%Y-%m-%d}") == (6, "2026-11-01")


def test_the_first_mended_version_is_named(tmp_path: Path) -> None:
    spans = [
        {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]} for fixed in ("4.0", "3.2", "3.1")
    ]
    found = audit([FLASK], a_database(tmp_path, a_record(affected={"ranges": spans})))
    assert found.found[0].fixed == "3.2"


def test_what_is_no_database_is_said(tmp_path: Path) -> None:
    text = tmp_path / "all.zip"
    text.write_text("none")
    with pytest.raises(BadDatabase):
        audit([FLASK], text)
    with pytest.raises(BadDatabase):
        audit([FLASK], a_database(tmp_path))


def test_the_commands_say_it(runner: FlaskCliRunner, tmp_path: Path) -> None:
    bill = json.loads(runner.invoke(args=["packages", "sbom"]).output)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    licences = runner.invoke(args=["packages", "licences"]).output
    assert "PyPI\tflask\t3.1.3\tBSD-3-Clause" in licences
    assert "not said" not in licences
    good = runner.invoke(args=["packages", "audit", str(a_database(tmp_path, a_record("nothing")))])
    assert (good.exit_code, good.stdout) == (0, "")
    bad = runner.invoke(args=["packages", "audit", str(a_database(tmp_path, a_record()))])
    assert bad.exit_code == 1
    assert bad.stdout.startswith("flask 3.1.3: GHSA-1: leaks; no mended version known")
    none = runner.invoke(args=["packages", "audit", str(tmp_path / "no.zip")])
    assert none.exit_code != 0
