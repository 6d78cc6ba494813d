"""Picture reader: a picture drawn anew, in a process of its own: no place, no device, nothing behind the pixels."""

import io
import sys

import pi_heif
import pikepdf
from PIL import Image, ImageOps, UnidentifiedImageError

from web.wiring.reader_limits import RefusedByReader, run_reader

LONGEST_SIDE = 4000
MOST_PIXELS = {"JPEG": 120_000_000}
MOST_WHOLE = 40_000_000
"""A JPEG is decoded at a fraction of its size, any other whole."""
MOST_PAGES = 100
KEPT_AS = {"PNG": "PNG"}
"""The form of the picture drawn; a JPEG where nothing stands here."""
pi_heif.register_heif_opener()


def redrawn(content: bytes, form: str) -> bytes:
    """The picture alone, the right way up. Raises RefusedByReader."""
    try:
        with Image.open(io.BytesIO(content), formats=[form]) as image:
            if form == "TIFF":
                return _pages(image)
            plain, out = _bare(image, form), io.BytesIO()
            kept = KEPT_AS.get(form, "JPEG")
            plain.save(out, kept, **({"quality": 88} if kept == "JPEG" else {"optimize": False}))
            return out.getvalue()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise RefusedByReader("damaged") from None


def _bare(image: Image.Image, form: str) -> Image.Image:
    """The picture alone, the right way up, on white where nothing is kept that is transparent."""
    if image.width * image.height > MOST_PIXELS.get(form, MOST_WHOLE):
        raise RefusedByReader("pixels")
    image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    upright = ImageOps.exif_transpose(image)
    is_clear = upright.mode in {"RGBA", "LA", "P"}
    plain = upright.convert("RGBA" if is_clear else "RGB")
    mode = "RGBA" if is_clear and form in KEPT_AS else "RGB"
    bare = Image.new(mode, plain.size, None if mode == "RGBA" else "white")
    bare.paste(plain, mask=plain if is_clear and mode == "RGB" else None)
    return bare


def _pages(image: Image.Image) -> bytes:
    """Every page of a scanner's file, as a PDF."""
    count = getattr(image, "n_frames", 1)
    if count > MOST_PAGES:
        raise RefusedByReader("pages")
    out = io.BytesIO()
    with pikepdf.new() as pdf:
        for n in range(count):
            image.seek(n)
            page = io.BytesIO()
            _scanned(image.copy()).save(page, "PDF", resolution=200)
            with pikepdf.open(page) as one:
                pdf.pages.extend(one.pages)
        pdf.save(out)
    return out.getvalue()


def _scanned(frame: Image.Image) -> Image.Image:
    """One page of a scanner's file: black and white stays so, which is a twenty-fourth of the same in colour."""
    if frame.mode == "1" and max(frame.size) <= LONGEST_SIDE:
        return ImageOps.exif_transpose(frame)
    return _bare(frame, "TIFF")


if __name__ == "__main__":
    run_reader(lambda content: redrawn(content, sys.argv[1]))
