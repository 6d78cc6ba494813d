"""Compression: text leaves as gzip where the client takes it; a script or style is packed once by a process.

A page's packed length tells nobody its form token: a browser sends our cookie (SameSite=Lax) with no request that
another site makes in its pages, so that nobody can measure many guesses.
"""

import gzip
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, request

LEAST_BYTES = 1024
PAGE_LEVEL, FILE_LEVEL = 1, 9  # a page is packed at each request, a file once
PACKED = frozenset(
    {
        "text/html", "text/css", "text/javascript", "application/javascript", "text/csv", "text/plain",
        "application/json", "application/problem+json", "application/geo+json", "image/svg+xml", "application/wasm",
        "application/manifest+json",
    }
)  # fmt: skip


@lru_cache(maxsize=256)
def _packed_file(path: str, _changed_ns: int) -> bytes:
    return gzip.compress(Path(path).read_bytes(), FILE_LEVEL, mtime=0)


def pack_file(response: Response, path: Path) -> Response:
    """The answer that sends this file, packed; as it is where the client takes no gzip or nothing is won."""
    response.vary.add("Accept-Encoding")
    if response.mimetype in PACKED and response.status_code == 200 and _takes_gzip():
        stat = path.stat()
        if stat.st_size >= LEAST_BYTES:
            response.close()  # of the file itself
            _carry(response, _packed_file(str(path), stat.st_mtime_ns))
    return response


def _takes_gzip() -> bool:
    return request.accept_encodings["gzip"] > 0 and "Range" not in request.headers


def _carry(response: Response, packed: bytes) -> None:
    response.direct_passthrough = False
    response.set_data(packed)
    response.headers["Content-Encoding"] = "gzip"
    if (tag := response.get_etag()[0]) is not None:
        response.set_etag(f"{tag}-gzip")


def install(app: Flask) -> None:
    """Pack every answer that is text, long enough and not on its way already."""

    @app.after_request
    def pack(response: Response) -> Response:
        if response.mimetype not in PACKED or response.direct_passthrough or response.is_streamed:
            return response
        response.vary.add("Accept-Encoding")
        if "Content-Encoding" in response.headers or response.status_code in {204, 304} or not _takes_gzip():
            return response
        body = response.get_data()
        if len(body) >= LEAST_BYTES:
            _carry(response, gzip.compress(body, PAGE_LEVEL, mtime=0))
        return response
