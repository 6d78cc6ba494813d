"""Package list: what this release is made of, from its lock files: versions, digests, licences, what needs what."""

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

ROOT = Path(__file__).resolve().parents[2]
PYTHON_LOCK, NODE_LOCK, PROJECT = "requirements.txt", "package-lock.json", "pyproject.toml"
PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^]]*])?==(?P<version>[^\s;\\]+)")
DIGEST = re.compile(r"--hash=sha256:([0-9a-f]{64})")
NEEDED_BY = re.compile(r"^\s+#\s+(?:via\s+)?(?P<name>[A-Za-z0-9._-]+)\s*$")


@dataclass(frozen=True, slots=True)
class LockedPackage:
    """One package of the lock: ``ecosystem`` is PyPI or npm, ``digests`` those of every file that may be installed."""

    ecosystem: str
    name: str
    version: str
    licence: str
    digests: tuple[str, ...]
    needed_by: tuple[str, ...]

    @property
    def purl(self) -> str:
        """The package's URL (purl-spec): ``pkg:pypi/flask@3.1.3``."""
        kind = self.ecosystem.lower()
        return f"pkg:{kind}/{quote(self.name, safe='/')}@{quote(self.version, safe='')}"


def plain_name(name: str) -> str:
    """A Python package's name in its one form (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def locked_packages() -> list[LockedPackage]:
    """Everything that the program runs with, by ecosystem and name. What only tests need is not in it."""
    found = [*_python_packages((ROOT / PYTHON_LOCK).read_text()), *_node_packages((ROOT / NODE_LOCK).read_text())]
    return sorted(found, key=lambda one: (one.ecosystem, one.name))


def _python_packages(lock: str) -> Iterable[LockedPackage]:
    for block in re.split(r"\n(?=[A-Za-z0-9])", lock):
        pin = PIN.match(block)
        if pin is None:
            continue
        name = plain_name(pin["name"])
        needed_by = tuple(plain_name(by["name"]) for line in block.splitlines() if (by := NEEDED_BY.match(line)))
        yield LockedPackage("PyPI", name, pin["version"], _licence(name), tuple(DIGEST.findall(block)), needed_by)


def _licence(name: str) -> str:
    """What the installed package says of its licence; empty where it is not installed or says nothing."""
    try:
        said = metadata.metadata(name).json
    except metadata.PackageNotFoundError:
        return ""
    if expression := said.get("license_expression"):
        return str(expression)
    classes = [line.rsplit(" :: ", 1)[-1] for line in said.get("classifier", []) if line.startswith("License ::")]
    return " / ".join(sorted(set(classes))) or str(said.get("license") or "").strip().split("\n")[0][:80]


def _node_packages(lock: str) -> Iterable[LockedPackage]:
    packages: Mapping[str, Any] = json.loads(lock)["packages"]
    names = {path: path.rpartition("node_modules/")[2] for path in packages if path}
    for path, entry in packages.items():
        if not path or entry.get("dev"):
            continue
        needed_by = tuple(
            names.get(other, "daiban") for other, of in packages.items()
            if names[path] in of.get("dependencies", {})
        )  # fmt: skip
        digest = str(entry.get("integrity", ""))
        yield LockedPackage(
            "npm", names[path], entry["version"], str(entry.get("license", "")), (digest,) if digest else (), needed_by
        )


def bill_of_materials(packages: Iterable[LockedPackage]) -> Mapping[str, Any]:
    """The packages as CycloneDX 1.6: the same lock gives the same bytes."""
    listed = list(packages)
    version = str(tomllib.loads((ROOT / PROJECT).read_text())["project"]["version"])
    own = f"pkg:generic/daiban@{version}"
    names = {(one.ecosystem, one.name): one.purl for one in listed}
    needs: dict[str, set[str]] = {own: set(), **{one.purl: set() for one in listed}}
    for one in listed:
        by = {names.get((one.ecosystem, name), own) for name in one.needed_by} or {own}
        for purl in by:
            needs[purl].add(one.purl)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, ' '.join([own, *(one.purl for one in listed)]))}",
        "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": own, "name": "daiban", "version": version}},
        "components": [_component(one) for one in listed],
        "dependencies": [{"ref": purl, "dependsOn": sorted(on)} for purl, on in needs.items()],
    }


def _component(one: LockedPackage) -> Mapping[str, Any]:
    made: dict[str, Any] = {
        "type": "library", "bom-ref": one.purl, "name": one.name, "version": one.version, "purl": one.purl,
        "properties": [{"name": "daiban:digest", "value": digest} for digest in one.digests],
    }  # fmt: skip
    if one.licence:
        made["licenses"] = [{"license": {"name": one.licence}}]
    return made
