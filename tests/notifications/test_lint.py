"""Linter of texts at its limits: each rule alone, and the nearest words that it lets pass."""

import pytest

from notifications.lint import Placeholder, TextRules, faults

CASE = Placeholder("case_no", max=20, sample="3204122026112100042")
SHORT = Placeholder("n", max=2, sample="12")
RULES = TextRules(frozenset({"case_no", "n"}), frozenset({"case_no"}), {"case_no": CASE, "n": SHORT}, "【武进代办】")


def signed(signature: str) -> TextRules:
    return TextRules(RULES.allowed, RULES.needed, RULES.placeholders, signature)


URL = "a URL is refused by mainland carriers"
PHONE = "a phone number does not belong into the words"
ARROW = "arrows are refused in domestic templates"
BRACKETS = "【】 belong to the signature alone"
GRADE = "a notice may not ask for a grade"
CONTACT = "a private contact does not belong into the words"
REPLY = "a notice may not ask for a reply"
PLAIN = "a placeholder is a plain name in braces"
SIGNATURE = "the signature 【…】 of 2 to 12 characters is missing"


def test_plain_words_with_their_placeholders_have_no_fault():
    assert faults("{case_no}已受理", RULES) == []
    assert faults("{case_no}有{n}份材料", RULES) == []


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("见http:x", URL),
        ("见HTTPS:x", URL),
        ("见www.x", URL),
        ("见a.cn", URL),
        ("见a-b.com，", URL),
        ("见a.net", URL),
        ("见a.org", URL),
        ("见a.gov", URL),
        ("见a.top", URL),
        ("见a.cc", URL),
        ("见a.io", URL),
        ("见ｗｗｗ．ｘ", URL),
        ("见t点cn", URL),
        ("见https：//x", URL),
        ("致电１３８１２３４１２３４", PHONE),
        ("致电138.1234.1234", PHONE),
        ("加微信daiban2026", CONTACT),
        ("QQ：123456", CONTACT),
        ("回T退订", REPLY),
        ("请给五颗星", GRADE),
        ("请给满分", GRADE),
        ("致电13812341234", PHONE),
        ("致电0519-12345678", PHONE),
        ("致电051912345678", PHONE),
        ("致电010-1234567", PHONE),
        ("致电400-123-4567", PHONE),
        ("致电8001234567", PHONE),
        ("【", BRACKETS),
        ("】", BRACKETS),
        ("请看→", ARROW),
        ("\u2190", ARROW),
        ("\u21ff", ARROW),
        ("\u27f0", ARROW),
        ("\u27ff", ARROW),
        ("\u2900", ARROW),
        ("\u297f", ARROW),
        ("➔", ARROW),
        ("➾", ARROW),
        ("a->b", ARROW),
        ("a=>b", ARROW),
        ("欢迎好评", GRADE),
        ("给五星", GRADE),
        ("满意度", GRADE),
        ("请评价", GRADE),
        ("请您对本次的服务工作进行评价", GRADE),  # twelve characters between
        ("请打分", GRADE),
        ("请评分", GRADE),
        ("please rate us", GRADE),
        ("Grade our service", GRADE),
        ("review us", GRADE),
    ],
)
def test_each_thing_that_carriers_or_readers_refuse_is_one_fault(words, fault):
    assert faults("{case_no}" + words, RULES) == [fault]


@pytest.mark.parametrize(
    "words",
    [
        "3.5公里",
        "a.cnx",  # a domain ends with its word
        "a.b",
        "0519-123456",  # six digits are no telephone
        "0519-123456789",  # nor are nine
        "10519-12345678",  # a digit in front belongs to a longer number
        "500-123-4567",
        "400-123-45678",
        "\u2189",
        "\u2200",
        "\u27ef",
        "\u28ff",
        "\u2980",
        "a>b",
        "a- >b",
        "四星",
        "请您对本次代办的服务工作进行评价",  # fourteen characters between
        "请看，评价",  # another clause
        "they rate them",
    ],
)
def test_the_nearest_words_that_break_no_rule_pass(words):
    assert faults("{case_no}" + words, RULES) == []


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("", ["the text is empty", "placeholder {case_no} is not used"]),
        (" \n", ["the text is empty", "placeholder {case_no} is not used"]),
        ("x", ["placeholder {case_no} is not used"]),
        ("{case_no", ["a brace is not closed"]),
        ("{case_no}}", ["a brace is not closed"]),
        (
            "{case_no}{who}{what}",
            ["placeholder {what} is not known to this text", "placeholder {who} is not known to this text"],
        ),
        ("{case_no}{n!r}", [PLAIN]),
        ("{case_no}{n:>2}", [PLAIN]),
        ("{case_no}{n:d}", [PLAIN]),
        ("{case_no}{n.real}", ["placeholder {n.real} is not known to this text"]),
        ("{case_no} 100%", []),
        ("{case_no}{{n}}", []),
    ],
)
def test_each_fault_of_a_placeholder_is_named(words, found):
    assert faults(words, RULES) == found


def test_a_placeholder_that_is_allowed_but_has_no_rules_leaves_the_length_unchecked():
    rules = TextRules(RULES.allowed | {"new"}, RULES.needed, RULES.placeholders, RULES.signature)
    assert faults("{case_no}{new}" + "长" * 200, rules) == []
    assert faults("{case_no}" + "长" * 200, rules) != []


@pytest.mark.parametrize(
    ("signature", "found"),
    [
        ("【武】", [SIGNATURE]),
        ("【武进】", []),
        ("【" + "武" * 12 + "】", []),
        ("【" + "武" * 13 + "】", [SIGNATURE]),
        ("武进代办", [SIGNATURE]),
        ("【武进】代办", [SIGNATURE]),
        ("的【武进】", [SIGNATURE]),
        ("【武【进】", [SIGNATURE]),
    ],
)
def test_a_signature_is_two_to_twelve_characters_in_brackets(signature, found):
    assert faults("{case_no}已受理", signed(signature)) == found


def test_the_longest_values_decide_and_two_segments_are_allowed():
    # 134 characters are two segments: the signature has 6, the placeholder at its longest 20
    assert faults("{case_no}" + "长" * 108, RULES) == []
    assert faults("{case_no}" + "长" * 109, RULES) == ["135 characters at the longest are 3 segments, 2 are allowed"]


@pytest.mark.parametrize(("longest", "refused"), [(20, False), (21, True)])
def test_a_domestic_variable_has_twenty_characters(longest, refused):
    placeholder = Placeholder("case_no", max=longest, sample="1")
    rules = TextRules(RULES.allowed, RULES.needed, {"case_no": placeholder}, RULES.signature)
    fault = f"placeholder {{case_no}} may have {longest} characters, a domestic one has 20"
    assert faults("{case_no}已受理", rules) == ([fault] if refused else [])


def test_a_placeholders_longest_value_fills_it_and_its_sample_is_in_the_readers_language():
    name = Placeholder("area_name", max=5, sample="武进区", sample_en="Wujin")
    assert name.longest() == "武进区务务"
    assert Placeholder("code", max=2, sample="482913").longest() == "48"
    assert (name.sample_in("zh"), name.sample_in("en")) == ("武进区", "Wujin")
    assert SHORT.sample_in("en") == "12"


def test_a_placeholder_is_no_secret_and_no_telephone_unless_it_says_so():
    assert not CASE.secret
    assert not CASE.phone
