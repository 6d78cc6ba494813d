"""Bulk filing: each row of a sheet is one request for a project; the sheet is filed whole, or by its good rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from sqlalchemy.orm import Session

from dispatch.acts.asking import Asked, RequestProject
from dispatch.core.actor import Actor
from dispatch.core.canonical import canonical_code, canonical_name
from dispatch.core.errors import DispatchError
from web.pages.enterprise.bulk_rows import COLUMNS, DivisionLookup, SheetRow, request_fields
from web.wiring.act_door import command_from, schema_of, take_in
from web.wiring.field_faults import FAULTS
from web.wiring.formatting import in_words
from web.wiring.sheet_rows import Fault, Sheet


@dataclass(frozen=True, slots=True)
class Filed:
    """A project that was filed: where, the names of its matters, its first case and the code to ask after it."""

    row: int
    name: str
    place: str
    matters: tuple[str, ...]
    project_no: str
    case_no: str
    query_code: str


@dataclass(slots=True)
class SheetOutcome:
    """What became of a sheet: nothing was filed when there are faults, unless the good rows were asked for."""

    filed: list[Filed] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    batch_id: int | None = None


class OnlyChecked(Exception):
    """The sheet was looked at and not meant to be filed: whatever it made is rolled back."""

    def __init__(self, outcome: SheetOutcome) -> None:
        self.outcome = outcome
        super().__init__(f"{len(outcome.filed)} rows are good")


class NothingFiled(Exception):
    """A row has faults, so that no row was filed."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = list(faults)
        super().__init__(f"{len(self.faults)} faults")


def file_projects(
    session: Session,
    sheet: Sheet,
    *,
    contact_id: int | None,
    by: Actor,
    keep_good: bool,
) -> SheetOutcome:
    """File each row in a savepoint of its own. ``contact_id``: who is told of the own enterprise's requests.

    Raises NothingFiled when a row has faults and the good ones were not asked for: the whole sheet is rolled back."""
    outcome, places = SheetOutcome(faults=list(sheet.faults)), DivisionLookup(session)
    seen: dict[tuple[str, str], int] = {}
    for number, cells in sheet.rows:
        row = SheetRow(number, cells)
        fields = request_fields(row, places, by, contact_id)
        if fields is not None and not _is_repeated(row, seen):
            try:
                body = schema_of(RequestProject)(**fields)
                with session.begin_nested():
                    made = take_in(session, command_from(RequestProject, body))
                outcome.filed.append(_filed(row, places, fields, made))
            except ValidationError as error:
                for fault in error.errors(include_url=False, include_input=False, include_context=False):
                    row.fault(_column(fault["loc"]), FAULTS.get(fault["type"], "填写有误，请核对后再提交"))
            except DispatchError as error:
                row.fault(COLUMNS.get(str(error.facts.get("field", "")), ""), in_words(error.user_message))
        outcome.faults.extend(row.faults)
    outcome.faults.sort(key=lambda fault: fault.row)
    if outcome.faults and not keep_good:
        raise NothingFiled(outcome.faults)
    return outcome


def _filed(row: SheetRow, places: DivisionLookup, fields: Mapping[str, Any], made: Asked) -> Filed:
    names = places.matter_names()
    place = places.index.full_name(places.index.by_code[fields["site"]["division_code"]])
    matters = tuple(names[code] for code in fields["matters"])
    return Filed(row.number, fields["name"], place, matters, made.project_no, made.case_no, made.query_code)


def _is_repeated(row: SheetRow, seen: dict[tuple[str, str], int]) -> bool:
    """Whether an earlier row of the sheet asks for the same project of the same enterprise."""
    key = (canonical_code(row.given("统一社会信用代码")), canonical_name(row.given("项目名称")))
    before = seen.setdefault(key, row.number)
    if before != row.number:
        row.fault("项目名称", f"与第{before}行重复")
    return before != row.number


def _column(place: tuple[int | str, ...]) -> str:
    path = ".".join(str(part) for part in place)
    return COLUMNS.get(path) or COLUMNS.get(str(place[0]), "")
