from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.packaging.project import ROOT, SOURCES, pyproject

Pins = dict[str, list[tuple[Requirement, frozenset[str]]]]
PYTHONS = ["3.11", "3.12", "3.13"]
DATA_ONLY = {"tzdata"}  # read by zoneinfo where the machine has no time zones; nothing imports it


def pins(name: str) -> Pins:
    """A lock's pins by canonical name, each with its hashes."""
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8").replace("\\\n", " ")
    found: Pins = {}
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            requirement = Requirement(line.split("--hash")[0].strip())
            hashes = frozenset(re.findall(r"--hash=(\S+)", line))
            found.setdefault(canonicalize_name(requirement.name), []).append((requirement, hashes))
    return found


def pinned(name: str, lock: Pins, python: str) -> Version:
    """The one version that a lock gives this Python on Linux."""
    environment = {"python_version": python, "python_full_version": f"{python}.1", "sys_platform": "linux"}
    fitting = [
        requirement
        for requirement, _ in lock.get(canonicalize_name(name), [])
        if requirement.marker is None or requirement.marker.evaluate(environment)
    ]
    assert len(fitting) == 1, f"{name} must be pinned once for Python {python}: run `make lock`"
    return Version(str(fitting[0].specifier).removeprefix("=="))


def imported() -> Iterator[str]:
    """The top-level name of every import of both packages, wherever it stands in the code."""
    for folder in SOURCES.values():
        for path in folder.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    yield from (alias.name.split(".")[0] for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                    yield node.module.split(".")[0]


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize(
    ("lock", "groups"),
    [("core.txt", ()), ("dev.txt", ("dev",)), ("uv.txt", ("tools",)), ("service.txt", ("service",)), ("build.txt", ())],
    ids=lambda part: str(part),
)
def test_lock_satisfies_pyproject(lock: str, groups: tuple[str, ...], python: str) -> None:
    """Every dependency that pyproject.toml declares is pinned within its range, for each Python."""
    project = pyproject()
    declared = [] if lock in ("uv.txt", "build.txt") else list(project["project"]["dependencies"])
    for group in groups:
        declared += (project["dependency-groups"] | project["project"]["optional-dependencies"])[group]
    declared += project["build-system"]["requires"] if lock == "build.txt" else []
    assert declared
    held = pins(lock)
    for text in declared:
        requirement = Requirement(text)
        version = pinned(requirement.name, held, python)
        assert version in requirement.specifier, f"{requirement} against {version} in {lock}: run `make lock`"


def test_tests_run_on_what_is_shipped() -> None:
    """The locks of core, service and build are part of that of the tests: same versions, same hashes."""
    dev = pins("dev.txt")
    for lock in ("core.txt", "service.txt", "build.txt"):
        shipped = pins(lock)
        assert {name: dev.get(name) for name in shipped} == shipped, lock


@pytest.mark.parametrize("lock", ["core.txt", "dev.txt", "uv.txt", "service.txt", "build.txt"])
def test_lock_is_hashed_and_names_no_place(lock: str) -> None:
    """Each pin is exact and carries hashes; no index, no host, no folder of the machine that wrote the lock."""
    text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
    assert not re.search(
        r"://|@|file:|\.(org|com|net|io)\b|(^|\s)/\w|^-|--(index|extra-index|find-links|trusted)", text, re.M
    )
    for requirement, hashes in (pin for group in pins(lock).values() for pin in group):
        assert re.fullmatch(r"==[^*,]+", str(requirement.specifier)), requirement
        assert hashes and all(re.fullmatch(r"sha256:[0-9a-f]{64}", each) for each in hashes), requirement


def test_imports_are_declared() -> None:
    """The packages import what the core or an extra declares, nothing that only came along; and the core declares no
    more."""
    owners = packages_distributions()
    foreign = {name for name in imported() if name not in sys.stdlib_module_names and name not in SOURCES}
    used = {canonicalize_name(owner) for name in foreign for owner in owners.get(name, [name])}
    declared = {canonicalize_name(Requirement(text).name) for text in pyproject()["project"]["dependencies"]}
    groups = pyproject()["project"]["optional-dependencies"].values()
    extra = {canonicalize_name(Requirement(text).name) for group in groups for text in group}
    assert used - declared - extra == set(), "imported, but not declared"
    assert declared - used == DATA_ONLY, "declared, but never imported"
