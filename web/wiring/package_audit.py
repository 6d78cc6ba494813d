"""Package audit: which packages of the lock a dated file of known vulnerabilities (OSV) names. Needs no network."""

import json
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

from web.wiring.package_list import LockedPackage, plain_name


class BadDatabase(ValueError):
    """The file is no archive of OSV records."""


@dataclass(frozen=True, slots=True)
class Vulnerability:
    """A package that is named, by which record, and the version from which on it is mended, where one is known."""

    package: LockedPackage
    record: str
    aliases: tuple[str, ...]
    summary: str
    fixed: str


@dataclass(frozen=True, slots=True)
class Audit:
    """What was found, in how many records, the newest of which is of this moment."""

    found: tuple[Vulnerability, ...]
    records: int
    newest: datetime


def audit(packages: Iterable[LockedPackage], database: Path) -> Audit:
    """Look every package up. ``database``: a zip of OSV records as osv.dev publishes one for each ecosystem.

    Raises BadDatabase where it is none, or empty."""
    known: dict[tuple[str, str], list[LockedPackage]] = defaultdict(list)
    for package in packages:
        known[package.ecosystem, _name(package.ecosystem, package.name)].append(package)
    found: dict[tuple[str, str], Vulnerability] = {}
    count, newest = 0, ""
    for record in _records(database):
        count, newest = count + 1, max(newest, str(record.get("modified", "")))
        if record.get("withdrawn"):
            continue
        for affected in record.get("affected", ()):
            of = affected.get("package", {})
            ecosystem, name = str(of.get("ecosystem")), str(of.get("name"))
            for package in known.get((ecosystem, _name(ecosystem, name)), ()):
                if is_affected(package.version, affected):
                    found[package.purl, str(record["id"])] = _vulnerability(package, record, affected)
    if not count:
        raise BadDatabase(f"{database} holds no OSV record")
    return Audit(tuple(one for _, one in sorted(found.items())), count, datetime.fromisoformat(newest))


def _name(ecosystem: str, name: str) -> str:
    return plain_name(name) if ecosystem == "PyPI" else name


def _records(database: Path) -> Iterator[Mapping[str, Any]]:
    try:
        with zipfile.ZipFile(database) as archive:
            for name in archive.namelist():
                if name.endswith(".json"):
                    yield json.loads(archive.read(name))
    except (OSError, zipfile.BadZipFile, ValueError) as error:
        raise BadDatabase(f"{database} is no archive of OSV records: {error}") from error


def _vulnerability(package: LockedPackage, record: Mapping[str, Any], affected: Mapping[str, Any]) -> Vulnerability:
    fixed = [event["fixed"] for span in affected.get("ranges", ()) for event in span["events"] if "fixed" in event]
    later = sorted((one for one in fixed if _order(one) > _order(package.version)), key=_order)
    return Vulnerability(
        package, str(record["id"]), tuple(record.get("aliases", ())), str(record.get("summary", "")).strip(),
        later[0] if later else "",
    )  # fmt: skip


def is_affected(version: str, affected: Mapping[str, Any]) -> bool:
    """Whether an OSV entry names this version: in its list, or in one of its ranges (OSV schema 1.7, evaluation)."""
    if version in affected.get("versions", ()):
        return True
    spans = [span for span in affected.get("ranges", ()) if span.get("type") in {"ECOSYSTEM", "SEMVER"}]
    return any(_is_within(version, span["events"]) for span in spans)


def _is_within(version: str, events: Iterable[Mapping[str, str]]) -> bool:
    """Walk the events in the order of their versions: the last one at or before this version says what it is."""
    own = _order(version)
    turns = [(_order("0.dev0" if at == "0" else at), kind) for event in events for kind, at in event.items()]
    is_in = False
    for turn, kind in sorted(turns, key=lambda one: one[0]):
        if kind == "introduced" and turn <= own:
            is_in = True
        elif (kind == "fixed" and turn <= own) or (kind == "last_affected" and turn < own):
            is_in = False
    return is_in


def _order(version: str) -> Version:
    """The version as it sorts; what sorts by no rule counts as the first, so that it is reported rather than missed."""
    try:
        return Version(version)
    except InvalidVersion:
        return Version("0.dev0")
