"""Isolated reading: small files that unpack into anything end quickly, in words, and no more than two at once."""

import io
import threading
import time
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from openpyxl import Workbook
from PIL import Image

from tests.web.wiring.pictures import a_png
from web.wiring import files
from web.wiring.isolated import TIME_S, Busy, UnreadableUpload, _places, read_isolated
from web.wiring.picture_reader import LONGEST_SIDE, MOST_WHOLE

WORKBOOK, PICTURE = "web.wiring.workbook_reader", "web.wiring.picture_reader"


def a_workbook(**parts: bytes) -> bytes:
    """A workbook of ours with some of its parts replaced."""
    book, plain, out = Workbook(), io.BytesIO(), io.BytesIO()
    book.active.append(["项目名称", "类型"])
    book.save(plain)
    with zipfile.ZipFile(plain) as given, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name in given.namelist():
            made.writestr(name, parts.get(Path(name).stem, given.read(name)))
    return out.getvalue()


SHEET = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>%b</sheetData></worksheet>'


@pytest.mark.parametrize(
    "content",
    [
        a_workbook(sheet1=SHEET % (b"<row/>" * 6_000_000)),
        a_workbook(sheet1=SHEET % (b"<row>" + b"<c/>" * 2_400_000 + b"</row>")),
        a_workbook(sheet1=SHEET % (b"<row>" + b"<a>" * 1_000_000 + b"</row>")),
    ],
    ids=["rows", "cells", "depth"],
)
def test_a_small_sheet_that_is_much_work_ends_soon(content: bytes) -> None:
    assert len(content) < 200_000
    began = time.monotonic()
    with suppress(UnreadableUpload):
        assert len(read_isolated(WORKBOOK, content)) < 1_000_000
    assert time.monotonic() - began < TIME_S + 5


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAIBAN_HOME", str(tmp_path))
    side = int(MOST_WHOLE**0.5) + 10
    with pytest.raises(files.BadUpload) as told:
        files.keep_bytes(a_png(side, side, bits=8), "big.png")
    assert "尺寸过大" in told.value.user_message


def test_a_large_photo_is_drawn_smaller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAIBAN_HOME", str(tmp_path))
    out = io.BytesIO()
    Image.new("RGB", (6000, 8000), "red").save(out, "JPEG")
    with Image.open(files.path_of(files.keep_bytes(out.getvalue()))) as image:
        assert max(image.size) <= LONGEST_SIDE


def test_no_more_are_read_at_once_than_there_are_places() -> None:
    taken = []
    while _places.acquire(blocking=False):
        taken.append(True)
    try:
        waiting = threading.Thread(target=lambda: read_isolated(WORKBOOK, a_workbook()))
        waiting.start()
        waiting.join(0.5)
        assert waiting.is_alive()
    finally:
        for _ in taken:
            _places.release()
    waiting.join(30)
    assert not waiting.is_alive()
    assert Busy.wait_s > 0


def test_a_reader_that_fails_refuses_and_takes_nothing_with_it() -> None:
    for reader, content in ((PICTURE, b"x"), (WORKBOOK, b"PK\x03\x04 cut"), ("web.wiring.no_such_reader", b"")):
        with pytest.raises(UnreadableUpload):
            read_isolated(reader, content, "PNG")
