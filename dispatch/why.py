"""Why: an assignment explained in a lead's words: why this agent, who came second, why nobody, what would help."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from agents.network import Division, subtree_condition
from agents.roster import Agent
from dispatch import matching
from dispatch.assignment import TERM_WORDS, WEIGHTS
from dispatch.catalog import calendar_of
from dispatch.matching.batch import match
from dispatch.matching.explain import Change, Explanation, Step, explain
from dispatch.matching.model import Id, Need
from dispatch.matching.rules import Bar
from dispatch.project import Project, ProjectState
from dispatch.question import READ, ProjectRow, agents_as_of, among, needs_of, network_of
from dispatch.telling import day_of

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
SKILL_WORDS = {
    "filing": "立项", "land": "用地", "planning": "规划", "environment": "环评能评", "construction": "施工",
    "completion": "竣工", "business": "企业开办", "property": "不动产",
}  # fmt: skip
CLOSE = frozenset({"travel", "evenness", "stars", "proficiency", "continuity", "escalation", "move"})


@dataclass(frozen=True, slots=True)
class Why:
    """One role of a project explained: the sentences, and for a waiting one the smallest change that would place it."""

    role: str
    counter: str
    agent_id: int | None
    agent: str
    lines: tuple[str, ...]
    change: str = ""


def why(session: Session, project: Project, *, at: datetime) -> list[Why]:
    """Every role of a project as it stands now, among all who wait in the same county. Nothing is changed."""
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
    needs = needs_of(session, cast(Sequence[ProjectRow], rows), at=at, calendar=calendar)
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


def _seated_at(session: Session, codes: Sequence[str], at: datetime) -> list[matching.model.Agent]:
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


def _in_words(need: Need, one: Explanation, names: Mapping[Any, str], place: str) -> Why:
    lines = []
    name = "" if one.agent is None else names.get(one.agent, str(one.agent))
    if one.agent is not None:
        km = "" if one.road_hm is None else f"，距项目约{one.road_hm / 10:.1f}公里"
        lines.append(f"{name}：在办{one.load}/{one.capacity}（含本项目）{km}")
        if need.current is not None and need.current != one.agent:
            lines.append("这是按现在的情况重新匹配的结果，与现任不同；已告知企业的项目没有必要不调整")
        if one.only_by_order is not None:
            lines.append(f"依据：{BAR_WORDS[one.only_by_order]}")
        if need.previous and one.agent in need.previous:
            lines.append("以前服务过该企业")
        if one.terms.escalation:
            lines.append("本级没有合适人选，由上级代办员承办")
        if one.rival is not None:
            lines.append(f"其次是{names.get(one.rival.agent, one.rival.agent)}：{_lost(one)}")
    else:
        lines.append("目前没有可派的代办员，项目留在待派件")
    lines.append(f"符合条件{one.candidates}人" + (f"，其中名额已满{one.full}人" if one.full else ""))
    kept_out = [f"{BAR_WORDS[rule]}{n}人" for rule, n in one.bars.items() if n and rule not in (Bar.PLACE, Bar.FULL)]
    if kept_out:
        lines.append("未列入：" + "、".join(kept_out))
    return Why(
        role=need.role,
        counter="" if need.role == "lead" else place,
        agent_id=None if one.agent is None else int(one.agent),
        agent=name,
        lines=tuple(lines),
        change="" if one.change is None else _change_words(one.change, need, names, place),
    )


def _lost(one: Explanation) -> str:
    assert one.rival is not None
    worse = [TERM_WORDS[term] for term, points in one.rival.differences.items() if points > 0 and term in CLOSE]
    if one.rival.scarcity > 0:
        worse.append("其名额更需留给别的项目")
    why_not = "、".join(worse)
    behind = f"{why_not}不及" if why_not else "条件相当"
    return f"{behind}，代价高{one.rival.lost_by}分" if one.rival.lost_by else f"{behind}，总代价相同"


def _change_words(change: Change, need: Need, names: Mapping[Any, str], place: str) -> str:
    first = "首问代办员的转办被接受后，" if change.after_handover and change.step is not Step.ACCEPT_HANDOVER else ""
    who = "" if change.agent is None else names.get(change.agent, str(change.agent))
    skills = "、".join(SKILL_WORDS.get(skill, skill) for skill in sorted(need.skills))
    match change.step:
        case Step.ACCEPT_HANDOVER:
            words = "首问代办员的转办被接受，即可派件"
        case Step.LIFT_BAN:
            words = f"解除对{who}的排除，即可派件"
        case Step.ESCALATE:
            words = "允许上级（市、省）代办员承办，即可派件"
        case Step.RETURN:
            words = f"{who}返岗，即可派件"
        case Step.ADD_AGENTS:
            words = f"{place}增加{len(change.newcomers)}名{f'熟悉{skills}的' if skills else ''}代办员，即可派件"
    return first + words
