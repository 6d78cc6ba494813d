"""SMS rules over values: whatever somebody typed leaves as every carrier takes it, and in two parts at most."""

import string
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications import sms_rules, text_rendering
from notifications.segments import segments
from notifications.settings import NoticeSettings
from notifications.text_catalogue import LOCALES, catalogue

SETTINGS = NoticeSettings()


@pytest.mark.parametrize(
    ("placeholder", "typed", "leaves"),
    [
        ("reason", "请拨１３９００１３９０００补正", "请拨12345补正"),
        ("reason", "请拨139.0013.9000", "请拨12345"),
        ("reason", "请拨139-001-39000", "请拨12345"),
        ("reason", "请拨008613900139000", "请拨12345"),
        ("reason", "请拨0519-12345678", "请拨12345"),
        ("reason", "加QQ 1234567问", "加12345问"),
        ("project", "见 www.sample.cn 的项目", "见 的项目"),
        ("project", "见sample.cn的项目", "见的项目"),
        ("project", "一期→二期扩建", "一期-二期扩建"),
        ("project", "５Ｇ项目回T退订", "5G项目"),
        ("project", "sample.com", "（略）"),
        ("project", "👨‍👩‍👧‍👦之家", "之家"),
        ("office_phone", "0519-12345678", "0519-12345678"),
        ("case_no", "3204122026111300042", "3204122026111300042"),
        ("reason", "1.公司章程未盖章", "1.公司章程未盖章"),
        ("project", "3.中国电信机房", "3.中国电信机房"),
        ("project", "收回A地块再开发", "收回A地块再开发"),
        ("reason", "请退回TO材料", "请退回TO材料"),
        ("project", "VR技术退订系统", "VR技术退订系统"),
        ("agent", "欧阳\ue123", "欧阳\ue123"),
        ("reason", "一\x00二\x07三\n四", "一二三 四"),
        ("agent", "样本江·阿卜杜热合曼", "样本江·阿卜杜热合曼"),
        ("agent", "阿卜杜热合曼·买买提依明·吐尔逊江", "阿卜杜热合曼·买买提依明"),
        ("agent", "Muhammad Abdurehman Mutellip", "Muhammad"),
        ("project", "𠮷" * 20, "𠮷" * 9 + "…"),
        ("matter", "建设工程规划许可证核发（房屋建筑和市政基础设施工程）", "建设工程规划许可证核发（房屋建筑和市政…"),
    ],
)
def test_a_value_leaves_as_carriers_take_it(placeholder, typed, leaves):
    assert text_rendering.fit(placeholder, typed, SETTINGS) == leaves


PIECES = st.sampled_from(
    ["13900139000", "１３９", "-", ".", " ", "0519", "12345678", "www", "cn", "点", "→", "->", "回T退订", "【", "微信",
     "QQ", "abcde", "𠮷", "务", "é", "e\u0301", "👩‍🚒", "·", "阿卜杜", "\u200b", "…", "http:", "//", "86", "00"]
)  # fmt: skip
TYPED = st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=20).map("".join))


@given(TYPED, st.sampled_from(sorted(catalogue().placeholders)))
def test_no_value_carries_what_is_refused(typed, name):
    rule = catalogue().placeholders[name]
    value = text_rendering.fit(name, typed, SETTINGS)
    assert value
    assert sms_rules.units(value) <= rule.max
    assert not sms_rules.ARROW.search(value)
    assert not {"【", "】", "\n"} & set(value)
    assert not unicodedata.category(value[0]).startswith("M") or unicodedata.category(typed.strip()[0]).startswith("M")
    if sms_rules.units(sms_rules.clean(typed, hotline="12345", may_hold_landline=rule.phone)) <= rule.max:
        for refused in (sms_rules.MOBILE, sms_rules.URL):
            assert not refused.search(value)


@given(st.dictionaries(st.sampled_from(sorted(catalogue().placeholders)), TYPED))
def test_every_text_stays_within_two_parts(typed):
    values = dict.fromkeys(catalogue().placeholders, "务" * 30) | typed
    for text in catalogue().texts.values():
        fitted = text_rendering.fitted(text.name, values, SETTINGS)
        for locale in LOCALES:
            assert segments(text_rendering.render(text.words[locale], fitted, locale, SETTINGS)) <= 2


@given(st.lists(st.text(string.ascii_letters, min_size=1, max_size=9), min_size=1, max_size=6))
def test_a_name_is_never_cut_within_a_part(parts):
    name = "·".join(parts)
    assert sms_rules.shortened_name(name, 16).split("·") == parts[: len(sms_rules.shortened_name(name, 16).split("·"))]
