"""Files: papers and photos by SHA-256, checked by content, served as attachments, swept when no row names them."""

import hashlib
import io
import os
import re
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from flask import Response, send_file
from PIL import Image, ImageOps, UnidentifiedImageError
from sqlalchemy import Text, cast, select
from sqlalchemy.orm import InstrumentedAttribute, Session
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import NotFound

import db
from dispatch.core.errors import Refused

MOST_BYTES = 10 * 1024 * 1024
MOST_PIXELS = 50_000_000
LONGEST_SIDE = 4000
ORPHANED_AFTER_S = 24 * 3600.0
DIGEST = re.compile(r"[0-9a-f]{64}")
MEDIA = {"pdf": "application/pdf", "jpg": "image/jpeg", "png": "image/png"}


class BadUpload(ValueError):
    """An upload that cannot be kept; ``user_message`` says which rule it breaks."""

    def __init__(self, message: str, *, user_message: str) -> None:
        super().__init__(message)
        self.user_message = user_message


def folder() -> Path:
    """Where files lie: two letters of the digest, then the digest and what it is."""
    return db.home() / "files"


def keep(upload: FileStorage) -> str:
    """Store an upload and return its digest, before any row names it. Raises BadUpload."""
    content = upload.stream.read(MOST_BYTES + 1)
    return keep_bytes(content, upload.filename or "")


def keep_picture(upload: FileStorage) -> str:
    """Store a JPEG or PNG and return its digest. Raises BadUpload, for a PDF too."""
    content = upload.stream.read(MOST_BYTES + 1)
    if content.startswith(b"%PDF"):
        raise BadUpload("not a picture", user_message="请上传照片（JPEG 或 PNG）")
    return keep_bytes(content, upload.filename or "")


def keep_bytes(content: bytes, name: str = "") -> str:
    """Store these bytes when they are a PDF, JPEG or PNG of at most 10 MB. Raises BadUpload."""
    shown = Path(name).name[:60]
    if not content:
        raise BadUpload("empty file", user_message=f"文件{shown}是空的，请重新选择")
    if len(content) > MOST_BYTES:
        raise BadUpload("file too large", user_message=f"文件{shown}超过10 MB，请压缩后再上传")
    kind, clean = _checked(content, shown)
    digest = hashlib.sha256(clean).hexdigest()
    path = folder() / digest[:2] / f"{digest}.{kind}"
    if path.exists():
        os.utime(path)  # named again soon: the sweep begins to count anew
        return digest
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    with os.fdopen(handle, "wb") as file:
        file.write(clean)
        file.flush()
        os.fsync(file.fileno())
    Path(temporary).replace(path)
    return digest


def _checked(content: bytes, shown: str) -> tuple[str, bytes]:
    if content.startswith(b"%PDF-") and b"%%EOF" in content[-2048:]:
        return "pdf", content
    if content.startswith(b"\xff\xd8\xff"):
        return "jpg", _redrawn(content, "JPEG", shown)
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png", _redrawn(content, "PNG", shown)
    raise BadUpload("unknown kind of file", user_message=f"文件{shown}不是 PDF、JPEG 或 PNG，请转换后再上传")


def _redrawn(content: bytes, form: str, shown: str) -> bytes:
    """The picture alone, the right way up: no place, no device, nothing hidden behind the pixels."""
    try:
        with Image.open(io.BytesIO(content), formats=[form]) as image:
            if image.width * image.height > MOST_PIXELS:
                raise BadUpload("too many pixels", user_message=f"图片{shown}尺寸过大，请缩小后再上传")
            upright = ImageOps.exif_transpose(image)
            upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
            plain = upright.convert("RGB" if form == "JPEG" or upright.mode not in {"RGBA", "LA", "P"} else "RGBA")
            out = io.BytesIO()
            bare = Image.new(plain.mode, plain.size)
            bare.paste(plain)
            bare.save(out, form, **({"quality": 88} if form == "JPEG" else {"optimize": False}))
            return out.getvalue()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        if isinstance(error, BadUpload):
            raise
        raise BadUpload("damaged image", user_message=f"图片{shown}已损坏，请重新拍照或扫描") from error


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
    kind = path.suffix[1:]
    safe = re.sub(r"[\x00-\x1f\"\\/]", "_", name).strip() or digest[:12]
    response = send_file(
        path, mimetype=MEDIA[kind], as_attachment=True, download_name=f"{Path(safe).stem}.{kind}", conditional=True
    )
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cache-Control"] = "private, no-store"
    return response


# ---------------------------------------------------------------- orphans

_named_by: list[InstrumentedAttribute[object]] = []


def names_files(*columns: InstrumentedAttribute[object]) -> None:
    """These columns hold digests, alone or somewhere inside JSON: what they name is never swept."""
    _named_by.extend(column for column in columns if all(column is not known for known in _named_by))


def sweep(session: Session, *, older_than_s: float = ORPHANED_AFTER_S) -> int:
    """Delete files older than a day that no row names; how many."""
    cutoff = time.time() - older_than_s
    old = [path for path in folder().glob("??/*") if path.is_file() and path.stat().st_mtime < cutoff]
    if not old:
        return 0
    named = set(_named(session))
    swept = 0
    for path in old:
        if path.name.startswith(".new-") or path.stem not in named:
            path.unlink(missing_ok=True)
            swept += 1
    return swept


def _named(session: Session) -> Iterable[str]:
    for column in _named_by:
        for value in session.scalars(select(cast(column, Text)).where(column.is_not(None))):
            yield from DIGEST.findall(str(value))


def check_kept(*digests: str | None) -> None:
    """Whether each proof that a report names was uploaded. Raises Refused."""
    if not all(is_kept(digest) for digest in digests if digest is not None):
        raise Refused("a proof that nobody uploaded", user_message="照片或签名没有上传成功，请重新提交")
