"""Canonical forms: one spelling for one thing, whichever way it was typed."""

import string
import unicodedata
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.core.amount import MOST_WAN, WrongAmount, amount_wan
from dispatch.core.canonical import canonical_code, canonical_name, plain_text, visible_text
from dispatch.core.credit_code import (
    ALPHABET,
    PersonalIdNumber,
    WrongCheckCharacter,
    WrongCreditCode,
    check_character,
    credit_code,
    credit_code_form,
    organisation_check,
)
from dispatch.core.project_code import WrongProjectCode, project_code

INVISIBLE = "\u200b\u200d\u2060\ufeff\u00ad\u202e\ufe0f\u3164\x00"
WIDE = str.maketrans({chr(n): chr(n + 0xFEE0) for n in range(0x21, 0x7F)})


@given(st.text())
def test_each_form_is_reached_at_once(text: str) -> None:
    for form in (plain_text, canonical_name, canonical_code):
        assert form(form(text)) == form(text)


@given(st.text(alphabet=string.ascii_letters + string.digits + "江苏样本（）()·", min_size=1), st.data())
def test_what_nobody_sees_changes_no_name(name: str, data: st.DataObject) -> None:
    place, mark = data.draw(st.integers(0, len(name))), data.draw(st.sampled_from(INVISIBLE))
    assert canonical_name(f" {name[:place]}{mark}{name[place:]}　") == canonical_name(name)
    assert canonical_name(name.translate(WIDE)) == canonical_name(name)


@given(st.text())
def test_nothing_invisible_is_left(text: str) -> None:
    assert not {unicodedata.category(c) for c in plain_text(text)} & {"Cf", "Cc", "Cs"}
    assert not {unicodedata.category(c) for c in visible_text(text)} & {"Cf", "Cs"}


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("样本(江苏)装备有限公司", "样本（江苏）装备有限公司"),
        ("样本 （江苏） 装备有限公司", "样本（江苏）装备有限公司"),
        ("ABC  (Jiangsu) Tools", "ABC (Jiangsu) Tools"),
        ("ＡＢＣ 机械", "ABC机械"),
        ("阿不都•外力", "阿不都·外力"),
        ("二期\u200b", "二期"),
        ("\u200b\u200b", ""),
    ],
)
def test_a_name_has_one_spelling(typed: str, stored: str) -> None:
    assert canonical_name(typed) == stored


def test_a_sentence_keeps_its_own_punctuation() -> None:
    assert visible_text(" 人民东路１号，\u200b三楼 ") == "人民东路１号，三楼"


# ---------------------------------------------------------------- credit codes


@st.composite
def credit_codes(draw: st.DrawFn) -> str:
    body = "".join(draw(st.lists(st.sampled_from(ALPHABET), min_size=8, max_size=8)))
    code = draw(st.sampled_from("59ANY")) + "1320412" + body + organisation_check(body)
    return code + check_character(code)


@given(credit_codes(), st.data())
def test_a_credit_code_is_read_however_it_is_typed(code: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, 18))
    assert credit_code(code.translate(WIDE).lower()) == code
    assert credit_code(f"{code[:place]}\u200b {code[place:]}") == code


@given(credit_codes(), st.integers(8, 17), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_noticed(code: str, place: int, other: str) -> None:
    if code[place] != other:
        with pytest.raises(WrongCreditCode):
            credit_code(code[:place] + other + code[place + 1 :])


@pytest.mark.parametrize("code", ["91320412MA7YBKT85N", "91320412MA8YBRK700", "91350100M000100Y43"])
def test_known_credit_codes(code: str) -> None:
    assert credit_code(code) == code


@pytest.mark.parametrize(
    "code", ["", "9132", "B1320412MA7YBKT85N", "91320412MA7YBKT8IN", "9132041XMA7YBKT85N", "9" * 19]
)
def test_what_has_not_the_form_of_a_credit_code(code: str) -> None:
    for read in (credit_code, credit_code_form):
        with pytest.raises(WrongCreditCode):
            read(code)


def test_a_licence_may_show_a_code_whose_check_does_not_fit() -> None:
    with pytest.raises(WrongCheckCharacter):
        credit_code("91320412MA7YBKT850")
    assert credit_code_form("91320412MA7YBKT850") == "91320412MA7YBKT850"


@given(
    st.dates(), st.sampled_from(["110101", "320412", "511523", "820000"]), st.integers(0, 999), st.sampled_from("0189X")
)
def test_a_persons_number_is_no_credit_code_and_stands_in_no_error(
    born: object, region: str, serial: int, last: str
) -> None:
    number = f"{region}{str(born).replace('-', '')}{serial:03d}{last}"
    if number[6:8] in {"19", "20"}:
        for read in (credit_code, credit_code_form):
            with pytest.raises(PersonalIdNumber) as caught:
                read(number)
            assert number[6:] not in f"{caught.value}{caught.value.user_message}"


# ---------------------------------------------------------------- project codes


@pytest.mark.parametrize(
    "typed",
    [
        "2611-320412-04-01-123456",
        "26113204120401123456",
        "2611-320412-04-01-123456".translate(WIDE),
        "2611–320412-04-01-123456\u200b",
    ],
)
def test_a_project_code_has_one_form(typed: str) -> None:
    assert project_code(typed) == "2611-320412-04-01-123456"


def test_codes_of_before_2021_begin_with_the_year() -> None:
    assert project_code("2017-320412-34-03-123456") == "2017-320412-34-03-123456"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("2613-320412-04-01-123456", "年月"),
        ("2600-320412-04-01-123456", "年月"),
        ("2611-990412-04-01-123456", "区划"),
        ("2611-321412-04-01-123456", "区划"),
        ("2611-320412-04-01-12345", "项目代码有误"),
        ("263204128912345678901234", "项目代码有误"),
        ("二六一一-320412-04-01-123456", "项目代码有误"),
    ],
)
def test_what_the_platform_does_not_give(code: str, words: str) -> None:
    with pytest.raises(WrongProjectCode) as caught:
        project_code(code)
    assert words in caught.value.user_message


# ---------------------------------------------------------------- amounts


@pytest.mark.parametrize(
    ("typed", "amount"),
    [
        ("3000", "3000"), ("３０００", "3000"), ("3000万元", "3000"), ("3000万", "3000"), ("3,000.50", "3000.5"),
        ("3000.50", "3000.5"), ("0", "0"), (" 12 000 ", "12000"), ("100000000", "100000000"), ("1,234,567", "1234567"),
    ],
)  # fmt: skip
def test_an_amount_is_read_as_people_write_it(typed: str, amount: str) -> None:
    assert str(amount_wan(typed)) == amount


@pytest.mark.parametrize("typed", ["", "-1", "3.00001", "1e4", "3,00", "3000亿", "三千", "100000000.1", "١٢", "3000元"])
def test_what_is_no_amount(typed: str) -> None:
    with pytest.raises(WrongAmount):
        amount_wan(typed)


@given(st.decimals(0, MOST_WAN, places=4))
def test_every_amount_within_the_bound_is_read_again(amount: Decimal) -> None:
    assert amount_wan(f"{amount:,}") == amount_wan(f"{amount}") == amount
