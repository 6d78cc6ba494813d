"""Place names as people write them, over the network that the program brings along."""

import csv
from pathlib import Path

import pytest

from agents.network import Level
from agents.place_names import ALIASES, NamedPlace, PlaceIndex

WUJIN, HUTANG = "320412000000", "320412100000"


@pytest.fixture(scope="module")
def index() -> PlaceIndex:
    with Path("agents/data/network.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if int(row["level"]) <= Level.TOWN]
    return PlaceIndex(
        NamedPlace(
            row["code"], row["name"], Level(int(row["level"])), row["parent_code"] or None, float(row["lon"]),
            float(row["lat"]),
        )
        for row in rows
    )  # fmt: skip


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("武进区", WUJIN), ("武进", WUJIN), ("常州武进区", WUJIN), ("江苏省常州市武进区", WUJIN), ("320412", WUJIN),
        ("３２０４１２", WUJIN), ("320412000000", WUJIN), ("常州经开区", WUJIN), ("常州经济开发区", WUJIN),
        ("常州 经济开发区", WUJIN), ("武进国家高新技术产业开发区", "320412411000"), ("武进湖塘", HUTANG),
        ("常州市武进区湖塘镇", HUTANG), ("江北新区", "320111000000"), ("南京江北新区", "320111000000"),
    ],
)  # fmt: skip
def test_a_place_is_found_however_it_is_written(index: PlaceIndex, written: str, code: str) -> None:
    assert [place.code for place in index.named(written)] == [code]


def test_what_is_not_found_or_not_clear_is_not_guessed(index: PlaceIndex) -> None:
    assert index.named("武侯区") == []
    assert index.named("苏州武进区") == [], "Wujin is not in Suzhou"
    assert index.named("999999") == []
    assert len(index.named("经济开发区")) > 1


def test_proposals_are_near_in_writing(index: PlaceIndex) -> None:
    assert WUJIN in {place.code for place in index.proposals("武进县")}
    assert len(index.proposals("开发区")) <= 3


def test_a_page_of_text_is_no_name_of_a_place(index: PlaceIndex) -> None:
    assert index.named("武进" * 50) == []
    assert index.proposals("武进区" * 50) == []


def test_an_address_leads_to_the_deepest_place_that_its_names_agree_on(index: PlaceIndex) -> None:
    best = index.within("江苏省常州市武进区湖塘镇人民东路1号")[0]
    assert (best.code, index.full_name(best)) == (HUTANG, "常州市武进区湖塘镇")
    assert index.within("常州经开区东方大道1号")[0].code == WUJIN
    assert index.within("人民东路1号") == [] or all(place.level == Level.TOWN for place in index.within("人民东路1号"))


def test_every_alias_names_a_place_of_the_network(index: PlaceIndex) -> None:
    assert {alias for alias, code in ALIASES.items() if code not in index.by_code} == set()
