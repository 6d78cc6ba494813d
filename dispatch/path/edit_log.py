"""Path edits: what a lead changed in a project's path, in the order it was done, as its row keeps it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from dispatch.path.edits import AddWait, DropMatter, DropWait, Edit, Grant, Relief, SetDays

Kept = Mapping[str, Any]

# What a lead may do to a path: the name in the row, and how the row is read.
KINDS: dict[str, Callable[[Kept], Edit]] = {
    "add_wait": lambda kept: AddWait(kept["code"], kept["on"], kept["reason"]),
    "drop_wait": lambda kept: DropWait(kept["code"], kept["on"], kept["reason"]),
    "defer": lambda kept: Grant(kept["code"], Relief.DEFERRED, kept["reason"], kept["on"]),
    "set_days": lambda kept: SetDays(kept["code"], kept["days"], kept["reason"]),
    "drop_matter": lambda kept: DropMatter(kept["code"], kept["reason"]),
}


@dataclass(frozen=True, slots=True)
class PathEdit:
    """One edit with who made it and when, and who took it back."""

    number: int
    kind: str
    edit: Edit
    by: str
    at: datetime
    undone_by: str = ""
    undone_at: datetime | None = None
    undone_reason: str = ""

    @property
    def stands(self) -> bool:
        return self.undone_at is None


def read_edits(kept: Mapping[str, Any]) -> list[PathEdit]:
    """Every edit of a project, oldest first, those that were undone too."""
    return [_read(row) for row in kept.get("edits", ())]


def standing(kept: Mapping[str, Any]) -> list[Edit]:
    """The edits that hold now."""
    return [one.edit for one in read_edits(kept) if one.stands]


def write_edits(edits: Iterable[PathEdit]) -> dict[str, Any]:
    """The same as plain data."""
    return {"edits": [_write(one) for one in edits]}


def taken_back(one: PathEdit, *, by: str, at: datetime, reason: str) -> PathEdit:
    """The edit, undone. It stays in the history."""
    return replace(one, undone_by=by, undone_at=at, undone_reason=reason)


def _read(row: Kept) -> PathEdit:
    undone = row.get("undone_at")
    return PathEdit(
        number=row["number"],
        kind=row["kind"],
        edit=KINDS[row["kind"]](row),
        by=row["by"],
        at=datetime.fromisoformat(row["at"]),
        undone_by=row.get("undone_by", ""),
        undone_at=None if undone is None else datetime.fromisoformat(undone),
        undone_reason=row.get("undone_reason", ""),
    )


def _write(one: PathEdit) -> dict[str, Any]:
    row: dict[str, Any] = {
        "number": one.number, "kind": one.kind, "code": getattr(one.edit, "code", ""), "reason": one.edit.reason,
        "by": one.by, "at": one.at.isoformat(),
    }  # fmt: skip
    if isinstance(one.edit, SetDays):
        row["days"] = one.edit.days
    elif isinstance(one.edit, AddWait | DropWait | Grant):
        row["on"] = one.edit.on
    if one.undone_at is not None:
        row |= {
            "undone_by": one.undone_by, "undone_at": one.undone_at.isoformat(), "undone_reason": one.undone_reason,
        }  # fmt: skip
    return row
