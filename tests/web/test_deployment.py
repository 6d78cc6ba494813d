"""Deployment: units and containers run the very commands of the program, as nobody special, within limits."""

import re
import shlex
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from celery import Celery
from celery.bin.base import CLIContext
from celery.bin.beat import beat
from celery.bin.worker import worker
from flask import Flask
from gunicorn.config import Config

from tests.web.live_server import served
from web.run import ROOT, SENDERS, WORKERS

UNITS = {path.stem.removeprefix("daiban-"): path for path in sorted((ROOT / "deploy" / "systemd").glob("*.service"))}
PROCESSES = ["web", "notices", "jobs", "beat"]
VENV = "/srv/daiban/"
CELERY = CLIContext(Celery(), no_color=True, workdir=None)


def lines_of(name: str) -> dict[str, str]:
    """What a unit says, a continued line as one; the last of a name stands."""
    text = UNITS[name].read_text("utf-8").replace("\\\n", " ")
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {key: value.strip() for key, _, value in pairs}


def unit_command(name: str) -> list[str]:
    return [word.removeprefix(VENV).replace("%H", "%h") for word in shlex.split(lines_of(name)["ExecStart"])]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text("utf-8"))
    return read


def test_there_is_a_unit_and_a_container_for_each_process_and_one_schedule(compose: dict[str, Any]) -> None:
    assert sorted(UNITS) == sorted(PROCESSES)
    target = (ROOT / "deploy" / "systemd" / "daiban.target").read_text("utf-8")
    assert all(f"daiban-{name}.service" in target for name in PROCESSES)
    assert {"setup", "proxy", "database", "broker", *PROCESSES} == set(compose["services"])


@pytest.mark.parametrize("name", PROCESSES)
def test_a_container_runs_what_the_unit_runs(compose: dict[str, Any], name: str) -> None:
    command = compose["services"][name]["command"]
    assert command == unit_command(name)
    assert Path(command[0]).name in {"gunicorn", "celery"}
    assert (ROOT / command[0]).exists()


@pytest.mark.parametrize("name", WORKERS)
def test_workers_take_the_queues_of_the_program(name: str) -> None:
    pool, queues = WORKERS[name]
    words = unit_command(name)
    said = worker.make_context("worker", words[words.index("worker") + 1 :], obj=CELERY).params
    assert set(said["queues"]) == set(queues)
    assert words[words.index("--pool") + 1] == pool
    assert pool != "threads" or said["concurrency"] == SENDERS


def test_pages_and_schedule_take_their_options() -> None:
    words = unit_command("web")
    options = Config().parser().parse_args(words[1:])
    assert (options.args, options.bind, options.preload_app) == (["wsgi:app"], ["127.0.0.1:8000"], True)
    words = unit_command("beat")
    said = beat.make_context("beat", words[words.index("beat") + 1 :], obj=CELERY).params
    assert said["schedule"] == "/var/lib/daiban-home/beat-schedule"


@pytest.mark.parametrize("name", PROCESSES)
def test_a_unit_has_a_user_limits_and_nothing_that_it_does_not_need(name: str) -> None:
    said = lines_of(name)
    assert (said["User"], said["EnvironmentFile"], said["Restart"]) == ("daiban", "/etc/daiban.env", "always")
    assert (said["NoNewPrivileges"], said["ProtectSystem"], said["CapabilityBoundingSet"]) == ("yes", "strict", "")
    assert re.fullmatch(r"\d+[MG]", said["MemoryMax"])
    assert "DAIBAN_HOME=/var/lib/daiban-home" in said["Environment"] and said["StateDirectory"] == "daiban-home"


@pytest.mark.parametrize("name", ["setup", *PROCESSES])
def test_a_container_has_no_rights_and_writes_nothing_of_its_own(compose: dict[str, Any], name: str) -> None:
    said = compose["services"][name]
    assert (said["read_only"], said["cap_drop"]) == (True, ["ALL"])
    assert said["security_opt"] == ["no-new-privileges:true"]
    assert said["volumes"] == ["home:/var/lib/daiban-home"]
    assert "privileged" not in said
    assert name == "setup" or said["depends_on"]["setup"]["condition"] == "service_completed_successfully"


def test_no_secret_stands_in_the_file_and_every_image_has_a_version(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        environment = service.get("environment", {})
        for name, value in environment.items():
            if "PASSWORD" in name or "AUTH" in name:
                assert re.fullmatch(r"\$\{\w+:\?\}", value), name
        assert service["image"] == "localhost/daiban" or re.search(r":\d+(\.\d+)*$", service["image"])
    assert re.search(r"^USER daiban$", (ROOT / "deploy" / "Containerfile").read_text("utf-8"), re.MULTILINE)


def test_the_image_is_made_as_a_first_installation_is() -> None:
    made = (ROOT / "deploy" / "Containerfile").read_text("utf-8")
    assert "RUN python prepare.py run" in made
    assert "python3.11 prepare.py run" in (ROOT / "docs" / "operations.md").read_text("utf-8")
    assert made.index("USER daiban") < made.index("RUN python prepare.py run")


def test_the_health_check_is_that_of_the_pages(app: Flask, compose: dict[str, Any]) -> None:
    kind, python, *words = compose["services"]["web"]["healthcheck"]["test"]
    assert (kind, python) == ("CMD", ".venv/bin/python")
    with served(app) as address:
        here = [word.replace("http://127.0.0.1:8000", address) for word in words]
        assert subprocess.run([ROOT / python, *here], check=False, timeout=60).returncode == 0
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    here = [word.replace("http://127.0.0.1:8000", f"http://127.0.0.1:{port}") for word in words]
    gone = subprocess.run([ROOT / python, *here], check=False, timeout=60, capture_output=True)
    assert gone.returncode == 1


def test_the_proxy_hands_on_what_the_pages_trust(compose: dict[str, Any]) -> None:
    said = (ROOT / "deploy" / "nginx.conf").read_text("utf-8")
    assert said.count("proxy_pass http://127.0.0.1:8000;") == 2
    assert "X-Forwarded-For $remote_addr" in said  # what a browser sends there itself is not believed
    assert compose["services"]["proxy"]["network_mode"] == "service:web"
    assert compose["services"]["web"]["environment"]["TRUSTED_PROXIES"] == "1"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
@pytest.mark.parametrize("name", PROCESSES)
def test_systemd_knows_every_line_of_a_unit(tmp_path: Path, name: str) -> None:
    """With the paths and the user of this machine: what is looked at are the lines."""
    text = UNITS[name].read_text("utf-8").replace("/srv/daiban", str(ROOT)).replace("=daiban\n", "=root\n")
    unit = tmp_path / UNITS[name].name
    unit.write_text(text, "utf-8")
    (tmp_path / "daiban.target").write_text((ROOT / "deploy" / "systemd" / "daiban.target").read_text("utf-8"))
    told = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(unit)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert [line for line in told.stderr.splitlines() if "Unknown" in line or "Failed to parse" in line] == []
