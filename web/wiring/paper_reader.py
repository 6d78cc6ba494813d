"""Paper reader: a PDF or OFD opened to its last page, in a process of its own; it is kept as it came, or refused.

PDF: ISO 32000, opened by qpdf. OFD: GB/T 33190, a zip of XML with ``OFD.xml`` at its root."""

import io
import sys
import zipfile
from collections.abc import Iterator
from typing import Any
from xml.parsers import expat

import pikepdf

from web.wiring.reader_limits import RefusedByReader, run_reader

MOST_PAGES = 3000
MOST_OBJECTS = 300_000
DEEPEST = 40
ACTIONS = frozenset({"/JavaScript", "/Launch", "/ImportData", "/SubmitForm"})
"""What a paper does by itself when somebody reads it; a link to a page or an address is none of these."""
TAIL = 64 * 1024
MOST_ENTRIES = 5000
MOST_UNPACKED = 300 * 1024 * 1024
MOST_XML = 8 * 1024 * 1024


def read_pdf(content: bytes) -> bytes:
    """Nothing, where the PDF opens, has a page and does nothing by itself. Raises RefusedByReader."""
    try:
        with _opened(content) as pdf:
            if not 0 < len(pdf.pages) <= MOST_PAGES:
                raise RefusedByReader("pages" if len(pdf.pages) else "empty")
            for page in pdf.pages:
                page.contents_coalesce()
            if any(_acts(entry, 0) for entry in _objects(pdf)):
                raise RefusedByReader("scripted")
    except pikepdf.PasswordError:
        raise RefusedByReader("locked") from None
    except (pikepdf.PdfError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise RefusedByReader("damaged") from None
    return b""


def _opened(content: bytes) -> pikepdf.Pdf:
    """As it is; else mended as readers do, where its end has arrived."""
    try:
        return pikepdf.open(io.BytesIO(content), attempt_recovery=False)
    except pikepdf.PasswordError:
        raise
    except pikepdf.PdfError:
        if b"%%EOF" not in content[-TAIL:]:
            raise
        return pikepdf.open(io.BytesIO(content))


def _objects(pdf: pikepdf.Pdf) -> Iterator[Any]:
    if len(pdf.objects) > MOST_OBJECTS:
        raise RefusedByReader("pages")
    yield from pdf.objects


def _acts(entry: Any, depth: int) -> bool:
    """Whether an object, or one that stands inside it, is an action of this kind. Other objects come by themselves."""
    if depth > DEEPEST:
        raise RefusedByReader("damaged")
    if isinstance(entry, pikepdf.Array):
        return any(_acts(one, depth + 1) for one in entry if not _is_named(one))
    if not isinstance(entry, pikepdf.Dictionary | pikepdf.Stream):
        return False
    if str(entry.get("/S", "")) in ACTIONS or "/JS" in entry:
        return True
    return any(_acts(one, depth + 1) for _, one in entry.items() if not _is_named(one))


def _is_named(entry: Any) -> bool:
    return isinstance(entry, pikepdf.Object) and entry.is_indirect


def read_ofd(content: bytes) -> bytes:
    """Nothing, where the OFD opens and has a page. Raises RefusedByReader."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            entries = package.infolist()
            if len(entries) > MOST_ENTRIES or sum(entry.file_size for entry in entries) > MOST_UNPACKED:
                raise RefusedByReader("pages")
            if any(entry.flag_bits & 1 or entry.filename.endswith("Encryptions.xml") for entry in entries):
                raise RefusedByReader("locked")
            if package.testzip() is not None:
                raise RefusedByReader("damaged")
            names = {entry.filename.lstrip("/") for entry in entries}
            roots = [text for name, text in _elements(package, "OFD.xml") if name == "DocRoot"]
            pages = 0
            for root in roots:
                listed = [name for name, _ in _elements(package, root.strip().lstrip("/"))]
                pages += listed.count("Page")
            if not roots or "OFD.xml" not in names:
                raise RefusedByReader("damaged")
    except (zipfile.BadZipFile, KeyError, expat.ExpatError, NotImplementedError, RuntimeError, EOFError, OSError):
        raise RefusedByReader("damaged") from None
    if not 0 < pages <= MOST_PAGES:
        raise RefusedByReader("pages" if pages else "empty")
    return b""


def _elements(package: zipfile.ZipFile, name: str) -> list[tuple[str, str]]:
    """The elements of an XML file by their local names, each with its text. A document type is refused."""
    if package.getinfo(name).file_size > MOST_XML:
        raise RefusedByReader("pages")
    found, texts = list[tuple[str, str]](), list[str]()

    def begins(tag: str, _attributes: object) -> None:
        texts.append("")

    def ends(tag: str) -> None:
        found.append((tag.rpartition(":")[2], texts.pop()))

    def says(text: str) -> None:
        if texts:
            texts[-1] += text

    def refuses(*_of_type: object) -> None:
        raise RefusedByReader("scripted")

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = begins, ends, says
    parser.StartDoctypeDeclHandler = refuses
    parser.Parse(package.read(name), True)
    return found


if __name__ == "__main__":
    run_reader({"pdf": read_pdf, "ofd": read_ofd}[sys.argv[1]])
