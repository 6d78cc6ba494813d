"""The catalogue's files come in whole or not at all, and a bad row is named."""

import csv
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from agents.network_import import import_network
from agents.sheets import BadImport
from dispatch.catalogue.calendar_file import CALENDAR_COLUMNS, read_calendar
from dispatch.catalogue.calendar_tables import CalendarDay, OpeningHours
from dispatch.catalogue.evaluation_file import EVALUATION_COLUMNS, read_evaluations
from dispatch.catalogue.hours_file import HOURS_COLUMNS, read_hours
from dispatch.catalogue.implementation import Implementation
from dispatch.catalogue.implementation_file import IMPLEMENTATION_COLUMNS, read_implementations
from dispatch.catalogue.imports import (
    CATALOG_FILES,
    DATA,
    import_calendar,
    import_catalog,
    import_evaluations,
    import_file,
    import_hours,
    import_implementations,
    import_requirements,
)
from dispatch.catalogue.matter import (
    AreaKind,
    Confidence,
    Family,
    MaterialMode,
    Matter,
    MatterPrerequisite,
    Requirement,
    ResultForm,
)
from dispatch.catalogue.matter_file import MATTER_COLUMNS, check_waits, read_matters
from dispatch.catalogue.matter_rows import CatalogueWait
from dispatch.catalogue.requirement_file import REQUIREMENT_COLUMNS, read_requirements
from dispatch.core.limit import Limit
from dispatch.path.matter_node import AreaEffect
from tests.dispatch.catalogue_files import import_all

Rows = list[dict[str, str]]
Write = Callable[..., Path]

NETWORK = """\
code,name,level,parent_code,kind,lon,lat,precision
320000000000,江苏省,1,,province,118.76,32.06,exact
320400000000,常州市,2,320000000000,city,119.97,31.81,exact
320412000000,武进区,3,320400000000,county,119.94,31.70,exact
"""


@pytest.fixture
def file(tmp_path: Path) -> Write:
    def write(name: str, columns: tuple[str, ...], rows: Rows) -> Path:
        path = tmp_path / name
        with path.open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, columns)
            writer.writeheader()
            writer.writerows(rows)
        return path

    return write


@pytest.fixture
def network(session: Session, tmp_path: Path) -> Session:
    path = tmp_path / "network.csv"
    path.write_text(NETWORK, encoding="utf-8")
    import_network(session, path)
    return session


def shipped(name: str) -> Rows:
    with (DATA / name).open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))


def opening(number: int | None = None, **changes: str) -> Rows:
    """The shipped catalogue of business opening, with one row changed."""
    rows = shipped("catalog_business_opening.csv")
    if number is not None:
        rows[number - 2].update(changes)
    return rows


def faults(error: pytest.ExceptionInfo[BadImport]) -> list[tuple[int, str]]:
    return [(row.row_number, row.column) for row in error.value.rows]


def test_what_is_shipped_comes_in_and_a_second_time_changes_nothing(network: Session) -> None:
    report = import_all(network)
    assert network.scalar(select(func.count(Matter.id))) == 38 + 11 + 6
    assert (report.changed, report.retired) == (0, 0)
    assert network.scalar(select(func.count()).select_from(MatterPrerequisite)) == sum(
        len(row["prerequisites"].split(";"))
        for name in CATALOG_FILES
        for row in shipped(name.name)
        if row["prerequisites"]
    )
    assert network.scalar(select(func.count()).select_from(CalendarDay)) == 1095
    again = import_all(network)
    assert again.is_empty, again.lines

    eia = network.scalars(select(Matter).where(Matter.code == "IND-107")).one()
    assert (eia.area_evaluation, eia.area_effect) == (AreaKind.ENVIRONMENT, AreaEffect.SIMPLIFY)
    assert (eia.result_form, eia.result_has_original) == (ResultForm.BOTH, True)
    assert (eia.confidence_statutory, eia.confidence_statutory_note) == (Confidence.SURE, "")
    assert (eia.category, eia.area_limit) == ("environment", Limit(10))
    energy = network.scalars(select(Matter).where(Matter.code == "IND-106")).one()
    assert energy.confidence_statutory is Confidence.VERIFY
    forms = {m.code: m.result_form for m in network.scalars(select(Matter))}
    assert {forms["BIZ-03"], forms["IND-103"]} == {ResultForm.PAPER}
    assert {forms["BIZ-02"], forms["IND-107"], forms["REG-06"]} == {ResultForm.BOTH}
    assert {forms["IND-308"], forms["IND-306"], forms["REG-01"]} == {ResultForm.ELECTRONIC}


def test_every_matter_has_materials_and_originals_only_where_the_catalogue_says_so(network: Session) -> None:
    import_catalog(network)
    import_requirements(network)
    originals = {MaterialMode.ORIGINAL_KEPT, MaterialMode.ORIGINAL_RETURNED}
    for matter in network.scalars(select(Matter)):
        wanted = network.scalars(select(Requirement).where(Requirement.matter_id == matter.id)).all()
        assert wanted, matter.code
        held = [row for row in wanted if row.mode in originals]
        assert bool(held) == matter.needs_originals or all(row.deferrable for row in held), matter.code
        assert not any("其他材料" in row.name for row in wanted)
    assert {row.mode for row in network.scalars(select(Requirement))} == set(MaterialMode)


def test_changes_and_retirements_are_told(network: Session, file: Write) -> None:
    import_catalog(network)
    rows = opening(5, committed_limit="2wd")
    rows[2]["prerequisites"] = "BIZ-01"
    path = file("catalog_business_opening.csv", MATTER_COLUMNS, rows[:-1])
    report = import_catalog(network, [path])
    assert (report.added, report.changed, report.retired) == (0, 3, 1)
    assert set(report.lines) == {
        "BIZ-04 税务登记信息确认与发票（票种核定、数电票额度）: committed_limit",
        "LIC-05 户外招牌设置: retired",
        "BIZ-03: waits for BIZ-01",
        "BIZ-03: no longer waits for BIZ-02",
    }
    assert network.scalar(select(func.count(Matter.id)).where(Matter.retired_on.is_(None))) == 54
    assert import_catalog(network, [path]).is_empty
    assert import_catalog(network).changed == 5, "BIZ-04, LIC-05, and the three prerequisites that come back or go"


@pytest.mark.parametrize(
    ("number", "changes", "column", "reason"),
    [
        (4, {"prerequisites": "BIZ-99"}, "prerequisites", "waits for BIZ-99, which the catalogue does not have"),
        (3, {"prerequisites": "BIZ-01;BIZ-03"}, "prerequisites", "wait for each other"),
        (3, {"prerequisites": "BIZ-02"}, "prerequisites", "waits for itself"),
        (3, {"prerequisites": "BIZ-01;BIZ-01"}, "prerequisites", "twice"),
        (3, {"committed_limit": "0"}, "committed_limit", "'0' is no limit"),
        (3, {"committed_limit": "0wd"}, "committed_limit", "'0wd' is no limit"),
        (3, {"statutory_limit": "-3wd"}, "statutory_limit", "is no limit: empty"),
        (3, {"committed_limit": "1.5wd"}, "committed_limit", "is no limit"),
        (3, {"committed_limit": "4wd"}, "committed_limit", "4wd promised is longer than the 3wd of the law"),
        (3, {"today_limit": "4wd"}, "today_limit", "4wd promised is longer than the 3wd of the law"),
        (
            3,
            {"statutory_limit": "immediate"},
            "committed_limit",
            "1wd promised is longer than the immediate of the law",
        ),
        (3, {"statutory_limit": "30cal", "committed_limit": "22wd"}, "committed_limit", "longer than the 30cal"),
        (3, {"statutory_limit": "3weeks"}, "statutory_limit", "is no limit"),
        (3, {"kind": "permission"}, "kind", "none of"),
        (3, {"level": "village"}, "level", "none of province, city, county"),
        (3, {"phase": "5"}, "phase", "not between 0 and 4"),
        (3, {"code": "BIZ-01"}, "code", "stands already in row 2"),
        (3, {"code": "biz 2"}, "code", "not a matter's code"),
        (3, {"code": "IND-101"}, "code", "of another catalogue"),
        (3, {"department_zh": ""}, "department_zh", "is empty"),
        (3, {"result_form": "electronic"}, "result_form", "has no paper"),
        (3, {"counts_in_target": "maybe"}, "counts_in_target", "neither y nor n"),
        (3, {"conf_statutory": "guess"}, "conf_statutory", "does not start with"),
        (3, {"applies_when": "hires_staff or or wants_bank"}, "applies_when", "character 16: 'or'"),
        (3, {"applies_when": "land = granted"}, "applies_when", "business_opening has no fact land"),
        (3, {"prerequisites": "BIZ-01 when food = soup"}, "prerequisites", "food has no choice soup"),
        (3, {"prerequisites": "BIZ-01 sometimes"}, "prerequisites", "is no prerequisite"),
        (3, {"counter_level": "village"}, "counter_level", "none of province, city, county"),
        (3, {"area_evaluation": "风水"}, "area_evaluation", "no area evaluation"),
        (3, {"area_evaluation": "洪水影响"}, "area_effect", "stand together"),
        (3, {"area_evaluation": "区域环评", "area_effect": "replace"}, "", "simplified, never replaced"),
    ],
)
def test_a_bad_matter_refuses_the_file_and_is_named(
    file: Write, number: int, changes: dict[str, str], column: str, reason: str
) -> None:
    read = read_matters(file("catalog_business_opening.csv", MATTER_COLUMNS, opening(number, **changes)))
    check_waits([read], {"IND-101": ()})
    with pytest.raises(BadImport) as caught:
        read.sheet.refuse_if_faulty()
    assert any(
        row.row_number == number and row.column == column and reason in row.reason for row in caught.value.rows
    ), caught.value.rows


def test_a_refused_catalogue_changes_nothing(network: Session, file: Write) -> None:
    import_catalog(network)
    rows = opening(4, prerequisites="BIZ-99")
    rows[0]["short_zh"] = "改名"
    with pytest.raises(BadImport, match="row 4, prerequisites: BIZ-03 waits for BIZ-99"):
        import_catalog(network, [file("catalog_business_opening.csv", MATTER_COLUMNS, rows)])
    assert import_catalog(network).is_empty


def test_a_ring_of_three_names_each_of_its_rows(file: Write) -> None:
    rows = opening(2, prerequisites="BIZ-04")
    rows[3]["prerequisites"] = "BIZ-02"
    read = read_matters(file("catalog_business_opening.csv", MATTER_COLUMNS, rows))
    check_waits([read], {})
    assert {(fault.row_number, fault.column) for fault in read.sheet.faults} == {
        (n, "prerequisites") for n in (2, 3, 5)
    }


def test_waits_that_no_project_could_have_at_once_are_no_ring(file: Write) -> None:
    rows = opening(2, prerequisites="BIZ-04 when hires_staff")
    rows[3]["prerequisites"] = "BIZ-01 when not hires_staff"
    rows[2]["prerequisites"] = rows[1]["prerequisites"] = ""
    read = read_matters(file("catalog_business_opening.csv", MATTER_COLUMNS, rows))
    check_waits([read], {})
    assert read.sheet.faults == []
    read.waits["BIZ-04"] = (CatalogueWait("BIZ-01", when="hires_staff and food = none"),)
    check_waits([read], {})
    assert {fault.row_number for fault in read.sheet.faults} == {2, 5}


def test_a_file_that_names_no_family_is_refused(file: Write) -> None:
    with pytest.raises(BadImport, match="no family"):
        read_matters(file("matters.csv", MATTER_COLUMNS, opening()))


def a_material(**changes: str) -> dict[str, str]:
    row = {"matter_code": "BIZ-01", "name": "营业执照", "mode": "copy", "deferrable": "n", "confidence": "sure"}
    return row | changes


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"mode": "faxed"}, "mode"),
        ({"mode": ""}, "mode"),
        ({"matter_code": "BIZ-99"}, "matter_code"),
        ({"deferrable": "perhaps"}, "deferrable"),
        ({"deferrable": "y", "defer_wd": "-5"}, "defer_wd"),
        ({"defer_wd": "5"}, "defer_wd"),
        ({"name": ""}, "name"),
        ({"confidence": "high"}, "confidence"),
        ({"name": "公司章程"}, "name"),
        ({"needed_when": "land = granted"}, "needed_when"),
        ({"needed_when": "hires_staff = yes"}, "needed_when"),
        ({"needed_when": "hires_staff and"}, "needed_when"),
        ({"source": "somewhere"}, "source"),
        ({"source": "result_of:BIZ-99"}, "source"),
    ],
)
def test_a_bad_material_is_named_with_its_row(file: Write, changes: dict[str, str], column: str) -> None:
    path = file("requirements.csv", REQUIREMENT_COLUMNS, [a_material(name="公司章程"), a_material(**changes)])
    with pytest.raises(BadImport) as caught:
        read_requirements(path, {"BIZ-01": Family.BUSINESS_OPENING})
    assert (3, column) in faults(caught)


def test_the_materials_of_matters_that_a_file_does_not_name_stay(network: Session, file: Write) -> None:
    import_catalog(network)
    before = import_requirements(network).added
    held = sum(row["matter_code"] == "BIZ-02" for row in shipped("requirements.csv"))
    path = file(
        "requirements.csv",
        REQUIREMENT_COLUMNS,
        [a_material(matter_code="BIZ-02", name="公司章程", mode="original_kept", needed_when="company_type = company")],
    )
    report = import_requirements(network, path)
    assert (report.added, report.changed, report.retired) == (0, 1, held - 1)
    assert network.scalar(select(func.count(Requirement.id))) == before - held + 1


def an_implementation(**changes: str) -> dict[str, str]:
    return {"matter_code": "REG-04", "division_code": "320412000000"} | changes


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"matter_code": "REG-99"}, "matter_code"),
        ({"division_code": "999999999999"}, "division_code"),
        ({"centre_no": "SC999"}, "centre_no"),
        ({"committed_limit": "-1"}, "committed_limit"),
        ({"committed_limit": "3wd"}, "committed_limit"),
        ({"legal_fee_yuan": "550"}, "fee_basis"),
        ({"legal_fee_yuan": "550", "fee_basis": "文"}, "fee_payer"),
        ({"same_day": "soon"}, "same_day"),
    ],
)
def test_a_bad_implementation_is_named_with_its_row(file: Write, changes: dict[str, str], column: str) -> None:
    path = file("implementations.csv", IMPLEMENTATION_COLUMNS, [an_implementation(**changes)])
    with pytest.raises(BadImport) as caught:
        read_implementations(path, {"REG-04": Limit(2)}, {"320412000000"}, {"SC001"})
    assert (2, column) in faults(caught)


def test_one_division_has_one_implementation_of_a_matter(network: Session, file: Write) -> None:
    import_catalog(network)
    import_implementations(network)
    rows = [an_implementation(committed_limit="1wd"), an_implementation()]
    with pytest.raises(BadImport, match="row 3, matter_code: REG-04 at 320412000000 stands already in row 2"):
        import_implementations(network, file("implementations.csv", IMPLEMENTATION_COLUMNS, rows))
    report = import_implementations(network, file("implementations.csv", IMPLEMENTATION_COLUMNS, rows[:1]))
    assert (report.added, report.retired) == (1, 0)
    assert network.scalar(select(func.count(Implementation.id)).where(Implementation.committed_limit == Limit(1))) == 1


def a_year(year: int, **status: str) -> Rows:
    days = (date(year, 1, 1) + timedelta(days=n) for n in range(366))
    return [
        {
            "date": on.isoformat(),
            "is_workday": str(int(on.weekday() < 5)),
            "kind": "workday" if on.weekday() < 5 else "weekend",
            "name": "",
            "status": status.get("status", "published"),
        }
        for on in days
        if on.year == year
    ]


def test_a_calendar_with_a_hole_a_double_or_a_wrong_day_is_refused(file: Write) -> None:
    rows = a_year(2028)
    del rows[58]
    rows.append(rows[10])
    rows[4]["kind"] = "weekend"
    rows[5]["date"] = "2028-02-30"
    with pytest.raises(BadImport) as caught:
        read_calendar(file("calendar.csv", CALENDAR_COLUMNS, rows))
    assert [row.row_number for row in caught.value.rows] == [6, 7, 367]


def test_a_calendar_that_was_read_whole_says_which_day_it_lacks(file: Write) -> None:
    """A day whose row could not be read is a fault of that row, and none of the year."""
    rows = a_year(2028)
    lost = rows.pop(58)["date"]
    with pytest.raises(BadImport, match=f"lacks 1 days, the first {lost}") as caught:
        read_calendar(file("calendar.csv", CALENDAR_COLUMNS, rows))
    assert [row.row_number for row in caught.value.rows] == [366]


def test_a_year_replaces_its_estimate_and_leaves_the_others(network: Session, file: Write) -> None:
    import_calendar(network)
    report = import_calendar(network, file("calendar.csv", CALENDAR_COLUMNS, a_year(2027)))
    assert (report.added, report.changed, report.retired) == (0, 365, 0)
    with pytest.raises(BadImport, match="an estimate cannot replace it"):
        import_calendar(network, file("calendar.csv", CALENDAR_COLUMNS, a_year(2027, status="provisional")))
    assert import_calendar(network, file("calendar.csv", CALENDAR_COLUMNS, a_year(2028))).added == 366
    assert network.scalar(select(func.count()).select_from(CalendarDay)) == 365 * 3 + 366


def some_hours(**changes: str) -> dict[str, str]:
    return {"season_from": "01-01", "season_to": "12-31", "opens": "09:00", "closes": "17:00"} | changes


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"closes": "08:00"}, "closes"),
        ({"opens": "9 o'clock"}, "opens"),
        ({"season_from": "13-01"}, "season_from"),
        ({"season_to": "2-30"}, "season_to"),
        ({"lunch_starts": "12:00"}, "lunch_ends"),
        ({"lunch_starts": "12:00", "lunch_ends": "18:00"}, "closes"),
        ({"centre_no": "SC999"}, "centre_no"),
        ({}, "season_from"),
    ],
)
def test_bad_hours_are_named_with_their_row(file: Write, changes: dict[str, str], column: str) -> None:
    with pytest.raises(BadImport) as caught:
        read_hours(file("hours.csv", HOURS_COLUMNS, [some_hours(), some_hours(**changes)]), {"SC001"})
    assert (3, column) in faults(caught)


def test_hours_without_a_row_for_all_are_refused(file: Write) -> None:
    with pytest.raises(BadImport, match="leave out 01-01"):
        read_hours(file("hours.csv", HOURS_COLUMNS, [some_hours(centre_no="SC001")]), {"SC001"})


def test_the_seasons_of_all_centres_leave_no_day_out(file: Write) -> None:
    winter = some_hours(season_from="10-01", season_to="04-30")
    summer = some_hours(season_from="05-01", season_to="09-30", opens="08:30")
    assert len(read_hours(file("hours.csv", HOURS_COLUMNS, [winter, summer]), set())) == 2
    with pytest.raises(BadImport, match="leave out 05-01"):
        read_hours(file("hours.csv", HOURS_COLUMNS, [winter, summer | {"season_from": "05-02"}]), set())


def test_the_row_for_all_centres_is_one_row_however_often_it_comes(network: Session) -> None:
    assert import_hours(network).added == 1
    assert import_hours(network).is_empty
    assert network.scalar(select(func.count(OpeningHours.id))) == 1


def test_area_evaluations_are_checked_and_come_in(network: Session, file: Write) -> None:
    good = {
        "division_code": "320412000000",
        "kind": "洪水影响",
        "title": "武进区区域洪水影响评价",
        "valid_from": "2024-05-01",
        "valid_to": "2029-04-30",
        "negative_list": "化工; 印染",
        "saved_yuan": "90000",
    }
    path = file("evaluations.csv", EVALUATION_COLUMNS, [good])
    assert import_evaluations(network, path).added == 1
    assert import_evaluations(network, path).is_empty
    bad = [good, good | {"kind": "风水"}, good | {"valid_to": "2020-01-01", "valid_from": "2021-01-01"}, good]
    with pytest.raises(BadImport) as caught:
        read_evaluations(file("evaluations.csv", EVALUATION_COLUMNS, bad), {"320412000000"})
    assert faults(caught) == [(3, "kind"), (4, "valid_to"), (5, "kind")]


def test_a_file_is_known_by_its_columns(network: Session, file: Write) -> None:
    for path in (*CATALOG_FILES, *(DATA / name for name in ("requirements.csv", "opening_hours.csv"))):
        assert import_file(network, path).added > 0
    with pytest.raises(BadImport, match="no file of the catalogue has these columns: a, b"):
        import_file(network, file("other.csv", ("a", "b"), [{"a": "1", "b": "2"}]))
