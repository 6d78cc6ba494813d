"""``packages``: what this release is made of: a bill of materials, the licences, and known vulnerabilities."""

import json
from pathlib import Path

import click
from flask.cli import AppGroup

from web.commands.options import one_line_failures
from web.wiring.package_audit import audit
from web.wiring.package_list import bill_of_materials, locked_packages

packages = AppGroup("packages", help="What this release is made of: versions, licences, known vulnerabilities.")


@packages.command("sbom")
@one_line_failures
def packages_sbom() -> None:
    """The bill of materials as CycloneDX 1.6 JSON: every package that the program runs with."""
    click.echo(json.dumps(bill_of_materials(locked_packages()), ensure_ascii=False, indent=1))


@packages.command("licences")
@one_line_failures
def packages_licences() -> None:
    """Each package and its licence, one a line."""
    for one in locked_packages():
        click.echo(f"{one.ecosystem}\t{one.name}\t{one.version}\t{one.licence or 'not installed here'}")


@packages.command("audit")
@click.argument("databases", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@one_line_failures
def packages_audit(databases: tuple[Path, ...]) -> None:
    """Which packages the given files of OSV records name (``all.zip`` of PyPI and npm); code 1 when there are any."""
    known = 0
    for database in databases:
        result = audit(locked_packages(), database)
        for one in result.found:
            mended = f"mended in {one.fixed}" if one.fixed else "no mended version known"
            names = " ".join((one.record, *one.aliases))
            click.echo(f"{one.package.name} {one.package.version}: {names}: {one.summary or 'no summary'}; {mended}")
        click.echo(f"{database.name}: {result.records} records, the newest of {result.newest:%Y-%m-%d}", err=True)
        known += len(result.found)
    if known:
        raise SystemExit(1)
