"""A proxy between the phone and the server that does harm: answers of its own, delays, torn lines, other text."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from flask import Flask
from werkzeug.wrappers import Request, Response

from tests.web.live_server import LiveServer

Environ = dict[str, Any]
Fault = Callable[[Request], Response | None]
"""What happens to a request instead of what the server would do; None lets it through."""


@dataclass
class FaultProxy:
    """The application on a port of its own, behind faults."""

    app: Flask
    faults: list[Fault] = field(default_factory=list)
    seen: list[tuple[str, str, str]] = field(default_factory=list)
    change: Callable[[bytes], bytes] | None = None
    """Changes the text of pages and scripts, as another version of the program would."""

    def __post_init__(self) -> None:
        self.server = LiveServer(self)

    @property
    def url(self) -> str:
        return self.server.url

    def close(self) -> None:
        self.server.close()

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        request = Request(environ)
        self.seen.append((request.method, request.path, request.headers.get("X-Courier", "")))
        for fault in list(self.faults):
            answer = fault(request)
            environ["wsgi.input"] = BytesIO(body)
            if answer is not None:
                return answer(environ, start_response)
        if self.change is None or request.path.startswith("/api/"):
            return self.app.wsgi_app(environ, start_response)
        inner = Response.from_app(self.app.wsgi_app, environ, buffered=True)
        inner.direct_passthrough = False
        inner.set_data(self.change(inner.get_data()))
        return inner(environ, start_response)


def on_facts(answer: Callable[[Request], Response | None]) -> Fault:
    """This fault, for acts of phones alone."""
    return lambda request: answer(request) if request.path == "/api/v1/runs/facts" else None


def status(code: int, body: str = "<html><body>proxy</body></html>", **headers: str) -> Response:
    """An answer of somebody in between."""
    return Response(body, status=code, content_type="text/html; charset=utf-8", headers=headers)
