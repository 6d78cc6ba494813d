"""Network: the five levels of Jiangsu's service network, their centres, and what is above and below a place."""

from __future__ import annotations

from datetime import date
from enum import IntEnum, StrEnum
from pathlib import Path

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    Dialect,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    cast,
    select,
)
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import TypeDecorator

from db import Base, Ltree

DATA = Path(__file__).parent / "data"
COUNTY_MAP_FILE = DATA / "counties_jiangsu.geojson"


class UnknownDivision(LookupError):
    """No division of the network has this code, now or formerly."""


class Level(IntEnum):
    """How high a division stands, from 省 to 村(社区). A smaller number is higher up."""

    PROVINCE = 1
    CITY = 2
    COUNTY = 3
    TOWN = 4
    VILLAGE = 5


class LevelNumber(TypeDecorator[Level]):
    """A level, stored as its number so that the database can compare levels."""

    impl = SmallInteger
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:
        return None if value is None else int(Level(value))

    def process_result_value(self, value: int | None, dialect: Dialect) -> Level | None:
        return None if value is None else Level(value)


class Precision(StrEnum):
    """How far a point may be trusted: a geocoded one, the middle of an area, or one put there by calculation."""

    EXACT = "exact"
    CENTROID = "centroid"
    SYNTHETIC = "synthetic"
    ADMIN_SEAT = "admin_seat"


class Division(Base):
    """An administrative division or a zone of that rank (区划). ``parent_code`` is the truth, ``path`` follows."""

    __tablename__ = "division"
    __table_args__ = (
        Index("ix_division_path", "path", postgresql_using="gist"),
        CheckConstraint("lon BETWEEN -180 AND 180 AND lat BETWEEN -90 AND 90", name="point"),
        CheckConstraint("level BETWEEN 1 AND 5", name="level"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(12), unique=True)
    name: Mapped[str]
    pinyin: Mapped[str] = mapped_column(index=True)
    level: Mapped[Level] = mapped_column(LevelNumber)
    kind: Mapped[str]
    parent_code: Mapped[str | None] = mapped_column(ForeignKey("division.code"), index=True)
    path: Mapped[str] = mapped_column(Ltree)
    lon: Mapped[float]
    lat: Mapped[float]
    precision: Mapped[Precision]
    retired_on: Mapped[date | None]

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"


class DivisionAlias(Base):
    """Another code or name under which a division is known: after a merger, or in the other ministry's list."""

    __tablename__ = "division_alias"
    __table_args__ = (Index("uq_division_alias_code_name", "code", "name", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(12), index=True)
    name: Mapped[str]
    division_id: Mapped[int] = mapped_column(ForeignKey("division.id"), index=True)
    change: Mapped[str]


class ServiceCentre(Base):
    """A government service centre (政务服务中心): counters, an EMS desk, and the papers on their way."""

    __tablename__ = "service_centre"
    __table_args__ = (CheckConstraint("lon BETWEEN -180 AND 180 AND lat BETWEEN -90 AND 90", name="point"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    centre_no: Mapped[str] = mapped_column(String(16), unique=True)
    division_id: Mapped[int] = mapped_column(ForeignKey("division.id"), index=True)
    name: Mapped[str]
    pinyin: Mapped[str]
    level: Mapped[str]
    lon: Mapped[float]
    lat: Mapped[float]
    precision: Mapped[Precision]
    retired_on: Mapped[date | None]


def division_with(session: Session, code: str) -> Division:
    """The division with this code, also a short one (``320412``) or one it had elsewhere. Raises UnknownDivision."""
    if not (code.isascii() and code.isdigit() and len(code) <= 12):
        raise UnknownDivision(f"{code!r} is not a division's code")
    full = code.ljust(12, "0")
    division = session.scalar(select(Division).where(Division.code == full))
    if division is None:
        division = session.scalar(
            select(Division)
            .join(DivisionAlias, DivisionAlias.division_id == Division.id)
            .where(DivisionAlias.code == full)
            .order_by(DivisionAlias.id)
            .limit(1)
        )
    if division is None:
        raise UnknownDivision(f"the network has no division {code}")
    return division


def ancestors(session: Session, division: Division) -> list[Division]:
    """What stands above a division, from the province down to its parent."""
    codes = division.path.split(".")[:-1]
    return list(session.scalars(select(Division).where(Division.code.in_(codes)).order_by(Division.level)))


def children(session: Session, division: Division) -> list[Division]:
    """What stands directly below, in the order of its names."""
    below = select(Division).where(Division.parent_code == division.code, Division.retired_on.is_(None))
    return list(session.scalars(below.order_by(Division.pinyin, Division.code)))


def subtree_condition(path: str) -> ColumnElement[bool]:
    """Holds for the division with this path and for all below it."""
    return Division.path.op("<@", is_comparison=True)(cast(path, Ltree))


def home_county(session: Session, division: Division) -> Division | None:
    """The county or county-level zone that a place belongs to: the usual home of a project. None above counties."""
    codes = division.path.split(".")
    if len(codes) < Level.COUNTY:
        return None
    return division_with(session, codes[Level.COUNTY - 1])


def centre_of(session: Session, division: Division) -> ServiceCentre | None:
    """The centre that serves a place: its own, else that of the nearest division above which has one."""
    codes = division.path.split(".")
    up_the_tree = (
        select(ServiceCentre)
        .join(Division, Division.id == ServiceCentre.division_id)
        .where(Division.code.in_(codes), ServiceCentre.retired_on.is_(None))
        .order_by(Division.level.desc(), ServiceCentre.centre_no)
    )
    return session.scalar(up_the_tree.limit(1))
