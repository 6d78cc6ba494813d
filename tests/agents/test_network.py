"""Above and below: the questions that are asked of the tree, on the whole of Jiangsu."""

from collections.abc import Iterator

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

import db
from agents.names import person_key, sort_key
from agents.network import (
    COUNTY_MAP_FILE,
    Division,
    DivisionAlias,
    Level,
    ServiceCentre,
    UnknownDivision,
    ancestors,
    centre_of,
    children,
    division_with,
    home_county,
    subtree_condition,
)
from agents.network_import import CENTRES_FILE, DIVISIONS_FILE, import_changes, import_network


@pytest.fixture(scope="module")
def jiangsu(postgres: str, template_database: str) -> Iterator[Session]:
    """The whole network, read only, imported once for this file."""
    plain, name = postgres.replace("+psycopg", ""), f"{template_database}_jiangsu"
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template_database}")
    factory = db.sessions(postgres.rsplit("/", 1)[0] + "/" + name)
    with factory.begin() as session:
        report = import_network(session, DIVISIONS_FILE, CENTRES_FILE) + import_changes(session)
        assert (report.added, report.changed, report.retired) == (23389 + 121 + 44, 0, 0)
    with factory() as session:
        yield session
    factory.kw["bind"].dispose()
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def codes(jiangsu: Session) -> list[str]:
    return list(jiangsu.scalars(select(Division.code).order_by(Division.code)))


def test_the_whole_of_jiangsu_comes_in_with_its_levels_and_paths(jiangsu: Session) -> None:
    by_level = select(Division.level, func.count().label("n")).group_by(Division.level)
    counts = {row.level: row.n for row in jiangsu.execute(by_level)}
    assert counts == {Level.PROVINCE: 1, Level.CITY: 13, Level.COUNTY: 104, Level.TOWN: 1487, Level.VILLAGE: 21784}
    assert jiangsu.scalar(select(func.count(ServiceCentre.id))) == 121
    broken = (
        "SELECT count(*) FROM division d JOIN division p ON p.code = d.parent_code"
        " WHERE d.path <> p.path || d.code::ltree OR nlevel(d.path) <> d.level"
    )
    assert jiangsu.scalar(text(broken)) == 0
    assert jiangsu.scalar(select(DivisionAlias.change).where(DivisionAlias.name == "沈𫭢镇")) == "renamed"


def test_the_same_files_again_change_nothing(jiangsu: Session) -> None:
    assert import_network(jiangsu, DIVISIONS_FILE, CENTRES_FILE).is_empty
    assert import_changes(jiangsu).is_empty
    jiangsu.rollback()


def test_ancestors_come_from_the_top(jiangsu: Session) -> None:
    village = jiangsu.scalars(select(Division).where(Division.level == Level.VILLAGE).limit(1)).one()
    above = ancestors(jiangsu, village)
    assert [division.level for division in above] == [1, 2, 3, 4]
    assert above[-1].code == village.parent_code
    assert ancestors(jiangsu, above[0]) == []


def test_a_short_code_and_a_code_of_the_other_list_find_their_division(jiangsu: Session) -> None:
    assert division_with(jiangsu, "320412").name == "武进区"
    assert division_with(jiangsu, "320505007000").code == "320576050000"
    with pytest.raises(UnknownDivision):
        division_with(jiangsu, "999999")
    for nonsense in ("", "32041x", "3204120000001", "３２０４１２", "%"):
        with pytest.raises(UnknownDivision):
            division_with(jiangsu, nonsense)


def test_the_home_of_a_place_is_its_county_or_county_level_zone(jiangsu: Session) -> None:
    town = division_with(jiangsu, "320412100000")
    assert (county := home_county(jiangsu, town)) is not None
    assert county.name == "武进区"
    assert home_county(jiangsu, county) is county
    zone = home_county(jiangsu, division_with(jiangsu, "320576050000"))
    assert zone is not None
    assert zone.name == "苏州工业园区"
    assert zone.kind == "dev_zone"
    assert home_county(jiangsu, division_with(jiangsu, "320400")) is None


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_every_place_lies_in_the_subtree_of_its_county_and_of_no_other(
    jiangsu: Session, codes: list[str], data: st.DataObject
) -> None:
    place = division_with(jiangsu, data.draw(st.sampled_from(codes)))
    county = home_county(jiangsu, place)
    holders = jiangsu.scalars(
        select(Division).where(Division.level == Level.COUNTY, Division.path.op("@>")(place.path))
    ).all()
    assert holders == ([county] if county else [])
    above = [*ancestors(jiangsu, place), place]
    assert place.path == ".".join(division.code for division in above)
    centre = centre_of(jiangsu, place)
    assert centre is not None
    assert jiangsu.get_one(Division, centre.division_id) in above


def test_the_subtrees_of_the_cities_are_the_whole_province_and_do_not_overlap(jiangsu: Session) -> None:
    cities = jiangsu.scalars(select(Division).where(Division.level == Level.CITY)).all()
    sizes = [jiangsu.scalar(select(func.count(Division.id)).where(subtree_condition(c.path))) or 0 for c in cities]
    assert len(sizes) == 13
    assert sum(sizes) == 23389 - 1


def test_the_subtree_test_uses_the_index(jiangsu: Session) -> None:
    wujin = division_with(jiangsu, "320412")
    query = select(Division.id).where(subtree_condition(wujin.path)).compile(jiangsu.connection())
    plan = jiangsu.connection().exec_driver_sql(f"EXPLAIN {query}", dict(query.params))
    assert "ix_division_path" in " ".join(row[0] for row in plan)


def test_a_place_is_served_by_its_own_centre_before_the_countys(jiangsu: Session) -> None:
    zone = division_with(jiangsu, "320412411000")
    assert (own := centre_of(jiangsu, zone)) is not None
    assert own.centre_no == "SC120"
    town = centre_of(jiangsu, division_with(jiangsu, "320412100000"))
    assert town is not None
    assert town.name == "武进区政务服务中心"


def test_children_come_in_the_order_of_their_names(jiangsu: Session) -> None:
    names = [division.name for division in children(jiangsu, division_with(jiangsu, "320400"))]
    assert names == ["金坛区", "溧阳市", "天宁区", "武进区", "新北区", "钟楼区"]


def test_the_county_map_draws_every_legal_county(jiangsu: Session) -> None:
    drawn = COUNTY_MAP_FILE.read_text(encoding="utf-8")
    legal = jiangsu.scalars(
        select(Division.code).where(Division.level == Level.COUNTY, Division.kind == "county")
    ).all()
    assert len(legal) == 95
    assert all(f'"code":"{code}"' in drawn for code in legal)


def test_names_sort_as_they_are_spoken() -> None:
    assert sort_key("武进区") == "wu jin qu"
    assert sort_key("六合区") == "lu he qu"
    assert sort_key("盱眙县") == "xu yi xian"
    assert sort_key("Daiban 12") == "daiban 12"
    assert person_key("单军") == "shan jun"
    assert person_key("尉迟恭") == "yu chi gong"
    assert person_key("王芳") == "wang fang"
