"""Tasks: what Celery runs for notices. Each takes ids at most, may run twice, and waits with no transaction open."""

import logging
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

from celery import Celery, shared_task
from kombu import pools
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError
from sqlalchemy.orm import Session, sessionmaker

from notifications import health, heartbeat, outbox, people, task_publisher
from notifications.bucket import Bucket
from notifications.crash_points import reached
from notifications.delivery import DeliveryContext
from notifications.delivery import deliver as deliver_one
from notifications.gateways.console import Console
from notifications.gateways.domestic import Domestic
from notifications.gateways.gateway import Gateway
from notifications.gateways.twilio import Twilio
from notifications.message import Priority
from notifications.settings import NoticeSettings
from notifications.sweep import sweep as sweep_rows

log = logging.getLogger(__name__)

URGENT, NOTICES, UPKEEP = "notices-urgent", "notices", "notices-upkeep"
QUEUES = (URGENT, NOTICES, UPKEEP)
QUEUE_OF = {
    Priority.CODE: URGENT,
    Priority.COURIER: URGENT,
    Priority.DEFECT: NOTICES,
    Priority.PROGRESS: NOTICES,
    Priority.SURVEY: NOTICES,
}
BROKER_TIMEOUT_S = 0.8
"""A request waits this long for the broker, and then not again for ``task_publisher.BROKER_SILENT_S``."""
QUEUE_LIMIT = 500
"""With so many messages in a queue the sweep publishes no more: workers would only find the same rows again."""
SWEEP_S, HEARTBEAT_S, RETENTION_S = 10.0, 60.0, 3600.0
SCHEDULE: dict[str, dict[str, Any]] = {
    "notices-sweep": {
        "task": "notifications.sweep",
        "schedule": SWEEP_S,
        "options": {"queue": UPKEEP, "expires": SWEEP_S},
    },
    "notices-heartbeat": {
        "task": "notifications.heartbeat",
        "schedule": HEARTBEAT_S,
        "options": {"queue": UPKEEP, "expires": HEARTBEAT_S},
    },
    "notices-retention": {
        "task": "notifications.retention",
        "schedule": RETENTION_S,
        "options": {"queue": UPKEEP, "expires": RETENTION_S},
    },
}
ROUTES = {
    "notifications.deliver": {"queue": NOTICES},
    "notifications.sweep": {"queue": UPKEEP},
    "notifications.heartbeat": {"queue": UPKEEP},
    "notifications.retention": {"queue": UPKEEP},
}

_context: DeliveryContext | None = None


class NotConfigured(RuntimeError):
    """A task ran before ``configure``."""


def gateways_of(settings: NoticeSettings) -> dict[str, Gateway]:
    """Every gateway that an account is set for, and the console."""
    found: dict[str, Gateway] = {"console": Console()}
    callback = f"{settings.public_url.rstrip('/')}/hooks/twilio/status" if settings.public_url else ""
    for name, account in settings.twilio.items():
        found[name] = Twilio(name, account, timeout_s=settings.timeout_s, callback=callback)
    for name, domestic in settings.domestic.items():
        found[name] = Domestic(name, domestic, timeout_s=settings.timeout_s)
    return found


def configure(settings: NoticeSettings, sessions: sessionmaker[Session]) -> None:
    """Once in each process: under which rules and from which database messages go out."""
    global _context
    outbox.configure(settings)
    bucket = Bucket(settings.broker_url, settings.rates, workers=settings.workers)
    _context = DeliveryContext(sessions, gateways_of(settings), bucket, settings)


def delivery_context() -> DeliveryContext:
    """Raises NotConfigured."""
    if _context is None:
        raise NotConfigured("notifications.tasks.configure was not called in this process")
    return _context


_producers: WeakKeyDictionary[Celery, Any] = WeakKeyDictionary()


def quick_producers(app: Celery) -> Any:
    """Connections that give up at once when the broker does not answer, for those who must not wait.

    ``with quick_producers(app).acquire() as producer: task.apply_async(…, producer=producer, retry=False)``
    """
    if app not in _producers:
        impatient = {"socket_timeout": BROKER_TIMEOUT_S, "socket_connect_timeout": BROKER_TIMEOUT_S, "max_retries": 0}
        _producers[app] = pools.producers[app.connection_for_write(transport_options=impatient)]
    return _producers[app]


def publish(message_ids: Sequence[int], priority: Priority) -> None:
    """One task for these messages, in one quick try; when the broker is down the sweep finds them."""
    with quick_producers(deliver.app).acquire(block=True, timeout=BROKER_TIMEOUT_S) as producer:
        deliver.apply_async(message_ids, queue=QUEUE_OF[priority], retry=False, ignore_result=True, producer=producer)


def queue_length(queue: str) -> int:
    """How many tasks wait in a queue; 0 when nobody can say, because then nothing can be published either."""
    try:
        with quick_producers(deliver.app).acquire(block=True, timeout=BROKER_TIMEOUT_S) as producer:
            try:
                return int(producer.channel.queue_declare(queue, passive=True).message_count)
            except producer.connection.channel_errors:
                return 0  # an empty queue is none
    except (OperationalError, RedisError, OSError):
        return 0


def deliver_due(*, at_once: bool = False) -> int:
    """Sweep and deliver here, without a broker: for the command line. How many messages were tried."""
    here = delivery_context()
    with here.sessions.begin() as session:
        due = sweep_rows(session, here.settings, at_once=at_once)
    for message_id, _ in due:
        deliver_one(here, message_id)
    return len(due)


@shared_task(name="notifications.deliver", ignore_result=True, acks_late=True, reject_on_worker_lost=True)
def deliver(*message_ids: int) -> None:
    """One try at each message. What fails for one of them does not keep the others waiting."""
    failed: Exception | None = None
    for message_id in message_ids:
        try:
            deliver_one(delivery_context(), message_id)
        except Exception as error:  # the outer edge of a task: the row lies where it lay, and the sweep finds it
            log.exception("message %s was not tried to its end", message_id)
            failed = failed or error
    if failed is not None:
        raise failed


@shared_task(name="notifications.sweep", ignore_result=True)
def sweep() -> None:
    """Publish tasks for what is due and has none, or whose worker died."""
    here = delivery_context()
    free = {queue: QUEUE_LIMIT - queue_length(queue) * task_publisher.BATCH_SIZE for queue in set(QUEUE_OF.values())}

    def queue_takes(priority: Priority) -> bool:
        free[QUEUE_OF[priority]] -= 1
        return free[QUEUE_OF[priority]] >= 0

    with here.sessions.begin() as session:
        due = sweep_rows(session, here.settings, queue_takes=queue_takes)
        reached("sweep.written")
    reached("sweep.committed")
    for first in range(0, len(due), task_publisher.BATCH_SIZE):
        reached("sweep.publishing")
        task_publisher.publish_due(due[first : first + task_publisher.BATCH_SIZE])


@shared_task(name="notifications.heartbeat", ignore_result=True)
def heartbeat_task() -> None:
    """Move traffic between gateways, note that the schedule runs, and log an error when nobody sends."""
    here = delivery_context()
    with here.sessions.begin() as session:
        health.review(session, here.settings)
        heartbeat.beat(session, "heartbeat")
        found = heartbeat.liveness(session, here.settings)
    if found.is_silent:
        log.error("a message has been due for %.0f s", found.oldest_due_s)


@shared_task(name="notifications.retention", ignore_result=True)
def retention() -> None:
    """Forget the words and numbers of messages that are old enough."""
    here = delivery_context()
    forgotten, all_together = people.BATCH, 0
    while forgotten == people.BATCH:
        with here.sessions.begin() as session:
            forgotten = people.retention(session, here.settings)
        all_together += forgotten
    with here.sessions.begin() as session:
        heartbeat.beat(session, "retention", all_together)
