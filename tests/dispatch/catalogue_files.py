"""Everything of the catalogue that comes with the program, in one call."""

from sqlalchemy.orm import Session

from agents.merging import ImportReport
from dispatch.catalogue.imports import (
    import_calendar,
    import_catalog,
    import_hours,
    import_implementations,
    import_requirements,
)


def import_all(session: Session) -> ImportReport:
    """Matters, papers, implementations, hours and days. The network must be there."""
    report = import_catalog(session) + import_requirements(session) + import_implementations(session)
    return report + import_hours(session) + import_calendar(session)
