"""Saved views: the filters of lists that a person keeps under names."""

from dataclasses import dataclass

from apiflask import APIBlueprint

from dispatch.acts.saved_views import DroppedView, DropView, SavedViewResult, SaveView
from dispatch.views.saved_views import SavedViewLine, saved_views
from web.wiring.act_door import command_from, offers, schema_of, take
from web.wiring.api_answers import answers
from web.wiring.api_schema import Strict, problems
from web.wiring.auth import current_actor, staff_only
from web.wiring.idempotency import idempotent
from web.wiring.transactions import transaction

bp = APIBlueprint("api_saved_views", __name__, url_prefix="/api/v1/views", tag="views")


@dataclass(frozen=True, slots=True)
class SavedViewList:
    """One's own views, by list and name."""

    items: tuple[SavedViewLine, ...]


@bp.get("")
@staff_only
@answers(SavedViewList)
@bp.doc(responses=problems(404), security="bearer")
def listed() -> SavedViewList:
    """The views that I keep; ``query`` is what stands behind the question mark of the list's page."""
    with transaction() as session:
        return SavedViewList(saved_views(session, current_actor()))


@bp.post("")
@offers(SaveView)
@bp.input(schema_of(SaveView), arg_name="body")
@answers(SavedViewResult, 201)
@bp.doc(responses=problems(422), security="bearer")
@idempotent
def save(body: Strict) -> tuple[SavedViewResult, int]:
    """The filter of a list gets a name; the same name again keeps the new filter."""
    return take(command_from(SaveView, body)), 201


@bp.post("/removal")
@offers(DropView)
@bp.input(schema_of(DropView), arg_name="body")
@answers(DroppedView)
@bp.doc(responses=problems(422), security="bearer")
@idempotent
def drop(body: Strict) -> DroppedView:
    """A view is let go; one that is not there any more stays so."""
    return take(command_from(DropView, body))
