"""The catalogue at a place: who handles what, in how many days, when counters are open, and what a zone shares."""

import csv
from collections.abc import Iterator
from datetime import UTC, date, datetime, time

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

import db
from agents.network import Division, Level, ServiceCentre, ancestors, division_with
from agents.network_import import import_network
from dispatch.catalogue.area_evaluation import AreaEvaluation, area_evaluations, site_of
from dispatch.catalogue.authority_names import authority_name
from dispatch.catalogue.calendar_tables import CalendarDay, OpeningHours, hours_in_words
from dispatch.catalogue.calendar_version import CalendarVersion, calendar_of
from dispatch.catalogue.implementation import Handling, Implementation, handlings_of
from dispatch.catalogue.imports import CATALOG_FILES
from dispatch.catalogue.matter import AreaKind, Family, Matter
from dispatch.catalogue.matter_rows import matter_from
from dispatch.catalogue.path_nodes import matter_nodes
from dispatch.core.legal_clock import LegalClock
from dispatch.core.limit import IMMEDIATE, Limit
from dispatch.core.opening_hours import MonthDay
from dispatch.path.applicability import waiting_under
from dispatch.path.build_path import EvaluationOffers, build_path, check_prerequisites
from dispatch.path.facts import facts_of
from dispatch.path.matter_node import AreaEffect, Basis
from dispatch.path.path_step import Counting, WaitLink
from tests.dispatch.catalogue_files import import_all

NETWORK = """\
code,name,level,parent_code,kind,lon,lat,precision
320000000000,江苏省,1,,province,118.76,32.06,exact
320400000000,常州市,2,320000000000,city,119.97,31.81,exact
320411000000,新北区,3,320400000000,county,119.97,31.83,exact
320412000000,武进区,3,320400000000,county,119.94,31.70,exact
320412411000,武进国家高新技术产业开发区,4,320412000000,zone,119.97,31.66,exact
"""
CENTRES = """\
centre_id,node_code,name,level,lon,lat,coord_precision
SC001,320000000000,江苏省政务服务中心,province,118.76,32.06,admin_seat
SC002,320400000000,常州市政务服务中心,city,119.97,31.81,admin_seat
SC003,320412000000,武进区政务服务中心,county,119.94,31.70,admin_seat
SC004,320412411000,武进国家高新区政务服务中心,dev_zone,119.97,31.66,admin_seat
"""
ZONE, WUJIN, XINBEI, CHANGZHOU, JIANGSU = "320412411000", "320412", "320411", "320400", "320000"


@pytest.fixture(scope="module")
def catalogue_url(postgres: str, template_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database with everything that is shipped, imported once for this file."""
    folder = tmp_path_factory.mktemp("network")
    (folder / "network.csv").write_text(NETWORK, encoding="utf-8")
    (folder / "centres.csv").write_text(CENTRES, encoding="utf-8")
    plain, name = postgres.replace("+psycopg", ""), f"{template_database}_catalogue"
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template_database}")
    url = postgres.rsplit("/", 1)[0] + "/" + name
    factory = db.sessions(url)
    with factory.begin() as session:
        import_network(session, folder / "network.csv", folder / "centres.csv")
        import_all(session)
    factory.kw["bind"].dispose()
    yield url
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def session(catalogue_url: str) -> Iterator[Session]:
    """One transaction on the shared catalogue, rolled back."""
    factory = db.sessions(catalogue_url)
    with factory() as session:
        yield session
        session.rollback()
    factory.kw["bind"].dispose()


def matter(session: Session, code: str) -> Matter:
    return session.scalars(select(Matter).where(Matter.code == code)).one()


def handling_of(session: Session, one: Matter, division: Division) -> Handling:
    return handlings_of(session, [one], division)[one.code]


def implement(session: Session, code: str, at: str, **columns: object) -> None:
    row = Implementation(matter_id=matter(session, code).id, division_id=division_with(session, at).id, **columns)
    session.add(row)
    session.flush()


@pytest.mark.parametrize(
    ("family", "committed", "now", "statutory"),
    [
        (Family.INDUSTRIAL_PERMIT, 39, 26, 78),
        (Family.BUSINESS_OPENING, 2, 2, 14),
        (Family.PROPERTY_REGISTRATION, 5, 5, 30),
    ],
)
def test_the_critical_paths_of_the_whole_catalogue(
    session: Session, family: Family, committed: int, now: int, statutory: int
) -> None:
    listed = [m for m in matter_nodes(session, division_with(session, WUJIN), family=family) if m.code[:3] != "LIC"]
    path = build_path(waiting_under(listed, facts_of({})))
    finish: dict[Basis, dict[str, int]] = {basis: {} for basis in Basis}
    for basis, done in finish.items():
        for step in path.steps:
            start = max((done[w.on] for w in step.waits if w.link is WaitLink.START), default=0)
            held = max((done[w.on] for w in step.waits), default=0)
            done[step.code] = max(start + step.days(basis, Counting.TARGET), held)
            if step.matter.limit_chain:  # 30 and 5 days from the acceptance to the certificate, whatever the steps
                done[step.code] = min(done[step.code], 30 if basis is Basis.STATUTORY else 5)
    ends = {basis: max(done[code] for code in path.goals) for basis, done in finish.items()}
    assert ends == {Basis.COMMITTED: committed, Basis.COMMITTED_NOW: now, Basis.STATUTORY: statutory}


def test_the_database_gives_the_same_graph_as_the_files(session: Session) -> None:
    families = (Family.INDUSTRIAL_PERMIT, Family.BUSINESS_OPENING, Family.PROPERTY_REGISTRATION)
    for path, family in zip(CATALOG_FILES, families, strict=True):
        with path.open(encoding="utf-8", newline="") as source:
            from_file = tuple(map(matter_from, csv.DictReader(source)))
        stored = matter_nodes(session, division_with(session, WUJIN), family=family)
        assert [node.code for node in stored] == [node.code for node in from_file]
        for mine, theirs in zip(stored, from_file, strict=True):
            assert set(mine.prerequisites) == set(theirs.prerequisites)
            assert set(mine.conditions) == set(theirs.conditions)
            for name in (
                "before_decision", "applies_when", "limit_chain", "result", "result_on_paper",
                "kind", "phase", "statutory", "committed", "today", "legal_minimum", "counts_in_target",
                "before_works_only", "joint_group", "area_evaluation", "area_effect", "area_limit", "level",
            ):  # fmt: skip
                assert getattr(mine, name) == getattr(theirs, name), (mine.code, name)


def test_facts_call_for_fewer_matters(session: Session) -> None:
    wujin = division_with(session, WUJIN)
    everything = {node.code for node in matter_nodes(session, wujin)}
    tenant = {node.code for node in matter_nodes(session, wujin, {"land": "none", "unknown": 1, "energy_tce": None})}
    assert "IND-103" in everything - tenant
    assert tenant == {node.code for node in matter_nodes(session, wujin, {"land": "none"})}
    check_prerequisites(matter_nodes(session, wujin, {"land": "none"}))


@pytest.mark.parametrize(
    "given",
    [
        {"land": "stolen"},
        {"land": []},
        {"in_river_area": "no"},
        {"site_ha": "wide"},
        {"site_ha": []},
        {"site_ha": True},
        {"site_ha": float("nan")},
        {"site_ha": -1},
    ],
)
def test_facts_that_are_none_are_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        facts_of(given)


def test_without_a_row_the_catalogue_speaks_and_the_county_hall_is_the_counter(session: Session) -> None:
    handling = handling_of(session, matter(session, "IND-308"), division_with(session, WUJIN))
    assert handling.authority == "武进区行政审批局"
    assert handling.counter_place == "武进区政务服务中心"
    assert (str(handling.statutory), str(handling.committed), str(handling.today)) == ("7cal", "5wd", "3wd")
    assert handling.legal_fee_cents is None
    assert not handling.same_day


def test_a_city_branch_in_the_county_hall_is_a_county_counter(session: Session) -> None:
    wujin, changzhou = division_with(session, WUJIN), division_with(session, CHANGZHOU)
    eia = handling_of(session, matter(session, "IND-107"), wujin)
    assert (eia.division_id, eia.counter_division_id) == (changzhou.id, wujin.id)
    assert eia.authority == "常州市行政审批局"
    climate = handling_of(session, matter(session, "IND-114"), wujin)
    assert (climate.counter_division_id, climate.counter_place) == (changzhou.id, "常州市政务服务中心")
    assert climate.authority == "常州市气象局"


def test_a_zone_with_a_centre_of_its_own_is_served_there(session: Session) -> None:
    handling = handling_of(session, matter(session, "IND-308"), division_with(session, ZONE))
    assert handling.counter_place == "武进区政务服务中心", "a county matter is handed in at the county's hall"
    xinbei = handling_of(session, matter(session, "IND-308"), division_with(session, XINBEI))
    assert xinbei.counter_place == "常州市政务服务中心", "no hall of its own: the next one up"


def test_the_statutory_fee_comes_from_the_province_with_basis_and_payer(session: Session) -> None:
    handling = handling_of(session, matter(session, "REG-06"), division_with(session, WUJIN))
    assert (handling.legal_fee_cents, handling.fee_payer) == (55_000, "申请人")
    assert "2559号" in handling.fee_basis


def test_a_division_says_otherwise_column_by_column(session: Session) -> None:
    implement(session, "IND-203", CHANGZHOU, committed_limit=Limit(6), seal="常州市审批专用章")
    implement(session, "IND-203", WUJIN, committed_limit=Limit(4), authority="武进区行政审批局")
    wujin = handling_of(session, matter(session, "IND-203"), division_with(session, ZONE))
    assert (wujin.committed, wujin.today, wujin.seal) == (Limit(4), Limit(4), "常州市审批专用章")
    xinbei = handling_of(session, matter(session, "IND-203"), division_with(session, XINBEI))
    assert (xinbei.committed, xinbei.authority) == (Limit(6), "新北区行政审批局")
    province = handling_of(session, matter(session, "IND-203"), division_with(session, JIANGSU))
    assert province.committed == Limit(7)
    assert {n.code: n.committed for n in matter_nodes(session, division_with(session, ZONE))}["IND-203"] == Limit(4)


def test_at_once_is_a_value_and_not_a_gap(session: Session) -> None:
    implement(session, "IND-101", CHANGZHOU, committed_limit=Limit(3), same_day=False)
    implement(session, "IND-101", WUJIN, committed_limit=IMMEDIATE)
    handling = handling_of(session, matter(session, "IND-101"), division_with(session, WUJIN))
    assert (handling.committed, handling.same_day) == (IMMEDIATE, False)


LINE = [JIANGSU, CHANGZHOU, WUJIN, ZONE]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=st.dictionaries(st.sampled_from(LINE), st.none() | st.integers(0, 30)), at=st.sampled_from(LINE))
def test_the_nearest_row_that_says_something_wins(session: Session, said: dict[str, int | None], at: str) -> None:
    session.execute(delete(Implementation))
    for code, days in said.items():
        implement(session, "IND-402", code, committed_limit=None if days is None else Limit(days))
    expected: int | None = 5
    for code in LINE[: LINE.index(at) + 1]:
        if said.get(code) is not None:
            expected = said[code]
    assert handling_of(session, matter(session, "IND-402"), division_with(session, at)).committed == Limit(expected)


def test_every_matter_has_an_authority_and_a_counter_everywhere(session: Session) -> None:
    matters = session.scalars(select(Matter)).all()
    for code in (ZONE, WUJIN, XINBEI, CHANGZHOU, JIANGSU):
        handlings = handlings_of(session, matters, division_with(session, code))
        assert len(handlings) == len(matters)
        for one in handlings.values():
            assert one.authority
            assert "(" not in one.authority, one.authority
            assert one.counter_place
            assert session.get_one(Division, one.counter_division_id).level <= Level.COUNTY or code == ZONE


@pytest.mark.parametrize(
    ("department", "place", "name"),
    [
        ("市场监管局/行政审批局", "武进区", "武进区行政审批局"),
        ("自然资源和规划局牵头,住建、人防、消防、水利、城管会审", "武进区", "武进区自然资源和规划局"),
        ("设区市生态环境局(县局为派出分局)", "常州市", "常州市生态环境局"),
        ("省文物局(县文旅局转报)", "江苏省", "江苏省文物局"),
        ("住房公积金管理中心(市垂直,县分中心)", "常州市", "常州市住房公积金管理中心"),
        ("图审机构(政府购买服务),住建局监管", "武进区", "图审机构"),
        ("商业银行", "武进区", "商业银行"),
    ],
)
def test_an_authority_is_named_after_its_place(department: str, place: str, name: str) -> None:
    assert authority_name(department, place) == name


def test_the_clock_reads_the_imported_calendar(session: Session) -> None:
    calendar = calendar_of(session)
    assert calendar.is_workday(date(2026, 2, 14)), "a Saturday worked for the Spring Festival"
    assert not calendar.is_workday(date(2026, 2, 17))
    assert {2027, 2028} <= calendar.provisional_years
    assert not {2025, 2026} & calendar.provisional_years
    accepted = datetime(2026, 2, 13, 2, tzinfo=UTC)
    assert LegalClock(accepted, Limit(2)).due_at(calendar, accepted.date()) == datetime(2026, 2, 24, 9, tzinfo=UTC)
    assert calendar.is_workday(date(2028, 1, 4)), "not published, and estimated"


def test_the_calendar_is_read_again_only_when_a_row_changed(session: Session) -> None:
    first = calendar_of(session)
    assert calendar_of(session) is first
    session.get_one(CalendarDay, date(2026, 3, 12)).is_workday = False
    second = calendar_of(session)
    assert second is not first
    assert not second.is_workday(date(2026, 3, 12))


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE calendar_day SET is_workday = false WHERE day = '2026-03-12'",
        "DELETE FROM calendar_day WHERE day = '2026-03-12'",
        "TRUNCATE calendar_day",
        "UPDATE opening_hours SET closes = '18:00'",
        "UPDATE service_centre SET centre_no = 'SC900' WHERE centre_no = 'SC003'",
    ],
)
def test_whoever_changes_the_calendar_changes_its_version(session: Session, change: str) -> None:
    before = session.scalars(select(CalendarVersion.version)).one()
    session.execute(text("UPDATE service_centre SET name = name"))
    assert session.scalars(select(CalendarVersion.version)).one() == before
    session.execute(text(change))
    assert session.scalars(select(CalendarVersion.version)).one() != before


def test_a_centre_and_a_season_have_hours_of_their_own(session: Session) -> None:
    centre = session.scalars(select(ServiceCentre).where(ServiceCentre.centre_no == "SC003")).one()
    session.add(
        OpeningHours(centre_id=centre.id, season_from="06-01", season_to="09-30", opens=time(8, 30), closes=time(18))
    )
    calendar = calendar_of(session)
    assert calendar.closes_at(date(2026, 7, 1), "SC003").hour == 18
    assert calendar.closes_at(date(2026, 7, 1), "SC001").hour == 17
    assert calendar.closes_at(date(2026, 3, 12), "SC003").hour == 17
    assert hours_in_words(calendar, date(2026, 3, 12)) == "工作日 9:00-12:00、13:30-17:00"
    assert hours_in_words(calendar, date(2026, 7, 1), "SC003") == "工作日 8:30-18:00"
    assert calendar.hours_on(date(2026, 7, 1), "SC003").season_from == MonthDay(6, 1)


def test_two_rows_for_all_centres_in_one_season_are_refused(session: Session) -> None:
    session.add(OpeningHours(season_from="01-01", season_to="12-31", opens=time(9), closes=time(17)))
    with pytest.raises(IntegrityError):
        session.flush()


def test_a_zones_evaluation_serves_a_project_inside_until_it_is_too_old(session: Session) -> None:
    zone = division_with(session, ZONE)
    session.add(
        AreaEvaluation(
            division_id=zone.id,
            kind=AreaKind.WATER_AND_SOIL,
            valid_from=date(2023, 5, 1),
            valid_to=date(2026, 4, 30),
            negative_list=["化工"],
            saved_cents=9_000_000,
        )
    )
    session.flush()
    [evaluation] = area_evaluations(session, zone)
    assert evaluation.cost_saved_yuan == 90_000
    assert area_evaluations(session, division_with(session, XINBEI)) == []
    site = site_of(zone, line=ancestors(session, zone), industry="机械")
    assert evaluation.hindrances(site, date(2026, 4, 30)) == ()
    assert evaluation.hindrances(site, date(2026, 5, 1))
    assert evaluation.hindrances(site_of(zone, line=[], industry="化工"), date(2026, 3, 2))
    path = build_path(
        waiting_under(matter_nodes(session, zone), facts_of({})),
        offers=EvaluationOffers(site, [evaluation], calendar_of(session), date(2026, 3, 2)),
    )
    assert path.step("IND-108").effect is AreaEffect.SIMPLIFY
    assert path.step("IND-109").effect is AreaEffect.NONE
