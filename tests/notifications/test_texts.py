"""Texts: every one obeys the linter in both languages, is shown with its cost, and keeps what was in force."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from notifications import outbox, text_rendering, texts
from notifications.lint import Placeholder, TextRules, faults
from notifications.segments import is_gsm7, parts, segments
from notifications.settings import NoticeSettings
from notifications.text_catalogue import LOCALES, catalogue
from tests.notifications.builders import TEN, VALUES, say

SETTINGS = NoticeSettings()
EVERY = [(name, locale) for name in catalogue().texts for locale in LOCALES]


@pytest.mark.parametrize(("name", "locale"), EVERY)
def test_every_text_obeys_the_linter(name, locale):
    assert texts.lint(name, locale, catalogue().texts[name].words[locale], SETTINGS) == []


@pytest.mark.parametrize(("name", "locale"), EVERY)
def test_every_text_renders_with_real_looking_values_in_two_segments(name, locale):
    words = catalogue().texts[name].words[locale]
    shown = texts.preview(name, locale, words, SETTINGS, gateway="twilio")
    assert shown.body.startswith("【武进代办】" if locale == "zh" else "【Daiban】")
    assert "{" not in shown.body
    assert shown.segments <= shown.longest_segments <= 2
    assert shown.cost_fen == 40 * shown.longest_segments


def test_pairs_and_digests_name_texts_whose_values_are_there():
    known = catalogue().texts
    for pair in catalogue().pairs:
        given = {*known[pair.first].placeholders, *known[pair.second].placeholders, "count"}
        assert set(known[pair.into].placeholders) <= given
        assert known[pair.into].carrier
    for text in known.values():
        if text.digest:
            assert set(known[text.digest].placeholders) <= {"count", *text.placeholders}


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("{case_no}见 https://daiban.cn", "URL"),
        ("{case_no}见daiban.gov.cn", "URL"),
        ("{case_no}请致电13812341234", "phone number"),
        ("{case_no}请致电0519-12345678", "phone number"),
        ("{case_no}【通知】", "【】"),
        ("{case_no}请点→", "arrows"),
        ("{case_no}请给五星好评", "grade"),
        ("{case_no}请您对服务作出评价", "grade"),
        ("{case_no}{nobody}", "not known"),
        ("预审已通过", "not used"),
        ("{case_no", "brace"),
        ("{case_no!r}", "plain name"),
        ("{case_no:>20}", "plain name"),
        ("{case_no}" + "长" * 120, "segments"),
        ("  ", "empty"),
    ],
)
def test_the_linter_refuses(words, fault):
    assert any(fault in found for found in texts.lint("prescreened", "zh", words, SETTINGS))


def test_a_signature_of_the_wrong_length_is_missing():
    assert any("signature" in f for f in texts.lint("closed", "zh", "{case_no}", NoticeSettings(signature="武")))
    with pytest.raises(ValueError, match="signature"):
        NoticeSettings(signature="")


def test_a_variable_of_more_than_twenty_characters_is_refused():
    long = Placeholder("matter", max=21, sample="施工许可")
    rules = TextRules(frozenset({"matter"}), frozenset({"matter"}), {"matter": long}, "【武进代办】")
    assert faults("{matter}已受理", rules) == ["placeholder {matter} may have 21 characters, a domestic one has 20"]
    fitting = TextRules(frozenset({"matter"}), frozenset({"matter"}), {"matter": replace(long, max=20)}, "【武进代办】")
    assert faults("{matter}已受理", fitting) == []


def test_every_placeholder_fits_a_domestic_variable():
    assert all(p.max <= 20 for p in catalogue().placeholders.values())


def test_the_domestic_template_names_each_variable():
    assert text_rendering.domestic_template("login_code", "zh") == "验证码${code},10分钟内有效，请勿告诉任何人。"
    for name, locale in EVERY:
        named = set(re.findall(r"\$\{(\w+)\}", text_rendering.domestic_template(name, locale)))
        assert named <= set(catalogue().texts[name].placeholders)


def test_values_are_made_to_fit_and_carry_no_private_number():
    assert (
        text_rendering.fit("matter", "建设工程规划许可证核发（房屋建筑和市政基础设施工程）", SETTINGS)
        == "建设工程规划许可证核发（房屋建筑和市政…"
    )
    assert text_rendering.fit("office_phone", "13812341234", SETTINGS) == "12345"
    assert text_rendering.fit("reason", "请打 138 1234 1234 问", SETTINGS) == "请打 12345 问"
    assert text_rendering.fit("reason", "a【b】\n c", SETTINGS) == "a[b] c"


def test_an_edit_is_a_version_and_what_was_sent_keeps_its_own(session):
    before = say(session)
    body = outbox.body_of(session, before, plain=True)
    words = "{area_name}收到{case_no}，查询码{query_code}。"
    made = texts.edit(session, "requested", "zh", words, by_account=3, note="shorter", settings=SETTINGS)
    after = say(session, key="two")
    assert (before.text_version, made.version, after.text_version) == (1, 2, 2)
    assert outbox.body_of(session, before, plain=True) == body
    assert outbox.body_of(session, after, plain=True) == "【武进代办】武进区收到3204122026112300001，查询码K7M2XW9P。"
    back = texts.revert(session, "requested", "zh", by_account=3, note="the old one was better")
    assert (back.version, back.by_file) == (3, True)
    assert [v.version for v in texts.history(session, "requested", "zh")] == [3, 2, 1]


def test_an_edit_with_faults_is_refused_with_every_fault_at_once(session):
    with pytest.raises(texts.BadWords) as refused:
        texts.edit(session, "closed", "zh", "【x】www.a.cn", by_account=1, note="", settings=SETTINGS)
    assert len(refused.value.faults) == 3


def test_a_new_releases_words_are_a_new_version_and_an_operators_own_stay(session):
    texts.current(session, "closed", "zh")
    session.execute(update(texts.TextVersion).values(words="the words of the last release"))
    session.commit()  # new words are written apart, and whoever changes texts meanwhile is waited for
    assert texts.current(session, "closed", "zh").version == 2
    texts.edit(session, "closed", "zh", "{case_no}办完了。", by_account=1, note="", settings=SETTINGS)
    assert texts.current(session, "closed", "zh").words == "{case_no}办完了。"


def test_two_transactions_that_meet_new_words_in_different_order_do_not_wait_for_each_other(sessions):
    with sessions() as one, sessions() as two:
        for session in (one, two):
            session.connection().exec_driver_sql("set local lock_timeout = '2s'")
        texts.current(one, "closed", "zh")
        texts.current(two, "assigned", "zh")
        texts.current(one, "assigned", "zh")
        assert texts.current(two, "closed", "zh").version == 1


def test_codes_are_covered_wherever_people_look(session):
    row = say(session, text="pickup", at=TEN, values=VALUES)
    assert "482913" not in outbox.body_of(session, row)
    assert "******" in outbox.body_of(session, row)
    assert "482913" in outbox.body_of(session, row, plain=True)


def test_a_used_code_is_forgotten(sessions):
    with sessions.begin() as session:
        row = say(session, text="pickup")
        row.state = outbox.State.SENT
        session.flush()
        assert outbox.forget_codes(session, case_id=0) == 0
    assert row.values["code"] == "482913"


# ---------------------------------------------------------------- segments


@given(st.text(max_size=400))
def test_parts_lose_nothing_and_split_no_character(text):
    found = parts(text)
    assert "".join(found) == text
    if not is_gsm7(text):
        sizes = [len(p.encode("utf-16-le")) // 2 for p in found]
        assert all(s <= (70 if len(found) == 1 else 67) for s in sizes)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("办" * 70, 1),
        ("办" * 71, 2),
        ("办" * 134, 2),
        ("办" * 135, 3),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("办" * 66 + "😀" + "办" * 66, 3),
        ("", 1),
    ],
)
def test_segments_are_what_a_provider_charges(text, count):
    assert segments(text) == count
