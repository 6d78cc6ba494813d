"""Worker watchdog: a worker that lives and sends nothing is as good as dead, and is started again."""

import logging
import threading
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

import db
from notifications.heartbeat import Watchdog
from notifications.settings import NoticeSettings

log = logging.getLogger(__name__)

LOOK_S = 10.0
SILENT = "lives, but sends nothing that is due"


class Watch:
    """Looks at the oldest due message every so often; ``restart`` is called by ``act``, in the caller's thread.

    The looking has a thread of its own: a database that does not answer must not hold up who watches the processes.
    """

    def __init__(
        self, database_url: str, settings: NoticeSettings, restart: Callable[[], None], *, look_s: float = LOOK_S
    ) -> None:
        self._restart, self._look_s = restart, look_s
        self._sessions = db.sessions(database_url, pool_size=1, max_overflow=0)
        self._dog = Watchdog(self._sessions, settings, self._want_restart)
        self._restart_wanted, self._ending = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._look, name="watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def act(self) -> None:
        """Restart what was found silent since the last time."""
        if self._restart_wanted.is_set():
            self._restart_wanted.clear()
            self._restart()

    def stop(self) -> None:
        """Look no more. A look that hangs is left behind."""
        self._ending.set()
        self._thread.join(1)

    def _want_restart(self) -> None:
        self._restart_wanted.set()

    def _look(self) -> None:
        while not self._ending.wait(self._look_s):
            try:
                self._dog.look()
            except SQLAlchemyError:
                log.debug("the database does not answer the watch")  # it is watched itself, by its process
        self._sessions.kw["bind"].dispose()
