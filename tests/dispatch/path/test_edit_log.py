"""The log of a path's edits: each kind comes back as it was written, and what was taken back stays to be read."""

from datetime import timedelta

import pytest

from dispatch.path.edit_log import KINDS, PathEdit, read_edits, standing, taken_back, write_edits
from dispatch.path.edits import AddWait, DropMatter, DropWait, Edit, Grant, Relief, SetDays
from tests.dispatch.moments import TEN

EDITS: dict[str, Edit] = {
    "add_wait": AddWait("IND-1", "IND-2", "先勘察"),
    "drop_wait": DropWait("IND-1", "IND-2", "并联"),
    "defer": Grant("IND-1", Relief.DEFERRED, "容缺", "IND-2"),
    "set_days": SetDays("IND-1", 3, "已商定"),
    "drop_matter": DropMatter("IND-1", "不涉及"),
}


def an_edit(kind: str = "set_days", number: int = 1) -> PathEdit:
    return PathEdit(number, kind, EDITS[kind], "account:1", TEN)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_edit_comes_back_as_it_was_written(kind: str) -> None:
    assert read_edits(write_edits([an_edit(kind)])) == [an_edit(kind)]


def test_the_row_of_an_edit_names_its_matter_and_just_what_its_kind_has() -> None:
    common = {"number": 1, "code": "IND-1", "by": "account:1", "at": TEN.isoformat()}
    written = {kind: write_edits([an_edit(kind)])["edits"] for kind in KINDS}
    assert written["set_days"] == [common | {"kind": "set_days", "reason": "已商定", "days": 3}]
    assert written["drop_matter"] == [common | {"kind": "drop_matter", "reason": "不涉及"}]
    assert written["defer"] == [common | {"kind": "defer", "reason": "容缺", "on": "IND-2"}]


def test_what_was_taken_back_holds_no_more_and_says_by_whom_when_and_why() -> None:
    kept, first = an_edit("add_wait", 2), an_edit()
    undone = taken_back(first, by="account:2", at=TEN + timedelta(days=1), reason="误录")
    assert (first.stands, undone.stands) == (True, False)
    again = read_edits(write_edits([undone, kept]))
    assert again == [undone, kept]
    assert (again[0].undone_by, again[0].undone_at, again[0].undone_reason) == (
        "account:2", TEN + timedelta(days=1), "误录",
    )  # fmt: skip
    assert standing(write_edits([undone, kept])) == [kept.edit]


def test_a_project_that_nobody_edited_has_no_edits() -> None:
    assert read_edits({}) == standing({}) == []
