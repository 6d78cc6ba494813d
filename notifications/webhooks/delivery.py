"""Webhook delivery: one line of a case's timeline on its way to one subscription, and how far it came."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, delete, exists, select, update
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

import db
from db import Base
from notifications.webhooks.subscription import PauseCause, SubscriptionState, WebhookSubscription

AGAIN_AFTER_S = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""After each try in vain, the seconds until the next: those that Standard Webhooks recommends, three days in all."""
ABSENT_AGAIN_S = 300
"""An address where nobody answers is asked again after so long at most, for whatever is due first."""
LEASE = timedelta(seconds=90)
KEPT = timedelta(days=30)
MOST_TOGETHER = 50


class DeliveryState(StrEnum):
    """DUE is tried until it is taken; DELIVERED 已送达; SKIPPED by the owner, or not the owner's to know any more."""

    DUE = "due"
    DELIVERED = "delivered"
    SKIPPED = "skipped"


class WebhookDelivery(Base):
    """The database itself writes one for each subscription whenever a public line enters a timeline (a trigger).

    So no way of writing a line can forget it. Lines of one case go out in their order: a later one waits."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        Index("ix_webhook_delivery_line", "subscription_id", "case_id", "id", postgresql_where="state = 'due'"),
        Index("ix_webhook_delivery_due", "due_at", postgresql_where="state = 'due'"),
        Index("ix_webhook_delivery_subscription", "subscription_id", "id"),
        Index("ix_webhook_delivery_event", "event_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    subscription_id: Mapped[int] = mapped_column(ForeignKey("webhook_subscription.id"))
    event_id: Mapped[int] = mapped_column(ForeignKey("case_event.id"))
    case_id: Mapped[int] = mapped_column(ForeignKey("dispatch_case.id"))
    state: Mapped[DeliveryState] = mapped_column(default=DeliveryState.DUE)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    last_status: Mapped[int | None]
    last_problem: Mapped[str] = mapped_column(default="")
    delivered_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class DueDelivery:
    """A delivery that this process has taken for a while; nobody else sends it until the lease is over."""

    id: int
    subscription_id: int
    event_id: int
    lease_until: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a try: the answer's status, 0 when there was none, and what went wrong in a few words."""

    status: int
    problem: str = ""

    @property
    def is_taken(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_absent(self) -> bool:
        """Nobody there, or nobody who can take anything now: what else is due need not be tried."""
        return self.status == 0 or self.status == 429 or self.status >= 500


def take_due(session: Session) -> list[DueDelivery]:
    """The first untold line of each case and subscription that is due, leased to the caller."""
    now = db.real_now(session)
    earlier = aliased(WebhookDelivery)
    is_first = ~exists().where(
        earlier.subscription_id == WebhookDelivery.subscription_id,
        earlier.case_id == WebhookDelivery.case_id,
        earlier.state == DeliveryState.DUE,
        earlier.id < WebhookDelivery.id,
    )
    due = session.scalars(
        select(WebhookDelivery)
        .join(WebhookSubscription, WebhookSubscription.id == WebhookDelivery.subscription_id)
        .where(WebhookDelivery.state == DeliveryState.DUE, WebhookDelivery.due_at <= now, is_first)
        .where(WebhookDelivery.lease_until.is_(None) | (WebhookDelivery.lease_until < now))
        .where(WebhookSubscription.state == SubscriptionState.ACTIVE)
        .where(WebhookSubscription.retry_at.is_(None) | (WebhookSubscription.retry_at <= now))
        .order_by(WebhookDelivery.due_at, WebhookDelivery.id)
        .limit(MOST_TOGETHER)
        .with_for_update(of=WebhookDelivery, skip_locked=True)
    ).all()
    for row in due:
        row.lease_until = now + LEASE
    session.flush()
    return [DueDelivery(row.id, row.subscription_id, row.event_id, now + LEASE) for row in due]


def settle(session: Session, taken: DueDelivery, told: Told) -> None:
    """Write down what came of it. A process that was held up beyond its lease writes only that it was taken."""
    subscription = session.get_one(WebhookSubscription, taken.subscription_id, with_for_update=True)
    row = session.get_one(WebhookDelivery, taken.id, with_for_update=True)
    if row.state is not DeliveryState.DUE or (row.lease_until != taken.lease_until and not told.is_taken):
        return
    now = db.real_now(session)
    row.attempts += 1
    row.lease_until, row.last_status, row.last_problem = None, told.status or None, told.problem[:200]
    if told.is_taken:
        row.state, row.delivered_at = DeliveryState.DELIVERED, now
        subscription.failures, subscription.retry_at = 0, None
        return
    if told.is_absent:
        subscription.failures += 1
        wait_s = min(ABSENT_AGAIN_S, 5 * 2 ** min(subscription.failures - 1, 10))
        subscription.retry_at = now + timedelta(seconds=wait_s)
    if told.status == 410:
        _pause(subscription, PauseCause.GONE)
    elif row.attempts > len(AGAIN_AFTER_S):
        _pause(subscription, PauseCause.UNANSWERED)
        row.due_at = now
    else:
        row.due_at = now + timedelta(seconds=AGAIN_AFTER_S[row.attempts - 1])


def give_back(session: Session, taken: Sequence[DueDelivery]) -> None:
    """What was taken and not tried is free at once, but for what another process has taken since."""
    for one in taken:
        still_taken = WebhookDelivery.id == one.id, WebhookDelivery.lease_until == one.lease_until
        session.execute(update(WebhookDelivery).where(*still_taken).values(lease_until=None))


def skip(session: Session, delivery_id: int, why: str) -> None:
    """It is not told: the next line of its case may go."""
    row = session.get_one(WebhookDelivery, delivery_id, with_for_update=True)
    if row.state is DeliveryState.DUE:
        row.state, row.lease_until, row.last_problem = DeliveryState.SKIPPED, None, why


def _pause(subscription: WebhookSubscription, cause: PauseCause) -> None:
    if subscription.state is SubscriptionState.ACTIVE:
        subscription.state, subscription.pause_cause = SubscriptionState.PAUSED, cause


def forget_old_deliveries(session: Session) -> int:
    """Deliveries older than thirty days go, whatever became of them; how many."""
    old = delete(WebhookDelivery).where(WebhookDelivery.created_at < db.real_now(session) - KEPT)
    return len(session.execute(old.returning(WebhookDelivery.id)).all())
