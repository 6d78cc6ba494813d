"""Proofs (交接凭证): what a handover at the door is shown by, and how strictly each leg asks for it."""

from collections.abc import Collection, Iterable, Mapping
from enum import IntEnum, StrEnum
from types import MappingProxyType

from dispatch.custody.parcel import Leg


class Proof(StrEnum):
    """A code that only the enterprise has (验证码), a checked identity, an inspection (验视), a signature, a photo."""

    CODE = "code"
    IDENTITY = "identity"
    INSPECTION = "inspection"
    SIGNATURE = "signature"
    PHOTO = "photo"


class ProofLevel(IntEnum):
    """OFF is not asked for, OPTIONAL may be given, WARN is asked for once more, REQUIRED is refused without."""

    OFF = 0
    OPTIONAL = 1
    WARN = 2
    REQUIRED = 3


MISSING = {
    Proof.CODE: "请输入企业提供的验证码",
    Proof.IDENTITY: "投递前请核验收件人身份证件",
    Proof.INSPECTION: "封装前请当面验视",
    Proof.SIGNATURE: "请交接人在屏幕上签名",
    Proof.PHOTO: "请拍一张交接照片",
}

# A line a leg; a proof that is not named is off. A photo never shows an identity card.
LEVELS: Mapping[Leg, Mapping[Proof, ProofLevel]] = MappingProxyType(
    {
        Leg.PICKUP: {
            Proof.CODE: ProofLevel.REQUIRED, Proof.INSPECTION: ProofLevel.REQUIRED,
            Proof.SIGNATURE: ProofLevel.OPTIONAL, Proof.PHOTO: ProofLevel.OPTIONAL,
        },
        Leg.DELIVERY: {
            Proof.CODE: ProofLevel.REQUIRED, Proof.IDENTITY: ProofLevel.REQUIRED,
            Proof.SIGNATURE: ProofLevel.WARN, Proof.PHOTO: ProofLevel.OPTIONAL,
        },
        Leg.EXCHANGE: {
            Proof.CODE: ProofLevel.REQUIRED, Proof.INSPECTION: ProofLevel.REQUIRED,
            Proof.SIGNATURE: ProofLevel.WARN, Proof.PHOTO: ProofLevel.OPTIONAL,
        },
        Leg.TRANSFER: {
            Proof.CODE: ProofLevel.REQUIRED, Proof.INSPECTION: ProofLevel.REQUIRED, Proof.PHOTO: ProofLevel.OPTIONAL,
        },
        Leg.COUNTER: {},
    }
)  # fmt: skip


def asked(legs: Iterable[Leg]) -> dict[Proof, ProofLevel]:
    """What one confirmation for parcels of these legs must show: for each proof its strictest level."""
    here = set(legs)
    return {
        proof: max((LEVELS[leg].get(proof, ProofLevel.OFF) for leg in here), default=ProofLevel.OFF) for proof in Proof
    }


def first_missing(legs: Iterable[Leg], given: Collection[Proof]) -> Proof | None:
    """The first required proof that was not given."""
    return next(
        (proof for proof, level in asked(legs).items() if level is ProofLevel.REQUIRED and proof not in given), None
    )
