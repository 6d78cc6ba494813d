"""The application behind a real port, for browsers; nothing of it runs on after it is closed."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from werkzeug.serving import BaseWSGIServer, make_server

LONGEST_ANSWER_S = 60.0


class LiveServer:
    """A WSGI application on a port of its own; ``leave`` is a basement, ``come_back`` the street, ``close`` the end.

    A browser that goes away leaves its last requests running in threads of the server. They hold connections of the
    test's database, so ``close`` waits until the last one has been answered."""

    def __init__(self, app: Any) -> None:
        self.app, self.port = app, 0
        self._answering, self._is_closed = 0, False
        self._change = threading.Condition()
        self.come_back()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def come_back(self) -> None:
        self._server: BaseWSGIServer = make_server("127.0.0.1", self.port, self._counted, threaded=True)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def leave(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def close(self) -> None:
        self.leave()
        with self._change:
            self._is_closed = True
            ended = self._change.wait_for(lambda: not self._answering, timeout=LONGEST_ANSWER_S)
        assert ended, f"{self._answering} requests are still being answered after {LONGEST_ANSWER_S:.0f} s"

    def _counted(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        with self._change:
            if self._is_closed:  # read only now from a line that was open at the end
                start_response("503 Service Unavailable", [])
                return []
            self._answering += 1
        try:
            return self.app(environ, start_response)  # type: ignore[no-any-return]
        finally:
            with self._change:
                self._answering -= 1
                self._change.notify_all()


@contextmanager
def served(app: Any) -> Iterator[str]:
    """The address of the application for a while."""
    server = LiveServer(app)
    try:
        yield server.url
    finally:
        server.close()
