"""Files: what may come in, what is taken off it, who names it, and what is swept."""

import hashlib
import io
import os
from pathlib import Path

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.exceptions import NotFound

import db
from dispatch.cases.project import Enterprise
from tests.fixtures.papers import a_pdf
from web.wiring import files

PDF = a_pdf()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DAIBAN_HOME", str(tmp_path))
    return tmp_path


def a_photo(form: str = "JPEG") -> bytes:
    """A picture with a place and a device in its EXIF, lying on its side."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "SecretPhone"
    exif.get_ifd(0x8825)[1] = "N"
    out = io.BytesIO()
    Image.new("RGB", (40, 20), "red").save(out, form, exif=exif)
    return out.getvalue()


def test_a_pdf_is_kept_as_it_is_under_its_digest() -> None:
    digest = files.keep_bytes(PDF, "委托书.pdf")
    assert digest == hashlib.sha256(PDF).hexdigest()
    assert files.path_of(digest).read_bytes() == PDF
    assert files.keep_bytes(PDF) == digest


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_a_picture_loses_its_exif_and_stands_upright(form: str) -> None:
    path = files.path_of(files.keep_bytes(a_photo(form), "photo"))
    assert b"SecretPhone" not in path.read_bytes()
    with Image.open(path) as image:
        assert image.size == (20, 40)
        assert not dict(image.getexif())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "空的"),
        (b"%PDF-1.7" + b"0" * files.MOST_BYTES, "超过10 MB"),
        (b"%PDF-1.7 cut short", "已损坏"),
        (b"MZ\x90\x00 a program", "不是 PDF、OFD 或图片"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "不是 PDF、OFD 或图片"),
        (b"\xff\xd8\xff\xe0 not a picture", "已损坏"),
        (b"\x89PNG\r\n\x1a\n not a picture", "已损坏"),
    ],
)
def test_what_is_not_a_paper_is_refused_in_words(content: bytes, words: str) -> None:
    with pytest.raises(files.BadUpload) as told:
        files.keep_bytes(content, "a.pdf")
    assert words in told.value.user_message
    assert not list(files.folder().glob("*/*"))


def test_a_picture_cut_in_half_is_refused() -> None:
    with pytest.raises(files.BadUpload):
        files.keep_bytes(a_photo("PNG")[:60], "half.png")


def test_a_file_is_served_as_an_attachment_and_never_run(app: Flask) -> None:
    digest = files.keep_bytes(PDF)
    with app.test_request_context():
        response = files.send(digest, '../营业"执照.exe')
        response.direct_passthrough = False
        assert response.mimetype == "application/pdf"
        assert response.headers["Content-Disposition"].startswith("attachment")
        assert ".exe" not in response.headers["Content-Disposition"]
        assert "sandbox" in response.headers["Content-Security-Policy"]
        response.close()


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "0" * 64, "G" * 64, "0" * 63])
def test_a_digest_that_names_nothing_is_not_found(digest: str) -> None:
    with pytest.raises(NotFound):
        files.path_of(digest)


def test_only_old_files_that_no_row_names_are_swept(sessions: sessionmaker[Session]) -> None:
    named, orphan, young = (files.keep_bytes(a_pdf(mark=mark)) for mark in ("named", "orphan", "young"))
    for digest in (named, orphan):
        os.utime(files.path_of(digest), (0, 0))
    files.names_files(Enterprise.name)
    try:
        with sessions.begin() as session:
            session.add(Enterprise(name=f'["{named}"]', created_at=db.now(session)))
            session.flush()
            assert files.sweep(session) == 1
    finally:
        files._named_by.pop()
    assert files.path_of(named).exists()
    assert files.path_of(young).exists()
    with pytest.raises(NotFound):
        files.path_of(orphan)
