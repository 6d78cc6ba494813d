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
    """What does not fit, in one word: key, changed, deleted, reordered, backdated, split, unwitnessed."""


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
    text, signature, typed = _signature(note, key)
    first, size, root, moment = text.rstrip("\n").split("\n")
    if signature is None or first != key.split("+")[0] or typed[:1] != b"\x01":
        raise Wrong("key")
    _check(typed, signature, text.encode(), "changed")
    at = datetime.strptime(moment, "time %Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    return Note(int(size), base64.b64decode(root), at)


def witnessed(note: str, keys: Sequence[str], *, least: int) -> list[str]:
    """The names of the witnesses who signed this note. Raises Wrong("unwitnessed") for fewer than ``least``."""
    names = []
    for key in keys:
        text, signed, typed = _signature(note, key)
        if signed is None or typed[:1] != b"\x04":
            continue
        moment = int.from_bytes(signed[:8], "big")
        _check(typed, signed[8:], f"cosignature/v1\ntime {moment}\n{text}".encode(), "unwitnessed")
        names.append(key.split("+")[0])
    if len(names) < least:
        raise Wrong("unwitnessed")
    return names


def _signature(note: str, key: str) -> tuple[str, bytes | None, bytes]:
    """The signed text, what the key's line holds behind the key id, and the key with its type byte."""
    name, named, encoded = key.split("+", 2)
    typed = base64.b64decode(encoded)
    key_id = sha(name.encode(), b"\n", typed)[:4]
    if key_id.hex() != named:
        raise Wrong("key")
    text, _, lines = note.partition("\n\n")
    for line in lines.splitlines():
        dash, signer, blob = line.split(" ")
        if (dash, signer) == ("—", name) and base64.b64decode(blob)[:4] == key_id:
            return text + "\n", base64.b64decode(blob)[4:], typed
    return text + "\n", None, typed


def _check(typed: bytes, signature: bytes, message: bytes, wrong: str) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(typed[1:]).verify(signature, message)
    except InvalidSignature:
        raise Wrong(wrong) from None


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
