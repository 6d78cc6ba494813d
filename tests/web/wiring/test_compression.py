"""Compression: what is packed is what would have been sent, and only where the client takes it."""

import gzip

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient

from web.wiring.assets import version

GZIP = {"Accept-Encoding": "gzip, br"}


@pytest.mark.parametrize("path", ["/login", "/openapi.json", "/docs"])
def test_a_packed_answer_unpacks_to_the_plain_one(client: FlaskClient, path: str) -> None:
    packed = client.get(path, headers=GZIP)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"]
    plain = client.get(path)
    assert "Content-Encoding" not in plain.headers
    assert len(gzip.decompress(packed.data)) == len(plain.data)
    assert len(packed.data) < len(plain.data) / 2
    assert int(packed.headers["Content-Length"]) == len(packed.data)


def test_a_style_is_packed_and_kept_for_ever(client: FlaskClient) -> None:
    packed = client.get(f"/assets/{version()}/daiban.css", headers=GZIP, buffered=True)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "immutable" in packed.headers["Cache-Control"]
    plain = client.get(f"/assets/{version()}/daiban.css", buffered=True)
    assert gzip.decompress(packed.data) == plain.data
    assert plain.headers["ETag"] != packed.headers["ETag"]


@pytest.mark.parametrize("headers", [{"Accept-Encoding": "gzip;q=0"}, {**GZIP, "Range": "bytes=0-9"}])
def test_who_takes_no_gzip_gets_none(client: FlaskClient, headers: dict[str, str]) -> None:
    answer = client.get(f"/assets/{version()}/daiban.css", headers=headers, buffered=True)
    assert "Content-Encoding" not in answer.headers


def test_what_is_short_or_no_text_stays_as_it_is(app: Flask, client: FlaskClient) -> None:
    app.add_url_rule("/picture", "picture", lambda: Response(b"\x89PNG" * 1000, mimetype="image/png"))
    assert "Content-Encoding" not in client.get("/picture", headers=GZIP).headers
    assert "Content-Encoding" not in client.get("/healthz", headers=GZIP).headers
