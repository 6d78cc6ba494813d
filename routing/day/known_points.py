"""Known points: where an address really is, once a person has confirmed it; every later stop there uses it."""

import unicodedata
from datetime import datetime

from sqlalchemy import ForeignKey, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from db import Base, keyed_hash
from routing.day.courier_stop import CourierStop, StopState

COMES = (StopState.OPEN, StopState.PLANNED, StopState.ARRIVED)


class KnownPoint(Base):
    """The confirmed point of one organisation at one address; of an address alone within one division.

    ``place_hash`` finds it: the address itself is not kept."""

    __tablename__ = "known_point"

    id: Mapped[int] = mapped_column(primary_key=True)
    place_hash: Mapped[bytes] = mapped_column(unique=True)
    division_id: Mapped[int] = mapped_column(ForeignKey("division.id"))
    lon: Mapped[float]
    lat: Mapped[float]
    confirmed_at: Mapped[datetime]
    confirmed_by: Mapped[str]


def place_hash(label: str, written: str, division_id: int) -> bytes:
    """One address in one spelling: width, case, blanks and marks do not count. Without a label the division does."""
    whose = folded(label) or f"#{division_id}"
    return keyed_hash(f"place:{whose}|{folded(written)}")


def folded(written: str) -> str:
    """Letters, digits and Chinese characters alone, in one width and case."""
    return "".join(sign for sign in unicodedata.normalize("NFKC", written).casefold() if sign.isalnum())


def known_point(session: Session, label: str, written: str, division_id: int) -> KnownPoint | None:
    """The point that was confirmed for this address, if any was."""
    here = place_hash(label, written, division_id)
    return session.scalar(select(KnownPoint).where(KnownPoint.place_hash == here))


def confirm_point(
    session: Session, stop: CourierStop, *, lon: float, lat: float, by: str, at: datetime
) -> list[CourierStop]:
    """The stop's address is at this point from now on: it, every stop to come there, and all that are asked for later.

    The stops that were moved or placed, this one first."""
    here = place_hash(stop.label, stop.address, stop.division_id)
    said = {"lon": lon, "lat": lat, "confirmed_at": at, "confirmed_by": by}
    kept = insert(KnownPoint).values(place_hash=here, division_id=stop.division_id, **said)
    session.execute(kept.on_conflict_do_update(index_elements=["place_hash"], set_=said))
    same = select(CourierStop).where(CourierStop.label == stop.label, CourierStop.state.in_(COMES))
    others = session.scalars(same.where(CourierStop.id != stop.id).order_by(CourierStop.id).with_for_update())
    moved = [stop, *(s for s in others if place_hash(s.label, s.address, s.division_id) == here)]
    for one in moved:
        one.lon, one.lat, one.is_placed = lon, lat, True
        one.proposed_lon = one.proposed_lat = None
        one.version += 1
    session.flush()
    return moved
