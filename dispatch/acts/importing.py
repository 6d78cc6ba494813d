"""Importing: the network, the catalogue and the calendar are made what files say."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Le
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from agents.merging import ImportReport
from agents.network_import import DIVISIONS_FILE, import_changes, import_network
from agents.sheets import read_sheet
from dispatch.acts.act import ActContext, act
from dispatch.acts.act_fields import Why
from dispatch.cases.case import Material
from dispatch.cases.obligations.marking import mark
from dispatch.catalogue.derivation import want_derivation
from dispatch.catalogue.imports import forget_year, import_calendar, import_catalog, import_file
from dispatch.catalogue.matter import Requirement
from dispatch.core.statutory_holidays import FIRST_YEAR, LAST_YEAR
from routing.day.couriers import Courier

BESIDE = ("requirements.csv", "implementations.csv", "area_evaluations.csv", "opening_hours.csv")


@act()
@dataclass(frozen=True, slots=True)
class ImportNetwork:
    """The five levels are made what ``file`` says; centres by default what stands beside it."""

    file: Path
    centres: Path | None = None

    def perform(self, context: ActContext) -> ImportReport:
        beside = self.file.parent / "service_centres.csv"
        report = import_network(context.session, self.file, self.centres or (beside if beside.is_file() else None))
        if self.file.resolve() == Path(DIVISIONS_FILE).resolve():
            report += import_changes(context.session)
        return report


@act()
@dataclass(frozen=True, slots=True)
class ImportCatalogue:
    """The catalogue is made what ``files`` say: matters first, then papers, places, hours; also those beside them."""

    files: tuple[Path, ...]

    def perform(self, context: ActContext) -> ImportReport:
        mark(context.session, calendar=True)
        matters = [file for file in self.files if _is_matters(file)]
        others = [file for file in self.files if file not in matters]
        others += [file.parent / name for file in matters[:1] for name in BESIDE if (file.parent / name).is_file()]
        want_derivation(context.session, with_catalogue=True)
        report = import_catalog(context.session, matters) if matters else ImportReport()
        for file in dict.fromkeys(file.resolve() for file in others):
            report += import_file(context.session, file)
        _find_requirements(context.session)
        return report


def _find_requirements(session: Session) -> None:
    """Papers whose requirement is no more belong to the one that their matter has for a paper of this name now."""
    same = select(Requirement.id).where(
        Requirement.matter_id == Material.matter_id, Requirement.name == Material.name
    ).order_by(Requirement.needed_when, Requirement.id).limit(1)  # fmt: skip
    session.execute(
        update(Material)
        .where(Material.requirement_id.is_(None), Material.matter_id.is_not(None))
        .values(requirement_id=same.scalar_subquery())
        .execution_options(synchronize_session=False)
    )


@act()
@dataclass(frozen=True, slots=True)
class ImportCalendar:
    """The years that ``file`` holds are taken."""

    file: Path

    def perform(self, context: ActContext) -> ImportReport:
        mark(context.session, calendar=True)
        want_derivation(context.session, with_catalogue=False)
        report = import_calendar(context.session, self.file)
        context.session.execute(update(Courier).values(rostered_until=None))  # holidays moved: shifts are made anew
        return report


@act()
@dataclass(frozen=True, slots=True)
class EstimateYear:
    """A year that was imported wrongly is estimated again from its statutory holidays, until its notice is imported."""

    year: Annotated[int, Ge(FIRST_YEAR), Le(LAST_YEAR)]
    reason: Why

    def perform(self, context: ActContext) -> ImportReport:
        mark(context.session, calendar=True)
        want_derivation(context.session, with_catalogue=False)
        report = forget_year(context.session, self.year)
        context.session.execute(update(Courier).values(rostered_until=None))
        return report


def _is_matters(file: Path) -> bool:
    """Whether the file's columns are those of matters."""
    return {"code", "phase"} <= read_sheet(file, ()).rows[0][1].keys()
