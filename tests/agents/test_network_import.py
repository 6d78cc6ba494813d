"""The import of the network: whole or not at all, and twice the same."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from agents.network import Division, ServiceCentre
from agents.network_file import CENTRE_COLUMNS, DIVISION_COLUMNS, read_divisions
from agents.network_import import import_changes, import_network
from agents.sheets import BadImport

SMALL = [
    ["320000000000", "江苏省", "1", "", "province", "118.76", "32.06", "exact"],
    ["320400000000", "常州市", "2", "320000000000", "city", "119.97", "31.81", "exact"],
    ["320412000000", "武进区", "3", "320400000000", "county", "119.94", "31.70", "exact"],
    ["320412100000", "湖塘镇", "4", "320412000000", "town", "119.95", "31.72", "exact"],
]

Write = Callable[..., Path]


@pytest.fixture
def divisions_file(tmp_path: Path) -> Write:
    def write(rows: list[list[str]], *, encoding: str = "utf-8", columns: tuple[str, ...] = DIVISION_COLUMNS) -> Path:
        path = tmp_path / "network.csv"
        with path.open("w", encoding=encoding, newline="") as file:
            csv.writer(file).writerows([list(columns), *rows])
        return path

    return write


@pytest.fixture
def centres_file(tmp_path: Path) -> Write:
    def write(*rows: list[str]) -> Path:
        path = tmp_path / "centres.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([list(CENTRE_COLUMNS), *rows])
        return path

    return write


def changed(row: int, column: str, value: str) -> list[list[str]]:
    rows = [list(r) for r in SMALL]
    rows[row - 2][DIVISION_COLUMNS.index(column)] = value
    return rows


def test_the_changes_of_towns_name_divisions_that_the_network_has(session: Session, divisions_file: Write) -> None:
    import_network(session, divisions_file(SMALL))
    with pytest.raises(BadImport, match="320505004000 is not in the network"):
        import_changes(session)


def test_adds_changes_and_retirements_are_told(session: Session, divisions_file: Write) -> None:
    import_network(session, divisions_file(SMALL))
    newer = [
        *changed(4, "name", "武进新区")[:3],
        ["320412101000", "牛塘镇", "4", "320412000000", "town", "119.9", "31.7", "exact"],
    ]
    report = import_network(session, divisions_file(newer))
    assert (report.added, report.changed, report.retired) == (1, 1, 1)
    assert report.lines == ("320412000000 武进区: name, pinyin", "320412100000 湖塘镇: retired")
    gone = session.scalars(select(Division).where(Division.retired_on.is_not(None))).all()
    assert [division.name for division in gone] == ["湖塘镇"]


def test_what_comes_back_is_no_longer_retired_and_keeps_its_key(session: Session, divisions_file: Write) -> None:
    import_network(session, divisions_file(SMALL))
    key = session.scalar(select(Division.id).where(Division.code == "320412100000"))
    import_network(session, divisions_file(SMALL[:3]))
    report = import_network(session, divisions_file(SMALL))
    assert (report.added, report.changed, report.retired) == (0, 1, 0)
    back = session.scalars(select(Division).where(Division.code == "320412100000")).one()
    assert back.id == key
    assert back.retired_on is None


def test_a_town_that_moves_takes_its_villages_along(session: Session, divisions_file: Write) -> None:
    village = ["320412100001", "新城村", "5", "320412100000", "village", "119.95", "31.72", "synthetic"]
    other = ["320411000000", "新北区", "3", "320400000000", "county", "119.97", "31.83", "exact"]
    import_network(session, divisions_file([*SMALL, other, village]))
    import_network(session, divisions_file([*changed(5, "parent_code", "320411000000"), other, village]))
    path = session.scalar(select(Division.path).where(Division.code == "320412100001"))
    assert path == "320000000000.320400000000.320411000000.320412100000.320412100001"


@pytest.mark.parametrize(
    ("rows", "row_number", "column", "reason"),
    [
        (changed(5, "parent_code", "320499000000"), 5, "parent_code", "orphan"),
        (changed(4, "parent_code", "320000000000"), 4, "level", "level 3 cannot stand under"),
        (changed(5, "level", "5"), 5, "level", "level 5 cannot stand under"),
        (changed(5, "level", "six"), 5, "level", "not a whole number"),
        (changed(5, "level", "6"), 5, "level", "not between 1 and 5"),
        ([*SMALL, SMALL[3]], 6, "code", "stands already in row 5"),
        (changed(3, "lon", "31.81"), 3, "lon", "not between"),
        (changed(3, "lat", "nan"), 3, "lat", "not a number"),
        (changed(3, "lat", "３１"), 3, "lat", "not a number"),
        (changed(3, "lat", "1_0"), 3, "lat", "not a number"),
        (changed(3, "lat", "thirty"), 3, "lat", "not a number"),
        (changed(3, "lat", ""), 3, "lat", "is empty"),
        (changed(3, "name", " "), 3, "name", "is empty"),
        (changed(3, "name", "常州\u202e市"), 3, "name", "does not print"),
        (changed(5, "code", "32041210000"), 5, "code", "not a code of twelve digits"),
        (changed(2, "parent_code", "320400000000"), 2, "parent_code", "cannot have the parent"),
        (changed(3, "precision", "rough"), 3, "precision", "not one of"),
        ([*SMALL, ["320413000000", "金坛区"]], 6, "", "has 2 cells"),
        ([], 2, "", "no rows"),
    ],
)
def test_a_bad_row_refuses_the_file_and_is_named(
    divisions_file: Write, rows: list[list[str]], row_number: int, column: str, reason: str
) -> None:
    with pytest.raises(BadImport) as caught:
        read_divisions(divisions_file(rows))
    assert any(
        fault.row_number == row_number and fault.column == column and reason in fault.reason
        for fault in caught.value.rows
    ), caught.value.rows
    assert f"row {row_number}" in str(caught.value)


def test_a_refused_file_changes_nothing(session: Session, divisions_file: Write) -> None:
    import_network(session, divisions_file(SMALL))
    with pytest.raises(BadImport):
        import_network(session, divisions_file([*changed(4, "name", "别的区"), SMALL[3]]))
    assert import_network(session, divisions_file(SMALL)).is_empty


def test_every_fault_is_told_at_once(divisions_file: Write) -> None:
    rows = changed(3, "lon", "0")
    rows[3][DIVISION_COLUMNS.index("parent_code")] = "999999999999"
    with pytest.raises(BadImport) as caught:
        read_divisions(divisions_file(rows))
    assert [fault.row_number for fault in caught.value.rows] == [3, 5]


@pytest.mark.parametrize("encoding", ["gbk", "utf-16"])
def test_a_file_in_another_encoding_is_refused_with_its_row(divisions_file: Write, encoding: str) -> None:
    with pytest.raises(BadImport, match="not UTF-8"):
        read_divisions(divisions_file(SMALL, encoding=encoding))


def test_a_byte_order_mark_is_no_fault(session: Session, divisions_file: Write) -> None:
    assert import_network(session, divisions_file(SMALL, encoding="utf-8-sig")).added == 4


def test_a_missing_column_is_named(divisions_file: Write) -> None:
    columns = ("code", "name", "level", "parent", "kind", "lon", "lat", "precision")
    with pytest.raises(BadImport, match="row 1, parent_code: this column is missing"):
        read_divisions(divisions_file(SMALL, columns=columns))


def test_a_binary_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "network.xlsx"
    path.write_bytes(b"PK\x03\x04\0\0code,name\n")
    with pytest.raises(BadImport, match="NUL"):
        read_divisions(path)


def test_a_bad_centre_refuses_the_divisions_too(session: Session, divisions_file: Write, centres_file: Write) -> None:
    centres = centres_file(["SC001", "320499000000", "某中心", "county", "119.9", "31.7", "admin_seat"])
    with pytest.raises(BadImport, match="row 2, node_code: SC001 is at 320499000000"):
        import_network(session, divisions_file(SMALL), centres)
    assert session.scalar(select(func.count(Division.id))) == 0


def test_a_centre_that_closes_is_retired(session: Session, divisions_file: Write, centres_file: Write) -> None:
    first = ["SC001", "320412000000", "武进区政务服务中心", "county", "119.94", "31.7", "admin_seat"]
    second = ["SC002", "320400000000", "常州市政务服务中心", "city", "119.97", "31.8", "admin_seat"]
    import_network(session, divisions_file(SMALL), centres_file(first, second))
    report = import_network(session, divisions_file(SMALL), centres_file(first))
    assert (report.added, report.changed, report.retired) == (0, 0, 1)
    assert session.scalars(select(ServiceCentre.centre_no).where(ServiceCentre.retired_on.is_(None))).all() == ["SC001"]


def test_a_file_that_is_not_there_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(BadImport, match=r"none\.csv is refused.*cannot be read"):
        read_divisions(tmp_path / "none.csv")


def test_a_row_number_counts_lines_as_a_spreadsheet_does(divisions_file: Write) -> None:
    rows = changed(3, "name", "常州\n市")
    rows[3][DIVISION_COLUMNS.index("lon")] = "0"
    with pytest.raises(BadImport) as caught:
        read_divisions(divisions_file(rows))
    assert [fault.column for fault in caught.value.rows] == ["name", "lon"]


CELL = st.sampled_from(
    ["", "0", "-1", "1", "5", "118.5", "1e400", "320400000000", "省", "\u2028", "\x00", '"', "a,b", "x" * 3000, "💥"]
)


@settings(max_examples=150, deadline=None)
@given(changes=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 7), CELL), max_size=4))
def test_whatever_stands_in_the_cells_the_tree_is_sound_or_the_file_is_refused(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int, str]]
) -> None:
    rows = [list(row) for row in SMALL]
    for row, column, value in changes:
        rows[row][column] = value
    path = tmp_path_factory.getbasetemp() / "fuzz.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([list(DIVISION_COLUMNS), *rows])
    try:
        lines = read_divisions(path)
    except BadImport:
        return
    by_code = {line.code: line for line in lines}
    for line in lines:
        assert line.path.split(".")[-1] == line.code
        assert len(line.path.split(".")) == line.level
        assert line.parent_code is None or line.path.startswith(by_code[line.parent_code].path + ".")


@settings(max_examples=150, deadline=None)
@given(raw=st.binary(max_size=200))
def test_any_bytes_at_all_are_refused_in_words(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.bin"
    path.write_bytes(raw)
    with pytest.raises(BadImport):
        read_divisions(path)
