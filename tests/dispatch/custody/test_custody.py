"""Custody in the database: it refuses to rewrite a chain, and what its owner rewrites all the same shows."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from dispatch.acts.stop_report import WrongCode
from dispatch.core.errors import Refused
from dispatch.custody import anchors, verification
from dispatch.custody.handover import Holder
from dispatch.custody.parcel import MOST_CODE_TRIES, Parcel
from dispatch.custody.waybill import waybill_from
from tests.dispatch import steps
from tests.dispatch.builders import MONDAY, TEN, a_prescreened_case, the_county

# ---------------------------------------------------------------- the chain in the database, and its owner


@pytest.fixture
def guarded(county_sessions: sessionmaker[Session]) -> sessionmaker[Session]:
    """A county whose handovers are guarded as the migrations guard them, with two parcels of four links each."""
    with county_sessions.begin() as session:
        county = the_county(session)
        agent = county.agent_viewer()
        for n in range(2):
            case, _ = a_prescreened_case(county)
            parcel = steps.hand_in(session, case, by=agent, at=TEN, scan_id=f"counter-{n}")
            centre = (Holder.CENTRE, "")
            authority = (Holder.AUTHORITY, "authority")
            for step, (to, ref) in enumerate((authority, centre, authority)):
                steps.scan(
                    session, parcel, to=to, ref=ref, scan_id=f"{n}-{step}", by=agent, at=TEN + timedelta(hours=step)
                )
    return county_sessions


def owner(sessions: sessionmaker[Session], *statements: str) -> None:
    """What only the database's owner can do: put the guard aside and rewrite history."""
    with sessions.begin() as session:
        session.execute(text("ALTER TABLE handover DISABLE TRIGGER handover_append_only"))
        for statement in statements:
            session.execute(text(statement))
        session.execute(text("ALTER TABLE handover ENABLE TRIGGER handover_append_only"))


def found(sessions: sessionmaker[Session]) -> list[tuple[str, int]]:
    with sessions() as session:
        return [(bad.waybill, bad.seq) for bad in verification.verify(session)]


FIRST, SECOND = waybill_from(1), waybill_from(2)
OF_SECOND = f"parcel_id = (SELECT id FROM parcel WHERE waybill = '{SECOND}')"


def test_a_sound_chain_verifies(guarded: sessionmaker[Session]) -> None:
    assert found(guarded) == []
    with guarded() as session:
        assert list(verification.verify(session, [SECOND])) == []


@pytest.mark.parametrize("statement", ["UPDATE handover SET to_ref = 'courier:9'", "DELETE FROM handover"])
def test_the_database_refuses_to_change_or_delete_a_handover(guarded: sessionmaker[Session], statement: str) -> None:
    with guarded() as session, pytest.raises(DBAPIError, match="append-only"):
        session.execute(text(statement))


@pytest.mark.parametrize(
    ("statements", "bad"),
    [
        ([f"UPDATE handover SET to_ref = 'courier:9' WHERE seq = 2 AND {OF_SECOND}"], 2),
        ([f"UPDATE handover SET at = at + interval '1 microsecond' WHERE seq = 4 AND {OF_SECOND}"], 4),
        ([f"DELETE FROM handover WHERE seq = 3 AND {OF_SECOND}"], 3),
        ([f"DELETE FROM handover WHERE seq = 1 AND {OF_SECOND}"], 1),
        (
            [
                f"UPDATE handover SET seq = 9 WHERE seq = 2 AND {OF_SECOND}",
                f"UPDATE handover SET seq = 2 WHERE seq = 3 AND {OF_SECOND}",
                f"UPDATE handover SET seq = 3 WHERE seq = 9 AND {OF_SECOND}",
            ],
            2,
        ),
        ([f"DELETE FROM handover WHERE seq >= 3 AND {OF_SECOND}"], 3),
        ([f"DELETE FROM handover WHERE {OF_SECOND}"], 1),
        (["UPDATE parcel SET chain_head = '\\x00' WHERE waybill = '" + SECOND + "'"], 4),
    ],
    ids=["tampered", "a microsecond", "deleted", "first deleted", "reordered", "tail cut", "all deleted", "head"],
)
def test_the_first_bad_link_is_named(guarded: sessionmaker[Session], statements: list[str], bad: int) -> None:
    owner(guarded, *statements)
    assert found(guarded) == [(SECOND, bad)]
    with guarded() as session:
        assert list(verification.verify(session, [FIRST])) == []


def test_a_tail_that_is_cut_together_with_its_parcels_head_shows_in_the_anchor(guarded: sessionmaker[Session]) -> None:
    with guarded.begin() as session:
        anchors.anchor(session, on=MONDAY, at=TEN + timedelta(hours=6))
    assert found(guarded) == []
    owner(
        guarded,
        f"UPDATE parcel SET chain_length = 2, chain_head = (SELECT digest FROM handover WHERE seq = 2 AND {OF_SECOND}),"
        f" holder = 'authority', holder_ref = 'authority' WHERE waybill = '{SECOND}'",
        f"DELETE FROM handover WHERE seq > 2 AND {OF_SECOND}",
    )
    assert found(guarded) == [(SECOND, 4)]


def test_an_anchor_that_was_rewritten_or_removed_shows(guarded: sessionmaker[Session]) -> None:
    for day in range(3):
        with guarded.begin() as session:
            first = anchors.anchor(session, on=MONDAY + timedelta(days=day), at=TEN + timedelta(days=day, hours=6))
            assert anchors.anchor(session, on=first.on, at=TEN) is first
    assert found(guarded) == []
    owner(guarded, "DELETE FROM custody_anchor WHERE \"on\" = '2026-11-24'")
    assert found(guarded) == [("anchor 2026-11-25", 0)]
    owner(guarded, f"UPDATE custody_anchor SET heads = heads - '{SECOND}' WHERE \"on\" = '2026-11-23'")
    assert found(guarded)[0] == ("anchor 2026-11-23", 0)


def test_a_scan_id_belongs_to_one_parcel(guarded: sessionmaker[Session]) -> None:
    with guarded.begin() as session:
        parcel = session.query(Parcel).filter_by(waybill=SECOND).one()
        with pytest.raises(Refused):
            steps.scan(
                session, parcel, to=Holder.CENTRE, scan_id="0-1",
                by=the_county(session).agent_viewer(), at=TEN,
            )  # fmt: skip
    assert found(guarded) == []


def test_a_wrong_code_counts_for_the_envelopes_it_was_tried_on_until_none_may_be_tried(
    guarded: sessionmaker[Session],
) -> None:
    with guarded.begin() as session:
        tried, other = session.scalars(select(Parcel.id).order_by(Parcel.id))
        wrong = WrongCode("wrong", parcels=[tried], user_message="验证码不对")
        tries = []
        for _ in range(MOST_CODE_TRIES + 1):
            wrong.count(session)
            tries.append(session.scalar(select(Parcel.code_tries).where(Parcel.id == tried)))
        assert tries == [1, 2, 3, 4, 5, 5]
        assert session.scalar(select(Parcel.code_tries).where(Parcel.id == other)) == 0
