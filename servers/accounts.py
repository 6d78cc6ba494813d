"""Accounts: whose rights a server runs with, and the folders that this account reaches."""

import os
import pwd
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

AS_ROOT = os.name == "posix" and os.geteuid() == 0
SHARED = Path("/var/lib/daiban")  # where root keeps what `nobody` must reach; never a parent of somebody's clone


class ServerFailed(RuntimeError):
    """A server cannot be had. The message is one line: what happened, where, and what can be done."""


def nobody() -> tuple[int, int]:
    """User and group of the account that root's servers run with."""
    with suppress(KeyError):
        entry = pwd.getpwnam("nobody")
        return entry.pw_uid, entry.pw_gid
    return 65534, 65534


def account_of(place: Path) -> tuple[int, int] | None:
    """Whose rights the server of ``place`` runs with: our own, or never root's: the folder's owner, else ``nobody``."""
    if not AS_ROOT:
        return None
    with suppress(OSError):
        if (owner := place.stat()).st_uid != 0:
            return owner.st_uid, owner.st_gid
    return nobody()


def as_account(account: tuple[int, int] | None) -> dict[str, Any]:
    """How subprocess starts a program with the rights of ``account`` and nothing of our environment."""
    options: dict[str, Any] = {"cwd": "/", "stdin": subprocess.DEVNULL}
    options["env"] = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    return options | ({"user": account[0], "group": account[1], "extra_groups": []} if account else {})


def reaches(folder: Path, account: tuple[int, int] | None) -> bool:
    """Whether ``account`` may open files in this folder."""
    if account is None:
        return True
    test = subprocess.run(["/bin/sh", "-c", 'test -x "$1"', "sh", folder], check=False, **as_account(account))
    return test.returncode == 0


def make_folder(folder: Path, mode: int = 0o755) -> None:
    """Make a folder and say its mode whatever the umask; one that exists is left as it is."""
    if folder.is_dir():
        return
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):  # another process made it between the look and the act
            folder.mkdir()
            folder.chmod(mode)
    except OSError as error:
        raise ServerFailed(f"cannot make the folder {folder}: {error.strerror}") from error


def temporary_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="daiban-"))
    if AS_ROOT:
        os.chown(folder, *nobody())
        if not reaches(folder, nobody()):  # TMPDIR lies in somebody's closed folder
            folder.rmdir()
            make_folder(SHARED)
            folder = Path(tempfile.mkdtemp(prefix="temporary-", dir=SHARED))
            os.chown(folder, *nobody())
    return folder
