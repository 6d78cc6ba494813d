"""Parcels: papers under one waybill, who holds them now, and the code that hands them over."""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db import Base, EncryptedText, keyed_hash
from dispatch.core.errors import AlreadyHeld, Refused, WrongStage
from dispatch.custody.handover import Handover, Holder, digest_of


class Leg(StrEnum):
    """How a parcel travels: PICKUP 揽收, DELIVERY 投递, EXCHANGE 换件, COUNTER 窗口交接, TRANSFER 中心间流转."""

    PICKUP = "pickup"
    DELIVERY = "delivery"
    EXCHANGE = "exchange"
    COUNTER = "counter"
    TRANSFER = "transfer"


INWARD = frozenset({Leg.PICKUP, Leg.EXCHANGE, Leg.TRANSFER})
"""Legs whose papers a courier takes along from the door."""

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
    ParcelState.CANCELLED: frozenset({ParcelState.BOOKED}),  # its failed attempt was none
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


MOST_CODE_TRIES = 5
"""After so many wrong codes no code opens a parcel: the agent sends a new one."""


class RetiredCode(Refused):
    """A code that was told to a wrong number before the contact was corrected."""

    user_message = "联系人已更正，此码作废；新码已发到正确的号码，请收件人查看"


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
    retired_code_hash: Mapped[bytes | None]
    """The code before this one: a wrong number was told it, and it opens nothing."""
    code_tries: Mapped[int] = mapped_column(default=0)
    holder: Mapped[Holder]
    holder_ref: Mapped[str] = mapped_column(default="")
    chain_length: Mapped[int] = mapped_column(default=0)
    chain_head: Mapped[bytes] = mapped_column(default=b"")
    created_at: Mapped[datetime]
    moved_at: Mapped[datetime | None]

    handovers: Mapped[list[Handover]] = relationship(order_by=Handover.seq)

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
    ) -> Handover:
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

    def undo(self, link: Handover, *, scan_id: str, at: datetime, by: str) -> Handover:
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

    def book_again(self) -> None:
        """The leg is travelled after all: what had cancelled it did not happen."""
        if self.state is not ParcelState.CANCELLED:
            raise WrongStage(f"parcel {self.waybill} is {self.state} and was not cancelled")
        self.state = ParcelState.BOOKED

    def set_code(self, code: str) -> None:
        """The pickup or delivery code: kept hashed for the check, encrypted until it was used."""
        self.code, self.code_hash, self.code_tries = code, code_digest(self.waybill, code), 0

    def retire_code(self, code: str) -> None:
        """``code`` from now on. The one that was told by mistake opens nothing, and is known where somebody says it."""
        self.retired_code_hash = self.code_hash
        self.set_code(code)

    def check_code(self, code: str) -> str:
        """The digest that proves a right code. Raises Refused for a wrong one, and after five tries for any."""
        if self.code_hash is None:
            raise Refused(f"parcel {self.waybill} has no code", user_message="该件没有有效的验证码")
        if self.code_tries >= MOST_CODE_TRIES:
            raise Refused(f"parcel {self.waybill}: too many tries", user_message="验证码错误次数过多，请联系代办员重发")
        said = code_digest(self.waybill, code.strip())
        if not hmac.compare_digest(self.code_hash, said):
            if self.retired_code_hash is not None and hmac.compare_digest(self.retired_code_hash, said):
                raise RetiredCode(f"parcel {self.waybill}: a code that a wrong number was told")
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


def code_digest(waybill: str, code: str) -> bytes:
    """The stored form of a code: keyed, and bound to its parcel."""
    return keyed_hash(f"code:{waybill}:{code}")
