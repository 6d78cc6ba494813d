"""Steps of the path for tests: each is the act that every door takes, on rows that a test has, at its moment."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.acts.acceptance import AcceptReview, AskSupplement, RefuseAcceptance
from dispatch.acts.act import Act, perform
from dispatch.acts.answering import AnswerTicket, OpenTicket
from dispatch.acts.asking import OpenCase, RequestProject, RevokeDelegation
from dispatch.acts.booking import BookDelivery, BookExchange, BookPickup
from dispatch.acts.closing import EvaluateCase, GradeGiven
from dispatch.acts.collection import HandIn
from dispatch.acts.deciding import (
    ConfirmCommitment,
    DenyReview,
    GrantOnCommitment,
    GrantReview,
    ReturnReview,
    RevokeDecision,
)
from dispatch.acts.delivery import RecordDelivered
from dispatch.acts.early_ends import RefuseCase, WithdrawCase
from dispatch.acts.filing import RefileReview, SimulateReview, SubmitCase
from dispatch.acts.papers import GiveMaterial, ReturnCorrected
from dispatch.acts.path_editing import EditPath, UndoPathEdit
from dispatch.acts.pausing import ExtendReview, PauseNotice, PauseReview, ResumeReview
from dispatch.acts.plan_steps import CommitPlan
from dispatch.acts.prescreening import PrescreenCase
from dispatch.acts.recording import JUST_NOW, Happening
from dispatch.acts.rectifying import RectifyGrade
from dispatch.acts.scanning import CustodyResult, ScanParcel, SendOn
from dispatch.acts.stop_report import ReportStop, StopEventResult
from dispatch.cases.case import Case, Material
from dispatch.cases.evaluation import Grade, Rectification, RectificationState, Ticket, TicketKind
from dispatch.cases.project import Project
from dispatch.cases.review import Review
from dispatch.cases.review_state import ReviewState
from dispatch.core.actor import Actor
from dispatch.core.ids import (
    CaseNo,
    CentreId,
    FileId,
    MaterialId,
    PlanId,
    ProjectNo,
    RecipientId,
    RectificationId,
    ReviewId,
    StopId,
    TicketNo,
    Waybill,
)
from dispatch.custody.handover import Holder
from dispatch.custody.parcel import Parcel
from dispatch.path.edit_log import PathEdit, read_edits
from dispatch.path.edits import Edit
from routing.day.courier_stop import CourierStop
from routing.day.day_plan import DayPlan
from web.wiring.accounts import Account

Result = TypeVar("Result")
Booking = BookPickup | BookDelivery | BookExchange
DECISIONS: dict[ReviewState, type[GrantReview | DenyReview | ReturnReview]] = {
    ReviewState.GRANTED: GrantReview,
    ReviewState.DENIED: DenyReview,
    ReviewState.RETURNED: ReturnReview,
}


def take(session: Session, step: Act[Result], by: Actor, at: datetime) -> Result:
    """Performs the act; a builder's person whose account is made up acts without one, for the audit line names it."""
    is_known = by.account_id is not None and session.get(Account, by.account_id) is not None
    return perform(session, step, by if is_known else replace(by, account_id=None), at=at)


def _when(when: Happening) -> dict[str, Any]:
    return {"on": when.on, "second": when.second, "late_reason": when.late_reason, "document": when.document}


def request(session: Session, asked: RequestProject, *, by: Actor, at: datetime) -> Case:
    case_no = take(session, asked, by, at).case_no
    return session.scalars(select(Case).where(Case.case_no == case_no)).one()


def open_case(session: Session, project: Project, *, matters: tuple[str, ...], by: Actor, at: datetime) -> Case:
    step = OpenCase(project=ProjectNo(project.project_no), matters=matters)
    case_no = take(session, step, by, at).case_no
    return session.scalars(select(Case).where(Case.case_no == case_no)).one()


def edit_path(session: Session, project: Project, edit: Edit, *, kind: Any, by: Actor, at: datetime) -> PathEdit:
    given = {name: value for name, value in asdict(edit).items() if name in {"code", "on", "days", "reason"}}
    take(session, EditPath(project=ProjectNo(project.project_no), kind=kind, **given), by, at)
    return read_edits(project.path_edits)[-1]


def undo_edit(session: Session, project: Project, number: int, *, reason: str, by: Actor, at: datetime) -> None:
    take(session, UndoPathEdit(project=ProjectNo(project.project_no), number=number, reason=reason), by, at)


def accept(
    session: Session, review: Review, *, notice_no: str, by: Actor, at: datetime, when: Happening = JUST_NOW
) -> None:
    step = AcceptReview(review=ReviewId(review.id), notice_no=notice_no, **_when(when))
    take(session, step, by, at)


def ask_supplement(session: Session, review: Review, *, words: str, by: Actor, at: datetime) -> None:
    take(session, AskSupplement(review=ReviewId(review.id), words=words), by, at)


def refuse_acceptance(session: Session, review: Review, *, reason: str, by: Actor, at: datetime) -> None:
    take(session, RefuseAcceptance(review=ReviewId(review.id), words=reason), by, at)


def decide(
    session: Session, review: Review, *, outcome: ReviewState, decision_no: str, by: Actor, at: datetime,
    reason: str = "", when: Happening = JUST_NOW,
) -> None:  # fmt: skip
    step = DECISIONS[outcome](review=ReviewId(review.id), notice_no=decision_no, words=reason, **_when(when))
    take(session, step, by, at)


def grant_on_commitment(
    session: Session, review: Review, *, decision_no: str, verify_by: date, by: Actor, at: datetime
) -> None:
    step = GrantOnCommitment(review=ReviewId(review.id), notice_no=decision_no, until=verify_by)
    take(session, step, by, at)


def verify_commitment(session: Session, review: Review, *, holds: bool, reason: str, by: Actor, at: datetime) -> None:
    step = (ConfirmCommitment if holds else RevokeDecision)(review=ReviewId(review.id), words=reason)
    take(session, step, by, at)


def submit(
    session: Session, case: Case, *, receipts: Mapping[int, str], by: Actor, at: datetime, when: Happening = JUST_NOW
) -> None:
    numbers = {ReviewId(review_id): number for review_id, number in receipts.items()}
    step = SubmitCase(
        case=CaseNo(case.case_no), receipts=numbers, on=when.on, second=when.second, late_reason=when.late_reason
    )
    take(session, step, by, at)


def simulate_review(session: Session, review: Review, *, by: Actor, at: datetime, when: Happening = JUST_NOW) -> None:
    take(session, SimulateReview(review=ReviewId(review.id), **_when(when)), by, at)


def refile(session: Session, review: Review, *, receipt_no: str, by: Actor, at: datetime) -> None:
    take(session, RefileReview(review=ReviewId(review.id), notice_no=receipt_no), by, at)


def pause(session: Session, review: Review, notice: PauseNotice, *, by: Actor, at: datetime) -> None:
    take(session, PauseReview(review=ReviewId(review.id), **asdict(notice)), by, at)


def resume(session: Session, review: Review, *, by: Actor, at: datetime) -> None:
    take(session, ResumeReview(review=ReviewId(review.id)), by, at)


def extend(session: Session, review: Review, *, working_days: int, words: str, by: Actor, at: datetime) -> None:
    step = ExtendReview(review=ReviewId(review.id), working_days=working_days, words=words)
    take(session, step, by, at)


def prescreen(
    session: Session, case: Case, *, by: Actor, at: datetime, defects: Mapping[int, str] | None = None,
    deferred: Mapping[int, date] | None = None,
) -> None:  # fmt: skip
    step = PrescreenCase(
        case=CaseNo(case.case_no),
        defects={MaterialId(m): words for m, words in (defects or {}).items()},
        deferred={MaterialId(m): day for m, day in (deferred or {}).items()},
    )
    take(session, step, by, at)


def give_material(
    session: Session, case: Case, material: Material, *, sha256: str, media_type: str, filename: str, by: Actor,
    at: datetime,
) -> None:  # fmt: skip
    step = GiveMaterial(
        case=CaseNo(case.case_no), material_id=MaterialId(material.id), sha256=FileId(sha256), media_type=media_type,
        filename=filename,
    )  # fmt: skip
    take(session, step, by, at)


def correct(session: Session, case: Case, *, by: Actor, at: datetime) -> None:
    take(session, ReturnCorrected(case=CaseNo(case.case_no)), by, at)


def _book(session: Session, kind: type[Booking], case: Case, appointment: Any, by: Actor, at: datetime) -> Parcel:
    where, recipient = appointment.address, appointment.recipient_id
    step = kind(
        case=CaseNo(case.case_no), on=appointment.on, opens_s=appointment.opens_s, closes_s=appointment.closes_s,
        address=where.written, lon=where.lon, lat=where.lat, contact_name=where.contact_name,
        contact_phone=where.contact_phone, payer=appointment.payer,
        recipient_id=None if recipient is None else RecipientId(recipient),
    )  # fmt: skip
    waybill = take(session, step, by, at).waybill
    return session.scalars(select(Parcel).where(Parcel.waybill == waybill)).one()


def book_pickup(session: Session, case: Case, *, appointment: Any, by: Actor, at: datetime) -> Parcel:
    return _book(session, BookPickup, case, appointment, by, at)


def book_delivery(session: Session, case: Case, *, appointment: Any, by: Actor, at: datetime) -> Parcel:
    return _book(session, BookDelivery, case, appointment, by, at)


def book_exchange(session: Session, case: Case, *, appointment: Any, by: Actor, at: datetime) -> Parcel:
    return _book(session, BookExchange, case, appointment, by, at)


def hand_in(session: Session, case: Case, *, by: Actor, at: datetime, scan_id: str) -> Parcel:
    waybill = take(session, HandIn(case=CaseNo(case.case_no), scan_id=scan_id), by, at).waybill
    return session.scalars(select(Parcel).where(Parcel.waybill == waybill)).one()


def scan(
    session: Session, parcel: Parcel, *, to: Holder, scan_id: str, by: Actor, at: datetime, ref: str = ""
) -> CustodyResult:
    return take(session, ScanParcel(waybill=Waybill(parcel.waybill), to=to, ref=ref, scan_id=scan_id), by, at)


def send_on(session: Session, parcel: Parcel, *, centre_id: int, scan_id: str, by: Actor, at: datetime) -> None:
    step = SendOn(waybill=Waybill(parcel.waybill), to_centre_id=CentreId(centre_id), scan_id=scan_id)
    take(session, step, by, at)


def report_stop(session: Session, stop: CourierStop, said: ReportStop, *, by: Actor, at: datetime) -> StopEventResult:
    return take(session, replace(said, stop=StopId(stop.id)), by, at)


def commit_plan(session: Session, plan: DayPlan, *, by: Actor, at: datetime) -> DayPlan:
    take(session, CommitPlan(plan=PlanId(plan.id)), by, at)
    return plan


def withdraw(session: Session, case: Case, *, reason: str, by: Actor, at: datetime) -> None:
    take(session, WithdrawCase(case=CaseNo(case.case_no), reason=reason), by, at)


def refuse(session: Session, case: Case, *, reason: str, by: Actor, at: datetime) -> None:
    take(session, RefuseCase(case=CaseNo(case.case_no), reason=reason), by, at)


def revoke(session: Session, project: Project, *, reason: str, by: Actor, at: datetime) -> None:
    take(session, RevokeDelegation(project=ProjectNo(project.project_no), reason=reason), by, at)


def deliver(session: Session, case: Case, *, by: Actor, at: datetime, who: str = "") -> None:
    take(session, RecordDelivered(case=CaseNo(case.case_no), who=who), by, at)


def evaluate(session: Session, case: Case, *, grades: Mapping[int, tuple[Grade, str]], by: Actor, at: datetime) -> None:
    given = tuple(GradeGiven(ReviewId(review_id), grade, words) for review_id, (grade, words) in grades.items())
    take(session, EvaluateCase(case=CaseNo(case.case_no), grades=given), by, at)


def rectify(
    session: Session, rectification: Rectification, step: RectificationState, *, words: str, by: Actor, at: datetime
) -> None:
    done = RectifyGrade(rectification=RectificationId(rectification.id), step=step, words=words)
    take(session, done, by, at)


def open_ticket(
    session: Session, *, kind: TicketKind, words: str, by: Actor, at: datetime, case: Case | None = None,
    phone: str | None = None,
) -> Ticket:  # fmt: skip
    step = OpenTicket(kind=kind, words=words, case_no=None if case is None else CaseNo(case.case_no), phone=phone)
    number = take(session, step, by, at).ticket_no
    return session.scalars(select(Ticket).where(Ticket.ticket_no == number)).one()


def answer(session: Session, ticket: Ticket, *, reply: str, by: Actor, at: datetime) -> None:
    take(session, AnswerTicket(ticket=TicketNo(ticket.ticket_no), words=reply), by, at)
