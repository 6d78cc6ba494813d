"""Phone numbers at their limits: which digits are a mobile number in a text, and how much a mask shows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.phone import MAGIC, BadNumber, NoSmsNumber, NumberType, line_of, mask, normalise, normalise_mobile
from tests.notifications.builders import mobiles_in


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("13000000000", ["13000000000"]),
        ("19912345678", ["19912345678"]),
        ("12912345678", []),  # 130 is the lowest prefix
        ("20012345678", []),
        ("1381234567", []),  # a digit short
        ("138123456789", []),  # a digit too many behind
        ("913812345678", []),  # and in front
        ("138 1234 5678", ["138 1234 5678"]),
        ("138-1234-5678", ["138-1234-5678"]),
        ("138-123-45678", ["138-123-45678"]),  # in whatever groups
        ("138.1234.5678", ["138.1234.5678"]),
        ("１３８１２３４５６７８", ["13812345678"]),
        ("1\u200b38 1234 5678", ["138 1234 5678"]),
        ("008613812345678", ["008613812345678"]),
        ("320412-20261113-15004", []),
        ("138  1234 5678", []),  # one separator between two groups, no more
        ("+8613812345678", ["+8613812345678"]),
        ("86 13812345678", ["86 13812345678"]),
        ("+86-138-1234-5678", ["+86-138-1234-5678"]),
        ("致电13812345678或13987654321。", ["13812345678", "13987654321"]),
        ("0519-12345678", []),
    ],
)
def test_a_mainland_mobile_number_is_found_in_a_text_and_nothing_else_is(written, found):
    assert mobiles_in(written) == found


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("12345678", "123****5678"),  # eight digits are the fewest that are shown at all
        ("1234567", "****"),
        ("+861234567", "****"),
        ("+8612345678", "123****5678"),
        ("+86", "****"),
        ("+441234567", "+44****4567"),
        ("+12345678", "+12****5678"),
        ("+1234567", "****"),
        (" +86 138 1234 5678 ", "138****5678"),
        (" +44 7400 123456", "+44****3456"),
        ("8613812345678", "861****5678"),
    ],
)
def test_a_mask_hides_all_but_the_ends_and_everything_of_a_short_number(number, shown):
    assert mask(number) == shown


@pytest.mark.parametrize("magic", MAGIC)
def test_a_magic_number_is_known_in_every_spelling(magic):
    local = magic.removeprefix("+86")
    assert normalise(magic) == normalise(local) == normalise(f"+86 {local[:3]}-{local[3:]}") == magic
    assert normalise(f"({local[:3]}) {local[3:7]}.{local[7:]}") == magic
    assert line_of(magic) is NumberType.MAGIC


def test_what_may_exist_but_is_given_to_nobody_is_no_number():
    with pytest.raises(BadNumber, match=r"^\*\*\*\* is not a phone number$"):
        normalise("110")
    with pytest.raises(BadNumber, match=r"^120\*\*\*\*4567 is not a phone number$"):
        normalise("12012344567")
    with pytest.raises(BadNumber, match=r"^\*\*\*\* is not a phone number$"):
        normalise("nobody")


@pytest.mark.parametrize(
    ("e164", "line"),
    [
        ("+8613812341234", NumberType.MAINLAND_MOBILE),
        ("+8651912345678", NumberType.MAINLAND_LANDLINE),
        ("+8610000000004", NumberType.MAINLAND_LANDLINE),
        ("+85261234567", NumberType.FOREIGN),
        ("+12015550123", NumberType.FOREIGN),
    ],
)
def test_the_kind_of_a_line_is_read_from_the_number(e164, line):
    assert line_of(e164) is line


@pytest.mark.parametrize(
    ("written", "stored", "line"),
    [
        ("138 1234 1234", "+8613812341234", NumberType.MAINLAND_MOBILE),
        ("+86 138-1234-1234", "+8613812341234", NumberType.MAINLAND_MOBILE),
        ("8613812341234", "+8613812341234", NumberType.MAINLAND_MOBILE),
        ("0519-12345678", "+8651912345678", NumberType.MAINLAND_LANDLINE),
        ("+44 7400 123456", "+447400123456", NumberType.FOREIGN),
        ("10000000002", "+8610000000002", NumberType.MAGIC),
        ("+8610000000003", "+8610000000003", NumberType.MAGIC),
    ],
)
def test_numbers_have_one_spelling(written, stored, line):
    assert normalise(written) == stored
    assert line_of(stored) is line


@pytest.mark.parametrize(
    "written",
    [
        "",
        "12345",
        "abc",
        "1381234",
        "+1",
        "138123412345678",
        "1381234123a",
        "13812341234 ext 5",
        "1381234123O",
        "++8613812341234",
    ],
)
def test_what_is_no_number_is_refused(written):
    with pytest.raises(BadNumber):
        normalise(written)


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+8613812341234", "138****1234"),
        ("13812341234", "138****1234"),
        ("+447400123456", "+44****3456"),
        ("12", "****"),
    ],
)
def test_a_mask_shows_enough_to_recognise_ones_own(number, shown):
    assert mask(number) == shown


def test_numbers_inside_words_are_found_and_case_numbers_are_not():
    assert mobiles_in("致电138 1234 1234或+8613900001111") == ["138 1234 1234", "+8613900001111"]
    assert mobiles_in("办件3204122026112300001,320412-20261123-00001") == []


def test_each_magic_number_has_its_end():
    assert MAGIC == {"+8610000000001": "delivered", "+8610000000002": "permanent", "+8610000000003": "temporary"}


SEPARATED = st.lists(st.sampled_from(["", " ", "-", "\u200b", "－", "　", "."]), min_size=11, max_size=11)


@given(
    st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), SEPARATED, st.sampled_from(["", "+86", "86 ", "0086-", "＋８６"])
)
def test_a_mobile_is_the_same_however_it_is_written(number, between, country):
    written = country + "".join(digit + mark for digit, mark in zip(number, between, strict=True))
    assert normalise(written) == normalise_mobile(written) == f"+86{number}"
    assert line_of(f"+86{number}") is NumberType.MAINLAND_MOBILE


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.integers(0, 10), st.sampled_from("aOl#*/零"))
def test_a_mistyped_number_becomes_nobody_elses(number, place, wrong):
    with pytest.raises(BadNumber):
        normalise(number[:place] + wrong + number[place + 1 :])


@pytest.mark.parametrize("written", ["0519-86310000", "4008208820", "+86 519 8631 0000"])
def test_where_an_sms_must_arrive_a_landline_is_refused(written):
    assert line_of(normalise(written)) is NumberType.MAINLAND_LANDLINE
    with pytest.raises(NoSmsNumber):
        normalise_mobile(written)
