"""What lies in deploy/ says what the code does: read, checked by the tools that are there, and run."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from apportion.cli.main import run
from apportion.connectors.webhook import new_secret
from apportion.service.outbox import read_sinks
from apportion.service.settings import CONFIG, PREFIX, Settings, load_settings
from tests.packaging.project import ROOT
from tests.packaging.test_wheel import build
from tests.solver.service.api.served import free_port

DEPLOY = ROOT / "deploy"
UNITS = sorted([*DEPLOY.glob("*.service"), *DEPLOY.glob("*.timer")])
VARIABLES = {CONFIG, *(PREFIX + name.upper() for name in Settings.model_fields)}
SUCH_AS = {"store_password", "sinks", "origins"}  # whose default is nothing, and cannot be written


def instructions(dockerfile: Path = DEPLOY / "Dockerfile") -> list[tuple[str, str]]:
    """Each instruction and its argument, lines joined."""
    text = re.sub(r"^#.*\n", "", dockerfile.read_text(encoding="utf-8"), flags=re.M).replace("\\\n", " ")
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in text.splitlines() if line.strip()]


def last_stage(name: str) -> list[str]:
    """The arguments of an instruction in the stage that is shipped."""
    all_ = instructions()
    begin = max(place for place, (one, _) in enumerate(all_) if one == "FROM")
    return [argument for one, argument in all_[begin:] if one == name]


def compose() -> dict[str, Any]:
    """The compose file."""
    read: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    return read


def unit(path: Path) -> dict[str, list[str]]:
    """The keys of a unit, each with its values."""
    found: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


# Names


@pytest.mark.parametrize("path", sorted(DEPLOY.iterdir()), ids=lambda path: path.name)
def test_every_setting_that_is_named_is_one(path: Path) -> None:
    """No file names a variable of ours that the service would refuse."""
    assert set(re.findall(r"APPORTION_[A-Z_]+", path.read_text(encoding="utf-8"))) <= VARIABLES


def test_the_example_has_every_setting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each once, in words; all commented, so that a copy changes nothing; uncommented it is the default, or can be
    read."""
    text = (DEPLOY / "apportion.env.example").read_text(encoding="utf-8")
    assert not re.findall(r"^[^#\n]", text, flags=re.M)
    said = re.findall(r"^#(APPORTION_\w+)=(.+)$", text, flags=re.M)
    assert {name for name, _ in said} == VARIABLES
    assert len(said) == len(VARIABLES)
    monkeypatch.chdir(tmp_path)
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    default = load_settings()
    for name, value in said:
        if name != CONFIG:
            monkeypatch.setenv(name, value)
    read = load_settings()
    for name in set(Settings.model_fields) - SUCH_AS:
        assert getattr(read, name) == getattr(default, name), name
    assert all(getattr(read, name) for name in SUCH_AS)


def test_the_example_of_sinks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It can be read once its secrets are there, and one of them hears alarms."""
    (tmp_path / "oncall").write_text(new_secret())
    text = (DEPLOY / "sinks.example.toml").read_text(encoding="utf-8")
    (tmp_path / "sinks.toml").write_text(text.replace("/run/secrets/oncall", f"{tmp_path}/oncall"))
    monkeypatch.setenv("CRM_HOOK_SECRET", new_secret())
    monkeypatch.setenv("ONCALL_URL", "https://oncall.example.com/x")
    routes = read_sinks(tmp_path / "sinks.toml")
    assert [name for name, route in routes.items() if route.hears("alert")] == ["oncall"]


# The container


def test_the_container_file() -> None:
    """Two stages of Python's own image; hashed libraries; nobody's root; no host is named; what is copied is there."""
    read = instructions()
    assert [argument for name, argument in read if name == "FROM"] == ["python:3.11-slim AS build", "python:3.11-slim"]
    assert not {name for name, _ in read} & {"ADD", "ARG", "SHELL"}
    installs = [argument for name, argument in read if name == "RUN" and "install" in argument]
    assert all("--require-hashes" in part or "--no-index" in part
               for argument in installs for part in re.findall(r"pip install[^&]*", argument))  # fmt: skip
    assert last_stage("USER") == ["10001:10001"]
    assert not re.search(r"https?://(?!127\.0\.0\.1)|index-url|--trusted", (DEPLOY / "Dockerfile").read_text())
    let_in = {line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if line[0] == "!"}
    for name, argument in read:
        if name == "COPY" and not argument.startswith("--from"):
            for source in argument.split()[:-1]:
                assert (ROOT / source).exists(), source
                assert source in let_in, source


@pytest.fixture(scope="module")
def container(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, str], Path]]:
    """The environment of the container file around the wheel, in folders of this machine: nothing of the checkout."""
    root = tmp_path_factory.mktemp("container")
    with zipfile.ZipFile(build("wheel", root / "dist")) as archive:
        archive.extractall(root / "site")
    (root / "bin").mkdir()
    command = root / "bin" / "apportion"
    command.write_text(f"#!{sys.executable} -P\nfrom apportion.cli import main\nmain()\n")
    (root / "bin" / "python").symlink_to(sys.executable)
    command.chmod(0o755)
    state = root / "state"
    state.mkdir(mode=0o700)
    said = dict(re.findall(r"(\w+)=(\S+)", " ".join(last_stage("ENV"))))
    environment = {name: value.replace("/var/lib/apportion", str(state)) for name, value in said.items()}
    environment |= {"PATH": f"{root}/bin:/usr/bin:/bin", "PYTHONPATH": str(root / "site"), "OMP_NUM_THREADS": "1"}
    yield environment, state
    shutil.rmtree(root, ignore_errors=True)


def test_the_container_runs(container: tuple[dict[str, str], Path]) -> None:
    """Its entry point with its command, in its environment: the health check is good while it serves, and bad before;
    it keeps all that it writes under its state; SIGTERM ends it with 0."""
    environment, state = container
    environment = environment | {"APPORTION_PORT": str(free_port())}
    start = [*json.loads(last_stage("ENTRYPOINT")[0]), *json.loads(last_stage("CMD")[0])]
    check = json.loads(last_stage("HEALTHCHECK")[0].partition("CMD ")[2])

    def healthy() -> bool:
        return subprocess.run(check, env=environment, cwd=state, capture_output=True, timeout=60).returncode == 0

    assert not healthy()
    with (state / "log").open("w") as log:
        process = subprocess.Popen(start, env=environment, cwd=state, stderr=log)
    try:
        end = time.monotonic() + 60
        while not (good := healthy()) and process.poll() is None and time.monotonic() < end:
            time.sleep(0.2)
        assert good, (state / "log").read_text()
        process.send_signal(getattr(signal, last_stage("STOPSIGNAL")[0]))
        assert process.wait(timeout=60) == 0
    finally:
        process.kill()
        process.wait()
    assert {path.name for path in state.iterdir()} <= {"apportion.db", "log", "compiled"}
    assert "0.0.0.0" in (state / "log").read_text()


# Compose


def test_compose_stands_on_its_own() -> None:
    """Every volume, network and secret that is used is declared; images are the usual ones, or ours."""
    read = compose()
    for name, service in read["services"].items():
        assert service["image"] in ("postgres:18", "apportion"), name
        assert set(service.get("secrets", [])) <= set(read["secrets"]), name
        assert set(service.get("networks", [])) <= set(read["networks"]), name
        for volume in service.get("volumes", []):
            assert volume.partition(":")[0] in read["volumes"], name
        for other, condition in service.get("depends_on", {}).items():
            assert condition["condition"] in ("service_healthy", "service_completed_successfully")
            assert other in read["services"]
    assert read["services"]["migrate"]["build"]["dockerfile"] == "deploy/Dockerfile"


def test_compose_is_safe_and_in_order() -> None:
    """PostgreSQL is healthy before the schema is made, and that before anybody serves; two processes serve, without
    root, without a writable root, reached from this machine alone; the database is reached from inside alone."""
    services = compose()["services"]
    assert services["postgres"]["healthcheck"]["test"][:2] == ["CMD", "pg_isready"]
    assert services["migrate"]["depends_on"]["postgres"]["condition"] == "service_healthy"
    assert services["serve"]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    assert services["serve"]["deploy"]["replicas"] == 2
    assert all(port.startswith("127.0.0.1:") for port in services["serve"]["ports"])
    assert "ports" not in services["postgres"]
    assert services["postgres"]["networks"] == ["inside"]
    for name in ("migrate", "serve"):
        assert services[name]["read_only"] and services[name]["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in services[name]["security_opt"], name
        assert "password" not in services[name]["environment"]["APPORTION_STORE_URL"].lower()
        assert services[name]["environment"]["APPORTION_STORE_PASSWORD"].startswith("file:/run/secrets/")


def test_compose_by_docker_itself(tmp_path: Path) -> None:
    """`docker compose config` finds nothing, where it is installed."""
    if (
        shutil.which("docker") is None
        or subprocess.run(["docker", "compose", "version"], capture_output=True).returncode
    ):
        pytest.skip("docker compose is not installed")
    shutil.copytree(DEPLOY, tmp_path / "deploy")
    (tmp_path / "deploy" / "apportion.env").touch()
    command = ["docker", "compose", "-f", str(tmp_path / "deploy" / "compose.yaml"), "config", "--quiet"]
    assert subprocess.run(command, capture_output=True, timeout=60).returncode == 0


def test_the_commands_of_compose_and_units_exist() -> None:
    """Each is a command of `apportion`, with options that it has."""
    commands = [service["command"] for service in compose()["services"].values() if "command" in service]
    commands += [line.split()[1:] for path in UNITS for line in unit(path).get("ExecStart", [])]
    assert len(commands) == 4
    for command in commands:
        assert run([*command, "--help"]) == 0, command


# systemd


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units, whose programs and files are some that this machine has."""
    for path in UNITS:
        text = path.read_text(encoding="utf-8").replace("/opt/apportion/bin/apportion", "/bin/true")
        (tmp_path / path.name).write_text(text)
    return tmp_path


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_units_by_systemd_itself(units: Path) -> None:
    """`verify` has nothing to say, and `security` calls the exposure small (2 of 10 at most)."""
    paths = [str(path) for path in sorted(units.iterdir())]
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *paths], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    services = [path for path in paths if path.endswith(".service")]
    security = ["systemd-analyze", "security", "--offline=true", "--threshold=20", *services]
    done = subprocess.run(security, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout[-500:]


def test_units_are_hardened_and_share_their_state() -> None:
    """Both alike, but for what they run: the same user, the same folder, no way to more rights."""
    serve, due = (unit(DEPLOY / name) for name in ("apportion.service", "apportion-run-due.service"))
    own = {"Description", "Type", "ExecStart", "Restart", "RestartSec", "TimeoutStopSec", "TimeoutStartSec", "WantedBy",
           "StartLimitIntervalSec", "StartLimitBurst"}  # fmt: skip
    assert {name: value for name, value in serve.items() if name not in own} == {
        name: value for name, value in due.items() if name not in own
    }
    held = {"DynamicUser": "yes", "NoNewPrivileges": "yes", "ProtectSystem": "strict", "StateDirectory": "apportion"}
    assert held.items() <= {name: values[-1] for name, values in serve.items()}.items()
    assert serve["Restart"] == ["on-failure"]
    assert serve["EnvironmentFile"] == ["/etc/apportion/apportion.env"]
