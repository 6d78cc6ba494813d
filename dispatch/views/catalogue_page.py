"""What operators and leads see of the catalogue: each matter's limits and materials, and how sure each is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.cases.case import MODE_LABEL
from dispatch.cases.project import FAMILY_LABEL
from dispatch.catalogue.material_source import source_words
from dispatch.catalogue.matter import Confidence, Family, MaterialMode, Matter, MatterPrerequisite, Requirement
from dispatch.core.limit import law_words, limit_words, minimum_words, promise_words

CONFIDENCE_LABEL: Mapping[Confidence, str] = MappingProxyType(
    {Confidence.SURE: "有据", Confidence.TYPICAL: "通常", Confidence.VERIFY: "待核实"}
)
CONFIDENCE_KIND: Mapping[Confidence, str] = MappingProxyType(
    {Confidence.SURE: "green", Confidence.TYPICAL: "", Confidence.VERIFY: "amber"}
)


@dataclass(frozen=True, slots=True)
class CataloguePaper:
    """One material of a matter."""

    name: str
    mode: MaterialMode
    mode_words: str
    deferrable: bool
    confidence: Confidence
    source: str


@dataclass(frozen=True, slots=True)
class CatalogueLine:
    """One matter of the catalogue."""

    code: str
    name: str
    phase: int
    department: str
    counter: str
    law: str
    statutory_sure: Confidence
    statutory_note: str
    promise: str
    today: str
    committed_sure: Confidence
    committed_note: str
    joint_group: str
    counts: bool
    source: str
    needs: list[str] = field(default_factory=list)
    materials: list[CataloguePaper] = field(default_factory=list)

    @property
    def is_unsure(self) -> bool:
        return Confidence.VERIFY in {self.statutory_sure, self.committed_sure} | {m.confidence for m in self.materials}


def catalogue(session: Session, *, family: str = "", unsure_only: bool = False) -> list[CatalogueLine]:
    """The matters in the catalogue's order."""
    query = select(Matter).where(Matter.retired_on.is_(None)).order_by(Matter.family, Matter.position)
    if family in set(Family):
        query = query.where(Matter.family == Family(family))
    matters = list(session.scalars(query))
    names = {matter.id: matter.short_name for matter in session.scalars(select(Matter))}
    shorts = {matter.code: matter.short_name for matter in matters}
    needs: dict[int, list[str]] = {}
    for matter_id, wanted in session.execute(
        select(MatterPrerequisite.matter_id, MatterPrerequisite.prerequisite_id).order_by(
            MatterPrerequisite.prerequisite_id
        )
    ):
        needs.setdefault(matter_id, []).append(names[wanted])
    materials: dict[int, list[CataloguePaper]] = {}
    for row in session.scalars(select(Requirement).order_by(Requirement.matter_id, Requirement.position)):
        words = MODE_LABEL[row.mode]
        line = CataloguePaper(row.name, row.mode, words, row.deferrable, row.confidence, source_words(row, shorts))
        materials.setdefault(row.matter_id, []).append(line)
    lines = [
        CatalogueLine(
            m.code, m.name, m.phase, m.department, m.counter_place, _law(m), m.confidence_statutory,
            m.confidence_statutory_note,
            promise_words(m.committed_limit), limit_words(m.today_limit, none="—"), m.confidence_committed,
            m.confidence_committed_note, m.joint_group or "", m.counts_in_target, m.source, needs.get(m.id, []),
            materials.get(m.id, []),
        )
        for m in matters
    ]  # fmt: skip
    return [line for line in lines if line.is_unsure] if unsure_only else lines


def _law(matter: Matter) -> str:
    """A market procedure has a least time, everything else a limit or none."""
    if matter.legal_minimum is not None:
        return minimum_words(matter.legal_minimum)
    return law_words(matter.statutory_limit)


def families() -> list[tuple[str, str, None]]:
    """The families as filter chips."""
    return [(family.value, FAMILY_LABEL[family], None) for family in FAMILY_LABEL]
