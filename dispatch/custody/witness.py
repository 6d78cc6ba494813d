"""Witnesses (见证方): who signs a checkpoint too, once the log was seen to go on from what it was before.

The form is C2SP's tlog-cosignature: Ed25519 over ``cosignature/v1``, a moment and the checkpoint's text. A witness
keeps what it signed last: a log that shows two people two histories gets its signature under one of them only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from dispatch.custody.merkle import is_consistent
from dispatch.custody.signed_note import BadNote, Checkpoint, NoteKey, checkpoint_of, read_note

COSIGNATURE = b"\x04"


class SplitView(Exception):
    """The log shows another history than the one that was signed before."""


@dataclass(frozen=True, slots=True)
class Witness:
    """A name and a private key that nobody else has."""

    name: str
    private: Ed25519PrivateKey

    @property
    def key(self) -> NoteKey:
        """What verifiers know of it."""
        return NoteKey(self.name, COSIGNATURE, self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    def cosign(
        self, note: str, log: NoteKey, *, seen: Checkpoint | None, proof: Sequence[bytes], at: datetime
    ) -> tuple[Checkpoint, str]:
        """The checkpoint, and this witness's line under it. ``proof``: from ``seen`` to it (RFC 9162, 2.1.4).

        Raises BadNote for what the log did not sign, SplitView for a log that does not go on from ``seen``."""
        checkpoint = checkpoint_of(note, log)
        if seen is not None and not is_consistent(seen.size, seen.root, checkpoint.size, checkpoint.root, proof):
            raise SplitView(f"the log of {checkpoint.size} does not begin with the log of {seen.size} that was signed")
        moment = int(at.timestamp())
        signature = self.private.sign(_message(read_note(note)[0], moment))
        return checkpoint, self.key.signature_line(moment.to_bytes(8, "big") + signature)


def cosigned_at(witness: NoteKey, note: str, lines: Sequence[str]) -> datetime | None:
    """When this witness signed the note; None where it has no line. Raises BadNote for a line that does not fit."""
    found = witness.signature_in(lines)
    if found is None:
        return None
    moment = int.from_bytes(found[:8], "big")
    witness.check(found[8:], _message(read_note(note)[0], moment))
    try:
        return datetime.fromtimestamp(moment, UTC)
    except (ValueError, OverflowError, OSError):
        raise BadNote("a moment that no clock tells") from None


def _message(text: str, moment: int) -> bytes:
    return f"cosignature/v1\ntime {moment}\n{text}".encode()
