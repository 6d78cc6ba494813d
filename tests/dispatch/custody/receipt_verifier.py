"""A stranger's verifier of receipts, written from docs/custody-receipts.md alone: it imports nothing of the program."""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

LATE = timedelta(days=3)


class Wrong(Exception):
    """What does not fit, in one word: key, changed, deleted, reordered, backdated, split."""


@dataclass(frozen=True)
class Note:
    """A checkpoint whose signature was checked."""

    size: int
    root: bytes
    at: datetime


def sha(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def read_note(note: str, key: str) -> Note:
    """A signed checkpoint. Raises Wrong."""
    origin, named, encoded = key.split("+", 2)
    typed = base64.b64decode(encoded)
    text, _, signed = note.partition("\n\n")
    text += "\n"
    first, size, root, moment = text.rstrip("\n").split("\n")
    dash, signer, blob = signed.rstrip("\n").split(" ")
    signature = base64.b64decode(blob)
    key_id = sha(origin.encode(), b"\n", typed)[:4]
    if (dash, first, signer) != ("—", origin, origin) or key_id.hex() != named or signature[:4] != key_id:
        raise Wrong("key")
    try:
        Ed25519PublicKey.from_public_bytes(typed[1:]).verify(signature[4:], text.encode())
    except InvalidSignature:
        raise Wrong("changed") from None
    at = datetime.strptime(moment, "time %Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    return Note(int(size), base64.b64decode(root), at)


def root_from(line: bytes, position: int, size: int, proof: Sequence[bytes]) -> bytes:
    """RFC 9162, 2.1.3.2."""
    if position >= size:
        raise Wrong("changed")
    fn, sn, r = position, size - 1, sha(b"\x00", line)
    for p in proof:
        if sn == 0:
            raise Wrong("changed")
        if fn & 1 or fn == sn:
            r = sha(b"\x01", p, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = sha(b"\x01", r, p)
        fn, sn = fn >> 1, sn >> 1
    if sn:
        raise Wrong("changed")
    return r


def check_consistency(old: Note, new: Note, proof: Sequence[bytes]) -> None:
    """RFC 9162, 2.1.4.2. Raises Wrong("split")."""
    if old.size == new.size:
        if old.root != new.root or proof:
            raise Wrong("split")
        return
    if old.size > new.size or not proof:
        raise Wrong("split")
    path = list(proof)
    if old.size & (old.size - 1) == 0:
        path.insert(0, old.root)
    fn, sn = old.size - 1, new.size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        if sn == 0:
            raise Wrong("split")
        if fn & 1 or fn == sn:
            fr, sr = sha(b"\x01", c, fr), sha(b"\x01", c, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = sha(b"\x01", sr, c)
        fn, sn = fn >> 1, sn >> 1
    if (fr, sr, sn) != (old.root, new.root, 0):
        raise Wrong("split")


def check_receipt(receipt: dict[str, Any], key: str, kept: Sequence[Note] = ()) -> Note:
    """Everything that the page says; ``kept``: checkpoints that the reader noted before. Raises Wrong."""
    note = read_note(receipt["checkpoint"], key)
    before: dict[str, Any] = {}
    digest = ""
    for one in receipt["handovers"]:
        line = one["line"].encode("ascii")
        if root_from(line, one["position"], note.size, [bytes.fromhex(h) for h in one["proof"]]) != note.root:
            raise Wrong("changed")
        said = json.loads(line)
        _check_order(said, before, digest, receipt["waybill"])
        earlier = [checkpoint for checkpoint in kept if checkpoint.size <= one["position"]]
        if one["logged_after"] is not None:
            after = read_note(one["logged_after"], key)
            if after.size > one["position"]:
                raise Wrong("changed")
            earlier.append(after)
        happened = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=said["at"])
        if any(happened + LATE < checkpoint.at for checkpoint in earlier):
            raise Wrong("backdated")
        before, digest = said, hashlib.sha256(line).hexdigest()
    return note


def _check_order(said: dict[str, Any], before: dict[str, Any], digest: str, waybill: str) -> None:
    wanted = before.get("seq", 0) + 1
    if said["waybill"] != waybill:
        raise Wrong("changed")
    if said["seq"] > wanted:
        raise Wrong("deleted")
    if said["seq"] < wanted:
        raise Wrong("reordered")
    if said["previous"] != digest or (before and said["from"] != before["to"]):
        raise Wrong("changed")
