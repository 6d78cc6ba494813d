"""A case's papers as its enterprise sees them: what was given, where the originals are, who comes when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.network import ServiceCentre
from dispatch.acts.papers import may_give
from dispatch.cases.case import MATERIAL_LABEL, MODE_LABEL, Case, Material, MaterialState, Way
from dispatch.cases.fact_event import FactEvent, FactKind
from dispatch.cases.stages import Stage
from dispatch.cases.visit_word import VisitWord
from dispatch.core.localized_text import LocalizedText
from dispatch.custody.handover import Holder
from dispatch.custody.parcel import LEG_LABEL, PARCEL_LABEL, PAYER_LABEL, Leg, Parcel, ParcelState
from dispatch.views.coming import ComingWord, coming_word, newest_word
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import CourierStop, StopState
from routing.day.couriers import Courier

COMES = frozenset({StopState.OPEN, StopState.PLANNED, StopState.ARRIVED})


@dataclass(frozen=True, slots=True)
class Original:
    """Where papers are now, since when, under which waybill."""

    names: tuple[str, ...]
    where: str
    since: datetime | None
    waybill: str | None
    at_home: bool


@dataclass(frozen=True, slots=True)
class LegRow:
    """One journey of papers: when somebody comes, with which code, and whether it can still be moved."""

    waybill: str
    leg: str
    inward: bool
    state: str
    on: date | None
    window: tuple[int, int] | None
    announced: bool
    is_placed: bool
    coming: ComingWord | None
    courier: str | None
    code: str | None
    person: str | None
    payer: str
    contents: tuple[str, ...]
    seal_no: str | None
    can_reschedule: bool
    papers_at: datetime | None
    is_over: bool
    has_moved: bool


@dataclass(frozen=True, slots=True)
class PaperRow:
    """One material: what is asked, what was given, what is wrong with it."""

    id: int
    name: str
    matter: str
    mode: str
    state: str
    label: str
    defect: str | None
    filename: str | None
    given_at: datetime | None
    owed_by: date | None
    on_paper: bool
    can_upload: bool
    is_wanted: bool
    waived_because: str | None


def legs_of(session: Session, case: Case) -> list[tuple[Parcel, LegRow]]:
    rows = session.execute(
        select(Parcel, CourierStop, Courier.name, VisitWord)
        .outerjoin(CourierStop, CourierStop.id == Parcel.stop_id)
        .outerjoin(VisitWord, VisitWord.id == newest_word(CourierStop.id))
        .outerjoin(CourierRun, CourierRun.id == CourierStop.run_id)
        .outerjoin(Courier, Courier.id == CourierRun.courier_id)
        .where(Parcel.case_id == case.id)
        .order_by(Parcel.id.desc())
    )
    return [(parcel, _leg(parcel, stop, courier, word)) for parcel, stop, courier, word in rows]


def _leg(parcel: Parcel, stop: CourierStop | None, courier: str | None, word: VisitWord | None) -> LegRow:
    window, announced = None, False
    if stop is not None:
        window = (stop.windows[0][0], stop.windows[0][1]) if stop.windows else None
        if stop.announced_opens_s is not None and stop.announced_closes_s is not None:
            window, announced = (stop.announced_opens_s, stop.announced_closes_s), True
    comes = stop is not None and stop.state in COMES
    return LegRow(
        waybill=parcel.waybill,
        leg=LEG_LABEL[parcel.leg],
        inward=parcel.leg is not Leg.DELIVERY,
        state=PARCEL_LABEL[parcel.state],
        on=None if stop is None else stop.on,
        window=window,
        announced=announced,
        is_placed=stop is None or stop.is_placed,
        coming=None if word is None else coming_word(word),
        courier=courier,
        code=parcel.code if comes else None,
        person=parcel.person,
        payer=PAYER_LABEL[parcel.payer],
        contents=tuple(str(name) for name in parcel.contents),
        seal_no=parcel.seal_no,
        can_reschedule=stop is not None and stop.state is StopState.OPEN and parcel.state is not ParcelState.CANCELLED,
        papers_at=None if stop is None else stop.papers_at,
        is_over=parcel.state in {ParcelState.CANCELLED, ParcelState.HANDED_OVER} or not comes,
        has_moved=parcel.chain_length > 0,
    )


def originals_of(case: Case, legs: Sequence[tuple[Parcel, LegRow]], session: Session) -> tuple[Original, ...]:
    """Originals by where they are; what no parcel holds is with the enterprise."""
    refs = {p.holder_ref.removeprefix("centre:") for p, _ in legs if p.holder is Holder.CENTRE}
    ids = [int(ref) for ref in refs if ref.isdecimal()]
    centres: dict[str, str] = {
        str(row.id): row.name
        for row in session.execute(select(ServiceCentre.id, ServiceCentre.name).where(ServiceCentre.id.in_(ids)))
    }
    out: list[Original] = []
    told: set[str] = set()
    for parcel, row in legs:
        if parcel.state is ParcelState.CANCELLED:
            continue
        names = tuple(name for name in row.contents if name not in told)
        told.update(names)
        if not names or parcel.holder is Holder.ENTERPRISE:
            if names and parcel.moved_at is not None:
                out.append(
                    Original(names, LocalizedText("已回到您手中"), parcel.moved_at, parcel.waybill, at_home=True)
                )
            else:
                told.difference_update(names)
            continue
        if parcel.leg is Leg.DELIVERY and parcel.holder is Holder.CENTRE and case.decided_at is None:
            told.difference_update(names)
            continue
        out.append(Original(names, _where(parcel, row, centres), parcel.moved_at, parcel.waybill, at_home=False))
    mine = tuple(m.name for m in case.originals if m.name not in told and m.state is not MaterialState.HELD)
    if mine:
        out.append(Original(mine, LocalizedText("在您手中"), None, None, at_home=True))
    return tuple(out)


def _where(parcel: Parcel, row: LegRow, centres: dict[str, str]) -> str:
    match parcel.holder:
        case Holder.COURIER:
            return LocalizedText("邮政揽投员%(name)s（在途）", name=row.courier or "")
        case Holder.CENTRE:
            return centres.get(parcel.holder_ref.removeprefix("centre:"), LocalizedText("政务服务中心"))
        case Holder.AUTHORITY:
            named = parcel.holder_ref.removeprefix("authority:")
            return LocalizedText("审批部门") if named.isdecimal() or not named or ":" in named else named
        case Holder.TRUNK:
            return LocalizedText("邮政干线运输途中")
    return LocalizedText("在您手中")


def papers_of(session: Session, case: Case, matters: dict[int, str]) -> tuple[PaperRow, ...]:
    waivers = _waivers(session, case)
    return tuple(
        PaperRow(
            id=material.id,
            name=material.name,
            matter=matters.get(material.matter_id or 0, ""),
            mode=MODE_LABEL[material.mode],
            state=material.state.value,
            label=_paper_label(case, material),
            defect=material.defect if material.state is MaterialState.DEFECTIVE else None,
            filename=material.filename or (LocalizedText("附件") if material.sha256 else None),
            given_at=material.given_at,
            owed_by=material.owed_by if material.is_owed else None,
            on_paper=material.on_paper,
            can_upload=may_give(case, material),
            is_wanted=material.state is MaterialState.WANTED and not material.on_paper,
            waived_because=waivers.get(material.id),
        )
        for material in case.materials
        if material.state is not MaterialState.NOT_NEEDED
    )


def _waivers(session: Session, case: Case) -> dict[int, str]:
    """Why each material that is set aside does not apply."""
    ids = [material.id for material in case.materials if material.state is MaterialState.WAIVED]
    if not ids:
        return {}
    said = select(FactEvent.material_id, FactEvent.words).where(
        FactEvent.material_id.in_(ids), FactEvent.kind == FactKind.MATERIAL_WAIVED
    )
    return {row.material_id: row.words for row in session.execute(said.order_by(FactEvent.id)) if row.material_id}


def _paper_label(case: Case, material: Material) -> str:
    still_with_us = case.stage in {
        Stage.REQUESTED, Stage.ASSIGNED, Stage.CORRECTION, Stage.PRESCREENED, Stage.PICKUP_PLANNED
    }  # fmt: skip
    if material.on_paper and still_with_us and material.state in {MaterialState.WANTED, MaterialState.ACCEPTED}:
        return LocalizedText("待揽收" if case.pickup_way is Way.COURIER else "待交窗口")
    return MATERIAL_LABEL[material.state]


def wanted_papers(session: Session, case_no: str) -> list[tuple[int, str]]:
    """The id and the name of each paper that a case still wants."""
    query = (
        select(Material.id, Material.name)
        .join(Case, Case.id == Material.case_id)
        .where(Case.case_no == case_no, Material.state == MaterialState.WANTED)
        .order_by(Material.id)
    )
    return [(row.id, row.name) for row in session.execute(query)]
