"""Proofs: every leg says how strictly each is asked for; a confirmation for several parcels asks for the strictest."""

import pytest

from dispatch.custody.parcel import Leg
from dispatch.custody.proofs import LEVELS, MISSING, Proof, ProofLevel, asked, first_missing


def test_every_leg_has_its_line_and_every_proof_its_words():
    assert set(LEVELS) == set(Leg)
    assert set(MISSING) == set(Proof)


def test_one_confirmation_for_several_parcels_asks_for_the_strictest():
    both = asked([Leg.PICKUP, Leg.DELIVERY])
    assert both[Proof.IDENTITY] is both[Proof.INSPECTION] is ProofLevel.REQUIRED
    assert both[Proof.SIGNATURE] is ProofLevel.WARN
    assert set(asked([]).values()) == {ProofLevel.OFF}


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        (set(), Proof.CODE),
        ({Proof.CODE}, Proof.IDENTITY),
        ({Proof.CODE, Proof.IDENTITY}, None),  # a signature is asked for on the phone, not insisted on
        (set(Proof), None),
    ],
)
def test_only_a_required_proof_is_missed(given: set[Proof], missing: Proof | None):
    assert first_missing([Leg.DELIVERY], given) is missing
