"""Webhooks as their owner sees them: addresses, what went to them, a key; and one line as another program is told."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Text, cast, func, select
from sqlalchemy.orm import Session

from agents.network import Division
from dispatch.cases.access_control import the_one, visible_cases, visible_subscriptions
from dispatch.cases.case import Case, CaseEvent
from dispatch.cases.project import Enterprise, Project
from dispatch.core.actor import Actor
from dispatch.core.errors import NotFound
from dispatch.views.resource_lists import ListPart
from notifications.webhooks.delivery import DeliveryState, WebhookDelivery
from notifications.webhooks.subscription import PauseCause, SubscriptionState, WebhookSubscription

TYPE_PREFIX = "cn.daiban.case."


@dataclass(frozen=True, slots=True)
class SubscriptionLine:
    """One address: what it is for, whether it listens, how much waits, when something last arrived."""

    id: int
    url: str
    purpose: str
    enterprise: str | None
    place: str | None
    is_own: bool
    state: SubscriptionState
    pause_cause: PauseCause | None
    waiting: int
    delivered_at: datetime | None
    created_at: datetime
    key_changed_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeliveryLine:
    """One line on its way: what it tells, of which case, how often it was tried and with which answer."""

    id: int
    message_id: str
    type: str
    case_no: str
    state: DeliveryState
    attempts: int
    last_status: int | None
    last_problem: str
    due_at: datetime
    delivered_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ToldLine:
    """What is told of a line of the timeline."""

    case_no: str
    project_no: str
    kind: str
    stage: str
    words: str


def subscriptions(session: Session, viewer: Actor) -> list[SubscriptionLine]:
    """The viewer's own addresses, to an operator everybody's; the newest first."""
    waits = func.count().filter(WebhookDelivery.state == DeliveryState.DUE)
    rows = session.execute(
        select(WebhookSubscription, Enterprise.name, Division.name, waits, func.max(WebhookDelivery.delivered_at))
        .outerjoin(Enterprise, Enterprise.id == WebhookSubscription.enterprise_id)
        .outerjoin(Division, cast(Division.path, Text) == WebhookSubscription.division_path)
        .outerjoin(WebhookDelivery, WebhookDelivery.subscription_id == WebhookSubscription.id)
        .where(visible_subscriptions(viewer))
        .group_by(WebhookSubscription.id, Enterprise.id, Division.id)
        .order_by(WebhookSubscription.id.desc())
    )
    return [
        SubscriptionLine(
            row.id,
            row.url,
            row.purpose,
            enterprise,
            place,
            row.account_id == viewer.account_id,
            row.state,
            row.pause_cause,
            waiting,
            last,
            row.created_at,
            row.key_changed_at,
        )
        for row, enterprise, place, waiting, last in rows
    ]


def subscription_key(session: Session, viewer: Actor, subscription_id: int) -> str:
    """The key that signs now, for its owner alone. Raises NotFound."""
    found = _subscription(session, viewer, subscription_id)
    if found.account_id != viewer.account_id:
        raise NotFound(f"webhook {subscription_id} is another's")
    return found.key


def _subscription(session: Session, viewer: Actor, subscription_id: int) -> WebhookSubscription:
    query = select(WebhookSubscription).where(WebhookSubscription.id == subscription_id, visible_subscriptions(viewer))
    return the_one(session, query, f"webhook {subscription_id}")


def deliveries(session: Session, viewer: Actor, subscription_id: int, part: ListPart) -> list[DeliveryLine]:
    """What went or goes to one address, the newest first. Raises NotFound."""
    _subscription(session, viewer, subscription_id)
    query = (
        select(WebhookDelivery, CaseEvent.kind, Case.case_no)
        .join(CaseEvent, CaseEvent.id == WebhookDelivery.event_id)
        .join(Case, Case.id == WebhookDelivery.case_id)
        .where(WebhookDelivery.subscription_id == subscription_id)
    )
    return [
        DeliveryLine(
            row.id, message_id(row.event_id), TYPE_PREFIX + kind, case_no, row.state, row.attempts, row.last_status,
            row.last_problem, row.due_at, row.delivered_at, row.created_at,
        )
        for row, kind, case_no in session.execute(part.of(query, WebhookDelivery.id))  # type: ignore[arg-type]
    ]  # fmt: skip


def message_id(event_id: int) -> str:
    """The id of a line wherever it is told, however often."""
    return f"evt_{event_id}"


def cloud_event(session: Session, viewer: Actor, event_id: int, *, source: str) -> Mapping[str, Any] | None:
    """The line as a CloudEvent (1.0, JSON), or None where the viewer may not read it any more."""
    query = (
        select(CaseEvent, Case.case_no, Project.project_no)
        .join(Case, Case.id == CaseEvent.case_id)
        .join(Project, Project.id == Case.project_id)
        .where(CaseEvent.id == event_id, CaseEvent.internal.is_(False), visible_cases(viewer))
    )
    found = session.execute(query).one_or_none()
    if found is None:
        return None
    event, case_no, project_no = found
    told = ToldLine(case_no, project_no, event.kind, event.stage.value, event.words)
    return _enveloped(told, event.id, event.at, source=source)


def _enveloped(told: ToldLine, event_id: int, at: datetime, *, source: str) -> Mapping[str, Any]:
    return {
        "specversion": "1.0",
        "id": message_id(event_id),
        "source": source,
        "type": TYPE_PREFIX + told.kind,
        "subject": told.case_no,
        "time": at.isoformat(),
        "datacontenttype": "application/json",
        "data": asdict(told),
    }


EXAMPLE = _enveloped(
    ToldLine("320412-20260312-00003", "P320412-2026-00045", "collected", "collected", "已揽收"),
    81_204,
    datetime(2026, 3, 12, 2, 30, tzinfo=UTC),
    source="https://daiban.example.gov.cn",
)
"""One as it is told, for who writes the other side."""
