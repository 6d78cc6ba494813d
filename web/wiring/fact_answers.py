"""Fact answers: the questions of the intake as a page shows them, and what was typed into them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from dispatch.catalogue.matter import Family
from dispatch.path.fact_table import AnswerKind, FactDefinition, WhoKnows, fact_table
from dispatch.path.facts import Facts, facts_of, read_answer
from dispatch.path.predicate import FactValue
from web.wiring.formatting import is_chinese

SHOWN = "shown"
"""The field that names the questions of a posted page."""


@dataclass(frozen=True, slots=True)
class AnswerField:
    """One question: what may be answered, what was answered, and what is wrong with it."""

    key: str
    words: str
    hint: str
    kind: str  # choice, number, or tick for what is usually not so
    unit: str
    choices: tuple[tuple[str, str], ...]
    typed: str
    usual: str
    is_common: bool
    who: str
    error: str = ""


def answer_fields(family: Family, given: Mapping[str, Any], typed: Mapping[str, str] | None = None,
                  errors: Mapping[str, str] | None = None) -> list[AnswerField]:  # fmt: skip
    """The questions that these answers bring up, in asking order, with what was typed or answered before."""
    known = facts_of(given)
    wrong = errors or {}
    return [
        _field(fact, _as_typed(fact, given.get(fact.key)) if typed is None else typed.get(fact.key, ""),
               wrong.get(fact.key, ""))
        for fact in asked_now(family, known)
    ]  # fmt: skip


def asked_now(family: Family, known: Facts) -> list[FactDefinition]:
    """The facts of a family that are asked of people as things are."""
    return [fact for key, fact in fact_table().items() if family.value in fact.families and key in known.asked]


def read_answers(
    family: Family, form: MultiDict[str, str], before: Mapping[str, Any]
) -> tuple[dict[str, FactValue], dict[str, str]]:
    """What was answered, and what is wrong by question. A question that was not on the page keeps its answer."""
    shown = set(form.get(SHOWN, "").split()) or {fact.key for fact in asked_now(family, facts_of(before))}
    answers: dict[str, FactValue] = {}
    errors: dict[str, str] = {}
    for key, fact in fact_table().items():
        if family.value not in fact.families or fact.kind is AnswerKind.DERIVED:
            continue
        if key not in shown:
            if before.get(key) is not None:
                answers[key] = before[key]
            continue
        try:
            answer = _read(fact, form.get(key, "").strip())
        except ValueError:
            errors[key] = gettext("请填写不小于0的数") if fact.kind is AnswerKind.NUMBER else gettext("请选择一项")
            continue
        if answer is not None:
            answers[key] = answer
    return answers, errors


def _read(fact: FactDefinition, text: str) -> FactValue | None:
    """One answer; None where a question that must be asked was left open. Raises ValueError."""
    if fact.kind is AnswerKind.BOOL and not fact.must_be_asked:
        return text in {"y", "yes"}
    if not text:
        return None
    if fact.kind is AnswerKind.BOOL:
        return {"yes": True, "no": False}[text] if text in {"yes", "no"} else read_answer(fact, text)
    if fact.kind is AnswerKind.NUMBER:
        return read_answer(fact, float(text.replace(",", "").replace("，", "")))
    return read_answer(fact, text)


def fact_lines(facts: Facts, family: Family) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """What is known of a project, as questions and answers: what was answered, and what is only taken to be usual."""
    answered, assumed = [], []
    for fact in asked_now(family, facts):
        line = (_question(fact), _answer_words(fact, facts[fact.key]))
        if fact.key in facts.assumed and fact.must_be_asked:
            assumed.append(line)
        elif fact.must_be_asked or facts[fact.key] != fact.usual:
            answered.append(line)
    return answered, assumed


def _field(fact: FactDefinition, typed: str, error: str) -> AnswerField:
    yes_or_no = fact.kind is AnswerKind.BOOL
    tick = yes_or_no and not fact.must_be_asked
    choices: Iterable[tuple[str, str]] = (
        [("yes", gettext("是")), ("no", gettext("否"))]
        if yes_or_no
        else [(choice.key, choice.words if is_chinese() else choice.words_en) for choice in fact.choices]
    )
    return AnswerField(
        key=fact.key,
        words=_question(fact),
        hint=fact.help if is_chinese() else fact.help_en,
        kind="tick" if tick else "number" if fact.kind is AnswerKind.NUMBER else "choice",
        unit=_unit(fact),
        choices=tuple(choices),
        typed=typed,
        usual=_answer_words(fact, fact.usual),
        is_common=fact.common,
        who="" if fact.who_knows is WhoKnows.ENTERPRISE else fact.who_knows.value,
        error=error,
    )


def _as_typed(fact: FactDefinition, answer: object) -> str:
    """An earlier answer as the page's fields say it."""
    if answer is None:
        return "" if fact.must_be_asked or fact.kind is AnswerKind.BOOL else str(fact.usual)
    if isinstance(answer, bool):
        return "yes" if answer else "no"
    return f"{answer:g}" if isinstance(answer, float | int) else str(answer)


def _question(fact: FactDefinition) -> str:
    return fact.question if is_chinese() else fact.question_en


UNITS = {"ha": "公顷", "m2": "平方米", "m3": "立方米", "10,000 CNY": "万元", "tce": "吨标准煤", "kWh": "千瓦时"}
"""The units of the fact table as Chinese pages say them."""


def _unit(fact: FactDefinition) -> str:
    return UNITS.get(fact.unit, fact.unit) if is_chinese() else fact.unit


def _answer_words(fact: FactDefinition, value: FactValue) -> str:
    if isinstance(value, bool):
        return str(gettext("是") if value else gettext("否"))
    if fact.kind is AnswerKind.NUMBER:
        return f"{float(value):,.10g} {_unit(fact)}"
    chosen = next(choice for choice in fact.choices if choice.key == value)
    return chosen.words if is_chinese() else chosen.words_en
