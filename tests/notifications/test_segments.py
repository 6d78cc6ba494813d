"""Segments at their limits: where one part becomes two, in either alphabet, and characters of two units."""

import pytest

from notifications.segments import is_gsm7, parts, segments


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("", [0]),
        ("a" * 160, [160]),
        ("a" * 161, [153, 8]),
        ("a" * 306, [153, 153]),
        ("a" * 307, [153, 153, 1]),
        ("务" * 70, [70]),
        ("务" * 71, [67, 4]),
        ("务" * 134, [67, 67]),
        ("务" * 135, [67, 67, 1]),
        ("€" * 80, [80]),  # escaped: two units each
        ("€" * 81, [76, 5]),  # the 77th would be split between the parts
        ("😀" * 35, [35]),  # a surrogate pair: two units each
        ("😀" * 36, [33, 3]),
        ("\U00010000" * 36, [33, 3]),  # the first of two
        ("\uffff" * 70, [70]),  # the last character of one unit
        ("\uffff" * 71, [67, 4]),
    ],
)
def test_a_text_is_split_where_the_providers_split_it(text, sizes):
    found = parts(text)
    assert [len(part) for part in found] == sizes
    assert "".join(found) == text
    assert segments(text) == len(sizes)


@pytest.mark.parametrize(("text", "seven_bit"), [("", True), ("abc {é} €", True), ("abcç", False), ("a务", False)])
def test_one_character_outside_the_seven_bit_alphabet_changes_the_whole_text(text, seven_bit):
    assert is_gsm7(text) is seven_bit
