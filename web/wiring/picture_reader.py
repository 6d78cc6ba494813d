"""Picture reader: a JPEG or PNG drawn anew, in a process of its own: no place, no device, nothing behind the pixels."""

import io
import sys

from PIL import Image, ImageOps, UnidentifiedImageError

from web.wiring.reader_limits import RefusedByReader, run_reader

LONGEST_SIDE = 4000
MOST_PIXELS = {"JPEG": 120_000_000, "PNG": 40_000_000}
"""A JPEG is decoded at a fraction of its size, a PNG whole."""


def redrawn(content: bytes, form: str) -> bytes:
    """The picture alone, the right way up. Raises RefusedByReader."""
    try:
        with Image.open(io.BytesIO(content), formats=[form]) as image:
            if image.width * image.height > MOST_PIXELS[form]:
                raise RefusedByReader("pixels")
            image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
            upright = ImageOps.exif_transpose(image)
            plain = upright.convert("RGB" if form == "JPEG" or upright.mode not in {"RGBA", "LA", "P"} else "RGBA")
            out = io.BytesIO()
            bare = Image.new(plain.mode, plain.size)
            bare.paste(plain)
            bare.save(out, form, **({"quality": 88} if form == "JPEG" else {"optimize": False}))
            return out.getvalue()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise RefusedByReader("damaged") from None


if __name__ == "__main__":
    run_reader(lambda content: redrawn(content, sys.argv[1]))
