"""Waiving: a material that does not apply to the project is set aside with a reason, and asked for again."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sqlalchemy.orm import Session

from dispatch.acts.act import LEADS, STAFF, Act, ActContext, act
from dispatch.acts.act_fields import Why
from dispatch.acts.correcting_facts import settle_relief
from dispatch.acts.correcting_matters import ASKS, trim_pickups
from dispatch.acts.papers import correct
from dispatch.acts.recording import JUST_NOW, record_fact, recording_of
from dispatch.cases.case import Case, Material, MaterialState, Way
from dispatch.cases.fact_event import Fact, FactEvent, FactKind
from dispatch.cases.notify import add_timeline_event
from dispatch.cases.noun_record import add_event
from dispatch.cases.recorded_event import standing_events
from dispatch.cases.stages import Stage
from dispatch.core.actor import Role
from dispatch.core.errors import DispatchError, Refused, WrongStage
from dispatch.core.ids import CaseNo, MaterialId
from dispatch.core.localized_text import LocalizedText

ASKED_FOR = frozenset(
    {MaterialState.WANTED, MaterialState.GIVEN, MaterialState.DEFECTIVE, MaterialState.DEFERRED, MaterialState.AWAITED}
)
MAY_SET_ALL_ASIDE = LEADS | {Role.SYSTEM}


@dataclass(frozen=True, slots=True)
class WaivedMaterial:
    """A material after it was set aside or asked for again, and the version of its case."""

    material_id: int
    state: MaterialState
    version: int


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class WaiveMaterial:
    """A material does not apply to this project (不适用), for this reason: it is asked for no longer.

    What every project owes, and what another matter is to produce, only a lead sets aside."""

    case: CaseNo
    version: int | None = None
    material_id: MaterialId
    reason: Why

    def perform(self, context: ActContext) -> WaivedMaterial:
        case, material = context.row(Case, self.case), context.row(Material, self.material_id)
        if (hindrance := why_not_waived(case, material, context.actor.role)) is not None:
            raise hindrance
        fact = Fact(kind=FactKind.MATERIAL_WAIVED, words=self.reason)
        record_fact(context.session, material, fact, by=context.actor, at=context.at)
        words = LocalizedText("“%(name)s”不适用本项目，不用提供：%(reason)s", name=material.name, reason=self.reason)
        add_timeline_event(context.session, case, kind="material_waived", by=context.actor, at=context.at, words=words)
        if not case.originals:
            case.pickup_way = Way.ELECTRONIC
        trim_pickups(context.session, case, by=context.actor, at=context.at)
        return _settle(context, case, material)


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawWaiver:
    """The material applies after all: it is asked for again, as it was before."""

    case: CaseNo
    version: int | None = None
    material_id: MaterialId
    reason: Why

    def perform(self, context: ActContext) -> WaivedMaterial:
        session, case = context.session, context.row(Case, self.case)
        material = context.row(Material, self.material_id)
        waiver = standing_waiver(material)
        if waiver is None:
            raise WrongStage(f"{material.name} was not waived", user_message="这份材料没有被列为不适用")
        if not may_ask_again(case, material):
            raise WrongStage(
                f"{material.name} asked for again at {case.stage}", user_message="预审已通过，不能再恢复索要这份材料"
            )
        recording = recording_of(
            JUST_NOW, by=context.actor, at=context.at, corrects=waiver.id, reason=self.reason
        )  # fmt: skip
        add_event(material, None, recording)
        if material.state is MaterialState.DEFECTIVE and case.stage is not Stage.CORRECTION:  # that round is over
            record_fact(session, material, Fact(kind=FactKind.MATERIAL_MENDED), by=context.actor, at=context.at)
        words = LocalizedText("“%(name)s”恢复为需要提供：%(reason)s", name=material.name, reason=self.reason)
        add_timeline_event(session, case, kind="waiver_withdrawn", by=context.actor, at=context.at, words=words)
        if material.on_paper and case.pickup_way is Way.ELECTRONIC:
            case.pickup_way = Way.COUNTER
        return _settle(context, case, material)


MATERIAL_STEPS: Mapping[str, type[Act[WaivedMaterial]]] = MappingProxyType(
    {"waived": WaiveMaterial, "wanted": WithdrawWaiver}
)
"""The word by which a door names each step of a material."""


def why_not_waived(case: Case, material: Material, role: Role) -> DispatchError | None:
    """The rule that keeps this role from setting the material aside; None where it may."""
    if material.state not in ASKED_FOR:
        return WrongStage(f"{material.name} is {material.state}", user_message="这份材料现在不能列为不适用")
    if case.stage not in ASKS and not (material.is_owed and may_ask_again(case, material)):
        return WrongStage(f"{material.name} waived at {case.stage}", user_message="预审已通过，不能再列为不适用")
    if role in MAY_SET_ALL_ASIDE:
        return None
    if material.state is MaterialState.AWAITED:
        return Refused(f"{material.name} is to be produced", user_message="待产出的材料只能由窗口负责人列为不适用")
    if material.is_owed_by_all:
        return Refused(
            f"every project owes {material.name}", user_message="所有项目都须提供的材料，只能由窗口负责人列为不适用"
        )
    return None


def may_ask_again(case: Case, material: Material) -> bool:
    """Papers are still gathered; of what may follow later, until the case is decided."""
    return case.stage in ASKS or (material.owed_by is not None and not case.has_ended and case.decided_at is None)


def standing_waiver(material: Material) -> FactEvent | None:
    """The event by which the material is set aside now."""
    if material.state is not MaterialState.WAIVED:
        return None
    return next(e for e in reversed(standing_events(material.facts)) if e.kind is FactKind.MATERIAL_WAIVED)


def _settle(context: ActContext, case: Case, material: Material) -> WaivedMaterial:
    """容缺 of its matter, whether the corrections are all in now, and the case's version."""
    session: Session = context.session
    session.flush()
    settle_relief(session, material)
    case.version += 1
    case.changed_by = context.actor.label
    if case.stage is Stage.CORRECTION and all(m.state is not MaterialState.DEFECTIVE for m in case.materials):
        correct(session, case, by=context.actor, at=context.at)
    return WaivedMaterial(material.id, material.state, case.version)
