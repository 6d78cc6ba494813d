"""The dispatcher's desk: what couriers said, with its proofs, settled with an answer that their phones show."""

from flask import render_template, request, url_for
from werkzeug.wrappers import Response

from dispatch.acts.courier_desk import SettleCourierReport
from dispatch.acts.courier_words import TellCourier
from dispatch.acts.roadside import CallOffPass
from dispatch.acts.visit_telling import RecordCall
from dispatch.core.actor import Role
from dispatch.core.ids import CourierId, CourierReportId, RoadsidePassId, VisitWordId
from dispatch.views import call_list, coming, courier_desk, courier_words, roadside, unplaced_stops
from dispatch.views.courier_desk import SKEW_TOLD_S
from web.pages.team.blueprint import bp, take_form
from web.wiring import files
from web.wiring.act_door import offers
from web.wiring.auth import current_actor, roles
from web.wiring.transactions import transaction

dispatchers = roles(Role.LEAD, Role.SUPERVISOR, Role.OPERATOR)


@bp.get("/couriers")
@dispatchers
def courier_reports() -> str:
    """What is open, what was settled, and each phone."""
    with transaction() as session:
        page = courier_desk.desk(session, current_actor())
        passes = roadside.open_passes(session, current_actor())
        words = courier_words.courier_words(session, current_actor())
        told = coming.said_today(session, current_actor())
        unplaced = unplaced_stops.unplaced_count(session, current_actor())
        works = courier_words.who_works(session, current_actor())
    may_settle = current_actor().role is not Role.SUPERVISOR
    return render_template(
        "team/courier_desk.html", page=page, may_settle=may_settle, skew_told_s=SKEW_TOLD_S, passes=passes,
        may_call_off=may_settle, words=words, works=works, told=told,
        unplaced=unplaced,
    )  # fmt: skip


@bp.post("/couriers/reports/<int:report_id>")
@offers(SettleCourierReport)
def settle_report(report_id: int) -> Response:
    """Take it into the record, decline it, or answer."""
    back = url_for("team.courier_reports")
    return take_form(SettleCourierReport, "已处理，揽投员的手机上会显示", back=back, report=CourierReportId(report_id))


@bp.post("/couriers/<int:courier_id>/words")
@offers(TellCourier)
def tell_courier(courier_id: int) -> Response:
    """A word to a courier's phone."""
    return take_form(
        TellCourier, "已发到揽投员的手机", back=url_for("team.courier_reports"), courier=CourierId(courier_id)
    )


@bp.post("/passes/<int:pass_id>/calling-off")
@offers(CallOffPass)
def call_off_pass(pass_id: int) -> Response:
    """An envelope is not to be passed on."""
    back = url_for("team.courier_reports", _anchor="passes")
    return take_form(CallOffPass, "已撤销，邮件仍在原揽投员手上", back=back, roadside_pass=RoadsidePassId(pass_id))


@bp.get("/calls")
@dispatchers
def calls() -> str:
    """Whom to call about a visit, because no SMS told them."""
    with transaction() as session:
        page = call_list.call_list(session, current_actor())
    return render_template("team/calls.html", page=page, may_act=current_actor().role is not Role.SUPERVISOR)


@bp.post("/calls/<int:word_id>")
@offers(RecordCall)
def record_call(word_id: int) -> Response:
    """Somebody has telephoned."""
    return take_form(RecordCall, "已记下这个电话", back=url_for("team.calls"), word=VisitWordId(word_id))


@bp.get("/couriers/reports/<int:report_id>/proofs/<digest>")
@dispatchers
def report_proof(report_id: int, digest: str) -> Response:
    """A photo or a signature that came with a report."""
    with transaction() as session:
        kept = courier_desk.proof_of(session, current_actor(), report_id, digest)
    return files.send(kept, f"report-{report_id}-{request.args.get('n', '1')[:2]}")
