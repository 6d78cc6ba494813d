"""Drawing text: the labels, spoken descriptions and summary of a drawing, in the reader's language. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from dispatch.core.legal_clock import Lamp
from dispatch.core.localized_text import DayText, ListText, LocalizedText, Translate
from dispatch.path.approval_graph import Path
from dispatch.path.matter_node import AreaEffect
from dispatch.path.path_step import PathStep, Wait, WaitLink
from dispatch.path.schedule import DatedStep, Schedule

LAMP_WORDS = {Lamp.AMBER: ("▲", LocalizedText("黄牌")), Lamp.RED: ("■", LocalizedText("红牌"))}
DONE = "✓"

CHANGED = LocalizedText("（调整）")


def box_label(step: PathStep, plan: Schedule, dated: DatedStep | None, say: Translate) -> str:
    days = plan.of(step.code).days
    words = [
        step.matter.short,
        say(LocalizedText("免") if step.effect is AreaEffect.REPLACE else LocalizedText("%(n)s日", n=days)),
    ]
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
        LocalizedText("%(matter)s，%(office)s，%(n)s个工作日", matter=step.matter.name, office=office, n=timing.days),
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
            limits = {"legal": DayText(dated.statutory_on), "promised": DayText(dated.committed_on)}
            parts.append(LocalizedText("法定%(legal)s，承诺%(promised)s", **limits))
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
