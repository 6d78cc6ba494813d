"""A witness's own program, on its own machine: ``python -m dispatch.custody.witness_program new`` and ``sign``.

It reads the newest checkpoint over HTTP, checks that the log went on from what it signed last, keeps the new one, and
only then hands its line in. It needs no account, no database and no key of the log's owner."""

import argparse
import base64
import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dispatch.custody.signed_note import BadNote, Checkpoint, NoteKey, checkpoint_of
from dispatch.custody.witness import SplitView, Witness

PATIENCE_S = 20.0


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when signed or nothing is new, 1 when the log cannot be reached, 2 when it is not what it was: an alarm."""
    parser = argparse.ArgumentParser(prog="python -m dispatch.custody.witness_program", description=__doc__)
    does = parser.add_subparsers(dest="does", required=True)
    new = does.add_parser("new", help="make a key; prints the line that the log's owner and verifiers are given")
    new.add_argument("file", type=Path, help="where the key is kept; nobody else may read it")
    new.add_argument("name", help="such as ems.example/custody-witness")
    new.add_argument("log_key", help="the log's key, as its page or its window tells it")
    signing = does.add_parser("sign", help="sign the newest checkpoint; run it every few minutes")
    signing.add_argument("file", type=Path)
    signing.add_argument("url", help="such as https://daiban.example")
    options = parser.parse_args(arguments)
    try:
        return _new(options.file, options.name, options.log_key) if options.does == "new" else _sign(options)
    except (SplitView, BadNote) as error:
        print(f"NOT SIGNED: {error}", file=sys.stderr)
        return 2
    except (OSError, ValueError, requests.RequestException) as error:
        print(f"not signed: {type(error).__name__}: {error}", file=sys.stderr)
        return 1


def _new(file: Path, name: str, log_line: str) -> int:
    log = NoteKey.parse(log_line)
    witness = Witness(name, Ed25519PrivateKey.generate())
    NoteKey.parse(witness.key.line())  # a name that can stand in a note
    seed = base64.b64encode(witness.private.private_bytes_raw()).decode()
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as kept:
        json.dump({"name": name, "seed": seed, "log": log.line(), "seen": None}, kept)
    print(witness.key.line())
    return 0


def _sign(options: argparse.Namespace) -> int:
    file: Path = options.file
    kept: dict[str, Any] = json.loads(file.read_text("utf-8"))
    log = NoteKey.parse(kept["log"])
    witness = Witness(kept["name"], Ed25519PrivateKey.from_private_bytes(base64.b64decode(kept["seed"])))
    seen = None if kept["seen"] is None else checkpoint_of(kept["seen"], log)
    place = options.url.rstrip("/") + "/custody"
    with requests.Session() as http:
        note = _asked(http, f"{place}/checkpoint").text
        if not note:
            print("the log is empty")
            return 0
        if witness.key.signature_in(note.splitlines()) is not None:
            print("nothing is new")
            return 0
        proof = _proof(http, place, seen, checkpoint_of(note, log))
        checkpoint, line = witness.cosign(note, log, seen=seen, proof=proof, at=datetime.now(UTC))
        _keep(file, kept | {"seen": note})  # before anybody hears of it: it signs no second history
        answer = http.post(
            f"{place}/cosignatures", params={"size": checkpoint.size}, data=line.encode(), timeout=PATIENCE_S,
            headers={"Content-Type": "text/plain; charset=utf-8"},
        )  # fmt: skip
        answer.raise_for_status()
    print(f"signed the log of {checkpoint.size}")
    return 0


def _proof(http: requests.Session, place: str, seen: Checkpoint | None, checkpoint: Checkpoint) -> list[bytes]:
    """What joins the two; none where nothing was seen, the sizes are one, or the log went back, which is no history."""
    if seen is None or seen.size >= checkpoint.size:
        return []
    answer = _asked(http, f"{place}/consistency?first={seen.size}&second={checkpoint.size}")
    return [bytes.fromhex(one) for one in answer.json()["proof"]]


def _asked(http: requests.Session, url: str) -> requests.Response:
    answer = http.get(url, timeout=PATIENCE_S)
    answer.raise_for_status()
    return answer


def _keep(file: Path, content: dict[str, Any]) -> None:
    fresh = file.with_name(f"{file.name}.new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as kept:
        json.dump(content, kept)
        kept.flush()
        os.fsync(kept.fileno())
    fresh.replace(file)


if __name__ == "__main__":
    sys.exit(main())
