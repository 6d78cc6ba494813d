"""Localised text: a sentence is its Chinese text, and comes back from what a JSON column kept of it as it went in."""

import copy
import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.core.localized_text import DayText, ListText, LocalizedText, WindowText, from_json, to_json

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
DAYS = st.dates(date(2020, 1, 1), date(2035, 12, 31))
PLAIN = st.one_of(
    NAMES,
    st.integers(0, 999),
    st.builds(DayText, DAYS),
    st.builds(DayText, DAYS, DAYS),
    st.builds(WindowText, st.integers(0, 86_400), st.integers(0, 86_400)),
    st.builds(ListText, st.lists(NAMES, max_size=3), st.sampled_from(["、", ";", ""])),
)
VALUES = st.one_of(PLAIN, PLAIN.map(lambda one: LocalizedText("须在%(one)s之前", one=one)))


@given(VALUES, VALUES)
def test_a_kept_sentence_comes_back_as_it_was(a: str | int, b: str | int) -> None:
    words = LocalizedText("%(a)s先于%(b)s", a=a, b=b)
    again = from_json(str(words), json.loads(json.dumps(to_json(words))))
    assert isinstance(again, LocalizedText)
    assert again == words == f"{a}先于{b}"
    assert (again.form, dict(again.values)) == (words.form, dict(words.values))
    assert [type(one) for one in again.values.values()] == [type(a), type(b)]


def test_a_copy_says_the_same() -> None:
    words = LocalizedText(
        "%(day)s、%(window)s", day=DayText(date(2027, 1, 5), date(2026, 12, 31)), window=WindowText(32_400, 41_400)
    )
    again = copy.deepcopy(words)
    assert (again, again.form, again.values) == (words, words.form, words.values)


def test_what_is_written_down_without_values_is_just_its_text() -> None:
    assert to_json(LocalizedText("已签署委托书")) == to_json("已签署委托书") == {}
    assert from_json("已签署委托书", {"waybill": "EA123456785CN"}) == "已签署委托书"


def test_a_name_is_left_out_wherever_it_stands() -> None:
    words = LocalizedText("%(who)s预审材料", who=LocalizedText("代办员%(name)s", name="陈勇"))
    assert words.without("陈勇") == "代办员预审材料"
    assert words.without("").form == words.form


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (DayText(date(2026, 12, 3)), "12月3日"),
        (DayText(date(2026, 12, 3), date(2026, 1, 1)), "12月3日"),
        (DayText(date(2027, 1, 5), date(2026, 12, 31)), "2027年1月5日"),
        (ListText(["甲", "乙"]), "甲、乙"),
        (LocalizedText("50%"), "50%"),
    ],
)
def test_chinese_is_what_it_is(words: str, text: str) -> None:
    assert words == text


def test_a_day_is_as_short_in_english() -> None:
    assert DayText(date(2026, 12, 3)).english == "3 Dec"
    assert DayText(date(2027, 1, 5), date(2026, 12, 31)).english == "5 Jan 2027"
    assert DayText(date(2026, 1, 5), date(2026, 12, 31)).english == "5 Jan"


@pytest.mark.parametrize(
    ("opens_s", "closes_s", "text"),
    [
        (32_400, 41_400, "9:00-11:30"),
        (0, 59, "0:00-0:00"),
        (60, 3_599, "0:01-0:59"),
        (3_600, 86_399, "1:00-23:59"),
        (35_940, 35_999, "9:59-9:59"),
        (50_459, 86_400, "14:00-24:00"),
    ],
)
def test_a_window_is_read_off_a_clock_in_whole_minutes(opens_s: int, closes_s: int, text: str) -> None:
    assert WindowText(opens_s, closes_s) == text


def test_any_copy_of_a_text_is_the_text_itself() -> None:
    words = LocalizedText("已约%(day)s揽收", day=DayText(date(2026, 12, 3)))
    assert copy.copy(words) is words
    assert copy.deepcopy(words) is words


def test_a_list_comes_back_with_its_items_and_what_stands_between_them() -> None:
    words = LocalizedText("还缺%(names)s", names=ListText(["甲", DayText(date(2026, 12, 3)), "乙"], "；"))
    names = from_json(str(words), to_json(words)).values["names"]
    assert (names.items, names.between) == (("甲", "12月3日", "乙"), "；")
    assert [type(one) for one in names.items] == [str, DayText, str]


def test_a_day_comes_back_with_its_year_only_where_it_was_said() -> None:
    for day in (DayText(date(2027, 1, 5), date(2026, 12, 31)), DayText(date(2027, 1, 5))):
        words = LocalizedText("%(day)s前", day=day)
        again = from_json(str(words), to_json(words)).values["day"]
        assert (again, again.on) == (day, day.on)


def test_a_number_stays_a_number_and_what_nobody_wrote_is_text() -> None:
    words = LocalizedText("%(n)s项", n=3)
    assert from_json(str(words), to_json(words)).values == {"n": 3}
    assert from_json("3项", {"said": 3}) == "3项"
    assert from_json("3项", {"said": {"form": "%(n)s项", "values": {"n": 2.5}}}) == "2.5项"
