"""Pictures for tests: real ones of one colour, made here."""

import zlib


def a_png(width: int, height: int, *, bits: int) -> bytes:
    """A PNG of one colour, a few kilobytes however large it is."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([bits, 6, 0, 0, 0])
    packer = zlib.compressobj(1)
    line = b"\0" + bytes(width * 4 * bits // 8)
    rows = b"".join(packer.compress(line) for _ in range(height)) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
