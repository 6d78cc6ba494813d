"""Build a path: the matters that apply, the work that feeds them, edits and area evaluations. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from dispatch.core.limit import Limit
from dispatch.core.working_days import Calendar
from dispatch.path.approval_graph import Path
from dispatch.path.area_effects import AreaUse, EvaluatedSite, ZoneEvaluation
from dispatch.path.edits import Edit
from dispatch.path.errors import PathError, UnknownMatter
from dispatch.path.matter_node import AreaEffect, Basis, IntermediaryWork, MatterKind, MatterNode
from dispatch.path.path_step import Counting, PathStep, Wait, WaitLink
from dispatch.path.step_order import in_order


@dataclass(frozen=True, slots=True)
class EvaluationOffers:
    """The area evaluations (区域评估) that a project's site may share.

    Each is judged on the day its matter is filed (``filed_on``), else on the day the committed plan reaches it."""

    site: EvaluatedSite
    evaluations: Sequence[ZoneEvaluation]
    calendar: Calendar
    start_on: date
    filed_on: Mapping[str, date] = field(default_factory=dict)


def build_path(
    matters: Iterable[MatterNode],
    *,
    intermediaries: Iterable[IntermediaryWork] = (),
    offers: EvaluationOffers | None = None,
    edits: Iterable[Edit] = (),
    only: Iterable[str] | None = None,
) -> Path:
    """The path of the matters that apply. Prerequisites that are not among them are passed through to those that are.

    ``edits`` are the lead's, made earlier: what fits is in the path. ``only`` cuts it down to some
    of its matters and the work that feeds them. ``offers`` are the zones' evaluations that the site may share."""
    nodes: dict[str, MatterNode] = {}
    for matter in matters:
        if matter.code in nodes:
            raise PathError(f"{matter.code} stands twice in the matters")
        nodes[matter.code] = matter
    works = tuple(intermediaries)
    for work in works:
        _add_work(nodes, work)
    steps = {
        code: PathStep(
            node, tuple(Wait(on, _link(node, on)) for on in dict.fromkeys(node.prerequisites) if on in nodes)
        )
        for code, node in nodes.items()
    }
    path = Path(in_order(steps)).with_what_fits(edits)
    if only is not None:
        wanted = set(only)
        path = path.just(wanted.union(work.code for work in works if work.feeds in wanted))
    return path if offers is None or not offers.evaluations else _with_evaluations(path, offers)


def applicable(matters: Iterable[MatterNode], codes: Iterable[str]) -> tuple[MatterNode, ...]:
    """Only these matters, each waiting for its nearest ancestors that are still there."""
    by_code = {matter.code: matter for matter in matters}
    wanted = set(codes)
    if unknown := sorted(wanted - by_code.keys()):
        raise UnknownMatter(f"the catalogue has no matter {', '.join(unknown)}")
    check_prerequisites(by_code.values())

    def nearest(code: str) -> dict[str, WaitLink]:
        """What it waits for among those wanted; a wait for the decision stays one, and to start is the stronger."""
        found: dict[str, WaitLink] = {}
        for on in by_code[code].prerequisites:
            link = _link(by_code[code], on)
            for there, beyond in ({on: link} if on in wanted else nearest(on)).items():
                if found.get(there) is not WaitLink.START:
                    found[there] = WaitLink.DECISION if WaitLink.DECISION in (link, beyond) else WaitLink.START
        return found

    def joined(matter: MatterNode) -> MatterNode:
        waits = nearest(matter.code)
        late = frozenset(on for on, link in waits.items() if link is WaitLink.DECISION)
        return replace(matter, prerequisites=tuple(waits), before_decision=late, conditions=())

    return tuple(joined(matter) for matter in by_code.values() if matter.code in wanted)


def _link(matter: MatterNode, on: str) -> WaitLink:
    return WaitLink.DECISION if on in matter.before_decision else WaitLink.START


def check_prerequisites(matters: Iterable[MatterNode]) -> None:
    """Refuse a catalogue in which a prerequisite is unknown or matters wait for each other."""
    by_code = {matter.code: matter for matter in matters}
    for matter in by_code.values():
        for on in matter.prerequisites:
            if on not in by_code:
                raise UnknownMatter(f"{matter.code} waits for {on}, which the catalogue does not have")
    in_order({c: PathStep(m, tuple(Wait(on) for on in m.prerequisites)) for c, m in by_code.items()})


def _add_work(nodes: dict[str, MatterNode], work: IntermediaryWork) -> None:
    if work.code in nodes:
        raise PathError(f"{work.code} stands twice in the matters")
    if work.feeds not in nodes:
        raise UnknownMatter(f"{work.service} feeds {work.feeds}, which is not in this path")
    fed = nodes[work.feeds]
    usual = Limit(work.promised_wd if work.actual_wd is None else work.actual_wd)
    nodes[work.code] = MatterNode(
        code=work.code,
        name=work.service,
        short=work.service,
        phase=fed.phase,
        kind=MatterKind.INTERMEDIARY,
        statutory=None,
        committed=usual,
        today=usual,
        counts_in_target=False,
        prerequisites=fed.prerequisites if work.after is None else work.after,
        authority=work.firm,
    )
    nodes[work.feeds] = replace(fed, prerequisites=(*fed.prerequisites, work.code))


def _with_evaluations(path: Path, offers: EvaluationOffers) -> Path:
    """Walk the committed plan forward; each matter's own start is the date on which its evaluation is judged."""
    finish: dict[str, int] = {}
    steps: dict[str, PathStep] = {}
    uses: list[AreaUse] = []
    for step in path.steps:
        start = max((finish[wait.on] for wait in step.waits if wait.link is WaitLink.START), default=0)
        matter = step.matter
        if matter.area_evaluation and matter.area_effect is not AreaEffect.NONE:
            on = offers.filed_on.get(step.code) or offers.calendar.add_working_days(offers.start_on, start)
            for offer in offers.evaluations:
                if offer.kind != matter.area_evaluation:
                    continue
                hindrances = offer.hindrances(offers.site, on)
                uses.append(AreaUse(step.code, offer, on, hindrances))
                if not hindrances and step.effect is AreaEffect.NONE:
                    step = replace(step, effect=matter.area_effect, evaluation=offer)
        decided = max((finish[wait.on] for wait in step.waits if wait.link is WaitLink.DECISION), default=0)
        finish[step.code] = max(start + step.days(Basis.COMMITTED, Counting.ELAPSED), decided)
        steps[step.code] = step
    return replace(path, steps=tuple(steps.values()), area_uses=tuple(uses))
