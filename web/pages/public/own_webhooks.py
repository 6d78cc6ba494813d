"""One's own webhooks: addresses that are told of one's cases, their keys, and what went to each."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from dispatch.acts.webhooks import DELIVERY_STEPS, SUBSCRIBERS, WEBHOOK_STEPS, SubscribeWebhook
from dispatch.core.errors import Refused
from dispatch.core.ids import DeliveryId, SubscriptionId
from dispatch.views.resource_lists import ListPart
from dispatch.views.webhooks import deliveries, subscription_key, subscriptions
from web.pages.public.login_views import bp
from web.wiring.act_door import command_from_form, offers, take
from web.wiring.auth import current_actor, proved, roles
from web.wiring.formatting import in_words
from web.wiring.transactions import transaction

SHOWN = 50


@bp.get("/account/webhooks")
@roles(*sorted(SUBSCRIBERS))
def webhooks() -> str:
    """The addresses, and a form for one more."""
    return _page()


def _page() -> str:
    with transaction() as session:
        rows = subscriptions(session, current_actor())
    return render_template("account/webhooks.html", rows=rows)


@bp.post("/account/webhooks")
@offers(SubscribeWebhook)
@proved
def subscribe_webhook() -> Response | tuple[str, int]:
    """One more address; what was typed stays when it is refused."""
    try:
        made = take(command_from_form(SubscribeWebhook, request.form))
    except Refused as error:
        flash(in_words(error.user_message), "error")
        return _page(), 422
    flash(gettext("已添加，请把签名密钥交给接收程序"))
    return redirect(url_for("account.webhook", subscription_id=made.subscription_id, key="shown"))


@bp.get("/account/webhooks/<int:subscription_id>")
@roles(*sorted(SUBSCRIBERS))
def webhook(subscription_id: int) -> str:
    """One address: its state, its key when asked for, and the last lines that went to it."""
    viewer = current_actor()
    with transaction() as session:
        told = deliveries(session, viewer, subscription_id, ListPart(None, SHOWN))
        row = next(one for one in subscriptions(session, viewer) if one.id == subscription_id)
        key = subscription_key(session, viewer, subscription_id) if request.args.get("key") else ""
    return render_template("account/webhook.html", row=row, told=told[:SHOWN], key=key)


@bp.post("/account/webhooks/<int:subscription_id>")
@offers(steps=WEBHOOK_STEPS)
@proved
def change_webhook(subscription_id: int) -> Response:
    """Pause, resume, end, or another key."""
    command = WEBHOOK_STEPS.get(request.form.get("step", ""))
    if command is None:
        raise Refused("no step", user_message=gettext("请选择要做的事"))
    take(command_from_form(command, request.form, subscription=SubscriptionId(subscription_id)))
    flash(gettext("已更新"))
    if request.form["step"] == "end":
        return redirect(url_for("account.webhooks"))
    return redirect(url_for("account.webhook", subscription_id=subscription_id))


@bp.post("/account/webhooks/<int:subscription_id>/deliveries/<int:delivery_id>")
@offers(steps=DELIVERY_STEPS)
def tell_webhook(subscription_id: int, delivery_id: int) -> Response:
    """Tell a line again, or skip it."""
    command = DELIVERY_STEPS.get(request.form.get("step", ""))
    if command is None:
        raise Refused("no step", user_message=gettext("请选择要做的事"))
    taken = command_from_form(command, request.form, delivery=DeliveryId(delivery_id))
    take(taken, path=((SubscriptionId, subscription_id),))
    flash(gettext("已更新"))
    return redirect(url_for("account.webhook", subscription_id=subscription_id))
