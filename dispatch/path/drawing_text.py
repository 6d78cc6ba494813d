"""Drawing text: the labels, spoken descriptions and summary of a drawing, in the reader's language. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from dispatch.core.legal_clock import Lamp
from dispatch.core.limit import DayUnit, law_words, minimum_words, promise_words
from dispatch.core.localized_text import DayText, ListText, LocalizedText, Translate
from dispatch.path.approval_graph import Path
from dispatch.path.matter_node import AreaEffect
from dispatch.path.path_step import PathStep, Wait, WaitLink
from dispatch.path.schedule import DatedStep, Schedule

LAMP_WORDS = {Lamp.AMBER: ("▲", LocalizedText("黄牌")), Lamp.RED: ("■", LocalizedText("红牌"))}
DONE = "✓"

CHANGED = LocalizedText("（调整）")


def step_law_words(step: PathStep) -> str:
    """The limit of the law on this project; a market procedure has a least time instead."""
    if step.matter.legal_minimum is not None:
        return minimum_words(step.matter.legal_minimum)
    return law_words(step.matter.statutory)


def step_promise_words(step: PathStep) -> str:
    """What is promised on this project, after area evaluation, undertaking and the lead's own days."""
    if step.effect is AreaEffect.REPLACE:
        return LocalizedText("免")
    return promise_words(step.promise)


def _days_in_box(step: PathStep, plan: Schedule) -> str:
    """How long the box stands for: the promise, else the law; in the unit that it has."""
    if step.effect is AreaEffect.REPLACE:
        return LocalizedText("免")
    limits = step.limits(plan.basis)
    if not limits:
        return LocalizedText("无时限")
    shortest = min(limits, key=lambda limit: limit.schedule_wd)
    if shortest.is_immediate:
        return LocalizedText("即时")
    if shortest.unit is DayUnit.CALENDAR:
        return LocalizedText("%(n)s自然日", n=shortest.days)
    return LocalizedText("%(n)s日", n=shortest.days)


def box_label(step: PathStep, plan: Schedule, dated: DatedStep | None, say: Translate) -> str:
    words = [step.matter.short, say(_days_in_box(step, plan))]
    if dated is not None and dated.is_done:
        words.append(DONE)
    elif dated is not None and dated.lamp in LAMP_WORDS:
        shape, word = LAMP_WORDS[dated.lamp]
        words.append(shape + say(word))
    if step.own_days is not None:
        words.append(say(CHANGED))
    return " ".join(words)


def box_description(step: PathStep, plan: Schedule, dated: DatedStep | None, say: Translate) -> str:
    timing, office = plan.of(step.code), step.matter.authority or LocalizedText("企业")
    parts: list[str] = [
        LocalizedText(
            "%(matter)s，%(office)s，法定：%(law)s，承诺：%(promise)s",
            matter=step.matter.name,
            office=office,
            law=step_law_words(step),
            promise=step_promise_words(step),
        ),
        LocalizedText("在关键线路上") if timing.is_critical else LocalizedText("机动%(n)s个工作日", n=timing.slack),
    ]
    if step.effect is AreaEffect.REPLACE:
        parts.append(LocalizedText("区域评估替代"))
    elif step.effect is AreaEffect.SIMPLIFY:
        parts.append(LocalizedText("区域评估简化"))
    if step.own_days is not None:
        parts.append(LocalizedText("期限由组长调整：%(reason)s", reason=step.reason))
    if dated is not None:
        if dated.decided_on is not None:
            parts.append(LocalizedText("%(day)s已办结", day=DayText(dated.decided_on)))
        else:
            due = DayText(dated.committed_on)
            if step.matter.statutory is None:
                parts.append(LocalizedText("应于%(due)s前办结", due=due))
            else:
                by_law = DayText(dated.statutory_on)
                parts.append(LocalizedText("应于%(due)s前办结，法定最晚%(law)s", due=due, law=by_law))
            if dated.expected_on is not None:
                parts.append(LocalizedText("预计%(day)s", day=DayText(dated.expected_on)))
            if dated.lamp in LAMP_WORDS:
                parts.append(LAMP_WORDS[dated.lamp][1])
            if dated.is_estimate:
                parts.append(LocalizedText("涉及尚未公布的放假安排，为估算"))
    return say(ListText(parts, "；"))


def wait_description(path: Path, step: PathStep, wait: Wait) -> str:
    if not wait.why:
        return ""
    names = f"{path.step(wait.on).matter.short} → {step.matter.short}"
    if wait.link is WaitLink.DECISION:
        return LocalizedText("组长调整：%(names)s，办结前补齐；%(why)s", names=names, why=wait.why)
    return LocalizedText("组长调整：%(names)s，先后关系；%(why)s", names=names, why=wait.why)


def drawing_summary(path: Path, plan: Schedule, on: Mapping[str, DatedStep]) -> ListText:
    names = {step.code: step.matter.short for step in path.steps}
    words: list[str] = [
        LocalizedText("共%(n)s个事项，全程%(days)s个工作日。", n=len(path.steps), days=plan.horizon),
        LocalizedText("关键线路：%(names)s。", names=ListText(names[code] for code in plan.critical_path)),
    ]
    done = sum(1 for dated in on.values() if dated.is_done)
    late = [names[code] for code, dated in on.items() if not dated.is_done and dated.lamp is Lamp.RED]
    if on:
        words.append(LocalizedText("已办结%(n)s个。", n=done))
    if late:
        words.append(LocalizedText("已超时：%(names)s。", names=ListText(late)))
    return ListText(words, "")
