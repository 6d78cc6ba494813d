"""Programs: the servers that come as packages, where the account that runs them can reach them."""

import importlib.metadata
import importlib.util
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

from servers.accounts import SHARED, ServerFailed, as_account, make_folder


def package_folder(name: str) -> Path:
    spec = importlib.util.find_spec(name)  # located, not imported
    if spec is None or not spec.submodule_search_locations:
        raise ServerFailed(f"the package {name} is not installed: run `make run` or `make test`, which install it")
    return Path(spec.submodule_search_locations[0])


def program(package: str, inside: Path, account: tuple[int, int] | None, tree: str) -> Path:
    """A wheel's program, which ``account`` may run: where it was installed, else in a copy that it can reach."""
    root = package_folder(package)
    if runs(root / inside, account):
        return root / inside
    version = importlib.metadata.version(package.replace("_", "-"))
    copy = SHARED / f"{package}-{version}"
    if not copy.exists():
        make_folder(SHARED)
        fresh = Path(tempfile.mkdtemp(prefix=f"{package}-", dir=SHARED))
        shutil.copytree(root / tree, fresh / package / tree, ignore=shutil.ignore_patterns("include"))
        if (libraries := root.parent / f"{package}.libs").is_dir():  # found by the binaries relative to themselves
            shutil.copytree(libraries, fresh / libraries.name)
        for path in (fresh, *fresh.rglob("*")):
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
        try:
            fresh.rename(copy)
        except OSError:  # another process was first
            shutil.rmtree(fresh, ignore_errors=True)
    if not runs(copy / package / inside, account):
        raise ServerFailed(f"the database's account cannot run {copy / package / inside}")
    return copy / package / inside


def runs(binary: Path, account: tuple[int, int] | None) -> bool:
    with suppress(OSError):
        done = subprocess.run([binary, "--version"], capture_output=True, check=False, **as_account(account))
        return done.returncode == 0
    return False
