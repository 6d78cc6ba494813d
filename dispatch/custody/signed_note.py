"""Checkpoints as signed notes: the size and root of the log at a moment, signed with Ed25519 (RFC 8032).

The text is that of C2SP's tlog-checkpoint and signed-note: an origin, a size, a root, here a moment, an empty line and
a signature line."""

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from db import keyed_hash

ORIGIN = "daiban/custody/v1"
_ED25519 = b"\x01"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log of ``size`` entries comes to, and when."""

    size: int
    root: bytes
    at: datetime

    def text(self) -> str:
        """The signed part, with the line end that closes it."""
        moment = self.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return f"{ORIGIN}\n{self.size}\n{base64.b64encode(self.root).decode()}\ntime {moment}\n"


def _private_key() -> Ed25519PrivateKey:
    """Derived from the index key, which is never rotated: there is no second file to lose."""
    return Ed25519PrivateKey.from_private_bytes(keyed_hash("custody checkpoints: Ed25519 seed"))


def public_key() -> bytes:
    """The 32 bytes with which anybody checks a checkpoint."""
    return _private_key().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def key_line() -> str:
    """The key as verifiers take it: origin, key id in hexadecimal, and type byte with key in base64."""
    key = public_key()
    return f"{ORIGIN}+{key_id(key).hex()}+{base64.b64encode(_ED25519 + key).decode()}"


def key_id(key: bytes) -> bytes:
    """The first four bytes of SHA-256 over origin, line end, type byte and key."""
    return hashlib.sha256(ORIGIN.encode() + b"\n" + _ED25519 + key).digest()[:4]


def sign(checkpoint: Checkpoint) -> str:
    """The whole note."""
    text = checkpoint.text()
    signature = key_id(public_key()) + _private_key().sign(text.encode())
    return f"{text}\n— {ORIGIN} {base64.b64encode(signature).decode()}\n"
