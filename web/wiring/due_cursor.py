"""Due cursor: where a list that is sorted by its dues goes on; what has no day stands at its end."""

from datetime import datetime

from werkzeug.exceptions import BadRequest

from dispatch.views.obligation_lines import ObligationLine
from web.wiring import cursors


def due_cursor(row: ObligationLine) -> tuple[str, int]:
    """The due moment and the id of a line."""
    return "" if row.due_at is None else row.due_at.isoformat(), row.id


def due_of_cursor(cursor: str | None) -> tuple[datetime | None, int] | None:
    """The due moment and the id after which the list goes on. Raises BadRequest when it is not ours."""
    named = cursors.decode(cursor, str, int)
    if named is None:
        return None
    try:
        due_at = datetime.fromisoformat(named[0]) if named[0] else None
    except ValueError:
        raise BadRequest("not a cursor") from None
    if due_at is not None and due_at.tzinfo is None:
        raise BadRequest("not a cursor")
    return due_at, named[1]
