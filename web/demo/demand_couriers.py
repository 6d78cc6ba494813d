"""Demand's couriers: those of one county with two days of shifts, and the day's stops, by COPY."""

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

import db
from agents.names import person_key
from agents.network import Division, ServiceCentre
from routing.day.courier_stop import CourierStop, StopKind
from routing.day.couriers import Courier, Shift, VehicleKind
from routing.day.hours import Cutoff
from routing.day.roster import ShiftRule
from web.demo.context import NOW, TODAY
from web.demo.copying import NextIds, Row, copy_rows
from web.demo.fake_data import FakeData

NOUNS: tuple[type[db.Base], ...] = (Courier, Shift, ShiftRule, CourierStop)


def copy_couriers(session: Session, fake: FakeData, ids: NextIds, county: Division, number: int) -> None:
    """Couriers of the county's centre, or of the nearest one above it."""
    centre_id = _centre_of(session, county).id
    couriers: list[Row] = []
    shifts: list[Row] = []
    rules: list[Row] = []
    for n in range(number):
        name, phone = fake.recurring_person(), fake.phone()
        courier_id = ids.next(Courier)
        couriers.append(
            {
                "id": courier_id, "courier_no": f"{county.code[:6]}E{n + 1:03d}", "name": name,
                "pinyin": person_key(name), "phone": phone, "phone_hash": db.keyed_hash(phone),
                "division_id": county.id, "centre_id": centre_id, "vehicle": VehicleKind.EBIKE, "pieces_capacity": 150,
                "grams_capacity": 80_000, "active": True,
            }
        )  # fmt: skip
        rules.append(
            {
                "id": ids.next(ShiftRule), "courier_id": courier_id, "weekdays": [1, 2, 3, 4, 5], "first_on": TODAY,
                "starts_s": 8 * 3600, "ends_s": 18 * 3600, "break_s": 0,
            }
        )  # fmt: skip
        shifts += [
            {
                "id": ids.next(Shift), "courier_id": courier_id, "on": TODAY + timedelta(days=days),
                "starts_s": 8 * 3600, "ends_s": 18 * 3600, "break_s": 0, "late_s": 0,
            }
            for days in range(2)
        ]  # fmt: skip
    copy_rows(session, Courier, couriers)
    copy_rows(session, Shift, shifts)
    copy_rows(session, ShiftRule, rules)


def _centre_of(session: Session, county: Division) -> ServiceCentre:
    centre = session.scalar(select(ServiceCentre).where(ServiceCentre.division_id == county.id).limit(1))
    if centre is None:
        centre = session.scalars(
            select(ServiceCentre)
            .join(Division, Division.id == ServiceCentre.division_id)
            .where(Division.code.in_(county.path.split(".")))
            .order_by(Division.level.desc())
        ).first()
    assert centre is not None
    return centre


def stop_rows(fake: FakeData, ids: NextIds, county: Division, towns: list[Division], number: int) -> Iterator[Row]:
    """The stops of today."""
    for n in range(number):
        town = fake.random.choice(towns)
        lon, lat = fake.near(town.lon, town.lat, 2600)
        is_morning = n % 2 == 0
        opens_s = fake.random.choice((8, 9, 10) if is_morning else (13, 14, 15)) * 3600
        yield {
            "id": ids.next(CourierStop),
            "division_id": county.id,
            "on": TODAY,
            "cutoff": Cutoff.AM if is_morning else Cutoff.PM,
            "kind": StopKind.DELIVERY if n % 5 else StopKind.PICKUP,
            "state": "open",
            "lon": lon,
            "lat": lat,
            "is_placed": True,
            "address": fake.address(town.name),
            "contact_name": fake.recurring_person(),
            "contact_phone": fake.phone(),
            "label": fake.random.choice(fake.brands),
            "windows": [[opens_s, opens_s + 3 * 3600]],
            "service_s": 240,
            "pieces": 1,
            "grams": 200,
            "priority": 1,
            "needs_van": False,
            "attempts": 0,
            "version": 1,
            "created_at": NOW,
        }
