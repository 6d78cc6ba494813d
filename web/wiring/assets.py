"""Assets: the pages' scripts and styles under an address that names their version, so that no page gets another's."""

import hashlib
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, g, send_from_directory, url_for
from werkzeug.exceptions import NotFound

from web.wiring.compression import pack_file

bp = Blueprint("assets", __name__, url_prefix="/assets")

STATIC = Path(__file__).parents[1] / "static"
TEMPLATES = Path(__file__).parents[1] / "templates"
PHONE = (
    "daiban.css", "daiban.js", "icon.svg", "courier-192.png", "vendor/idb/idb.js",
    "vendor/signature_pad/signature_pad.js", "vendor/barcode-detector/ponyfill.js",
    "vendor/barcode-detector/zxing_reader.wasm",
)  # fmt: skip
"""What a courier's phone keeps beside its own scripts."""
A_YEAR_S = 31_536_000


@cache
def version() -> str:
    """One name for the scripts, the styles and the courier's pages of this program."""
    digest = hashlib.sha256()
    files = [path for path in STATIC.rglob("*") if path.is_file()]
    pages = [*(TEMPLATES / "courier").glob("*.html"), TEMPLATES / "phone.html", TEMPLATES / "base.html"]
    for path in sorted([*files, *pages]):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def asset(name: str) -> str:
    """The address of a script or style of this version."""
    return url_for("assets.file", wanted=version(), name=name)


def phone_files() -> list[str]:
    """The addresses that a courier's phone keeps for this version."""
    scripts = sorted(f"courier/{path.name}" for path in (STATIC / "courier").glob("*.js") if path.name != "worker.js")
    return [asset(name) for name in (*PHONE, *scripts) if (STATIC / name).is_file()]


@bp.get("/<wanted>/<path:name>")
def file(wanted: str, name: str) -> Response:
    """A file of this version, kept for ever; another version is not here."""
    if wanted != version():
        raise NotFound
    response = send_from_directory(STATIC, name, max_age=A_YEAR_S)
    response.headers["Cache-Control"] = f"public, max-age={A_YEAR_S}, immutable"
    g.cacheable = True
    return pack_file(response, STATIC / name)
