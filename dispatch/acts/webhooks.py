"""Webhooks: a person has a program told of its cases, stops that, changes the key, tells something again."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated

from annotated_types import MaxLen, MinLen
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from agents.network import Division, UnknownDivision, division_with
from dispatch.acts.act import Act, ActContext, act
from dispatch.core.actor import Role
from dispatch.core.errors import Refused, WrongStage
from dispatch.core.ids import DeliveryId, DivisionCode, SubscriptionId
from notifications.webhooks.delivery import DeliveryState, WebhookDelivery
from notifications.webhooks.subscription import (
    LONGEST_URL,
    SubscriptionState,
    WebhookSubscription,
    is_address,
    new_key,
)

SUBSCRIBERS = frozenset({Role.ENTERPRISE, Role.OPERATOR})
MOST_SUBSCRIPTIONS = 5
Url = Annotated[str, MinLen(1), MaxLen(LONGEST_URL)]
Purpose = Annotated[str, MinLen(1), MaxLen(80)]


@dataclass(frozen=True, slots=True)
class SubscriptionResult:
    """A subscription, and whether it listens."""

    subscription_id: int
    state: SubscriptionState


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """A delivery, and how far it came."""

    delivery_id: int
    state: DeliveryState


def _result(of: WebhookSubscription) -> SubscriptionResult:
    return SubscriptionResult(of.id, of.state)


@act(by=SUBSCRIBERS)
@dataclass(frozen=True, slots=True, kw_only=True)
class SubscribeWebhook:
    """Tell this address of everything that happens to my cases from now on. The key is drawn here.

    ``area``: only of those whose project stands in this place, or below it."""

    url: Url
    purpose: Purpose
    area: DivisionCode | None = None

    def perform(self, context: ActContext) -> SubscriptionResult:
        session, actor = context.session, context.actor
        if not is_address(self.url):
            raise Refused(f"{self.url!r} is no address", user_message="请填写以 http:// 或 https:// 开头的完整地址")
        living = WebhookSubscription.state != SubscriptionState.ENDED
        own = select(func.count()).where(WebhookSubscription.account_id == actor.account_id, living)
        if (session.scalar(own) or 0) >= MOST_SUBSCRIPTIONS:
            raise Refused("too many subscriptions", user_message=f"推送地址最多{MOST_SUBSCRIPTIONS}个，请先停用不用的")
        made = WebhookSubscription(
            account_id=actor.account_id,
            enterprise_id=actor.enterprise_id,
            division_path=None if self.area is None else _place(session, self.area).path,
            url=self.url,
            purpose=self.purpose,
            key=new_key(),
            created_at=context.real_at(),
        )
        session.add(made)
        session.flush()
        return _result(made)


def _place(session: Session, code: DivisionCode) -> Division:
    try:
        return division_with(session, code)
    except UnknownDivision as error:
        raise Refused(str(error), user_message="没有这个地区代码") from None


@act(by=SUBSCRIBERS)
@dataclass(frozen=True, slots=True, kw_only=True)
class PauseWebhook:
    """Tell this address nothing for a while; what happens meanwhile is told later."""

    subscription: SubscriptionId

    def perform(self, context: ActContext) -> SubscriptionResult:
        found = context.row(WebhookSubscription, self.subscription)
        found.pause_by_owner()
        return _result(found)


@act(by=SUBSCRIBERS)
@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeWebhook:
    """Tell this address again, what waited first; everything that was tried in vain is tried anew at once."""

    subscription: SubscriptionId

    def perform(self, context: ActContext) -> SubscriptionResult:
        found = context.row(WebhookSubscription, self.subscription)
        found.resume()
        waits = WebhookDelivery.subscription_id == found.id, WebhookDelivery.state == DeliveryState.DUE
        context.session.execute(update(WebhookDelivery).where(*waits).values(due_at=context.real_at(), attempts=0))
        return _result(found)


@act(by=SUBSCRIBERS)
@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeWebhookKey:
    """Draw another key. The former one signs besides for a day, so that the other program can change over."""

    subscription: SubscriptionId

    def perform(self, context: ActContext) -> SubscriptionResult:
        found = context.row(WebhookSubscription, self.subscription)
        found.former_key, found.key, found.key_changed_at = found.key, new_key(), context.real_at()
        return _result(found)


@act(by=SUBSCRIBERS)
@dataclass(frozen=True, slots=True, kw_only=True)
class EndWebhook:
    """Tell this address nothing any more; what waits is dropped, the keys are forgotten."""

    subscription: SubscriptionId

    def perform(self, context: ActContext) -> SubscriptionResult:
        found = context.row(WebhookSubscription, self.subscription)
        found.end()
        waits = WebhookDelivery.subscription_id == found.id, WebhookDelivery.state == DeliveryState.DUE
        context.session.execute(update(WebhookDelivery).where(*waits).values(state=DeliveryState.SKIPPED))
        return _result(found)


@act(by=SUBSCRIBERS)
@dataclass(frozen=True, slots=True, kw_only=True)
class TellAgain:
    """Tell one line once more, with the id that it had."""

    delivery: DeliveryId

    def perform(self, context: ActContext) -> DeliveryResult:
        found = context.row(WebhookDelivery, self.delivery)
        found.state, found.attempts, found.due_at = DeliveryState.DUE, 0, context.real_at()
        found.lease_until = found.delivered_at = None
        return DeliveryResult(found.id, found.state)


@act(by=SUBSCRIBERS)
@dataclass(frozen=True, slots=True, kw_only=True)
class SkipDelivery:
    """Do not tell this line: the later ones of its case go on."""

    delivery: DeliveryId

    def perform(self, context: ActContext) -> DeliveryResult:
        found = context.row(WebhookDelivery, self.delivery)
        if found.state is not DeliveryState.DUE:
            raise WrongStage(f"delivery {found.id} is {found.state}", user_message="这条推送已经送达或已跳过")
        found.state, found.lease_until = DeliveryState.SKIPPED, None
        return DeliveryResult(found.id, found.state)


WEBHOOK_STEPS: Mapping[str, type[Act[SubscriptionResult]]] = MappingProxyType(
    {"pause": PauseWebhook, "resume": ResumeWebhook, "change_key": ChangeWebhookKey, "end": EndWebhook}
)
DELIVERY_STEPS: Mapping[str, type[Act[DeliveryResult]]] = MappingProxyType({"again": TellAgain, "skip": SkipDelivery})
