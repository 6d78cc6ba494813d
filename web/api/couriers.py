"""Couriers: their roster by rules, one by one or many at once, what they drive, and whom to call about a visit."""

from dataclasses import dataclass

from apiflask import APIBlueprint

from dispatch.acts.courier_words import TellCourier, WordResult
from dispatch.acts.roadside import CallOffPass, CallOffResult
from dispatch.acts.rostering import AddShiftRule, DropShiftRule, EditCourier, ImportRoster, RosterResult
from dispatch.acts.visit_telling import CallResult, RecordCall
from dispatch.core.actor import Role
from dispatch.core.ids import CourierId, RoadsidePassId, ShiftRuleId, VisitWordId
from dispatch.views import call_list, roadside, roster_page
from dispatch.views.call_list import CallList
from dispatch.views.roadside import PassGroup
from dispatch.views.roster_page import CourierRoster
from web.wiring.act_door import command_from, offers, schema_of, take
from web.wiring.api_answers import answers
from web.wiring.api_schema import Strict, problems
from web.wiring.auth import current_actor, roles
from web.wiring.formatting import today
from web.wiring.idempotency import idempotent
from web.wiring.transactions import transaction

bp = APIBlueprint("api_couriers", __name__, url_prefix="/api/v1/couriers", tag="couriers")


@bp.get("/calls")
@roles(Role.LEAD, Role.SUPERVISOR, Role.OPERATOR)
@answers(CallList)
@bp.doc(responses=problems(), security="bearer")
def calls() -> CallList:
    """Visits that no SMS told of: whom to call, and who was called."""
    with transaction() as session:
        return call_list.call_list(session, current_actor())


@bp.post("/calls/<int:word_id>")
@offers(RecordCall)
@bp.input(schema_of(RecordCall, path=("word",)), arg_name="body")
@answers(CallResult)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def record_call(word_id: int, body: Strict) -> CallResult:
    """Somebody has telephoned."""
    return take(command_from(RecordCall, body, word=VisitWordId(word_id)))


@bp.post("/<int:courier_id>/words")
@offers(TellCourier)
@bp.input(schema_of(TellCourier, path=("courier",)), arg_name="body")
@answers(WordResult, 201)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def tell_courier(courier_id: int, body: Strict) -> tuple[WordResult, int]:
    """A word to a courier: first on the phone until it was read."""
    return take(command_from(TellCourier, body, courier=CourierId(courier_id))), 201


@dataclass(frozen=True, slots=True)
class PassList:
    """What is to change hands on the road, by giver and receiver."""

    groups: list[PassGroup]


@bp.get("/passes")
@roles(Role.LEAD, Role.SUPERVISOR, Role.OPERATOR)
@answers(PassList)
@bp.doc(responses=problems(), security="bearer")
def passes() -> PassList:
    """What couriers are to give to each other on the road or to bring back, and which side has said it."""
    with transaction() as session:
        return PassList(roadside.open_passes(session, current_actor()))


@bp.post("/passes/<int:pass_id>/calling-off")
@offers(CallOffPass)
@bp.input(schema_of(CallOffPass, path=("roadside_pass",)), arg_name="body")
@answers(CallOffResult)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def call_off_pass(pass_id: int, body: Strict) -> CallOffResult:
    """An envelope is not to be passed on; who has it keeps it."""
    return take(command_from(CallOffPass, body, roadside_pass=RoadsidePassId(pass_id)))


@bp.get("/<int:courier_id>")
@roles(Role.LEAD, Role.SUPERVISOR, Role.OPERATOR)
@answers(CourierRoster)
@bp.doc(responses=problems(404), security="bearer")
def read(courier_id: int) -> CourierRoster:
    """A courier's rules, shifts of the next two weeks, and vehicle."""
    with transaction() as session:
        return roster_page.courier_roster(session, current_actor(), CourierId(courier_id), today=today())


@bp.patch("/<int:courier_id>")
@offers(EditCourier)
@bp.input(schema_of(EditCourier, path=("courier",)), arg_name="body")
@answers(RosterResult)
@bp.doc(responses=problems(404, 422), security="bearer")
@idempotent
def edit(courier_id: int, body: Strict) -> RosterResult:
    """The vehicle, what it carries, and whether the courier is sent out."""
    return take(command_from(EditCourier, body, courier=CourierId(courier_id)))


@bp.post("/<int:courier_id>/rules")
@offers(AddShiftRule)
@bp.input(schema_of(AddShiftRule, path=("courier",)), arg_name="body")
@answers(RosterResult, 201)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def add_rule(courier_id: int, body: Strict) -> tuple[RosterResult, int]:
    """A weekly pattern, days off, or another shift on some days."""
    return take(command_from(AddShiftRule, body, courier=CourierId(courier_id))), 201


@bp.delete("/<int:courier_id>/rules/<int:rule_id>")
@offers(DropShiftRule)
@answers(RosterResult)
@bp.doc(responses=problems(404, 409), security="bearer")
@idempotent
def drop_rule(courier_id: int, rule_id: int) -> RosterResult:
    """A rule is taken back."""
    return take(DropShiftRule(courier=CourierId(courier_id), rule_id=ShiftRuleId(rule_id)))


@bp.post("/roster")
@offers(ImportRoster)
@bp.input(schema_of(ImportRoster), arg_name="body")
@answers(RosterResult, 201)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def import_roster(body: Strict) -> tuple[RosterResult, int]:
    """Many lines at once: all of them, or none."""
    return take(command_from(ImportRoster, body)), 201
