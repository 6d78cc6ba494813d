"""Catalogue: the matters, how each division handles them, what papers they want, and the days that count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date, time
from enum import StrEnum
from functools import lru_cache
from math import isfinite
from pathlib import Path
from typing import Any, get_type_hints
from uuid import UUID

from sqlalchemy import DDL, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, event, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from agents.network import Division, Level, LevelNumber, ServiceCentre
from db import Base
from dispatch.core import clock
from dispatch.core.clock import Calendar, DayStatus, DayUnit, MonthDay
from dispatch.core.localized_text import ListText, LocalizedText, WindowText
from dispatch.path import area_effects
from dispatch.path.applicability import Facts, matters_for
from dispatch.path.approval_graph import AreaEffect, MatterKind, MatterNode

DATA = Path(__file__).parent.parent / "data"


class Family(StrEnum):
    """The three paths of 3550: 企业开办 in 3 days, 不动产登记 in 5, 工业建设项目施工许可 in 50."""

    BUSINESS_OPENING = "business_opening"
    PROPERTY_REGISTRATION = "property_registration"
    INDUSTRIAL_PERMIT = "industrial_permit"


class MaterialMode(StrEnum):
    """How a material reaches the authority: 免提交(电子证照), 加盖公章复印件, 核验原件后退回, 收取原件."""

    LOOKED_UP = "looked_up"
    COPY = "copy"
    ORIGINAL_RETURNED = "original_returned"
    ORIGINAL_KEPT = "original_kept"


class ResultForm(StrEnum):
    """On what the result is issued: 电子, 纸质, 电子和纸质."""

    ELECTRONIC = "electronic"
    PAPER = "paper"
    BOTH = "both"


class Confidence(StrEnum):
    """How well a figure is known. Operators see it beside the figure; enterprises see the figure's source."""

    SURE = "sure"
    TYPICAL = "typical"
    VERIFY = "verify"


class AreaKind(StrEnum):
    """What a zone may have evaluated once for everybody inside (区域评估)."""

    LAND_SURVEY = "land_survey"  # 土地勘测
    MINERALS = "minerals"  # 矿产压覆
    GEOLOGICAL_HAZARD = "geological_hazard"  # 地质灾害
    WATER_AND_SOIL = "water_and_soil"  # 水土保持
    RELICS = "relics"  # 文物保护
    FLOOD = "flood"  # 洪水影响
    EARTHQUAKE = "earthquake"  # 地震安全性
    CLIMATE = "climate"  # 气候可行性
    ENERGY = "energy"  # 区域能评
    ENVIRONMENT = "environment"  # 区域环评
    SOCIAL_STABILITY = "social_stability"  # 社会稳定风险


class Matter(Base):
    """A matter of the basic catalogue (事项), the same at every level; divisions say how they handle it."""

    __tablename__ = "matter"
    __table_args__ = (
        CheckConstraint("phase BETWEEN 0 AND 4", name="phase"),
        CheckConstraint(
            "statutory_days >= 0 AND statutory_wd >= 0 AND committed_wd >= 0 AND committed_now_wd >= 0"
            " AND simplified_wd >= 0",
            name="days",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(32), unique=True)
    position: Mapped[int]
    family: Mapped[Family] = mapped_column(index=True)
    name: Mapped[str]
    short_name: Mapped[str]
    name_en: Mapped[str]
    pinyin: Mapped[str]
    phase: Mapped[int]
    kind: Mapped[MatterKind]
    level: Mapped[Level] = mapped_column(LevelNumber)
    category: Mapped[str]  # one of agents.roster.Category: the skill it asks of an agent
    department: Mapped[str]
    counter_place: Mapped[str]
    counter_level: Mapped[Level] = mapped_column(LevelNumber)  # at which level's hall it is handed in
    applies_if: Mapped[str]
    statutory_days: Mapped[int]
    statutory_unit: Mapped[DayUnit]
    statutory_wd: Mapped[int]
    committed_wd: Mapped[int]
    committed_now_wd: Mapped[int]
    counts_in_target: Mapped[bool]
    due_before_works_only: Mapped[bool]
    joint_group: Mapped[str | None]
    needs_originals: Mapped[bool]
    result_has_original: Mapped[bool]
    result_form: Mapped[ResultForm]
    result_note: Mapped[str]
    area_evaluation: Mapped[AreaKind | None]
    area_effect: Mapped[AreaEffect]
    simplified_wd: Mapped[int]
    area_note: Mapped[str]
    deferrable_note: Mapped[str]
    exempt_procedures: Mapped[str]
    confidence_statutory: Mapped[Confidence]
    confidence_statutory_note: Mapped[str]
    confidence_committed: Mapped[Confidence]
    confidence_committed_note: Mapped[str]
    source: Mapped[str]
    retired_on: Mapped[date | None]

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"


class MatterPrerequisite(Base):
    """That one matter waits for another's result (前置)."""

    __tablename__ = "matter_prerequisite"
    __table_args__ = (CheckConstraint("matter_id <> prerequisite_id", name="not_itself"),)

    matter_id: Mapped[int] = mapped_column(ForeignKey("matter.id", ondelete="CASCADE"), primary_key=True)
    prerequisite_id: Mapped[int] = mapped_column(ForeignKey("matter.id"), primary_key=True, index=True)


class Requirement(Base):
    """A material that a matter wants (申请材料), and in which of the four modes."""

    __tablename__ = "requirement"
    __table_args__ = (
        UniqueConstraint("matter_id", "name"),
        CheckConstraint('defer_wd IS NULL OR (defer_wd > 0 AND "deferrable")', name="defer"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    matter_id: Mapped[int] = mapped_column(ForeignKey("matter.id", ondelete="CASCADE"))
    position: Mapped[int]
    name: Mapped[str]
    mode: Mapped[MaterialMode]
    deferrable: Mapped[bool] = mapped_column(server_default=text("false"), default=False)
    defer_wd: Mapped[int | None]  # working days after acceptance within which a deferred material must be in
    condition: Mapped[str] = mapped_column(server_default="", default="")
    confidence: Mapped[Confidence]
    note: Mapped[str] = mapped_column(server_default="", default="")


class Implementation(Base):
    """How one division handles a matter (实施清单). A column that is None keeps what stands above it in the tree."""

    __tablename__ = "implementation"
    __table_args__ = (
        UniqueConstraint("matter_id", "division_id"),
        CheckConstraint("statutory_wd >= 0 AND committed_wd >= 0 AND legal_fee_cents >= 0", name="not_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    matter_id: Mapped[int] = mapped_column(ForeignKey("matter.id"))
    division_id: Mapped[int] = mapped_column(ForeignKey("division.id"), index=True)
    authority: Mapped[str | None]
    counter_place: Mapped[str | None]
    centre_id: Mapped[int | None] = mapped_column(ForeignKey("service_centre.id"))
    seal: Mapped[str | None]
    statutory_wd: Mapped[int | None]
    committed_wd: Mapped[int | None]
    legal_fee_cents: Mapped[int | None]
    fee_basis: Mapped[str | None]
    fee_payer: Mapped[str | None]
    same_day: Mapped[bool | None]


class AreaEvaluation(Base):
    """An evaluation that a zone had made for all projects inside it (区域评估成果), shared free while valid."""

    __tablename__ = "area_evaluation"
    __table_args__ = (
        UniqueConstraint("division_id", "kind", "valid_from"),
        CheckConstraint("valid_to >= valid_from", name="order"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    division_id: Mapped[int] = mapped_column(ForeignKey("division.id"))
    kind: Mapped[AreaKind]
    title: Mapped[str] = mapped_column(server_default="", default="")
    valid_from: Mapped[date]
    valid_to: Mapped[date]
    negative_list: Mapped[list[str]] = mapped_column(server_default=text("'[]'::jsonb"), default=list)
    saved_cents: Mapped[int | None]  # what one project saves by sharing it, as the zone states


class CalendarDay(Base):
    """One day: worked or not, and whether the year's holidays are published."""

    __tablename__ = "calendar_day"

    day: Mapped[date] = mapped_column(primary_key=True)
    is_workday: Mapped[bool]
    kind: Mapped[str]
    name: Mapped[str] = mapped_column(server_default="", default="")
    status: Mapped[DayStatus]


class OpeningHours(Base):
    """When a centre's counters are open in a season (作息时间); without a centre, wherever no row says otherwise."""

    __tablename__ = "opening_hours"
    __table_args__ = (
        Index(
            "uq_opening_hours_centre_id_season_from",
            "centre_id",
            "season_from",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        CheckConstraint("season_from ~ '^[01]\\d-[0-3]\\d$' AND season_to ~ '^[01]\\d-[0-3]\\d$'", name="season"),
        CheckConstraint("closes > opens", name="order"),
        CheckConstraint(
            "(lunch_starts IS NULL AND lunch_ends IS NULL)"
            " OR (opens < lunch_starts AND lunch_starts < lunch_ends AND lunch_ends < closes)",
            name="lunch",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    centre_id: Mapped[int | None] = mapped_column(ForeignKey("service_centre.id"))
    season_from: Mapped[str] = mapped_column(String(5))  # month-day, "06-01"
    season_to: Mapped[str] = mapped_column(String(5))
    opens: Mapped[time]
    closes: Mapped[time]
    lunch_starts: Mapped[time | None]
    lunch_ends: Mapped[time | None]

    def hours(self, centre_no: str | None) -> clock.SeasonHours:
        """What the clock reads: the morning and the afternoon, or one session where there is no lunch break."""
        if self.lunch_starts is None or self.lunch_ends is None:
            sessions: tuple[tuple[time, time], ...] = ((self.opens, self.closes),)
        else:
            sessions = ((self.opens, self.lunch_starts), (self.lunch_ends, self.closes))
        return clock.SeasonHours(sessions, centre_no, _month_day(self.season_from), _month_day(self.season_to))


def _month_day(words: str) -> MonthDay:
    month, day = words.split("-")
    return MonthDay(int(month), int(day))


# ---------------------------------------------------------------- the calendar


class CalendarVersion(Base):
    """One row: another version whenever a day or opening hours change, which the database itself sees to.

    It is drawn and not counted: two databases never share one unless one is the other's copy."""

    __tablename__ = "calendar_version"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[UUID]


# As the migrations make them, for tables that are made without.
_DRAW = """
CREATE OR REPLACE FUNCTION draw_calendar_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('INSERT INTO %%I.calendar_version (id, version) VALUES (1, gen_random_uuid())'
                   ' ON CONFLICT (id) DO UPDATE SET version = excluded.version', TG_TABLE_SCHEMA);
    RETURN NULL;
END $$
"""
_DRAWN_AFTER = {
    CalendarDay: "INSERT OR UPDATE OR DELETE OR TRUNCATE",
    OpeningHours: "INSERT OR UPDATE OR DELETE OR TRUNCATE",
    ServiceCentre: "UPDATE OF centre_no",
}
for _noun, _change in _DRAWN_AFTER.items():
    event.listen(_noun.__table__, "after_create", DDL(_DRAW))
    event.listen(
        _noun.__table__,
        "after_create",
        DDL(
            f"CREATE TRIGGER {_noun.__tablename__}_draws_calendar_version AFTER {_change} ON {_noun.__tablename__}"
            " FOR EACH STATEMENT EXECUTE FUNCTION draw_calendar_version()"
        ),
    )


def calendar_of(session: Session) -> Calendar:
    """The working days and opening hours of the database. Read again only when a row of either has changed."""
    return calendar_of_version(session, session.scalar(select(CalendarVersion.version)))


def calendar_of_version(session: Session, version: UUID | None) -> Calendar:
    """The same, for a version that was read with something else. None: there never was a row."""
    calendar = _calendars.get(version)
    if calendar is None:
        _calendars.clear()
        calendar = _calendars[version] = _read_calendar(session)
    return calendar


_calendars: dict[UUID | None, Calendar] = {}


def _read_calendar(session: Session) -> Calendar:
    days = [
        clock.PublishedDay(row.day, row.is_workday, row.kind, row.name, row.status)
        for row in session.execute(
            select(
                CalendarDay.day, CalendarDay.is_workday, CalendarDay.kind, CalendarDay.name, CalendarDay.status
            ).order_by(CalendarDay.day)
        )
    ]
    rows = session.execute(
        select(OpeningHours, ServiceCentre.centre_no)
        .outerjoin(ServiceCentre, ServiceCentre.id == OpeningHours.centre_id)
        .order_by(OpeningHours.id)
    )
    return Calendar.of(days, [hours.hours(centre_no) for hours, centre_no in rows] or clock.STANDARD_HOURS)


def _second_of(at: time) -> int:
    return at.hour * 3600 + at.minute * 60


def hours_in_words(calendar: Calendar, on: date, centre_no: str | None = None) -> str:
    """A day's opening hours as a page shows them: 工作日 9:00-12:00、13:30-17:00."""
    sessions = calendar.hours_on(on, centre_no).sessions
    return LocalizedText(
        "工作日 %(hours)s", hours=ListText(WindowText(_second_of(a), _second_of(z)) for a, z in sessions)
    )


# ---------------------------------------------------------------- who handles a matter at a place


@dataclass(frozen=True, slots=True)
class Handling:
    """How a matter is handled for a place: the catalogue's defaults under what the divisions above it say."""

    matter_code: str
    authority: str
    division_id: int  # the authority's division
    counter_division_id: int  # where the counter is: an agent of that division stands at it
    counter_place: str
    centre_id: int | None
    seal: str
    statutory_wd: int
    committed_wd: int
    committed_now_wd: int
    legal_fee_cents: int | None
    fee_basis: str
    fee_payer: str
    same_day: bool


def handling_of(session: Session, matter: Matter, division: Division) -> Handling:
    """How one matter is handled for a place."""
    return handlings_of(session, [matter], division)[matter.code]


def handlings_of(session: Session, matters: Iterable[Matter], division: Division) -> dict[str, Handling]:
    """How each matter is handled for a place. A division's own row wins over those above it, column by column."""
    wanted = list(matters)
    line = session.scalars(
        select(Division).where(Division.code.in_(division.path.split("."))).order_by(Division.level.desc())
    ).all()
    centres: dict[int, ServiceCentre] = {}
    for centre in session.scalars(
        select(ServiceCentre)
        .where(ServiceCentre.division_id.in_([d.id for d in line]), ServiceCentre.retired_on.is_(None))
        .order_by(ServiceCentre.centre_no.desc())
    ):
        centres[centre.division_id] = centre
    rows: dict[tuple[int, int], Implementation] = {
        (row.matter_id, row.division_id): row
        for row in session.scalars(
            select(Implementation).where(
                Implementation.matter_id.in_([m.id for m in wanted]),
                Implementation.division_id.in_([d.id for d in line]),
            )
        )
    }
    return {
        matter.code: _handling(
            matter, line, [rows[matter.id, d.id] for d in line if (matter.id, d.id) in rows], centres
        )
        for matter in wanted
    }


def _handling(
    matter: Matter, line: Iterable[Division], rows: list[Implementation], centres: Mapping[int, ServiceCentre]
) -> Handling:
    """``line`` and ``rows`` run from the place upwards."""
    upwards = list(line)

    def said(column: str, default: Any) -> Any:
        return next((value for row in rows if (value := getattr(row, column)) is not None), default)

    authority_at = _nearest(upwards, matter.level)
    counter_at = _nearest(upwards, matter.counter_level)
    centre = next((centres[d.id] for d in upwards if d.level <= counter_at.level and d.id in centres), None)
    statutory = said("statutory_wd", matter.statutory_wd)
    committed = said("committed_wd", matter.committed_wd)
    own_commitment = any(row.committed_wd is not None for row in rows)
    return Handling(
        matter_code=matter.code,
        authority=said("authority", None) or authority_name(matter.department, authority_at.name),
        division_id=authority_at.id,
        counter_division_id=counter_at.id,
        counter_place=said("counter_place", None) or (centre.name if centre else f"{counter_at.name}政务服务中心"),
        centre_id=said("centre_id", centre.id if centre else None),
        seal=said("seal", ""),
        statutory_wd=statutory,
        committed_wd=committed,
        committed_now_wd=committed if own_commitment else matter.committed_now_wd,
        legal_fee_cents=said("legal_fee_cents", None),
        fee_basis=said("fee_basis", ""),
        fee_payer=said("fee_payer", ""),
        same_day=said("same_day", committed == 0),
    )


def _nearest(upwards: list[Division], level: Level) -> Division:
    """The division of that level on the way up; the place itself when it stands higher already."""
    return next((division for division in upwards if division.level <= level), upwards[-1])


def authority_name(department: str, place: str) -> str:
    """A department's words in the catalogue, as the name of the authority at a place: 武进区行政审批局."""
    options = department.split("/")
    if ONE_SEAL in options:
        return f"{place}{ONE_SEAL}"
    bureau = options[0]
    for end in "((,，、牵":
        bureau = bureau.split(end)[0]
    bureau = bureau.removeprefix("设区市").removeprefix("省")
    return f"{place}{bureau}" if bureau.endswith(OFFICES) else bureau


ONE_SEAL = "行政审批局"  # 一枚印章管审批: where it may handle a matter, it does by default
OFFICES = ("局", "委", "厅", "办", "登记中心", "管理中心")


# ---------------------------------------------------------------- the approval path's inputs


def facts_of(given: Mapping[str, Any]) -> Facts:
    """A project's facts as its row keeps them; what is not given keeps its default. Raises ValueError."""
    kinds = _fact_kinds()
    values: dict[str, Any] = {}
    for name, value in given.items():
        kind = kinds.get(name)
        if kind is None or value is None:
            continue
        if kind is bool and not isinstance(value, bool):
            raise ValueError(f"{name} is {value!r}, neither true nor false")
        if kind is float and not _is_amount(value):
            raise ValueError(f"{name} is {value!r}, not a number")
        values[name] = kind(value)
    return Facts(**values)


def _is_amount(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


@lru_cache(maxsize=1)
def _fact_kinds() -> dict[str, type]:
    hints = get_type_hints(Facts)
    return {field.name: hints[field.name] for field in fields(Facts)}


def matter_nodes(
    session: Session,
    division: Division,
    facts: Facts | Mapping[str, Any] | None = None,
    *,
    family: Family = Family.INDUSTRIAL_PERMIT,
) -> list[MatterNode]:
    """The matters of a family as handled at a place; only those that the facts call for when facts are given."""
    matters = session.scalars(
        select(Matter).where(Matter.family == family, Matter.retired_on.is_(None)).order_by(Matter.position)
    ).all()
    codes = {matter.id: matter.code for matter in matters}
    before: dict[int, list[str]] = {matter.id: [] for matter in matters}
    links = session.execute(
        select(MatterPrerequisite.matter_id, MatterPrerequisite.prerequisite_id, Matter.code)
        .join(Matter, Matter.id == MatterPrerequisite.prerequisite_id)
        .where(MatterPrerequisite.matter_id.in_(codes))
        .order_by(Matter.position)
    )
    for matter_id, prerequisite_id, code in links:
        if prerequisite_id in codes:
            before[matter_id].append(code)
    handlings = handlings_of(session, matters, division)
    nodes = [_node(matter, before[matter.id], handlings[matter.code]) for matter in matters]
    if facts is None:
        return nodes
    return list(matters_for(nodes, facts if isinstance(facts, Facts) else facts_of(facts)))


def _node(matter: Matter, prerequisites: Iterable[str], handling: Handling) -> MatterNode:
    return MatterNode(
        code=matter.code,
        name=matter.name,
        short=matter.short_name,
        phase=matter.phase,
        kind=matter.kind,
        statutory_days=handling.statutory_wd,
        committed_days=handling.committed_wd,
        committed_now_days=handling.committed_now_wd,
        counts_in_target=matter.counts_in_target,
        prerequisites=tuple(prerequisites),
        before_works_only=matter.due_before_works_only,
        joint_group=matter.joint_group or "",
        area_evaluation=matter.area_evaluation or "",
        area_effect=matter.area_effect,
        simplified_days=matter.simplified_wd,
        authority=handling.authority,
        level=matter.level.name.lower(),
        counter=handling.counter_place,
        applies_if=matter.applies_if,
        relief=matter.deferrable_note,
        exempt_procedures=matter.exempt_procedures,
        basis=matter.source,
    )


def site_of(
    division: Division, *, line: Iterable[Division], use_unchanged: bool = True, industry: str = ""
) -> area_effects.EvaluatedSite:
    """The site of a project as an area evaluation is judged by: wholly inside every division it belongs to."""
    inside = frozenset(d.name for d in (*line, division))
    return area_effects.EvaluatedSite(inside, use_unchanged=use_unchanged, industry=industry)


def area_evaluations(session: Session, division: Division) -> list[area_effects.ZoneEvaluation]:
    """What the zones that a place belongs to had evaluated, old ones too: the path says which still serve."""
    rows = session.execute(
        select(AreaEvaluation, Division.name)
        .join(Division, Division.id == AreaEvaluation.division_id)
        .where(Division.code.in_(division.path.split(".")))
        .order_by(AreaEvaluation.kind, AreaEvaluation.valid_from.desc(), AreaEvaluation.id)
    )
    return [
        area_effects.ZoneEvaluation(
            kind=row.kind,
            zone=zone,
            approved_on=row.valid_from,
            valid_to=row.valid_to,
            negative_list=frozenset(row.negative_list),
            cost_saved_yuan=(row.saved_cents or 0) // 100,
        )
        for row, zone in rows
    ]
