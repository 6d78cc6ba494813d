"""Upload kinds: papers are opened to their last page, pictures drawn anew; what is unsound is refused by its cause."""

import base64
import io

import pikepdf
import pytest
from PIL import Image

from tests.fixtures.papers import a_pdf, an_ofd
from web.wiring import upload_kinds

SCRIPT = "<</S/JavaScript/JS(app.alert\\(1\\))>>"


def a_picture(form: str, size: tuple[int, int] = (40, 20), **more: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "red").save(out, form, **more)
    return out.getvalue()


def locked(password: str) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(a_pdf())) as pdf:
        pdf.save(out, encryption=pikepdf.Encryption(owner="owner", user=password))
    return out.getvalue()


def packed() -> bytes:
    """Its objects stand in compressed streams, as newer programs write."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(a_pdf(pages=3))) as pdf:
        pdf.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate, linearize=True)
    return out.getvalue()


SOUND = {
    "plain": a_pdf(),
    "packed and linear": packed(),
    "behind a byte-order mark and an empty line": b"\xef\xbb\xbf\r\n" + a_pdf(),
    "with a signer's remarks behind its end": a_pdf() + b"\n" * 5000,
    "with links": a_pdf(page="/Annots[<</Type/Annot/Subtype/Link/A<</S/URI/URI(https://a.example)>>>>]"),
    "opening at a page": a_pdf(catalogue="/OpenAction[3 0 R/Fit]"),
    "that only its owner may change": locked(""),
    "whose table of places is wrong": a_pdf().replace(b"startxref\n", b"startxref\n9"),
    "OFD": an_ofd(2),
    "OFD with a signature": an_ofd(more=[("Doc_0/Signs/Signatures.xml", "<ofd:Signatures/>")]),
}
UNSOUND = {
    "words between the marks": (b"%PDF-1.4 garbage \n%%EOF", "已损坏"),
    "markup that calls itself a PDF": (b"%PDF-1.4\n<script>alert(1)</script>\n%%EOF\n", "已损坏"),
    "cut in half": (packed()[: len(packed()) // 2], "已损坏"),
    "without its end": (a_pdf(pages=40)[:-200], "已损坏"),
    "without a page": (a_pdf(pages=0), "没有一页内容"),
    "locked": (locked("secret"), "有密码"),
    "a script when it is opened": (a_pdf(catalogue=f"/OpenAction{SCRIPT}"), "有脚本"),
    "a script beside": (a_pdf(SCRIPT, catalogue="/OpenAction 5 0 R"), "有脚本"),
    "a script behind a name": (a_pdf(catalogue=f"/Names<</JavaScript<</Names[(a){SCRIPT}]>>>>"), "有脚本"),
    "a script on a page": (a_pdf(page=f"/AA<</O{SCRIPT}>>"), "有脚本"),
    "a program that is started": (a_pdf(page="/Annots[<</Subtype/Link/A<</S/Launch/F(a.exe)>>>>]"), "有脚本"),
    "a form that sends itself": (a_pdf(page="/AA<</O<</S/SubmitForm/F(http://a.example)>>>>"), "有脚本"),
    "pages in a ring": (a_pdf().replace(b"/Kids[3 0 R]", b"/Kids[2 0 R]"), "已损坏"),
    "OFD without a page": (an_ofd(0), "没有一页内容"),
    "OFD whose document is missing": (an_ofd().replace(b"Doc_0/Document.xml", b"Doc_1/Document.xml", 1), "已损坏"),
    "OFD with a document type": (an_ofd(document='<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'), "有脚本"),
    "OFD that is encrypted": (an_ofd(more=[("Encryptions.xml", "<a/>")]), "有密码"),
    "OFD cut in half": (an_ofd()[:300], "已损坏"),
    "a workbook": (b"PK\x03\x04 xl/workbook.xml", "不是 PDF、OFD 或图片"),
    "an old Word file": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "不是 PDF、OFD 或图片"),
    "a picture of a moving kind": (b"\0\0\0\x18ftypmp42", "不是 PDF、OFD 或图片"),
    "a JPEG cut short": (a_picture("JPEG")[:200], "已损坏"),
    "a HEIC cut short": (b"\0\0\0\x18ftypheic" + b"\0" * 40, "已损坏"),
    "a WebP cut short": (a_picture("WEBP")[:30], "已损坏"),
    "too many pixels": (a_picture("WEBP", (9000, 9000)), "尺寸过大"),
}


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_paper_is_kept_as_it_came(name: str) -> None:
    kind, kept = upload_kinds.kept_form(SOUND[name], "a.pdf")
    assert (kind, kept) == ("ofd" if "OFD" in name else "pdf", SOUND[name])


@pytest.mark.parametrize("name", UNSOUND)
def test_an_unsound_file_is_refused_by_its_cause(name: str) -> None:
    content, words = UNSOUND[name]
    with pytest.raises(upload_kinds.NotTaken) as told:
        upload_kinds.kept_form(content, "营业执照.pdf")
    assert words in told.value.user_message and "营业执照.pdf" in told.value.user_message


@pytest.mark.parametrize(("form", "kind"), [("JPEG", "jpg"), ("PNG", "png"), ("WEBP", "jpg")])
def test_a_picture_is_drawn_anew_in_a_form_that_every_browser_shows(form: str, kind: str) -> None:
    told, kept = upload_kinds.kept_form(a_picture(form), "a")
    with Image.open(io.BytesIO(kept)) as image:
        assert (told, image.size) == (kind, (40, 20))
        assert image.convert("RGB").getpixel((3, 3))[0] > 200  # type: ignore[index]


def test_what_is_clear_in_a_picture_becomes_white() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(out, "WEBP")
    _, kept = upload_kinds.kept_form(out.getvalue(), "a")
    with Image.open(io.BytesIO(kept)) as image:
        assert min(image.getpixel((4, 4))) > 250  # type: ignore[type-var, arg-type]


def test_a_scanners_file_becomes_a_paper_with_all_its_pages() -> None:
    pages, out = [Image.new("L", (60, 80), shade) for shade in (10, 90, 200)], io.BytesIO()
    pages[0].save(out, "TIFF", save_all=True, append_images=pages[1:])
    kind, kept = upload_kinds.kept_form(out.getvalue(), "a")
    with pikepdf.open(io.BytesIO(kept)) as pdf:
        assert (kind, len(pdf.pages)) == ("pdf", 3)
    assert upload_kinds.kept_form(kept, "a")[0] == "pdf"


HEIC = (
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAb5tZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAADRpbG9jAAAA"
    "AERAAAIAAQAAAAAB4gABAAAAAAAAAB4AAgAAAAACAAABAAAAAAAAADAAAAA4aWluZgAAAAAAAgAAABVpbmZlAgAAAAABAABodmMxAAAAABVpbmZl"
    "AgAAAQACAABFeGlmAAAAAA5waXRtAAAAAAABAAAA/WlwcnAAAADdaXBjbwAAAHZodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH/"
    "/wNwAAADAJAAAAMAAAMAHroCQGEAAQAqQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq5Ka5uAhoMCAAAAMDIAAAAwAhYgABAAZEAcFzwIkAAAATY29s"
    "cm5jbHgAAQANAAaAAAAAFGlzcGUAAAAAAAAAQAAAAEAAAAAoY2xhcAAAAEAAAAABAAAAIAAAAAEAAAAAAAAAAv///+AAAAACAAAAEHBpeGkAAAAA"
    "AwgICAAAABhpcG1hAAAAAAAAAAEAAQWBAgMFhAAAABppcmVmAAAAAAAAAA5jZHNjAAIAAQABAAAAVm1kYXQAAAAaKAGvE4D4EOGn//xNKP/6dc8P"
    "08x786KQz4AAAAAGRXhpZgAATU0AKgAAAAgAAQEPAAIAAAAMAAAAGgAAAABTZWNyZXRQaG9uZQA="
)
"""A red picture of 64 by 32 pixels, with the name of its device."""


def test_a_long_scan_in_black_and_white_is_taken_whole() -> None:
    pages, out = [Image.new("1", (2480, 3508), n % 2) for n in range(60)], io.BytesIO()
    pages[0].save(out, "TIFF", save_all=True, append_images=pages[1:], compression="group4")
    kind, kept = upload_kinds.kept_form(out.getvalue(), "a")
    with pikepdf.open(io.BytesIO(kept)) as pdf:
        assert (kind, len(pdf.pages)) == ("pdf", 60)


def test_a_phones_own_kind_of_picture_is_drawn_anew() -> None:
    content = base64.b64decode(HEIC)
    assert b"SecretPhone" in content
    kind, kept = upload_kinds.kept_form(content, "IMG_0001.HEIC")
    with Image.open(io.BytesIO(kept)) as image:
        assert (kind, image.format, image.size) == ("jpg", "JPEG", (64, 32))
        assert image.getpixel((9, 9))[0] > 200 > 90 > image.getpixel((9, 9))[1]  # type: ignore[index]
    assert b"SecretPhone" not in kept


def test_a_phones_picture_is_told_by_its_brand() -> None:
    assert upload_kinds.kind_of(b"\0\0\0\x18ftypheic\0\0") == "HEIF"
    assert upload_kinds.kind_of(b"\0\0\0\x18ftypmif1\0\0") == "HEIF"
