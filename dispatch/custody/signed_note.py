"""Checkpoints as signed notes: the size and root of the log at a moment, signed with Ed25519 (RFC 8032).

The text is that of C2SP's tlog-checkpoint and signed-note: an origin, a size, a root, here a moment, an empty line and
signature lines: the log's own first, then those of its witnesses."""

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from db import keyed_hash

ORIGIN = "daiban/custody/v1"
KEY_BYTES = 32
_ED25519 = b"\x01"
_MOMENT = "time %Y-%m-%dT%H:%M:%S.%fZ"


class BadNote(ValueError):
    """A note, a key or a signature line that is not one, or is not by whom it says."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log of ``size`` entries comes to, and when."""

    size: int
    root: bytes
    at: datetime

    def text(self) -> str:
        """The signed part, with the line end that closes it."""
        moment = self.at.astimezone(UTC).strftime(_MOMENT)
        return f"{ORIGIN}\n{self.size}\n{base64.b64encode(self.root).decode()}\n{moment}\n"


@dataclass(frozen=True, slots=True)
class NoteKey:
    """Who signs notes, as verifiers know it: a name, the kind of signature (a byte) and a public key."""

    name: str
    kind: bytes
    key: bytes

    @classmethod
    def parse(cls, line: str) -> "NoteKey":
        """Read ``name+key id+base64(kind, key)``. Raises BadNote."""
        name, _, rest = line.strip().partition("+")
        named, _, encoded = rest.partition("+")
        typed = _decoded(encoded)
        found = cls(name, typed[:1], typed[1:])
        if len(found.key) != KEY_BYTES or found.id.hex() != named or not name or not name.isprintable() or " " in name:
            raise BadNote("a key is name+key id+base64, and its id fits it")
        return found

    def line(self) -> str:
        """The text form that ``parse`` reads."""
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(self.kind + self.key).decode()}"

    @property
    def id(self) -> bytes:
        """The first four bytes of SHA-256 over name, line end, kind and key."""
        return hashlib.sha256(self.name.encode() + b"\n" + self.kind + self.key).digest()[:4]

    def signature_line(self, signature: bytes) -> str:
        """A line under a note."""
        return f"— {self.name} {base64.b64encode(self.id + signature).decode()}"

    def signature_in(self, lines: Iterable[str]) -> bytes | None:
        """What this key's line holds behind the key id; None where it has no line."""
        for line in lines:
            dash, name, blob = (*line.split(" "), "", "")[:3]
            if (dash, name) == ("—", self.name) and (signed := _decoded(blob))[:4] == self.id:
                return signed[4:]
        return None

    def check(self, signature: bytes, message: bytes) -> None:
        """Raises BadNote for a signature over anything else."""
        try:
            Ed25519PublicKey.from_public_bytes(self.key).verify(signature, message)
        except (InvalidSignature, ValueError) as error:
            raise BadNote(f"the signature of {self.name} does not fit") from error


def read_note(note: str) -> tuple[str, list[str]]:
    """A note's signed text and its signature lines."""
    text, _, signed = note.partition("\n\n")
    return text + "\n", signed.splitlines()


def checkpoint_of(note: str, log: NoteKey) -> Checkpoint:
    """What the log signed there. Raises BadNote."""
    text, signatures = read_note(note)
    signature = log.signature_in(signatures)
    if signature is None:
        raise BadNote(f"no signature of {log.name}")
    log.check(signature, text.encode())
    try:
        origin, size, root, moment, end = text.split("\n")
        found = Checkpoint(int(size), _decoded(root), datetime.strptime(moment, _MOMENT).replace(tzinfo=UTC))
    except ValueError as error:
        raise BadNote("a signed text that is no checkpoint") from error
    if (origin, end) != (log.name, "") or found.text() != text:
        raise BadNote("a checkpoint of another log")
    return found


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise BadNote("not base64") from None


def _private_key() -> Ed25519PrivateKey:
    """Derived from the index key, which is never rotated: there is no second file to lose."""
    return Ed25519PrivateKey.from_private_bytes(keyed_hash("custody checkpoints: Ed25519 seed"))


def log_key() -> NoteKey:
    """The key with which anybody checks a checkpoint."""
    return NoteKey(ORIGIN, _ED25519, _private_key().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))


def key_line() -> str:
    """The key as verifiers take it: origin, key id in hexadecimal, and type byte with key in base64."""
    return log_key().line()


def sign(checkpoint: Checkpoint) -> str:
    """The whole note, without witnesses."""
    text = checkpoint.text()
    return f"{text}\n{log_key().signature_line(_private_key().sign(text.encode()))}\n"
