"""Side exits: withdrawn, refused, revoked; papers in custody always get a way home."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from agents.roster import Agent
from dispatch.acts.act import APPLICANTS, STAFF, ActContext, act
from dispatch.acts.act_fields import Why
from dispatch.acts.case_result import CaseResult, case_result
from dispatch.acts.closing import end_of_case
from dispatch.acts.delegation import end_letter
from dispatch.acts.recording import record
from dispatch.cases.case import Case
from dispatch.cases.lookups import open_cases, parcels_of, reviews_of
from dispatch.cases.notify import add_timeline_event, day_of, queue_notice, queue_stage_notice
from dispatch.cases.project import Delegation, Project
from dispatch.cases.review_event import EventFacts, EventKind
from dispatch.cases.stages import NEXT, Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import Actor
from dispatch.core.errors import Refused, WrongStage
from dispatch.core.ids import CaseNo
from dispatch.core.localized_text import LocalizedText
from dispatch.custody.handover import Holder
from dispatch.custody.parcel import Leg, Parcel, ParcelState
from routing.day.courier_stop import CourierStop, StopKind, StopState
from routing.day.stops import Address, StopNeeds, release, request_stop, stop_with

HOME_WINDOW = (9 * 3600, 17 * 3600)
BY_REVOCATION = "委托撤销"


def withdraw(session: Session, case: Case, *, reason: str, by: Actor, at: datetime) -> Case:
    """The enterprise takes its case back (撤件). Stops are released, reviews end, papers come home."""
    if Stage.WITHDRAWN not in NEXT[case.stage]:
        raise WrongStage(
            f"case {case.case_no} is {case.stage} and cannot be withdrawn", user_message="已办结的办件不能撤回"
        )
    for review in reviews_of(session, case):
        if not review.is_decided:
            record(session, review, EventFacts(kind=EventKind.WITHDRAWN, words=reason), by=by, at=at)
    _end(session, case, Stage.WITHDRAWN, reason=reason or "企业撤回", by=by, at=at)
    return case


def end_silently(session: Session, case: Case, *, reason: str, by: Actor, at: datetime) -> None:
    """The case ends as withdrawn, and whoever ends it tells of it; its project goes on. Papers come home."""
    for review in reviews_of(session, case):
        if not review.is_decided:
            record(session, review, EventFacts(kind=EventKind.WITHDRAWN, words=reason), by=by, at=at)
    _stop_coming(session, case)
    case.move_to(Stage.WITHDRAWN, at=at, by=by.label)
    case.ending_reason = reason
    words = LocalizedText("已撤件：%(reason)s", reason=reason)
    add_timeline_event(session, case, kind=Stage.WITHDRAWN.value, by=by, at=at, words=words)
    return_originals(session, case, by=by, at=at)


def _refuse(session: Session, case: Case, *, reason: str, by: Actor, at: datetime) -> Case:
    """The centre cannot act for this case (不予代办), and says why."""
    if not reason.strip():
        raise Refused("a refusal needs its reason", user_message="不予代办须说明理由")
    if Stage.REFUSED not in NEXT[case.stage]:
        raise WrongStage(f"case {case.case_no} is {case.stage} and cannot be refused")
    _end(session, case, Stage.REFUSED, reason=reason, by=by, at=at)
    return case


def _end(session: Session, case: Case, stage: Stage, *, reason: str, by: Actor, at: datetime) -> None:
    _stop_coming(session, case)
    case.move_to(stage, at=at, by=by.label)
    case.ending_reason = reason
    out = [p for p in parcels_of(session, case) if p.is_out]
    papers = "原件将退回" if out else "无在途原件"
    words = LocalizedText(
        "已撤件：%(reason)s；%(papers)s" if stage is Stage.WITHDRAWN else "不予代办：%(reason)s；%(papers)s",
        reason=reason, papers=LocalizedText("原件将退回" if out else "无在途原件"),
    )  # fmt: skip
    values = {"papers": papers} if stage is Stage.WITHDRAWN else {"reason": reason}
    queue_stage_notice(session, case, at=at, by=by, words=words, **values)
    return_originals(session, case, by=by, at=at)
    end_of_case(session, case, at=at)


def _stop_coming(session: Session, case: Case) -> None:
    """Couriers no longer come for this case, unless a stop serves others too."""
    for parcel in parcels_of(session, case):
        if parcel.state is not ParcelState.BOOKED and not (
            parcel.leg is Leg.DELIVERY and parcel.state is ParcelState.AT_CENTRE
        ):
            continue
        call_off(session, parcel, beside=Parcel.case_id != case.id)


def call_off(session: Session, parcel: Parcel, *, beside: ColumnElement[bool]) -> None:
    """No courier comes for this parcel; the stop goes too, unless it serves others: parcels that are ``beside``."""
    if parcel.stop_id is not None and (stop := stop_with(session, parcel.stop_id)) is not None:
        others = session.scalar(select(Parcel.id).where(Parcel.stop_id == stop.id, beside).limit(1))
        if others is None and stop.state in {StopState.OPEN, StopState.PLANNED, StopState.FAILED}:
            release(stop)
    if parcel.state is ParcelState.BOOKED:
        parcel.cancel()


def return_originals(session: Session, case: Case, *, by: Actor, at: datetime) -> list[Parcel]:
    """Papers of an ended case that lie at the centre get a stop on the next working day, where they came from.

    Where that is nowhere on the map, nobody is sent anywhere: they lie at the centre, and the morning page shows them.
    """
    sent: list[Parcel] = []
    calendar = calendar_of(session)
    for parcel in parcels_of(session, case):
        if parcel.holder is not Holder.CENTRE or parcel.state is not ParcelState.AT_CENTRE:
            continue
        came_from = session.get(CourierStop, parcel.stop_id) if parcel.stop_id is not None else None
        if (
            came_from is not None
            and came_from.state in {StopState.OPEN, StopState.PLANNED}
            and parcel.leg is Leg.DELIVERY
        ):
            continue
        address = _home_of(session, case, came_from)
        if address is None:
            add_timeline_event(
                session, case, kind="no_way_home", by=by, at=at, internal=True,
                words=LocalizedText(
                    "原件 %(waybill)s 在中心，项目没有图上位置，请联系企业约定退回地点", waybill=parcel.waybill
                ),
                waybill=parcel.waybill,
            )  # fmt: skip
            continue
        on = calendar.next_workday(day_of(at))
        parcel.leg = Leg.DELIVERY
        parcel.code_hash = None
        stop = request_stop(
            session, division_id=case.division_id, on=on, kind=StopKind.DELIVERY, address=address,
            windows=[HOME_WINDOW], at=at, needs=StopNeeds(pieces=parcel.pieces, grams=parcel.grams),
        )  # fmt: skip
        parcel.stop_id, parcel.person = stop.id, address.contact_name
        add_timeline_event(
            session,
            case,
            kind="coming_home",
            by=by,
            at=at,
            words=LocalizedText("原件将退回 %(waybill)s", waybill=parcel.waybill),
            waybill=parcel.waybill,
        )
        sent.append(parcel)
    return sent


def _home_of(session: Session, case: Case, came_from: CourierStop | None) -> Address | None:
    """Where a case's papers go home: whence they came, else the project's confirmed site; None where neither is."""
    if came_from is not None:
        return Address(
            came_from.lon, came_from.lat, came_from.address, came_from.contact_name, came_from.contact_phone,
            came_from.label, is_placed=came_from.is_placed,
        )  # fmt: skip
    project = session.get_one(Project, case.project_id)
    if project.site_lon is None or project.site_lat is None:
        return None
    return Address(
        project.site_lon, project.site_lat, project.site_address or "", case.contact.name, case.contact.phone,
        project.enterprise.name,
    )  # fmt: skip


def revoke(session: Session, letter: Delegation, *, reason: str, by: Actor, at: datetime) -> None:
    """The delegation is revoked, effective on receipt: work stops, windows and agent are told, papers come home."""
    end_letter(session, letter, reason=reason, by=by, at=at)
    project = session.get_one(Project, letter.project_id)
    for case in open_cases(session, project):
        add_timeline_event(
            session, case, kind="revoked", by=by, at=at, words=LocalizedText("委托已撤销：%(reason)s", reason=reason)
        )
        queue_notice(
            session,
            case,
            "delegation_revoked",
            at=at,
            key=str(letter.id),
            values={"agent": _lead_name(session, project)},
        )
        if Stage.WITHDRAWN in NEXT[case.stage]:
            withdraw(session, case, reason=BY_REVOCATION, by=by, at=at)


def _lead_name(session: Session, project: Project) -> str:
    from_lead = project.lead
    if from_lead is None:
        return "代办中心"
    return session.get_one(Agent, from_lead.agent_id).name


@act(by=APPLICANTS)
@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawCase:
    """The case is taken back (撤件), with the reason; papers in custody come home."""

    case: CaseNo
    version: int | None = None
    reason: Why

    def perform(self, context: ActContext) -> CaseResult:
        case = context.row(Case, self.case)
        withdraw(context.session, case, reason=self.reason, by=context.actor, at=context.at)
        return case_result(case)


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class RefuseCase:
    """The centre cannot act for the case (不予代办), with the reason."""

    case: CaseNo
    version: int | None = None
    reason: Why

    def perform(self, context: ActContext) -> CaseResult:
        case = context.row(Case, self.case)
        _refuse(context.session, case, reason=self.reason, by=context.actor, at=context.at)
        return case_result(case)
