"""Calendar version: the calendar read once, and again when the database has changed a day or hours."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import CheckConstraint, Connection, event, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from agents.network import ServiceCentre
from db import Base
from dispatch.catalogue.calendar_tables import CalendarDay, OpeningHours
from dispatch.core.opening_hours import STANDARD_HOURS
from dispatch.core.working_days import Calendar, PublishedDay


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
    EXECUTE format('INSERT INTO %I.calendar_version (id, version) VALUES (1, gen_random_uuid())'
                   ' ON CONFLICT (id) DO UPDATE SET version = excluded.version', TG_TABLE_SCHEMA);
    RETURN NULL;
END $$
"""

_DRAWN_AFTER: dict[type[Base], str] = {
    CalendarDay: "INSERT OR UPDATE OR DELETE OR TRUNCATE",
    OpeningHours: "INSERT OR UPDATE OR DELETE OR TRUNCATE",
    ServiceCentre: "UPDATE OF centre_no",
}


def _draw_version_after(mapped: type[Base], change: str) -> None:
    name = mapped.__tablename__
    trigger = (
        f"CREATE TRIGGER {name}_draws_calendar_version AFTER {change} ON {name}"
        " FOR EACH STATEMENT EXECUTE FUNCTION draw_calendar_version()"
    )

    def make_trigger(_table: object, connection: Connection, **_options: object) -> None:
        connection.execute(text(_DRAW))
        connection.execute(text(trigger))

    event.listen(mapped.__table__, "after_create", make_trigger)


for _mapped, _change in _DRAWN_AFTER.items():
    _draw_version_after(_mapped, _change)


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
        PublishedDay(row.day, row.is_workday, row.kind, row.name, row.status)
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
    return Calendar.of(days, [hours.hours(centre_no) for hours, centre_no in rows] or STANDARD_HOURS)
