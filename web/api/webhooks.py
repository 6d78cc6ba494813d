"""Webhooks: which addresses are told of one's cases, with which key, and what went to them."""

from typing import Any

from apiflask import APIBlueprint
from pydantic import RootModel

from dispatch.acts.webhooks import (
    DELIVERY_STEPS,
    SUBSCRIBERS,
    WEBHOOK_STEPS,
    DeliveryResult,
    SubscribeWebhook,
    SubscriptionResult,
)
from dispatch.core.ids import DeliveryId, SubscriptionId
from dispatch.views import webhooks
from dispatch.views.resource_lists import ListPart
from dispatch.views.webhooks import DeliveryLine, SubscriptionLine
from web.wiring import cursors
from web.wiring.act_door import body_of_steps, command_from, offers, schema_of, take
from web.wiring.api_answers import answers, page_model
from web.wiring.api_schema import PageQuery, Strict, problems
from web.wiring.auth import current_actor, roles
from web.wiring.idempotency import idempotent
from web.wiring.transactions import transaction

bp = APIBlueprint("api_webhooks", __name__, url_prefix="/api/v1", tag="webhooks")


class WebhookKey(Strict):
    """The key that signs now, as Standard Webhooks writes it."""

    key: str


@bp.get("/webhooks")
@roles(*sorted(SUBSCRIBERS))
@answers(page_model(SubscriptionLine))
@bp.doc(responses=problems(), security="bearer")
def listed() -> dict[str, Any]:
    """My addresses, what waits for each and when something last arrived."""
    with transaction() as session:
        return {"items": webhooks.subscriptions(session, current_actor()), "next_cursor": None}


@bp.post("/webhooks")
@offers(SubscribeWebhook)
@bp.input(schema_of(SubscribeWebhook), arg_name="body")
@answers(SubscriptionResult, 201)
@bp.doc(responses=problems(422), security="bearer")
@idempotent
def subscribe(body: Strict) -> tuple[SubscriptionResult, int]:
    """Tell an address of everything that happens to my cases from now on, by the Standard Webhooks form."""
    return take(command_from(SubscribeWebhook, body)), 201


@bp.get("/webhooks/<int:subscription_id>/key")
@roles(*sorted(SUBSCRIBERS))
@answers(WebhookKey)
@bp.doc(responses=problems(404), security="bearer")
def key(subscription_id: int) -> dict[str, Any]:
    """The key by which what is told to this address is signed."""
    with transaction() as session:
        return {"key": webhooks.subscription_key(session, current_actor(), subscription_id)}


@bp.post("/webhooks/<int:subscription_id>")
@offers(steps=WEBHOOK_STEPS)
@bp.input(body_of_steps("WebhookStepIn", WEBHOOK_STEPS, path=("subscription",)), arg_name="body")
@answers(SubscriptionResult)
@bp.doc(responses=problems(404, 422), security="bearer")
@idempotent
def step(subscription_id: int, body: RootModel[Any]) -> SubscriptionResult:
    """Pause, resume or end an address, or change its key."""
    command = WEBHOOK_STEPS[body.root.step]
    return take(command_from(command, body.root, subscription=SubscriptionId(subscription_id)))


@bp.get("/webhooks/<int:subscription_id>/deliveries")
@roles(*sorted(SUBSCRIBERS))
@bp.input(PageQuery, location="query", arg_name="asked")
@answers(page_model(DeliveryLine))
@bp.doc(responses=problems(404, 422), security="bearer")
def told(subscription_id: int, asked: PageQuery) -> dict[str, Any]:
    """What went or goes to an address, the newest first: tries, answers, what waits."""
    after = cursors.decode(asked.cursor, int)
    part = ListPart(None if after is None else after[0], asked.limit)
    with transaction() as session:
        rows = webhooks.deliveries(session, current_actor(), subscription_id, part)
    items, following = cursors.page(rows, asked.limit, lambda row: (row.id,))
    return {"items": items, "next_cursor": following}


@bp.post("/webhooks/deliveries/<int:delivery_id>")
@offers(steps=DELIVERY_STEPS)
@bp.input(body_of_steps("DeliveryStepIn", DELIVERY_STEPS, path=("delivery",)), arg_name="body")
@answers(DeliveryResult)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def tell(delivery_id: int, body: RootModel[Any]) -> DeliveryResult:
    """Tell a line again, or skip it so that the later ones of its case go on."""
    command = DELIVERY_STEPS[body.root.step]
    return take(command_from(command, body.root, delivery=DeliveryId(delivery_id)))
