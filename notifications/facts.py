"""Facts: what each day's messages came to, counted as it happens and kept when the messages are gone."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Date, ForeignKey, Index, String, delete, func, select, text, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from db import SHANGHAI, Base
from notifications.message import Message


class NoticeChange(Base):
    """One thing that happened, not yet added to its day: inserted without waiting for anybody, folded by the sweep."""

    __tablename__ = "notice_change"

    id: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(Date)
    division_id: Mapped[int | None] = mapped_column(ForeignKey("division.id"))
    text_name: Mapped[str] = mapped_column(String(40))
    gateway: Mapped[str] = mapped_column(String(20))
    measure: Mapped[str] = mapped_column(String(20))
    n: Mapped[int]


class NoticeDay(Base):
    """A day's count of one measure. The delivery report reads this and never counts messages."""

    __tablename__ = "notice_day"
    __table_args__ = (
        Index(
            "uq_notice_day",
            "day",
            "division_id",
            "text_name",
            "gateway",
            "measure",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(Date)
    division_id: Mapped[int | None] = mapped_column(ForeignKey("division.id"))
    text_name: Mapped[str] = mapped_column(String(40))
    gateway: Mapped[str] = mapped_column(String(20))
    measure: Mapped[str] = mapped_column(String(20))
    n: Mapped[int]


# one statement for any number of measures: it is compiled once
_NOTE = text(
    "INSERT INTO notice_change (day, division_id, text_name, gateway, measure, n) "
    "SELECT CAST(:day AS date), CAST(:division_id AS bigint), CAST(:text_name AS text), CAST(:gateway AS text), m, n "
    "FROM unnest(CAST(:measures AS text[]), CAST(:counts AS bigint[])) AS counted (m, n)"
)


def day_of(moment: datetime) -> date:
    return moment.astimezone(SHANGHAI).date()


def note(session: Session, message: Message, **measures: int) -> None:
    """Count ``measures`` for the day on which the message was posted, in the transaction that makes them true."""
    counted = {measure: n for measure, n in measures.items() if n}
    if counted:
        where = {
            "day": day_of(message.created_at),
            "division_id": message.division_id,
            "text_name": message.text_name,
            "gateway": message.gateway or "",
        }
        with session.no_autoflush:  # it refers to nothing that is still to be written
            session.execute(_NOTE, where | {"measures": list(counted), "counts": list(counted.values())})


def note_posted(session: Session, messages: Iterable[Message]) -> None:
    """Count what was just posted, alike messages together, and what could never be sent."""
    alike: dict[tuple[date, int | None, str, str], list[Message]] = {}
    for message in messages:
        key = (day_of(message.created_at), message.division_id, message.text_name, message.gateway or "")
        alike.setdefault(key, []).append(message)
    for posted in alike.values():
        ended = Counter(message.state.value for message in posted if message.is_final)
        note(session, posted[0], posted=len(posted), **ended)


def fold(session: Session) -> int:
    """Add what happened to its days; how many changes were added. Two folds at once do not meet the same change."""
    picked = select(NoticeChange.id).order_by(NoticeChange.id).limit(20_000).with_for_update(skip_locked=True)
    gone = list(
        session.execute(
            delete(NoticeChange)
            .where(NoticeChange.id.in_(picked))
            .returning(
                NoticeChange.day,
                NoticeChange.division_id,
                NoticeChange.text_name,
                NoticeChange.gateway,
                NoticeChange.measure,
                NoticeChange.n,
            )
        )
    )
    sums: dict[tuple[date, int | None, str, str, str], int] = {}
    for day, division_id, text_name, gateway, measure, n in gone:
        key = (day, division_id, text_name, gateway, measure)
        sums[key] = sums.get(key, 0) + n
    # in one order everywhere, so that two folds never wait for each other in a circle
    for key in sorted(sums, key=lambda k: (k[0], k[1] or 0, k[2], k[3], k[4])):
        statement = insert(NoticeDay).values(
            day=key[0], division_id=key[1], text_name=key[2], gateway=key[3], measure=key[4], n=sums[key]
        )
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["day", "division_id", "text_name", "gateway", "measure"],
                set_={"n": NoticeDay.n + statement.excluded.n},
            )
        )
    return len(gone)


@dataclass(frozen=True, slots=True)
class TextCounts:
    """What one text's messages of one day came to: each measure's sum."""

    day: date
    text: str
    counts: Mapping[str, int]


def report(session: Session, first: date, last: date, *, where: ColumnElement[bool] | None = None) -> list[TextCounts]:
    """The counts of each day and text from ``first`` to ``last``, both included; ``where``: of some divisions only."""
    counted = session.execute(
        select(NoticeDay.day, NoticeDay.text_name, NoticeDay.measure, func.sum(NoticeDay.n))
        .where(NoticeDay.day.between(first, last), true() if where is None else where)
        .group_by(NoticeDay.day, NoticeDay.text_name, NoticeDay.measure)
        .order_by(NoticeDay.day, NoticeDay.text_name)
    )
    found: dict[tuple[date, str], dict[str, int]] = {}
    for day, text_name, measure, n in counted:
        found.setdefault((day, text_name), {})[measure] = int(n)
    return [TextCounts(day, text_name, counts) for (day, text_name), counts in found.items()]
