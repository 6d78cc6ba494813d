"""Approval path: a project's own matters as a graph, with its critical path, slack and dates. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from dispatch.core.clock import Calendar, ClockOf
from dispatch.path.area_effects import AreaUse, EvaluatedSite, ZoneEvaluation

DAY_BY_COMMITMENT_WD = 1  # 告知承诺: decided on the day it is handed in


class PathError(ValueError):
    """The matters do not make a path."""


class UnknownMatter(PathError):
    """A prerequisite or an edit names a matter that is not in the path."""


class BadDays(PathError):
    """A limit that nobody can agree on: none at all, or longer than the law allows."""


class CycleFound(PathError):
    """Matters that wait for each other in a ring; ``cycle`` starts and ends with the same code."""

    def __init__(self, cycle: tuple[str, ...]) -> None:
        super().__init__(f"these matters wait for each other: {' → '.join(cycle)}")
        self.cycle = cycle


class MatterKind(StrEnum):
    """What a matter (事项) is; it says whose clock runs."""

    APPROVAL = "approval"
    FILING = "filing"
    REGISTRATION = "registration"
    TECHNICAL_REVIEW = "technical_review"
    INTERMEDIARY = "intermediary"
    TRANSACTION = "transaction"
    PUBLIC_SERVICE = "public_service"


WHOSE = {
    MatterKind.APPROVAL: ClockOf.AUTHORITY,
    MatterKind.FILING: ClockOf.AUTHORITY,
    MatterKind.REGISTRATION: ClockOf.AUTHORITY,
    MatterKind.TECHNICAL_REVIEW: ClockOf.AUTHORITY,
    MatterKind.INTERMEDIARY: ClockOf.ENTERPRISE,
    MatterKind.TRANSACTION: ClockOf.NOT_COUNTED,
    MatterKind.PUBLIC_SERVICE: ClockOf.ENTERPRISE,
}


class AreaEffect(StrEnum):
    """What a valid area evaluation (区域评估) does to a matter: 替代, 简化, or nothing. An EIA is never replaced."""

    NONE = "none"
    SIMPLIFY = "simplify"
    REPLACE = "replace"


class Basis(StrEnum):
    """Which limit a schedule is drawn from: 法定, 承诺 (the 3550 rules), or 现行承诺 (today's promise)."""

    STATUTORY = "statutory"
    COMMITTED = "committed"
    COMMITTED_NOW = "committed_now"


class Counting(StrEnum):
    """Which days a schedule counts: those of the 3/5/50 target (审批用时), or every day that passes (全程历时)."""

    TARGET = "target"
    ELAPSED = "elapsed"


class WaitLink(StrEnum):
    """How a matter waits for another: to start, or (on an undertaking, or in simulation) only to be decided."""

    START = "start"
    DECISION = "decision"


class Relief(StrEnum):
    """The three reliefs that are not the same."""

    DEFERRED = "deferred"  # 容缺受理: starts now; no decision before the paper is in
    COMMITMENT = "commitment"  # 告知承诺: decided at once, verified afterwards
    SIMULATED = "simulated"  # 模拟审批: a draft opinion, made formal when the prerequisite is there


@dataclass(frozen=True, slots=True)
class MatterNode:
    """A matter of the catalogue (事项) with its limits in working days, as implemented where the project is."""

    code: str
    name: str
    short: str
    phase: int
    kind: MatterKind
    statutory_days: int
    committed_days: int
    committed_now_days: int
    counts_in_target: bool = True
    prerequisites: tuple[str, ...] = ()
    before_works_only: bool = False
    joint_group: str = ""
    area_evaluation: str = ""
    area_effect: AreaEffect = AreaEffect.NONE
    simplified_days: int = 0
    authority: str = ""
    level: str = "county"
    counter: str = ""
    applies_if: str = ""
    relief: str = ""
    exempt_procedures: str = ""
    basis: str = ""

    def __post_init__(self) -> None:
        for name in ("statutory_days", "committed_days", "committed_now_days", "simplified_days"):
            if getattr(self, name) < 0:
                raise PathError(f"{self.code}: {name} is {getattr(self, name)}; a limit cannot be negative")
        if self.code in self.prerequisites:
            raise CycleFound((self.code, self.code))
        if self.area_evaluation == "environment" and self.area_effect is AreaEffect.REPLACE:
            raise PathError(f"{self.code} {self.short}: an environmental evaluation is simplified, never replaced")
        if self.whose is ClockOf.AUTHORITY and not self.authority.strip():
            raise PathError(f"{self.code} {self.short}: no authority decides this matter")

    @property
    def whose(self) -> ClockOf:
        return WHOSE[self.kind]

    @property
    def works_against_target(self) -> bool:
        """As the catalogue says, but land listing and tendering never, whatever it says."""
        return self.counts_in_target and self.whose is not ClockOf.NOT_COUNTED

    def days(self, basis: Basis) -> int:
        if basis is Basis.STATUTORY:
            return self.statutory_days
        return self.committed_days if basis is Basis.COMMITTED else self.committed_now_days


@dataclass(frozen=True, slots=True)
class IntermediaryWork:
    """Work of a firm that the enterprise chose (中介服务): in the graph, not in the 50 days, not ours to recommend."""

    code: str
    service: str
    feeds: str  # the matter that waits for the report
    promised_wd: int
    firm: str = ""
    actual_wd: int | None = None
    after: tuple[str, ...] | None = None  # None: may begin when the matter it feeds could otherwise begin

    def __post_init__(self) -> None:
        if self.promised_wd < 0 or (self.actual_wd or 0) < 0:
            raise PathError(f"{self.code} {self.service}: working days cannot be negative")


@dataclass(frozen=True, slots=True)
class Wait:
    """An arrow of the graph: ``on`` must be finished before the matter can start, or before it can be decided."""

    on: str
    link: WaitLink = WaitLink.START
    why: str = ""


@dataclass(frozen=True, slots=True)
class PathStep:
    """A matter in one project's path, after area evaluations, reliefs and the lead's edits."""

    matter: MatterNode
    waits: tuple[Wait, ...]
    effect: AreaEffect = AreaEffect.NONE
    evaluation: ZoneEvaluation | None = None
    by_commitment: bool = False
    own_days: int | None = None  # this project's own limit, where its lead set one
    reason: str = ""

    @property
    def code(self) -> str:
        return self.matter.code

    def days(self, basis: Basis, counting: Counting) -> int:
        """Nought in the target for what does not count; a land listing lasts its legal minimum in every basis."""
        matter = self.matter
        if counting is Counting.TARGET and not matter.works_against_target:
            return 0
        if self.effect is AreaEffect.REPLACE:
            return 0
        days = matter.statutory_days if matter.whose is ClockOf.NOT_COUNTED else matter.days(basis)
        if self.own_days is not None and basis is not Basis.STATUTORY:
            return self.own_days
        if self.effect is AreaEffect.SIMPLIFY:
            days = min(days, matter.simplified_days)
        if self.by_commitment:
            days = min(days, DAY_BY_COMMITMENT_WD)
        return days


# --- edits by the lead --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AddWait:
    """The matter waits for one more."""

    code: str
    on: str
    reason: str


@dataclass(frozen=True, slots=True)
class DropWait:
    """The matter no longer waits for that one: the lead says why."""

    code: str
    on: str
    reason: str


@dataclass(frozen=True, slots=True)
class AddMatter:
    """A matter that the facts alone did not call for."""

    matter: MatterNode
    reason: str


@dataclass(frozen=True, slots=True)
class DropMatter:
    """A matter that this project does not need; what waited for it waits for its prerequisites instead."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Grant:
    """A relief taken up: 容缺受理 or 模拟审批 of one prerequisite, or 告知承诺 of the whole matter."""

    code: str
    relief: Relief
    reason: str
    on: str = ""


@dataclass(frozen=True, slots=True)
class SetDays:
    """This project's own limit of a matter, as agreed with whoever handles it. The statute stays what it is."""

    code: str
    days: int
    reason: str


Edit = AddWait | DropWait | AddMatter | DropMatter | Grant | SetDays


# --- the path -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Path:
    """Steps in an order in which each comes after everything it waits for. A Path that exists has no cycle."""

    steps: tuple[PathStep, ...]
    area_uses: tuple[AreaUse, ...] = ()
    edits: tuple[Edit, ...] = ()  # the lead's, as they stand in this path
    unmet: tuple[tuple[Edit, PathError], ...] = ()  # those that fit no longer, and why

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(step.code for step in self.steps)

    def step(self, code: str) -> PathStep:
        for step in self.steps:
            if step.code == code:
                return step
        raise UnknownMatter(f"{code} is not in this path")

    @property
    def goals(self) -> tuple[str, ...]:
        """What the 3/5/50 target ends with: the counted matters that are not merely due before works start."""
        return tuple(s.code for s in self.steps if s.matter.works_against_target and not s.matter.before_works_only)

    def groups(self) -> dict[str, tuple[str, ...]]:
        """Joint groups (联合审) with more than one member here, in path order."""
        members: dict[str, list[str]] = {}
        for step in self.steps:
            if step.matter.joint_group:
                members.setdefault(step.matter.joint_group, []).append(step.code)
        return {group: tuple(codes) for group, codes in members.items() if len(codes) > 1}

    def edited(self, *edits: Edit) -> Path:
        """The path after the lead's edits, or an error that names the edit's fault; nothing is half applied."""
        steps = {step.code: step for step in self.steps}
        for edit in edits:
            _apply(steps, edit)
        return replace(self, steps=_in_order(steps), edits=(*self.edits, *edits))

    def with_what_fits(self, edits: Iterable[Edit]) -> Path:
        """The path after earlier edits, one by one: one that the facts have overtaken is left out and named."""
        path = self
        for edit in edits:
            try:
                path = path.edited(edit)
            except PathError as error:
                path = replace(path, unmet=(*path.unmet, (edit, error)))
        return path

    def just(self, codes: Iterable[str]) -> Path:
        """Only these matters; waits pass through those that go."""
        wanted = set(codes)
        steps = {step.code: step for step in self.steps}
        for code in [code for code in steps if code not in wanted]:
            _remove(steps, code)
        return replace(self, steps=_in_order(steps))

    def in_series_wd(self, basis: Basis) -> int:
        """What the counted matters would take one after another."""
        return sum(step.days(basis, Counting.TARGET) for step in self.steps)


def build_path(
    matters: Iterable[MatterNode],
    *,
    intermediaries: Iterable[IntermediaryWork] = (),
    site: EvaluatedSite | None = None,
    evaluations: Iterable[ZoneEvaluation] = (),
    calendar: Calendar | None = None,
    start_on: date | None = None,
    filed_on: Mapping[str, date] | None = None,
    edits: Iterable[Edit] = (),
    only: Iterable[str] | None = None,
) -> Path:
    """The path of the matters that apply. Prerequisites that are not among them are passed through to those that are.

    ``edits`` are the lead's, made earlier: what fits is in the path. ``only`` cuts it down to some
    of its matters and the work that feeds them.

    An area evaluation is judged on the day its matter is filed (``filed_on``), else on the day the committed plan
    reaches it; that needs the calendar and the project's start."""
    nodes: dict[str, MatterNode] = {}
    for matter in matters:
        if matter.code in nodes:
            raise PathError(f"{matter.code} stands twice in the matters")
        nodes[matter.code] = matter
    works = tuple(intermediaries)
    for work in works:
        _add_work(nodes, work)
    steps = {
        code: PathStep(node, tuple(Wait(on) for on in dict.fromkeys(node.prerequisites) if on in nodes))
        for code, node in nodes.items()
    }
    path = Path(_in_order(steps)).with_what_fits(edits)
    if only is not None:
        wanted = set(only)
        path = path.just(wanted.union(work.code for work in works if work.feeds in wanted))
    offers = tuple(evaluations)
    if not offers or site is None:
        return path
    if calendar is None or start_on is None:
        raise PathError("area evaluations are judged on a date: the calendar and the project's start are needed")
    return _with_evaluations(path, site, offers, calendar, start_on, filed_on or {})


def applicable(matters: Iterable[MatterNode], codes: Iterable[str]) -> tuple[MatterNode, ...]:
    """Only these matters, each waiting for its nearest ancestors that are still there."""
    by_code = {matter.code: matter for matter in matters}
    wanted = set(codes)
    if unknown := sorted(wanted - by_code.keys()):
        raise UnknownMatter(f"the catalogue has no matter {', '.join(unknown)}")
    check_prerequisites(by_code.values())

    def nearest(code: str) -> list[str]:
        found: dict[str, None] = {}
        for on in by_code[code].prerequisites:
            found.update(dict.fromkeys([on] if on in wanted else nearest(on)))
        return list(found)

    return tuple(replace(m, prerequisites=tuple(nearest(m.code))) for m in by_code.values() if m.code in wanted)


def check_prerequisites(matters: Iterable[MatterNode]) -> None:
    """Refuse a catalogue in which a prerequisite is unknown or matters wait for each other."""
    by_code = {matter.code: matter for matter in matters}
    for matter in by_code.values():
        for on in matter.prerequisites:
            if on not in by_code:
                raise UnknownMatter(f"{matter.code} waits for {on}, which the catalogue does not have")
    _in_order({c: PathStep(m, tuple(Wait(on) for on in m.prerequisites)) for c, m in by_code.items()})


def _add_work(nodes: dict[str, MatterNode], work: IntermediaryWork) -> None:
    if work.code in nodes:
        raise PathError(f"{work.code} stands twice in the matters")
    if work.feeds not in nodes:
        raise UnknownMatter(f"{work.service} feeds {work.feeds}, which is not in this path")
    fed = nodes[work.feeds]
    days = work.promised_wd if work.actual_wd is None else work.actual_wd
    nodes[work.code] = MatterNode(
        code=work.code,
        name=work.service,
        short=work.service,
        phase=fed.phase,
        kind=MatterKind.INTERMEDIARY,
        statutory_days=days,
        committed_days=days,
        committed_now_days=days,
        counts_in_target=False,
        prerequisites=fed.prerequisites if work.after is None else work.after,
        authority=work.firm,
    )
    nodes[work.feeds] = replace(fed, prerequisites=(*fed.prerequisites, work.code))


def _apply(steps: dict[str, PathStep], edit: Edit) -> None:
    if not edit.reason.strip():
        raise PathError("an edit of the path needs its reason")
    if isinstance(edit, AddMatter):
        if edit.matter.code in steps:
            raise PathError(f"{edit.matter.code} is already in the path")
        unknown = [on for on in edit.matter.prerequisites if on not in steps]
        if unknown:
            raise UnknownMatter(f"{edit.matter.code} waits for {', '.join(unknown)}, not in this path")
        waits = tuple(Wait(on) for on in edit.matter.prerequisites)
        steps[edit.matter.code] = PathStep(edit.matter, waits, reason=edit.reason)
        return
    if edit.code not in steps:
        raise UnknownMatter(f"{edit.code} is not in this path")
    step = steps[edit.code]
    waits_on = {wait.on for wait in step.waits}
    if isinstance(edit, DropMatter):
        _remove(steps, edit.code, edit.reason)
        return
    if isinstance(edit, SetDays):
        most = step.matter.statutory_days
        if step.matter.whose is ClockOf.NOT_COUNTED:
            raise BadDays(f"{edit.code} lasts its legal minimum, nobody's agreement makes it shorter")
        if edit.days < 1 or (step.matter.whose is ClockOf.AUTHORITY and 0 < most < edit.days):
            raise BadDays(f"{edit.code}: {edit.days} working days are not within 1 and the statute's {most}")
        steps[edit.code] = replace(step, own_days=edit.days, reason=edit.reason)
        return
    if isinstance(edit, Grant) and edit.relief is Relief.COMMITMENT:
        steps[edit.code] = replace(step, by_commitment=True, reason=edit.reason)
        return
    if edit.on not in steps:
        raise UnknownMatter(f"{edit.on or 'the prerequisite'} is not in this path")
    if isinstance(edit, AddWait):
        if edit.on not in waits_on:
            steps[edit.code] = replace(step, waits=(*step.waits, Wait(edit.on, why=edit.reason)))
        return
    if edit.on not in waits_on:
        raise UnknownMatter(f"{edit.code} does not wait for {edit.on}")
    if isinstance(edit, DropWait):
        steps[edit.code] = replace(step, waits=tuple(wait for wait in step.waits if wait.on != edit.on))
    else:
        eased = Wait(edit.on, WaitLink.DECISION, edit.reason)
        steps[edit.code] = replace(step, waits=tuple(eased if w.on == edit.on else w for w in step.waits))


def _remove(steps: dict[str, PathStep], code: str, why: str = "") -> None:
    """Without this matter; what waited for it waits for what it waited for."""
    gone = steps.pop(code)
    for other in list(steps.values()):
        if any(wait.on == code for wait in other.waits):
            kept = {wait.on: wait for wait in other.waits if wait.on != code}
            for wait in gone.waits:
                kept.setdefault(wait.on, replace(wait, why=why or wait.why))
            steps[other.code] = replace(other, waits=tuple(kept.values()))


def _in_order(steps: Mapping[str, PathStep]) -> tuple[PathStep, ...]:
    """Topological order, stable: among those that are ready, as given. Raises CycleFound with one ring."""
    done: dict[str, PathStep] = {}
    left = dict(steps)
    while left:
        ready = [code for code, step in left.items() if all(wait.on not in left for wait in step.waits)]
        if not ready:
            raise CycleFound(_a_cycle(left))
        for code in ready:
            done[code] = left.pop(code)
    return tuple(done.values())


def _a_cycle(left: Mapping[str, PathStep]) -> tuple[str, ...]:
    trail: list[str] = [min(left)]
    while True:
        following = next(wait.on for wait in left[trail[-1]].waits if wait.on in left)
        if following in trail:
            ring = [*trail[trail.index(following) :], following]
            return tuple(reversed(ring))
        trail.append(following)


def _with_evaluations(
    path: Path,
    site: EvaluatedSite,
    offers: tuple[ZoneEvaluation, ...],
    calendar: Calendar,
    start_on: date,
    filed_on: Mapping[str, date],
) -> Path:
    """Walk the committed plan forward; each matter's own start is the date on which its evaluation is judged."""
    finish: dict[str, int] = {}
    steps: dict[str, PathStep] = {}
    uses: list[AreaUse] = []
    for step in path.steps:
        start = max((finish[wait.on] for wait in step.waits if wait.link is WaitLink.START), default=0)
        matter = step.matter
        if matter.area_evaluation and matter.area_effect is not AreaEffect.NONE:
            on = filed_on.get(step.code) or calendar.add_working_days(start_on, start)
            for offer in offers:
                if offer.kind != matter.area_evaluation:
                    continue
                hindrances = offer.hindrances(site, on)
                uses.append(AreaUse(step.code, offer, on, hindrances))
                if not hindrances and step.effect is AreaEffect.NONE:
                    step = replace(step, effect=matter.area_effect, evaluation=offer)
        decided = max((finish[wait.on] for wait in step.waits if wait.link is WaitLink.DECISION), default=0)
        finish[step.code] = max(start + step.days(Basis.COMMITTED, Counting.ELAPSED), decided)
        steps[step.code] = step
    return replace(path, steps=tuple(steps.values()), area_uses=tuple(uses))
