"""The key ring: the keys of encrypted columns, of look-up hashes and of session cookies, as a line of text."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


class BadKeys(ValueError):
    """The key file or DAIBAN_KEYS cannot be what it should be. The message is one line: which part, and what to do."""


class UnknownKey(LookupError):
    """A stored value names a key that the keyring does not hold."""


class Unreadable(ValueError):
    """A stored value is not what its key encrypted: it was damaged or moved."""


KEY_BYTES = 32


@dataclass(frozen=True)
class Keyring:
    """The encryption keys by id, the one in use, the key of look-up hashes, and the key of session cookies.

    The index key is never rotated: every look-up would be lost. The session key may be at any time."""

    keys: Mapping[str, bytes]
    current: str
    index: bytes
    session: bytes = b""

    @classmethod
    def parse(cls, line: str) -> "Keyring":
        """Read ``id=base64,…,index=base64,session=base64``: the first id encrypts, every id decrypts.

        Raises BadKeys. ``session`` alone may be missing: files of old have none."""
        parts = [part.strip() for part in line.replace("\n", ",").split(",") if part.strip()]
        if not parts:
            raise BadKeys("there are no keys: put back the copy of the key file")
        decoded = dict(_named_key(part) for part in parts)
        if len(decoded) < len(parts):
            raise BadKeys("a key stands there twice")
        index, session = decoded.pop("index", b""), decoded.pop("session", b"")
        if not index or not decoded:
            raise BadKeys("keys need at least one id=base64 pair and an index=base64 pair")
        return cls(keys=decoded, current=next(iter(decoded)), index=index, session=session)

    @classmethod
    def generate(cls) -> "Keyring":
        """A fresh keyring with one key."""
        fresh = [secrets.token_bytes(KEY_BYTES) for _ in range(3)]
        return cls(keys={"k1": fresh[0]}, current="k1", index=fresh[1], session=fresh[2])

    def line(self) -> str:
        """The text form that ``parse`` reads."""
        ordered = {self.current: self.keys[self.current], **self.keys, "index": self.index, "session": self.session}
        return ",".join(f"{name}={base64.urlsafe_b64encode(key).decode()}" for name, key in ordered.items() if key)

    def fingerprints(self) -> dict[str, str]:
        """A check value of each key that stored data rest on: it tells whether a key is the same, not what it is."""
        checked = {**self.keys, "index": self.index}
        return {name: hmac.new(key, b"daiban key check", hashlib.sha256).hexdigest() for name, key in checked.items()}

    def encrypt(self, plain: str) -> bytes:
        """``id NUL nonce ciphertext``: AES-256-GCM with the key's id as associated data."""
        nonce = secrets.token_bytes(12)
        name = self.current.encode()
        return name + b"\0" + nonce + AESGCM(self.keys[self.current]).encrypt(nonce, plain.encode(), name)

    def decrypt(self, stored: bytes) -> str:
        """The plain text. Raises UnknownKey or Unreadable."""
        name, _, rest = bytes(stored).partition(b"\0")
        key = self.keys.get(name.decode(errors="replace"))
        if key is None:
            raise UnknownKey(f"no key {name!r} in the keyring")
        try:
            return AESGCM(key).decrypt(rest[:12], rest[12:], name).decode()
        except InvalidTag as error:
            raise Unreadable("an encrypted value does not match its key") from error


def _named_key(part: str) -> tuple[str, bytes]:
    name, found, value = part.partition("=")
    if not found or not name.strip():
        raise BadKeys("a key is not written as name=base64: put back the copy of the key file")
    try:
        key = base64.b64decode(value.strip(), altchars=b"-_", validate=True)
    except ValueError:
        raise BadKeys(f"key {name} is cut short or not base64: put back the copy of the key file") from None
    if len(key) != KEY_BYTES:
        raise BadKeys(f"key {name} has {len(key)} bytes, {KEY_BYTES} are needed: put back the copy of the key file")
    return name.strip(), key
