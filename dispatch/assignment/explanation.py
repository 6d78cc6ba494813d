"""Why: an assignment explained in a lead's words: why this agent, who came second, why nobody, what would help."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from agents import matching
from agents.matching.batch import match
from agents.matching.explain import ChangeKind, Explanation, Rival, SmallestChange, explain
from agents.matching.model import Id, Need
from agents.matching.rules import Bar
from agents.network import Division, subtree_condition
from agents.roster import CATEGORY_LABEL, Agent, Category
from dispatch.assignment.matching_input import READ, MatchingProjectRow, agents_as_of, among, build_needs, network_of
from dispatch.assignment.propose import TERM_WORDS, WEIGHTS
from dispatch.cases.notify import day_of
from dispatch.cases.project import Project, ProjectState
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.localized_text import ListText, LocalizedText

BAR_WORDS = {
    Bar.FIRST_ASK: "首问负责尚未转出",
    Bar.LOCK: "组长已锁定他人",
    Bar.BAN: "已被排除",
    Bar.PLACE: "不在可派范围",
    Bar.AWAY: "请假",
    Bar.SKILL: "缺少所需专长",
    Bar.LANGUAGE: "语言不符",
    Bar.FULL: "名额已满",
}
CLOSE = frozenset({"travel", "evenness", "stars", "proficiency", "continuity", "escalation", "move"})


@dataclass(frozen=True, slots=True)
class RoleExplanation:
    """One role of a project explained: the sentences, and for a waiting one the smallest change that would place it."""

    role: str
    counter: str
    agent_id: int | None
    agent: str
    lines: tuple[str, ...]
    change: str = ""


def why(session: Session, project: Project, *, at: datetime) -> list[RoleExplanation]:
    """Every role of a project as it stands now, among all who wait in the same county. Nothing is changed.

    A project that has ended asks for nobody."""
    if project.state is ProjectState.CLOSED:
        return []
    calendar = calendar_of(session)
    home = session.get_one(Division, project.home_division_id)
    here = select(Division.id).where(subtree_condition(home.path))
    rows = session.execute(
        select(*READ)
        .where(
            or_(
                Project.id == project.id,
                (Project.state == ProjectState.WAITING) & Project.home_division_id.in_(here),
            )
        )
        .order_by(Project.id)
    ).all()
    needs = build_needs(session, cast(Sequence[MatchingProjectRow], rows), at=at, calendar=calendar)
    # Seats above the county are read too: whether they would help is one of the answers.
    pool = {a.id: a for a in agents_as_of(session, day_of(at), path=home.path, calendar=calendar)}
    above = home.path.split(".")[:-1]
    for agent in _seated_at(session, above, at):
        pool.setdefault(agent.id, agent)
    network = network_of(session, {a.node for a in pool.values()} | {n.node for n in needs})
    agents = list(pool.values())
    answer = match(needs, agents, network, WEIGHTS)
    mine = [need for need in needs if need.project == project.id]
    found = [explain(need.id, needs, agents, network, WEIGHTS, answer) for need in mine]
    names = _names(session, [a for e in found for a in _mentioned(e)])
    return [_in_words(need, one, names, _place(session, need)) for need, one in zip(mine, found, strict=True)]


def _seated_at(session: Session, codes: Sequence[str], at: datetime) -> list[matching.model.MatchingAgent]:
    """The agents at these very seats, not below them."""
    seated = select(Agent.id).join(Division, Division.id == Agent.division_id).where(Division.code.in_(codes))
    return agents_as_of(session, day_of(at), ids=session.scalars(seated).all())


def _mentioned(one: Explanation) -> list[int]:
    people: list[Id | None] = [
        one.agent,
        one.rival.agent if one.rival else None,
        one.change.agent if one.change else None,
    ]
    return [int(p) for p in people if p is not None]


def _names(session: Session, ids: Sequence[int]) -> dict[Any, str]:
    return {row.id: row.name for row in session.execute(select(Agent.id, Agent.name).where(among(Agent.id, set(ids))))}


def _place(session: Session, need: Need) -> str:
    return session.scalar(select(Division.name).where(Division.code == need.node)) or need.node


def _in_words(need: Need, one: Explanation, names: Mapping[Any, str], place: str) -> RoleExplanation:
    lines = []
    name = "" if one.agent is None else _name(one.agent, names)
    if one.agent is not None:
        lines.append(_load(one, name))
        if need.current is not None and need.current != one.agent:
            lines.append(LocalizedText("这是按现在的情况重新匹配的结果，与现任不同；已告知企业的项目没有必要不调整"))
        if one.only_by_order is not None:
            lines.append(LocalizedText("依据：%(rule)s", rule=BAR_WORDS[one.only_by_order]))
        if need.previous and one.agent in need.previous:
            lines.append(LocalizedText("以前服务过该企业"))
        if one.terms.escalation:
            lines.append(LocalizedText("本级没有合适人选，由上级代办员承办"))
        if one.rival is not None:
            second, lost = _name(one.rival.agent, names), lost_words(one.rival)
            lines.append(LocalizedText("其次是%(name)s：%(lost)s", name=second, lost=lost))
    else:
        lines.append(LocalizedText("目前没有可派的代办员，项目留在待派件"))
    if one.full:
        lines.append(LocalizedText("符合条件%(count)s人，其中名额已满%(full)s人", count=one.candidates, full=one.full))
    else:
        lines.append(LocalizedText("符合条件%(count)s人", count=one.candidates))
    kept_out = [
        LocalizedText("%(rule)s%(count)s人", rule=BAR_WORDS[rule], count=count)
        for rule, count in one.bars.items()
        if count and rule not in (Bar.PLACE, Bar.FULL)
    ]
    if kept_out:
        lines.append(LocalizedText("未列入：%(rules)s", rules=ListText(kept_out)))
    return RoleExplanation(
        role=need.role,
        counter="" if need.role == "lead" else place,
        agent_id=None if one.agent is None else int(one.agent),
        agent=name,
        lines=tuple(lines),
        change="" if one.change is None else change_words(one.change, need, names, place),
    )


def _name(agent: Id | None, names: Mapping[Any, str]) -> str:
    return names.get(agent, str(agent))


def _load(one: Explanation, name: str) -> LocalizedText:
    load = {"name": name, "load": str(one.load), "capacity": str(one.capacity)}
    if one.road_hm is None:
        return LocalizedText("%(name)s：在办%(load)s/%(capacity)s（含本项目）", **load)
    km = f"{one.road_hm / 10:.1f}"
    return LocalizedText("%(name)s：在办%(load)s/%(capacity)s（含本项目），距项目约%(km)s公里", **load, km=km)


def lost_words(rival: Rival) -> LocalizedText:
    """By what the runner-up lost, and by how many points."""
    worse = [TERM_WORDS[term] for term, points in rival.differences.items() if points > 0 and term in CLOSE]
    if rival.scarcity > 0:
        worse.append(LocalizedText("名额宽裕程度"))
    match bool(worse), bool(rival.lost_by):
        case True, True:
            return LocalizedText("%(terms)s不及，代价高%(points)s分", terms=ListText(worse), points=rival.lost_by)
        case True, False:
            return LocalizedText("%(terms)s不及，总代价相同", terms=ListText(worse))
        case False, True:
            return LocalizedText("条件相当，代价高%(points)s分", points=rival.lost_by)
    return LocalizedText("条件相当，总代价相同")


def change_words(change: SmallestChange, need: Need, names: Mapping[Any, str], place: str) -> LocalizedText:
    """What somebody would have to do so that the need is placed."""
    words = _step_words(change, need, _name(change.agent, names), place)
    if change.after_handover and change.step is not ChangeKind.ACCEPT_HANDOVER:
        return LocalizedText("首问代办员的转办被接受后，%(then)s", then=words)
    return words


def _step_words(change: SmallestChange, need: Need, who: str, place: str) -> LocalizedText:
    match change.step:
        case ChangeKind.ACCEPT_HANDOVER:
            return LocalizedText("首问代办员的转办被接受，即可派件")
        case ChangeKind.LIFT_BAN:
            return LocalizedText("解除对%(name)s的排除，即可派件", name=who)
        case ChangeKind.ESCALATE:
            return LocalizedText("允许上级（市、省）代办员承办，即可派件")
        case ChangeKind.RETURN:
            return LocalizedText("%(name)s返岗，即可派件", name=who)
    more: dict[str, str | int] = {"place": place, "count": len(change.newcomers)}
    if not need.skills:
        return LocalizedText("%(place)s增加%(count)s名代办员，即可派件", **more)
    skills = ListText(CATEGORY_LABEL.get(cast(Category, skill), skill) for skill in sorted(need.skills))
    return LocalizedText("%(place)s增加%(count)s名熟悉%(skills)s的代办员，即可派件", **more, skills=skills)
