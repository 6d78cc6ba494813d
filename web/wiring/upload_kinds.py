"""Upload kinds: what a file is by its content, opened for real, and the form in which it is kept."""

from collections.abc import Mapping

from dispatch.core.localized_text import LocalizedText
from web.wiring.isolated import UnreadableUpload, read_isolated

PICTURES: Mapping[str, str] = {"JPEG": "jpg", "PNG": "png", "WEBP": "jpg", "HEIF": "jpg", "TIFF": "pdf"}
"""Pictures by the name of their form, and what each is kept as: a scanner's TIFF may have many pages."""
PAPERS = ("pdf", "ofd")
REFUSAL_WORDS: Mapping[str, str] = {
    "kind": "文件%(name)s不是 PDF、OFD 或图片（JPEG、PNG、HEIC、WebP、TIFF），请转换后再上传",
    "pixels": "图片%(name)s尺寸过大，请缩小后再上传",
    "exhausted": "文件%(name)s内容过多，打不开，请分成几个文件再上传",
    "pages": "文件%(name)s内容过多，打不开，请分成几个文件再上传",
    "locked": "文件%(name)s有密码，请去掉密码后再上传",
    "scripted": "文件%(name)s里有脚本或自动动作，请打印成新的 PDF 后再上传",
    "empty": "文件%(name)s里没有一页内容，请重新导出",
    "picture": "图片%(name)s已损坏，请重新拍照或扫描",
    "damaged": "文件%(name)s已损坏，打不开，请重新导出或扫描",
}
"""Why a file is not taken, by the reader's word; ``kind`` where there is no reader for it."""
HEIF_BRANDS = frozenset({b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"})
TAKEN = ".pdf,.ofd,image/jpeg,image/png,image/heic,image/heif,image/webp,image/tiff"
"""The same as a page's field for a file says it."""
BEGINNING = 1024
"""The heading of a PDF may stand behind some bytes of another program's."""


class NotTaken(Exception):
    """The file of this name is not kept, for the ``reason`` that a reader gave in a word."""

    def __init__(self, reason: str, name: str) -> None:
        super().__init__(reason)
        self.user_message = LocalizedText(REFUSAL_WORDS.get(reason, REFUSAL_WORDS["damaged"]), name=name)


def kind_of(content: bytes) -> str:
    """``pdf``, ``ofd`` or the name of a picture's form, by the first bytes; empty for anything else."""
    if content.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WEBP"
    if content[4:8] == b"ftyp" and content[8:12] in HEIF_BRANDS:
        return "HEIF"
    if content.startswith((b"II*\0", b"MM\0*")):
        return "TIFF"
    if content.startswith(b"PK\x03\x04"):
        return "ofd" if b"OFD.xml" in content else ""
    return "pdf" if b"%PDF-" in content[:BEGINNING] else ""


def kept_form(content: bytes, name: str) -> tuple[str, bytes]:
    """What the file is kept as: the ending of its name, and its bytes. Papers stay as they are, for their signatures'
    sake; pictures are drawn anew. Raises NotTaken."""
    kind = kind_of(content)
    try:
        if kind in PAPERS:
            read_isolated("web.wiring.paper_reader", content, kind)
            return kind, content
        if kind:
            return PICTURES[kind], read_isolated("web.wiring.picture_reader", content, kind)
    except UnreadableUpload as error:
        reason = "picture" if error.reason == "damaged" and kind in PICTURES else error.reason
        raise NotTaken(reason, name) from error
    raise NotTaken("kind", name)
