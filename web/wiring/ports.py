"""Ports: the socket that the pages answer on, and whether they do."""

import errno
import http.client
import os
import socket
import time
from collections.abc import Mapping

from web.wiring.run_home import CannotRun

FIRST_PORT, LAST_PORT = 8000, 8099
EVERY_ADDRESS = frozenset({"0.0.0.0", "::"})  # noqa: S104 - HOST may name them


def listen(environ: Mapping[str, str], patience_s: float = 0) -> socket.socket:
    """A socket that the pages will answer on: PORT or nothing, else the first free one from 8000 on."""
    host, wish = environ.get("HOST", "").strip() or "127.0.0.1", environ.get("PORT", "").strip()
    if wish and not (wish.isascii() and wish.isdigit() and 1 <= int(wish) <= 65535):
        raise CannotRun(f"PORT must be a number from 1 to 65535, not {wish!r}")
    deadline = time.monotonic() + patience_s
    while True:
        for port in [int(wish)] if wish else range(FIRST_PORT, LAST_PORT + 1):
            try:
                return socket.create_server((host, port), backlog=256)
            except PermissionError as error:
                raise CannotRun(f"port {port} may not be used by this account: choose one above 1023") from error
            except socket.gaierror as error:
                raise CannotRun(f"HOST {host!r} is no address of this machine") from error
            except OSError as error:
                refusal = error
        if time.monotonic() > deadline:
            break
        time.sleep(0.1)  # what a killed run left behind is just ending
    if wish:
        why = os.strerror(refusal.errno or errno.EADDRINUSE)
        raise CannotRun(f"port {wish} is taken ({why}): choose another with PORT=…") from refusal
    raise CannotRun(f"no port from {FIRST_PORT} to {LAST_PORT} is free: choose one with PORT=…") from refusal


def address_of(door: socket.socket) -> str:
    """What to type into a browser."""
    host, port = door.getsockname()[:2]
    return f"http://{_reachable(host)}:{port}"


def answers(host: str, port: int) -> bool:
    """Whether the pages say that they are well."""
    connection = http.client.HTTPConnection(_reachable(host), port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _reachable(host: str) -> str:
    return "127.0.0.1" if host in EVERY_ADDRESS else host
