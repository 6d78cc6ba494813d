"""Files: papers and photos by SHA-256, checked by content, served as attachments, swept when no row names them."""

import hashlib
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from flask import Flask, Response, request, send_file
from flask_login import current_user
from sqlalchemy import Text, cast, select
from sqlalchemy.orm import InstrumentedAttribute, Session
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import NotFound

import db
from dispatch.core.errors import Refused
from dispatch.core.localized_text import LocalizedText
from web.wiring.kept_uploads import NOT_THERE, UNBOUND, forget_uploads, note_upload
from web.wiring.security_log import SecurityKind, record_apart
from web.wiring.upload_kinds import PICTURES, NotTaken, kept_form, kind_of

MOST_BYTES = 10 * 1024 * 1024
MOST_TOGETHER = 20 * MOST_BYTES
"""Of a form with a field for each of many papers; a form for one paper has room for one."""
ORPHANED_AFTER_S = 24 * 3600.0
DIGEST = re.compile(r"[0-9a-f]{64}")
View = TypeVar("View", bound=Callable[..., Any])
MEDIA = {"pdf": "application/pdf", "jpg": "image/jpeg", "png": "image/png", "ofd": "application/ofd"}


class BadUpload(ValueError):
    """An upload that cannot be kept; ``user_message`` says which rule it breaks."""

    def __init__(self, message: str, *, user_message: str) -> None:
        super().__init__(message)
        self.user_message = user_message


def takes_many_files(view: View) -> View:
    """Marks the view of a form with many files: a limit for each of them is no limit for all of them."""
    view.takes_many_files = True  # type: ignore[attr-defined]
    return view


def install(app: Flask) -> None:
    """Give such a form its room, to who is signed in, before anything reads it."""

    @app.before_request
    def make_room() -> None:
        view = app.view_functions.get(request.endpoint or "")
        if getattr(view, "takes_many_files", False) and current_user.is_authenticated:
            request.max_content_length = MOST_TOGETHER


def folder() -> Path:
    """Where files lie: two letters of the digest, then the digest and what it is."""
    return db.home() / "files"


def keep(upload: FileStorage, subject: str = UNBOUND) -> str:
    """Store an upload and return its digest, before any row names it. Raises BadUpload."""
    content = upload.stream.read(MOST_BYTES + 1)
    digest = keep_bytes(content, upload.filename or "")
    note_upload(digest, subject)
    return digest


def kept_paper(upload: FileStorage) -> dict[str, str]:
    """Store an upload; its digest, what it is by its content, and its name. Raises BadUpload."""
    digest = keep(upload)
    media_type = MEDIA[path_of(digest).suffix[1:]]
    return {"sha256": digest, "media_type": media_type, "filename": (upload.filename or "")[-120:]}


def keep_picture(upload: FileStorage, subject: str = UNBOUND) -> str:
    """Store a picture of one page and return its digest. Raises BadUpload, for a paper too."""
    content = upload.stream.read(MOST_BYTES + 1)
    if PICTURES.get(kind_of(content), "pdf") not in {"jpg", "png"} and content:
        raise BadUpload("not a picture", user_message="请上传照片（JPEG、PNG 或 HEIC）")
    digest = keep_bytes(content, upload.filename or "")
    note_upload(digest, subject)
    return digest


def keep_bytes(content: bytes, name: str = "") -> str:
    """Store these bytes when they are a paper or picture of at most 10 MB that opens. Raises BadUpload."""
    shown = Path(name).name[:60]
    if not content:
        raise BadUpload("empty file", user_message=LocalizedText("文件%(name)s是空的，请重新选择", name=shown))
    if len(content) > MOST_BYTES:
        raise BadUpload(
            "file too large", user_message=LocalizedText("文件%(name)s超过10 MB，请压缩后再上传", name=shown)
        )
    try:
        kind, clean = kept_form(content, shown)
    except NotTaken as error:
        raise BadUpload(str(error), user_message=error.user_message) from error
    digest = hashlib.sha256(clean).hexdigest()
    path = folder() / digest[:2] / f"{digest}.{kind}"
    if path.exists():
        os.utime(path)  # named again soon: the sweep begins to count anew
        return digest
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(clean)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError:  # a full disk keeps no half of a file
        Path(temporary).unlink(missing_ok=True)
        raise
    return digest


def path_of(digest: str) -> Path:
    """Where a stored file lies. Raises NotFound for a digest that is not one, or that nothing is stored under."""
    if DIGEST.fullmatch(digest or ""):
        for kind in MEDIA:
            path = folder() / digest[:2] / f"{digest}.{kind}"
            if path.is_file():
                return path
    raise NotFound


def is_kept(digest: str) -> bool:
    """Whether a file lies under this digest."""
    try:
        path_of(digest)
    except NotFound:
        return False
    return True


def send(digest: str, name: str) -> Response:
    """The file as an attachment; only a view that has checked who may see the row that names it calls this."""
    path = path_of(digest)
    record_apart(SecurityKind.FILE_SENT, account_id=_reader(), subject=f"file:{digest[:16]}")
    kind = path.suffix[1:]
    safe = re.sub(r"[\x00-\x1f\"\\/]", "_", name).strip() or digest[:12]
    response = send_file(
        path, mimetype=MEDIA[kind], as_attachment=True, download_name=f"{Path(safe).stem}.{kind}", conditional=True
    )
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _reader() -> int | None:
    return current_user.account_id if current_user.is_authenticated else None


# ---------------------------------------------------------------- orphans

_named_by: list[InstrumentedAttribute[object]] = []


def names_files(*columns: InstrumentedAttribute[object]) -> None:
    """These columns hold digests, alone or somewhere inside JSON: what they name is never swept."""
    _named_by.extend(column for column in columns if all(column is not known for known in _named_by))


def sweep(session: Session) -> int:
    """Delete files older than a day that no row names; how many."""
    cutoff = time.time() - ORPHANED_AFTER_S
    old = [path for path in folder().glob("??/*") if path.is_file() and path.stat().st_mtime < cutoff]
    if not old:
        return 0
    named = set(_named(session))
    swept = [path for path in old if path.name.startswith(".new-") or path.stem not in named]
    for path in swept:
        path.unlink(missing_ok=True)
    forget_uploads(session, [path.stem for path in swept])
    return len(swept)


def _named(session: Session) -> Iterable[str]:
    for column in _named_by:
        for value in session.scalars(select(cast(column, Text)).where(column.is_not(None))):
            yield from DIGEST.findall(str(value))


def check_kept(*digests: str | None) -> None:
    """Whether each proof that a report names was uploaded. Raises Refused."""
    if not all(is_kept(digest) for digest in digests if digest is not None):
        raise Refused("a proof that nobody uploaded", user_message=NOT_THERE)
