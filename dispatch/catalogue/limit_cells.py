"""Limit cells: the limits of a row of a file; a promise is never longer than the law. No database."""

from agents.sheets import Cells
from dispatch.core.limit import Limit, limit_form, read_limit


def limit_cell(cells: Cells, column: str) -> Limit | None:
    """The limit in a cell; empty means none. What is no limit is noted as a fault."""
    try:
        return read_limit(cells.text(column, needed=False))
    except ValueError as error:
        cells.fault(column, str(error))
        return None


def limit_cells(cells: Cells, *columns: str, law: Limit | None = None) -> dict[str, str | None]:
    """The forms of a row's limits; a promise longer than ``statutory_limit``, or else ``law``, is noted as a fault."""
    limits = {column: limit_cell(cells, column) for column in columns}
    law = limits.get("statutory_limit") or law
    for column, limit in limits.items():
        if column in {"committed_limit", "today_limit"} and law and limit and limit.is_longer_than(law):
            cells.fault(column, f"{limit} promised is longer than the {law} of the law")
    return {column: limit_form(limit) for column, limit in limits.items()}
