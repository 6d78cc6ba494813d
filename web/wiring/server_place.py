"""Server place: the folder that the embedded servers of an installation keep their data in."""

import hashlib
from pathlib import Path

from servers.accounts import AS_ROOT, SHARED, ServerFailed, make_folder, nobody, reaches
from servers.postgres import Postgres
from servers.valkey import Valkey


def place_for(home: Path) -> Path:
    """Where the servers of ``home`` keep their data.

    It is ``home`` itself, or, when root starts them and ``nobody`` cannot reach it, a folder in /var/lib/daiban that is
    named after it. The answer stays the same between starts.
    """
    make_folder(home)
    if not AS_ROOT:
        return home
    owners = [f.stat().st_uid for name in (Postgres.name, Valkey.name) if (f := home / name).is_dir()]
    owners = [uid for uid in owners if uid != 0]
    if reaches(home, nobody()) or any(reaches(home, (uid, uid)) for uid in owners):
        return home
    if (home / Postgres.name / "data" / "PG_VERSION").exists():
        raise ServerFailed(
            f"the database's account can no longer reach {home}: give its parent folders back their x permission, "
            "or name another folder in DAIBAN_HOME"
        )
    make_folder(SHARED)
    return SHARED / hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:16]
