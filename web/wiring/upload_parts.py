"""Upload parts: a picture that comes in pieces over a poor line and goes on where it stopped."""

from pathlib import Path
from uuid import UUID

from werkzeug.exceptions import RequestEntityTooLarge

from dispatch.core.actor import Actor
from web.wiring import files
from web.wiring.kept_uploads import note_upload

FOLDER = "up"
"""Beside the kept files, where the sweep finds what nobody finished."""


def received(viewer: Actor, upload_id: UUID) -> int:
    """How many bytes of it lie here."""
    path = _path(viewer, upload_id)
    return path.stat().st_size if path.is_file() else 0


def append(
    viewer: Actor, upload_id: UUID, part: bytes, *, offset: int, total: int, subject: str
) -> tuple[int, str | None]:
    """Add a part that begins at ``offset``; a part that is here already changes nothing.

    Returns how much lies here, and the picture's digest once it is whole. Raises BadUpload for what is no picture."""
    if not 0 < total <= files.MOST_BYTES or offset < 0:
        raise RequestEntityTooLarge
    path = _path(viewer, upload_id)
    have = path.stat().st_size if path.is_file() else 0
    if offset <= have < offset + len(part) and have < total:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(part[have - offset :][: total - have])
        have = path.stat().st_size
    if have < total:
        return have, None
    content = path.read_bytes()
    path.unlink(missing_ok=True)
    digest = files.keep_bytes(content)
    note_upload(digest, subject)
    return have, digest


def _path(viewer: Actor, upload_id: UUID) -> Path:
    return files.folder() / FOLDER / f"{viewer.account_id}-{upload_id}.part"
