"""Receipts: a stranger's verifier accepts ten thousand of them, and names whatever somebody changed."""

import dataclasses
import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from dispatch.core.actor import Actor, Role
from dispatch.core.errors import NotFound, Refused
from dispatch.custody import transparency_log
from dispatch.custody.handover import Holder, line_of
from dispatch.custody.merkle import MerkleTree, leaf_hash
from dispatch.custody.parcel import Leg, Parcel, ParcelState, Payer
from dispatch.custody.signed_note import Checkpoint, key_line, sign
from dispatch.custody.waybill import waybill_from
from dispatch.views.custody_receipt import log_consistency, parcel_receipt
from tests.dispatch import steps
from tests.dispatch.builders import TEN, a_prescreened_case, the_county
from tests.dispatch.custody.receipt_verifier import Wrong, check_consistency, check_receipt, read_note

HANDS = (
    (Holder.COURIER, "courier:7"),
    (Holder.CENTRE, "centre:1"),
    (Holder.AUTHORITY, "authority"),
    (Holder.CENTRE, "centre:1"),
)


def a_chain(serial: int, links: int = 3, at: datetime = TEN) -> list[str]:
    """The lines of one envelope's handovers."""
    parcel = Parcel(
        waybill=waybill_from(serial), leg=Leg.PICKUP, payer=Payer.GOVERNMENT, contents=[], holder=Holder.ENTERPRISE,
        holder_ref="enterprise:1", state=ParcelState.BOOKED, chain_length=0, chain_head=b"", created_at=at,
    )  # fmt: skip
    for n, (to, ref) in enumerate(HANDS[:links]):
        parcel.hand_over(to=to, ref=ref, scan_id=f"{serial}-{n}", at=at + timedelta(minutes=n), by="account:3")
    return [line_of(parcel.waybill, link) for link in parcel.handovers]


@dataclasses.dataclass
class Log:
    """A log in memory: its lines, in the order in which they came, and the notes that were signed."""

    lines: list[str]
    notes: list[str]

    def receipt(
        self, serial: int, *, but: tuple[int, ...] = (), order: tuple[int, ...] | None = None
    ) -> dict[str, Any]:
        """As the program gives it, of the newest note; ``but``, ``order``: what a forger leaves out or turns round."""
        tree = MerkleTree([leaf_hash(line.encode()) for line in self.lines])
        mine = [n for n, line in enumerate(self.lines) if json.loads(line)["waybill"] == waybill_from(serial)]
        mine = [mine[n] for n in (order or range(len(mine))) if n not in but]
        sizes = [(int(note.split("\n")[1]), note) for note in self.notes]
        return {
            "waybill": waybill_from(serial),
            "checkpoint": self.notes[-1],
            "handovers": [
                {
                    "line": self.lines[n],
                    "position": n,
                    "proof": [one.hex() for one in tree.inclusion_proof(n, tree.size)],
                    "logged_after": max((one for one in sizes if one[0] <= n), default=(0, None))[1],
                }
                for n in mine
            ],
        }

    def take(self, lines: list[str], at: datetime) -> None:
        self.lines += lines
        tree = MerkleTree([leaf_hash(line.encode()) for line in self.lines])
        self.notes.append(sign(Checkpoint(tree.size, tree.root(), at)))


def a_log(*chains: list[str], at: datetime = TEN) -> Log:
    log = Log([], [])
    for n, chain in enumerate(chains):
        log.take(chain, at + timedelta(minutes=10 + n))
    return log


def found(receipt: dict[str, Any], **more: Any) -> str:
    with pytest.raises(Wrong) as wrong:
        check_receipt(receipt, key_line(), **more)
    return str(wrong.value)


def test_ten_thousand_receipts_are_accepted() -> None:
    chains = [a_chain(n) for n in range(10_000)]
    lines = [line for chain in chains for line in chain]
    tree = MerkleTree([leaf_hash(line.encode()) for line in lines])
    note = sign(Checkpoint(tree.size, tree.root(), TEN))
    for n, chain in enumerate(chains):
        handovers = [
            {"line": line, "position": 3 * n + k, "logged_after": None,
             "proof": [one.hex() for one in tree.inclusion_proof(3 * n + k, tree.size)]}
            for k, line in enumerate(chain)
        ]  # fmt: skip
        receipt = {"waybill": waybill_from(n), "checkpoint": note, "handovers": handovers}
        assert check_receipt(receipt, key_line()).size == 30_000


@given(st.integers(1, 4), st.integers(1, 4), st.data())
def test_whatever_is_changed_in_a_line_is_named(before: int, links: int, data: st.DataObject) -> None:
    log = a_log(a_chain(1, before), a_chain(2, links))
    receipt = log.receipt(2)
    check_receipt(receipt, key_line())
    one = receipt["handovers"][data.draw(st.integers(0, links - 1))]
    place = data.draw(st.integers(0, len(one["line"]) - 1))
    letter = data.draw(st.sampled_from('0a":,x'))
    if one["line"][place] == letter:
        letter = "7"
    one["line"] = one["line"][:place] + letter + one["line"][place + 1 :]
    assert found(receipt) == "changed"


@given(st.integers(2, 4), st.data())
def test_a_handover_that_is_left_out_is_named(links: int, data: st.DataObject) -> None:
    """The last one cannot be missed by its own receipt: a newer checkpoint and the parcel's next receipt show it."""
    log = a_log(a_chain(1), a_chain(2, links))
    gone = data.draw(st.integers(0, links - 2))
    assert found(log.receipt(2, but=(gone,))) == "deleted"


def test_handovers_in_another_order_are_named() -> None:
    log = a_log(a_chain(1, 4))
    assert found(log.receipt(1, order=(0, 2, 1, 3))) == "deleted"
    assert found(log.receipt(1, order=(0, 1, 1, 2))) == "reordered"


def test_a_handover_of_another_envelope_is_named() -> None:
    log = a_log(a_chain(1), a_chain(2))
    receipt = log.receipt(1)
    assert found(receipt | {"waybill": waybill_from(2)}) == "changed"


@given(st.integers(-3, 40))
def test_a_handover_that_was_entered_afterwards_is_named_once_no_phone_could_be_so_late(days: int) -> None:
    """It says an earlier moment than the checkpoint that did not hold it yet."""
    log = a_log(a_chain(1), at=TEN)
    log.take(a_chain(2, 1, at=TEN - timedelta(days=days)), TEN + timedelta(days=1))
    receipt = log.receipt(2)
    if days < 3:
        check_receipt(receipt, key_line())
    else:
        assert found(receipt) == "backdated"


def test_a_kept_checkpoint_shows_what_the_receipt_keeps_back() -> None:
    """A forger leaves out ``logged_after``; who noted a checkpoint sees it all the same."""
    log = a_log(a_chain(1), at=TEN)
    kept = read_note(log.notes[-1], key_line())
    log.take(a_chain(2, 1, at=TEN - timedelta(days=9)), TEN + timedelta(days=1))
    receipt = log.receipt(2)
    receipt["handovers"][0]["logged_after"] = None
    check_receipt(receipt, key_line())
    assert found(receipt, kept=[kept]) == "backdated"


def test_another_key_and_a_changed_checkpoint_are_named() -> None:
    receipt = a_log(a_chain(1)).receipt(1)
    other = key_line().replace("+", "+0", 1)
    with pytest.raises(Wrong, match="key"):
        check_receipt(receipt, other)
    assert found(receipt | {"checkpoint": receipt["checkpoint"].replace("\n3\n", "\n4\n")}) == "changed"


def test_two_people_who_were_shown_two_logs_find_it_out() -> None:
    """Each log is sound by itself; no proof joins them, and of one size there are two roots."""
    mine, theirs = a_log(a_chain(1), a_chain(2)), a_log(a_chain(1, at=TEN + timedelta(hours=1)), a_chain(2), a_chain(3))
    for log in (mine, theirs):
        check_receipt(log.receipt(2), key_line())
    old, new = (read_note(log.notes[-1], key_line()) for log in (mine, theirs))
    tree = MerkleTree([leaf_hash(line.encode()) for line in theirs.lines])
    with pytest.raises(Wrong, match="split"):
        check_consistency(old, new, tree.consistency_proof(old.size, new.size))
    same_size = read_note(theirs.notes[1], key_line())
    with pytest.raises(Wrong, match="split"):
        check_consistency(old, same_size, [])


# ---------------------------------------------------------------- in the database


@pytest.fixture
def logged(county_sessions: sessionmaker[Session]) -> sessionmaker[Session]:
    """Two envelopes of three handovers each, published one after the other."""
    for n in range(2):
        with county_sessions.begin() as session:
            county = the_county(session)
            agent = county.agent_viewer()
            case, _ = a_prescreened_case(county)
            parcel = steps.hand_in(session, case, by=agent, at=TEN, scan_id=f"counter-{n}")
            for step, (to, ref) in enumerate(((Holder.AUTHORITY, "authority"), (Holder.CENTRE, ""))):
                steps.scan(
                    session, parcel, to=to, ref=ref, scan_id=f"{n}-{step}", by=agent, at=TEN + timedelta(hours=step)
                )
            assert transparency_log.publish(session, at=TEN + timedelta(hours=2 + n)) == 3
    return county_sessions


OPERATOR = Actor(Role.OPERATOR)


def test_the_programs_receipts_and_notes_are_what_the_page_says(logged: sessionmaker[Session]) -> None:
    with logged() as session:
        waybills = session.scalars(select(Parcel.waybill).order_by(Parcel.id)).all()
        receipts = [dataclasses.asdict(parcel_receipt(session, OPERATOR, waybill)) for waybill in waybills]
        notes = session.scalars(
            select(transparency_log.CustodyCheckpoint.note).order_by(transparency_log.CustodyCheckpoint.size)
        ).all()
        old, new = (read_note(note, key_line()) for note in notes)
        proof = log_consistency(session, old.size, new.size).proof
        assert list(transparency_log.verify_log(session)) == []
    for receipt in receipts:
        assert check_receipt(receipt, receipt["key"], kept=[old]).size == 6
        assert (len(receipt["handovers"]), receipt["waiting"]) == (3, 0)
    assert receipts[0]["handovers"][0]["logged_after"] is None
    assert receipts[1]["handovers"][0]["logged_after"] == notes[0]
    check_consistency(old, new, [bytes.fromhex(one) for one in proof])


def test_publishing_again_changes_nothing_and_what_waits_is_said(logged: sessionmaker[Session]) -> None:
    with logged.begin() as session:
        assert transparency_log.publish(session, at=TEN + timedelta(hours=9)) == 0
        parcel = session.scalars(select(Parcel).order_by(Parcel.id).limit(1)).one()
        steps.scan(
            session, parcel, to=Holder.AUTHORITY, ref="authority", scan_id="late",
            by=the_county(session).agent_viewer(), at=TEN + timedelta(hours=5),
        )  # fmt: skip
        assert parcel_receipt(session, OPERATOR, parcel.waybill).waiting == 1
        assert transparency_log.publish(session, at=TEN + timedelta(hours=9)) == 1
        assert parcel_receipt(session, OPERATOR, parcel.waybill).waiting == 0


def test_a_receipt_is_for_who_may_see_the_envelope_and_says_when_there_is_none_yet(
    county_sessions: sessionmaker[Session],
) -> None:
    with county_sessions.begin() as session:
        county = the_county(session)
        case, _ = a_prescreened_case(county)
        parcel = steps.hand_in(session, case, by=county.agent_viewer(), at=TEN, scan_id="counter")
        with pytest.raises(Refused):
            parcel_receipt(session, OPERATOR, parcel.waybill)
        with pytest.raises(NotFound):
            parcel_receipt(session, Actor(Role.ENTERPRISE, enterprise_id=987_654), parcel.waybill)
        with pytest.raises(Refused):
            log_consistency(session, 1, 2)


@pytest.mark.parametrize("table", ["custody_leaf", "custody_checkpoint"])
@pytest.mark.parametrize("what", ["DELETE FROM {}", "UPDATE {} SET {}"])
def test_the_database_refuses_to_change_the_log(logged: sessionmaker[Session], table: str, what: str) -> None:
    column = {"custody_leaf": "leaf_hash = ''", "custody_checkpoint": "root = ''"}[table]
    with pytest.raises(DBAPIError, match="append-only"), logged.begin() as session:
        session.execute(text(what.format(table, column)))


@pytest.mark.parametrize(
    ("statements", "reason"),
    [
        (["UPDATE handover SET by = 'account:9' WHERE id = (SELECT handover_id FROM custody_leaf WHERE position = 4)"],
         "gone or changed"),
        (["DELETE FROM custody_leaf WHERE position = 4"], "missing"),
        (["UPDATE custody_leaf SET position = 99 WHERE position = 4",
          "UPDATE custody_leaf SET position = 4 WHERE position = 5",
          "UPDATE custody_leaf SET position = 5 WHERE position = 99"], "another log"),
        (["UPDATE custody_checkpoint SET root = sha256('x') WHERE size = 6"], "another log"),
        (["UPDATE custody_checkpoint SET at = at - interval '1 day' WHERE size = 6"], "another log"),
        (["DELETE FROM custody_leaf WHERE position = 5"], "another log"),
    ],
    ids=["a handover", "a leaf", "the order", "a root", "the moment", "the tail"],
)  # fmt: skip
def test_what_the_databases_owner_rewrites_shows(
    logged: sessionmaker[Session], statements: list[str], reason: str
) -> None:
    tables = ("handover", "custody_leaf", "custody_checkpoint")
    with logged.begin() as session:
        for table in tables:
            session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        for statement in statements:
            session.execute(text(statement))
        for table in tables:
            session.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))
    with logged() as session:
        assert reason in str(next(transparency_log.verify_log(session)))
