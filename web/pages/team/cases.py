"""One case with the acts of its agent: prescreen, papers, filing, the authority's papers, the way home."""

import re
from collections.abc import Callable
from typing import Any

from flask import redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

import db
from dispatch.acts.act import STAFF
from dispatch.acts.awaited_papers import ExpectPapers
from dispatch.acts.booking import BookDelivery, BookPickup
from dispatch.acts.collection import HandIn
from dispatch.acts.contact_notes import CorrectContactNote, NoteContact, SettleFollowUp
from dispatch.acts.correcting_facts import CorrectFact
from dispatch.acts.delivery import RecordDelivered
from dispatch.acts.early_ends import RefuseCase
from dispatch.acts.filing import SubmitCase
from dispatch.acts.papers import GiveMaterial, ReturnCorrected
from dispatch.acts.pausing import PAUSE_WORDS
from dispatch.acts.prescreening import PrescreenCase
from dispatch.acts.review_steps import REVIEW_STEPS
from dispatch.acts.scanning import ScanParcel, SendOn
from dispatch.acts.waiving import MATERIAL_STEPS
from dispatch.cases.access_control import case_for
from dispatch.cases.case import MATERIAL_LABEL, MODE_LABEL, OUTCOME_LABEL, Case, Material, Way
from dispatch.cases.contact_note import CONTACT_WAY_LABEL
from dispatch.cases.review_state import RELIEF_LABEL, REVIEW_LABEL
from dispatch.cases.stages import LABEL, MILESTONES
from dispatch.core.actor import Actor, Role
from dispatch.core.errors import NotFound, Refused
from dispatch.core.ids import CaseNo, StopId
from dispatch.custody.handover import HOLDER_LABEL
from dispatch.custody.parcel import LEG_LABEL, PARCEL_LABEL
from dispatch.path.applicability import BY_COMMITMENT
from dispatch.views import team_case
from dispatch.views.door_proofs import door_proofs
from dispatch.views.enterprise_path import drawn_path
from dispatch.views.event_scans import scan_of
from web.pages.team.blueprint import RULES, bp, say, take_form
from web.wiring import files
from web.wiring.act_door import offers
from web.wiring.auth import current_actor, roles, staff_only
from web.wiring.formatting import in_words
from web.wiring.transactions import transaction

acts = roles(Role.AGENT, Role.LEAD, Role.OPERATOR)
Step = Callable[[Session, Actor, Case], str]


@bp.get("/cases/<case_no>")
@staff_only
def case(case_no: str) -> str:
    """Everything about one case, and what can be done now."""
    viewer = current_actor()
    with transaction() as session:
        at = db.now(session)
        page = team_case.case_page(session, viewer, case_no, at=at)
        drawing = drawn_path(session, page.project, at=at, say=in_words, whole=page.path)
        proofs = [proof for proof in door_proofs(session, page.case) if files.is_kept(proof.digest)]
        return render_template(
            "team/case.html", page=page, drawing=drawing, LABEL=LABEL, MILESTONES=MILESTONES, REVIEW=REVIEW_LABEL,
            MATERIAL=MATERIAL_LABEL, MODE=MODE_LABEL, LEG=LEG_LABEL, PARCEL=PARCEL_LABEL, HOLDER=HOLDER_LABEL,
            OUTCOME=OUTCOME_LABEL, PAUSE=PAUSE_WORDS, WAYS=CONTACT_WAY_LABEL, RELIEF=RELIEF_LABEL,
            BY_COMMITMENT=BY_COMMITMENT, may_act=viewer.role is not Role.SUPERVISOR, Way=Way,
            proofs=proofs,
        )  # fmt: skip


@bp.post("/cases/<case_no>/prescreen")
@offers(PrescreenCase)
def prescreen(case_no: str) -> Response:
    """Every material ticked as right, wrong (with words) or to follow (with a day)."""
    form = request.form
    verdicts = {name[7:]: form[name] for name in form if re.fullmatch(r"verdict\d{1,18}", name)}
    defects = {int(n): form.get(f"words{n}", "").strip() for n, verdict in verdicts.items() if verdict == "defect"}
    deferred = {int(n): form.get(f"due{n}", "") for n, verdict in verdicts.items() if verdict == "defer"}
    done = "已一次性告知补正" if defects else "预审通过"
    return take_form(PrescreenCase, done, back=_page(case_no), case=case_no, defects=defects, deferred=deferred)


@bp.post("/cases/<case_no>/corrected")
@offers(ReturnCorrected, only=STAFF)
def corrected(case_no: str) -> Response:
    """The corrections are in."""
    return take_form(ReturnCorrected, "已转回预审", back=_page(case_no), case=case_no)


@bp.post("/cases/<case_no>/materials/<int:material_id>")
@offers(GiveMaterial, only=STAFF)
def give(case_no: str, material_id: int) -> Response:
    """Take in a material that the enterprise brought."""
    with transaction() as session:
        case_for(session, current_actor(), case_no)  # nothing is stored for somebody who may not
    upload = request.files.get("file")
    try:
        if upload is None or not upload.filename:
            raise Refused("no file", user_message="请选择文件")
        digest = files.keep(upload)
    except (*RULES, files.BadUpload) as error:
        say(error)
        return redirect(_page(case_no))
    return take_form(
        GiveMaterial, "已收取材料", back=_page(case_no), case=case_no, material_id=material_id, sha256=digest,
        media_type=upload.mimetype or "", filename=upload.filename or "",
    )  # fmt: skip


@bp.post("/cases/<case_no>/materials/<int:material_id>/steps")
@offers(steps=MATERIAL_STEPS)
def material_step(case_no: str, material_id: int) -> Response:
    """A material does not apply to the project, or does after all."""
    step = MATERIAL_STEPS.get(request.form.get("step", ""))
    return take_form(step, "已登记", back=_page(case_no), case=case_no, material_id=material_id)


@bp.post("/cases/<case_no>/contacts")
@offers(NoteContact)
def note_contact(case_no: str) -> Response:
    """A call, a visit or a message with the enterprise."""
    return take_form(NoteContact, "已记下联系情况", back=_page(case_no) + "#contacts", case=case_no)


@bp.post("/cases/<case_no>/contacts/<int:contact_note>/follow-up")
@offers(SettleFollowUp)
def settle_follow_up(case_no: str, contact_note: int) -> Response:
    """Somebody came back to it."""
    return take_form(
        SettleFollowUp, "已跟进", back=_page(case_no) + "#contacts", case=case_no, contact_note=contact_note
    )


@bp.post("/cases/<case_no>/contacts/<int:contact_note>/corrections")
@offers(CorrectContactNote)
def correct_contact_note(case_no: str, contact_note: int) -> Response:
    """A contact was written down wrongly."""
    return take_form(
        CorrectContactNote, "已更正登记", back=_page(case_no) + "#contacts", case=case_no, contact_note=contact_note
    )


@bp.get("/cases/<case_no>/materials/<int:material_id>")
@staff_only
def material(case_no: str, material_id: int) -> Any:
    """The file of a material."""
    with transaction() as session:
        row = case_for(session, current_actor(), case_no)
        found = session.get(Material, material_id)
        if found is None or found.case_id != row.id or found.sha256 is None:
            raise NotFound(f"no file of material {material_id}")
        digest, name = found.sha256, found.filename or found.name
    return files.send(digest, name)


@bp.get("/cases/<case_no>/proofs/<digest>")
@staff_only
def proof(case_no: str, digest: str) -> Any:
    """A photo or a signature of one of the case's handovers."""
    with transaction() as session:
        row = case_for(session, current_actor(), case_no)
        found = next((kept for kept in door_proofs(session, row) if kept.digest == digest), None)
    if found is None:
        raise NotFound(f"no proof {digest[:12]} of {case_no}")
    return files.send(digest, f"{found.waybill}-{digest[:8]}")


@bp.post("/cases/<case_no>/counter")
@offers(HandIn, only=STAFF)
def hand_in(case_no: str) -> Response:
    """The originals were brought to the counter."""
    return take_form(HandIn, "已在窗口收取原件", back=_page(case_no), case=case_no)


@bp.post("/cases/<case_no>/pickup")
@offers(BookPickup, only=STAFF)
def book_pickup(case_no: str) -> Response:
    """Book a pickup for the enterprise."""
    return take_form(BookPickup, "已预约揽收", back=_page(case_no), case=case_no, **_window())


@bp.post("/cases/<case_no>/delivery")
@offers(BookDelivery, only=STAFF)
def book_delivery(case_no: str) -> Response:
    """Book a delivery of the results."""
    return take_form(BookDelivery, "已预约投递", back=_page(case_no), case=case_no, **_window())


def _window() -> dict[str, int]:
    """The window of hours that was chosen, in seconds of the day."""
    hours = re.fullmatch(r"(\d{1,2})-(\d{1,2})", request.form.get("window", "9-12"))
    return {} if hours is None else {"opens_s": int(hours[1]) * 3600, "closes_s": int(hours[2]) * 3600}


@bp.post("/cases/<case_no>/parcels/<waybill>/scan")
@offers(ScanParcel)
def scan(case_no: str, waybill: str) -> Response:
    """A parcel comes in at the centre, goes to the authority, or back."""
    return take_form(ScanParcel, "已登记交接", back=_page(case_no), waybill=waybill, path=[(CaseNo, case_no)])


@bp.post("/cases/<case_no>/stops/<int:stop_id>/papers")
@offers(ExpectPapers)
def expect_papers(case_no: str, stop_id: int) -> Response:
    """When what a stop brings is at the centre; an empty form says that it is there."""
    back, path = _page(case_no), [(CaseNo, case_no)]
    return take_form(ExpectPapers, "已登记，排线以此为准", back=back, stop=StopId(stop_id), path=path)


@bp.post("/cases/<case_no>/parcels/<waybill>/transfer")
@offers(SendOn)
def send_on(case_no: str, waybill: str) -> Response:
    """A parcel goes on to another centre."""
    return take_form(SendOn, "已登记流转", back=_page(case_no), waybill=waybill, path=[(CaseNo, case_no)])


@bp.post("/cases/<case_no>/submission")
@offers(SubmitCase)
def submit(case_no: str) -> Response:
    """Filed with the authorities, with their receipts."""
    given = {int(name[7:]): words for name, words in request.form.items() if re.fullmatch(r"receipt\d{1,18}", name)}
    receipts = {review_id: words.strip() for review_id, words in given.items()}
    return take_form(SubmitCase, "已报送", back=_page(case_no), case=case_no, receipts=receipts)


@bp.post("/cases/<case_no>/reviews/<int:review_id>")
@offers(steps=REVIEW_STEPS)
def review(case_no: str, review_id: int) -> Response:
    """One step of one matter, as the authority's paper says."""
    step = REVIEW_STEPS.get(request.form.get("step", ""))
    scan = request.files.get("document")
    given = {}
    if scan is not None and scan.filename:
        with transaction() as session:
            case_for(session, current_actor(), case_no)  # nothing is stored for somebody who may not
        try:
            given = {"document": files.keep(scan)}
        except files.BadUpload as error:
            say(error)
            return redirect(_page(case_no))
    return take_form(step, "已登记", back=_page(case_no), review=review_id, path=[(CaseNo, case_no)], **given)


@bp.post("/cases/<case_no>/facts/<int:fact_id>")
@offers(CorrectFact)
def correct_fact(case_no: str, fact_id: int) -> Response:
    """What was written down of a material was wrong: another file, another day, or nothing at all."""
    upload = request.files.get("document")
    given = {}
    if upload is not None and upload.filename:
        with transaction() as session:
            case_for(session, current_actor(), case_no)  # nothing is stored for somebody who may not
        try:
            digest = files.keep(upload)
        except files.BadUpload as error:
            say(error)
            return redirect(_page(case_no))
        given = {"document": digest, "media_type": upload.mimetype or "", "filename": upload.filename}
    return take_form(CorrectFact, "已更正", back=_page(case_no), fact=fact_id, path=[(CaseNo, case_no)], **given)


@bp.get("/cases/<case_no>/documents/<int:review_event_id>")
@staff_only
def document(case_no: str, review_event_id: int) -> Response:
    """The scan of an authority's paper."""
    with transaction() as session:
        scan = scan_of(session, current_actor(), case_no, review_event_id)
    return files.send(scan.digest, scan.name)


def _page(case_no: str) -> str:
    return url_for("team.case", case_no=case_no)


@bp.post("/cases/<case_no>/delivered")
@offers(RecordDelivered)
def delivered(case_no: str) -> Response:
    """Results delivered electronically, or fetched at the counter."""
    return take_form(RecordDelivered, "已送达", back=_page(case_no), case=case_no)


@bp.post("/cases/<case_no>/refusal")
@offers(RefuseCase)
def refuse(case_no: str) -> Response:
    """不予代办, with its reason."""
    return take_form(RefuseCase, "已登记不予代办", back=_page(case_no), case=case_no)
