"""Custody: who holds a parcel now, and everyone who held it before."""

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from db import Base, EncryptedText, keyed_hash
from dispatch.core.errors import AlreadyHeld, Refused, WrongStage


class Leg(StrEnum):
    """How a parcel travels: PICKUP 揽收, DELIVERY 投递, EXCHANGE 换件, COUNTER 窗口交接, TRANSFER 中心间流转."""

    PICKUP = "pickup"
    DELIVERY = "delivery"
    EXCHANGE = "exchange"
    COUNTER = "counter"
    TRANSFER = "transfer"


LEG_LABEL = {
    Leg.PICKUP: "上门揽收",
    Leg.DELIVERY: "上门投递",
    Leg.EXCHANGE: "换件",
    Leg.COUNTER: "窗口交接",
    Leg.TRANSFER: "中心间流转",
}


class ParcelState(StrEnum):
    """Where a parcel is; once HANDED_OVER 已交付 it may still be handed back."""

    BOOKED = "booked"
    ON_THE_WAY = "on_the_way"
    AT_CENTRE = "at_centre"
    WITH_AUTHORITY = "with_authority"
    HANDED_OVER = "handed_over"
    CANCELLED = "cancelled"


PARCEL_LABEL = {
    ParcelState.BOOKED: "已预约",
    ParcelState.ON_THE_WAY: "在途",
    ParcelState.AT_CENTRE: "在中心",
    ParcelState.WITH_AUTHORITY: "在审批部门",
    ParcelState.HANDED_OVER: "已交付",
    ParcelState.CANCELLED: "已取消",
}

NEXT_PARCEL: dict[ParcelState, frozenset[ParcelState]] = {
    ParcelState.BOOKED: frozenset({ParcelState.ON_THE_WAY, ParcelState.AT_CENTRE, ParcelState.CANCELLED}),
    ParcelState.ON_THE_WAY: frozenset({ParcelState.AT_CENTRE, ParcelState.HANDED_OVER, ParcelState.BOOKED}),
    ParcelState.AT_CENTRE: frozenset(
        {ParcelState.WITH_AUTHORITY, ParcelState.ON_THE_WAY, ParcelState.HANDED_OVER, ParcelState.BOOKED}
    ),
    ParcelState.WITH_AUTHORITY: frozenset({ParcelState.AT_CENTRE, ParcelState.HANDED_OVER}),
    ParcelState.HANDED_OVER: frozenset({ParcelState.ON_THE_WAY, ParcelState.AT_CENTRE}),
    ParcelState.CANCELLED: frozenset(),
}


class Holder(StrEnum):
    """Who can hold papers."""

    ENTERPRISE = "enterprise"
    COURIER = "courier"
    CENTRE = "centre"
    AUTHORITY = "authority"
    TRUNK = "trunk"


HOLDER_LABEL = {
    Holder.ENTERPRISE: "企业",
    Holder.COURIER: "邮政揽投员",
    Holder.CENTRE: "政务服务中心",
    Holder.AUTHORITY: "审批部门",
    Holder.TRUNK: "邮政干线",
}

_STATE_WITH = {
    Holder.ENTERPRISE: ParcelState.HANDED_OVER,
    Holder.COURIER: ParcelState.ON_THE_WAY,
    Holder.TRUNK: ParcelState.ON_THE_WAY,
    Holder.CENTRE: ParcelState.AT_CENTRE,
    Holder.AUTHORITY: ParcelState.WITH_AUTHORITY,
}


class Payer(StrEnum):
    """Who pays EMS for a leg: the government by default, else sender or receiver, shown before booking."""

    GOVERNMENT = "government"
    SENDER = "sender"
    RECEIVER = "receiver"


PAYER_LABEL = {Payer.GOVERNMENT: "政府付费", Payer.SENDER: "寄件人付费", Payer.RECEIVER: "收件人付费"}


class Parcel(Base):
    """An envelope of papers under one waybill (邮件号), its leg, and the head of its chain of custody."""

    __tablename__ = "parcel"

    id: Mapped[int] = mapped_column(primary_key=True)
    waybill: Mapped[str] = mapped_column(unique=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("dispatch_case.id"), index=True)
    leg: Mapped[Leg]
    state: Mapped[ParcelState] = mapped_column(default=ParcelState.BOOKED, index=True)
    stop_id: Mapped[int | None] = mapped_column(ForeignKey("stop.id"), index=True)
    centre_id: Mapped[int | None] = mapped_column(ForeignKey("service_centre.id"))
    to_centre_id: Mapped[int | None] = mapped_column(ForeignKey("service_centre.id"))
    contents: Mapped[list[Any]] = mapped_column(default=list)
    pieces: Mapped[int] = mapped_column(default=1)
    grams: Mapped[int] = mapped_column(default=200)
    seal_no: Mapped[str | None]
    inspected: Mapped[bool] = mapped_column(default=False)
    declared_value_cents: Mapped[int | None]
    payer: Mapped[Payer] = mapped_column(default=Payer.GOVERNMENT)
    person: Mapped[str | None] = mapped_column(EncryptedText)
    recipient_id: Mapped[int | None] = mapped_column(ForeignKey("authorised_recipient.id"))
    code: Mapped[str | None] = mapped_column(EncryptedText)
    code_hash: Mapped[bytes | None]
    code_tries: Mapped[int] = mapped_column(default=0)
    holder: Mapped[Holder]
    holder_ref: Mapped[str] = mapped_column(default="")
    chain_length: Mapped[int] = mapped_column(default=0)
    chain_head: Mapped[bytes] = mapped_column(default=b"")
    created_at: Mapped[datetime]
    moved_at: Mapped[datetime | None]

    handovers: Mapped[list["Handover"]] = relationship(order_by="Handover.seq", back_populates="parcel")

    def hand_over(
        self,
        *,
        to: Holder,
        ref: str,
        scan_id: str,
        at: datetime,
        device_at: datetime | None = None,
        by: str,
        action: str = "handover",
        proofs: Sequence[str] = (),
    ) -> "Handover":
        """Append one link. The same scan twice gives the first link back; AlreadyHeld when nothing would change.

        ``ref``, ``by``: ids such as ``courier:7``, never names: erasure of a person must break nothing.
        ``proofs``: SHA-256 digests (hex) of a photo, a signature, a checked code."""
        for link in self.handovers:
            if link.scan_id == scan_id:
                return link
        if action != "undo" and (self.holder, self.holder_ref) == (to, ref):
            raise AlreadyHeld(f"parcel {self.waybill} is already with {to} {ref}")
        state = _STATE_WITH[to]
        if action == "undo" and self.chain_length == 1:
            state = ParcelState.BOOKED
        if action != "undo" and state is not self.state and state not in NEXT_PARCEL[self.state]:
            raise WrongStage(f"parcel {self.waybill} is {self.state}, {state} may not follow", waybill=self.waybill)
        link = Handover(
            seq=self.chain_length + 1,
            scan_id=scan_id,
            action=action,
            from_holder=self.holder,
            from_ref=self.holder_ref,
            to_holder=to,
            to_ref=ref,
            at=at,
            device_at=device_at,
            by=by,
            proofs=sorted(proofs),
            previous=self.chain_head,
        )
        link.digest = digest_of(self.waybill, link)
        self.handovers.append(link)
        self.holder, self.holder_ref, self.state, self.moved_at = to, ref, state, at
        self.chain_length, self.chain_head = link.seq, link.digest
        return link

    def undo(self, link: "Handover", *, scan_id: str, at: datetime, by: str) -> "Handover":
        """A compensating link: the papers are again with who had them. The first link stays for ever."""
        if link.seq != self.chain_length:
            raise Refused(
                f"parcel {self.waybill}: only the latest handover can be undone", user_message="只能撤销最近一次交接"
            )
        return self.hand_over(to=link.from_holder, ref=link.from_ref, scan_id=scan_id, at=at, by=by, action="undo")

    def cancel(self) -> None:
        """The leg will not be travelled: only while the papers have not moved."""
        if ParcelState.CANCELLED not in NEXT_PARCEL[self.state]:
            raise WrongStage(f"parcel {self.waybill} is {self.state} and cannot be cancelled")
        self.state = ParcelState.CANCELLED

    def set_code(self, code: str) -> None:
        """The pickup or delivery code: kept hashed for the check, encrypted until it was used."""
        self.code, self.code_hash, self.code_tries = code, code_digest(self.waybill, code), 0

    def check_code(self, code: str) -> str:
        """The digest that proves a right code. Raises Refused for a wrong one, and after five tries for any."""
        if self.code_hash is None:
            raise Refused(f"parcel {self.waybill} has no code", user_message="该件没有有效的验证码")
        if self.code_tries >= 5:
            raise Refused(f"parcel {self.waybill}: too many tries", user_message="验证码错误次数过多，请联系代办员重发")
        if not hmac.compare_digest(self.code_hash, code_digest(self.waybill, code.strip())):
            self.code_tries += 1
            raise Refused(
                f"parcel {self.waybill}: wrong code", user_message="验证码不对，请核对后再输", tries=self.code_tries
            )
        return hashlib.sha256(self.code_hash).hexdigest()

    def erase_code(self) -> None:
        """After use nobody can read the code any more."""
        self.code = None

    @property
    def is_out(self) -> bool:
        """Whether papers have left the enterprise and are not home yet."""
        return self.state in {ParcelState.ON_THE_WAY, ParcelState.AT_CENTRE, ParcelState.WITH_AUTHORITY}


def scan_with(session: Session, scan_id: str) -> "Handover | None":
    """The handover that this scan became, of whichever parcel."""
    return session.scalar(select(Handover).where(Handover.scan_id == scan_id))


def code_digest(waybill: str, code: str) -> bytes:
    """The stored form of a code: keyed, and bound to its parcel."""
    return keyed_hash(f"code:{waybill}:{code}")


class Handover(Base):
    """One link of a chain of custody. The table refuses UPDATE and DELETE (a trigger of the migrations)."""

    __tablename__ = "handover"
    __table_args__ = (UniqueConstraint("parcel_id", "seq"), UniqueConstraint("scan_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    parcel_id: Mapped[int] = mapped_column(ForeignKey("parcel.id"))
    seq: Mapped[int]
    scan_id: Mapped[str]
    action: Mapped[str]
    from_holder: Mapped[Holder]
    from_ref: Mapped[str]
    to_holder: Mapped[Holder]
    to_ref: Mapped[str]
    at: Mapped[datetime]
    device_at: Mapped[datetime | None]
    by: Mapped[str]
    proofs: Mapped[list[Any]]
    previous: Mapped[bytes]
    digest: Mapped[bytes]
    parcel: Mapped[Parcel] = relationship(back_populates="handovers")


def digest_of(waybill: str, link: Handover) -> bytes:
    """SHA-256 over canonical JSON: sorted keys, no spaces, UTC microseconds, the previous digest inside."""
    plain = {
        "waybill": waybill,
        "seq": link.seq,
        "scan_id": link.scan_id,
        "action": link.action,
        "from": [link.from_holder.value, link.from_ref],
        "to": [link.to_holder.value, link.to_ref],
        "at": _microseconds(link.at),
        "device_at": None if link.device_at is None else _microseconds(link.device_at),
        "by": link.by,
        "proofs": list(link.proofs),
        "previous": bytes(link.previous).hex(),
    }
    line = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(line.encode()).digest()


def _microseconds(moment: datetime) -> int:
    delta = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


@dataclass(frozen=True, slots=True)
class BadLink:
    """The first place where a chain does not verify."""

    waybill: str
    seq: int
    reason: str

    def __str__(self) -> str:
        return f"{self.waybill} link {self.seq}: {self.reason}"


def first_bad_link(parcel: Parcel, links: Iterable[Handover]) -> BadLink | None:
    """Re-derive a whole chain from its rows; None when it is sound."""
    previous, holder, seq = b"", None, 0
    for seq, link in enumerate(links, start=1):
        if link.seq != seq:
            return BadLink(parcel.waybill, seq, f"a row is missing or out of order: found {link.seq}")
        if bytes(link.previous) != previous:
            return BadLink(parcel.waybill, seq, "it does not follow from the link before")
        if digest_of(parcel.waybill, link) != bytes(link.digest):
            return BadLink(parcel.waybill, seq, "its content was changed")
        if holder is not None and (link.from_holder, link.from_ref) != holder:
            return BadLink(parcel.waybill, seq, "the papers were with somebody else")
        previous, holder = bytes(link.digest), (link.to_holder, link.to_ref)
    if seq < parcel.chain_length:
        return BadLink(parcel.waybill, seq + 1, f"the tail is cut: {parcel.chain_length} links were recorded")
    if seq > parcel.chain_length:
        return BadLink(parcel.waybill, parcel.chain_length + 1, "a link was added behind the recorded head")
    if previous != bytes(parcel.chain_head):
        return BadLink(parcel.waybill, seq, "the recorded head is another one")
    return None


class CustodyAnchor(Base):
    """A day's digest over every parcel's head and length: a chain cut together with its parcel row shows here."""

    __tablename__ = "custody_anchor"

    on: Mapped[date] = mapped_column(primary_key=True)
    up_to_parcel_id: Mapped[int]
    links: Mapped[int]
    heads: Mapped[dict[str, Any]]
    previous: Mapped[bytes]
    digest: Mapped[bytes]
    made_at: Mapped[datetime]


def _anchor_digest(on: date, heads: dict[str, Any], previous: bytes) -> bytes:
    plain = json.dumps([on.isoformat(), heads, bytes(previous).hex()], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(plain.encode()).digest()


def anchor(session: Session, *, on: date, at: datetime) -> CustodyAnchor:
    """Record the heads of the chains that moved since the last anchor. Once a day; a second call changes nothing."""
    if existing := session.get(CustodyAnchor, on):
        return existing
    last = session.scalars(select(CustodyAnchor).order_by(CustodyAnchor.on.desc()).limit(1)).first()
    moved = select(Parcel.waybill, Parcel.chain_length, Parcel.chain_head, Parcel.id).where(Parcel.chain_length > 0)
    if last is not None:
        moved = moved.where(Parcel.moved_at >= last.made_at)
    rows = session.execute(moved.order_by(Parcel.id)).all()
    heads = {row.waybill: [row.chain_length, bytes(row.chain_head).hex()] for row in rows}
    previous = b"" if last is None else bytes(last.digest)
    row = CustodyAnchor(
        on=on,
        up_to_parcel_id=max((r.id for r in rows), default=0),
        links=sum(r.chain_length for r in rows),
        heads=heads,
        previous=previous,
        digest=_anchor_digest(on, heads, previous),
        made_at=at,
    )
    session.add(row)
    session.flush()
    return row


def verify(session: Session, waybills: Sequence[str] = ()) -> Iterator[BadLink]:
    """The first bad link of each chain that does not verify, and anchors that no chain explains any more."""
    query = select(Parcel).order_by(Parcel.id)
    if waybills:
        query = query.where(Parcel.waybill.in_(waybills))
    for parcel in session.scalars(query.execution_options(yield_per=500)):
        links = session.scalars(
            select(Handover).where(Handover.parcel_id == parcel.id).order_by(Handover.seq, Handover.id)
        )
        if bad := first_bad_link(parcel, links):
            yield bad
    if not waybills:
        yield from _verify_anchors(session)


def unknown_waybills(session: Session, waybills: Sequence[str]) -> list[str]:
    """Those of ``waybills`` that no parcel bears, each once, in their order."""
    known = set(session.scalars(select(Parcel.waybill).where(Parcel.waybill.in_(waybills))))
    return [waybill for waybill in dict.fromkeys(waybills) if waybill not in known]


def _verify_anchors(session: Session) -> Iterator[BadLink]:
    previous = b""
    for row in session.scalars(select(CustodyAnchor).order_by(CustodyAnchor.on)):
        if bytes(row.previous) != previous or _anchor_digest(row.on, row.heads, previous) != bytes(row.digest):
            yield BadLink(f"anchor {row.on}", 0, "the day's anchor was changed, or one before it removed")
        previous = bytes(row.digest)
        known = dict(
            session.execute(
                select(Parcel.waybill, Handover.digest)
                .join(Handover, Handover.parcel_id == Parcel.id)
                .where(
                    text("(parcel.waybill, handover.seq) IN (SELECT key, (value->>0)::int FROM jsonb_each(:heads))")
                ),
                {"heads": json.dumps(row.heads)},
            ).all()
        )
        for waybill, (length, head) in row.heads.items():
            if bytes(known.get(waybill, b"")).hex() != head:
                yield BadLink(waybill, length, f"the anchor of {row.on} recorded this link, it is gone or changed")


class Direction(StrEnum):
    """Which way a batch goes: OUT 交邮政, IN 交中心."""

    OUT = "out"
    IN = "in"


class HandoverList(Base):
    """A handover list (交接清单) per batch: numbered, both sides sign, a difference refuses its line only."""

    __tablename__ = "handover_list"
    __table_args__ = (Index("ix_handover_list_centre_id_on", "centre_id", "on"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    list_no: Mapped[str] = mapped_column(unique=True)
    centre_id: Mapped[int] = mapped_column(ForeignKey("service_centre.id"))
    courier_id: Mapped[int | None] = mapped_column(ForeignKey("courier.id"))
    on: Mapped[date]
    batch: Mapped[str]
    direction: Mapped[Direction]
    made_at: Mapped[datetime]
    centre_signed_at: Mapped[datetime | None]
    courier_signed_at: Mapped[datetime | None]
    lines: Mapped[list["HandoverLine"]] = relationship(order_by="HandoverLine.position", back_populates="list")

    @property
    def is_signed(self) -> bool:
        return self.centre_signed_at is not None and self.courier_signed_at is not None


class HandoverLine(Base):
    """One parcel on a handover list; refused with a difference, or passed when both have signed."""

    __tablename__ = "handover_line"
    __table_args__ = (UniqueConstraint("list_id", "parcel_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("handover_list.id"))
    position: Mapped[int]
    parcel_id: Mapped[int] = mapped_column(ForeignKey("parcel.id"))
    difference: Mapped[str | None] = mapped_column(Text)
    list: Mapped[HandoverList] = relationship(back_populates="lines")
    parcel: Mapped[Parcel] = relationship()


_S10_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)


def s10_check_digit(serial: str) -> int:
    """The check digit of UPU standard S10 over eight digits."""
    total = sum(weight * int(digit) for weight, digit in zip(_S10_WEIGHTS, serial, strict=True))
    digit = 11 - total % 11
    return {10: 0, 11: 5}.get(digit, digit)


def waybill_from(serial: int) -> str:
    """A domestic EMS number in S10 form, ``EA########nCN``."""
    digits = f"{serial % 100_000_000:08d}"
    return f"EA{digits}{s10_check_digit(digits)}CN"


def check_waybill(written: str) -> str:
    """The waybill as it is stored. Raises Refused for a mistyped one (S10 has a check digit, 13 digits have none)."""
    waybill = written.strip().upper().replace(" ", "")
    if len(waybill) == 13 and waybill.isascii() and waybill.isdigit():
        return waybill
    fits = len(waybill) == 13 and waybill.isascii()
    fits = fits and waybill[:2].isalpha() and waybill[2:11].isdigit() and waybill[11:].isalpha()
    if not fits:
        raise Refused(f"{waybill!r} is not a waybill", user_message="邮件号格式不对：应为13位，如 EA123456785CN")
    if int(waybill[10]) != s10_check_digit(waybill[2:10]):
        raise Refused(f"{waybill}: the check digit is wrong", user_message="邮件号校验位不对，请核对后再输")
    return waybill
