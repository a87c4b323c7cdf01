from __future__ import annotations

import configparser
import hashlib
import os
import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path, PurePosixPath

import pytest
from packaging.requirements import Requirement

from tests.packaging.project import ROOT, SOURCES, pyproject

CODE = {".py", ".typed", ".j2", ".css", ".js"}
LARGEST = 3_000_000  # bytes; half of it is the sample company


def build(target: str, folder: Path, source: Path = ROOT) -> Path:
    """One distribution of the project, built without a network by the backend that is installed."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True, timeout=120)
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel in the folder that APPORTION_WHEEL names, else one built now."""
    folder = os.environ.get("APPORTION_WHEEL")
    if folder is None:
        return build("wheel", tmp_path_factory.mktemp("wheel"))
    (found,) = (ROOT / folder).glob("*.whl")
    return found


@pytest.fixture(scope="module")
def names(wheel: Path) -> list[PurePosixPath]:
    """Every file in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return [PurePosixPath(name) for name in archive.namelist()]


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the wheel's files alone, as site-packages would."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run(code: str, installed: Path) -> str:
    """What a Python prints that sees the wheel, and not the checkout."""
    environment = {**os.environ, "PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": ""}
    command = [sys.executable, "-P", "-c", code]
    done = subprocess.run(command, cwd=installed, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_top_level(names: list[PurePosixPath]) -> None:
    """Nothing generic lands in site-packages: two packages and their metadata."""
    version = pyproject()["project"]["version"]
    assert {name.parts[0] for name in names} == {*SOURCES, f"apportion-{version}.dist-info"}


def test_all_of_the_packages(names: list[PurePosixPath]) -> None:
    """Each module, template and marker of the source tree is in, and nothing that lies beside them."""
    expected = {
        str(PurePosixPath(package, *path.relative_to(folder).parts))
        for package, folder in SOURCES.items()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    found = {
        str(name) for name in names if "dist-info" not in name.parts[0] and name.parts[:2] != ("apportion", "sample")
    }
    assert found == expected
    assert {PurePosixPath(name).suffix for name in found} <= CODE
    assert {"apportion/py.typed", "apportion_models/py.typed", "apportion/policy/document/policy.html.j2"} <= found


def test_no_tests(names: list[PurePosixPath]) -> None:
    """No test, cache or development file is shipped."""
    for name in names:
        assert not {"tests", "notebooks", "benchmarks", "__pycache__"} & set(name.parts), name
        assert not name.name.startswith((".", "test_", "conftest")), name


def test_sample(installed: Path) -> None:
    """The sample company is in, byte for byte, and the installed package finds its own."""
    (folder,) = run(
        "from apportion.connectors.sample import sample_folder; print(sample_folder())", installed
    ).splitlines()
    assert Path(folder) == installed / "apportion" / "sample"
    shipped = {path.name: path for path in (ROOT / "data").iterdir() if not path.name.startswith(".")}
    assert {path.name for path in Path(folder).iterdir()} == set(shipped)
    assert {"leads.csv", "reps.csv", "history.csv"} <= set(shipped)
    for name, path in shipped.items():
        assert (Path(folder) / name).read_bytes() == path.read_bytes(), name


def test_command(installed: Path) -> None:
    """`pip install apportion-….whl` gives the command, and it answers."""
    entry_points = configparser.ConfigParser()
    (path,) = installed.glob("*.dist-info/entry_points.txt")
    entry_points.read_string(path.read_text(encoding="utf-8"))
    assert dict(entry_points["console_scripts"]) == {"apportion": "apportion.cli:main"}
    module, function = entry_points["console_scripts"]["apportion"].split(":")
    call = f"import sys; sys.argv = ['apportion', '--help']; from {module} import {function} as main; sys.exit(main())"
    assert "assign" in run(call, installed)


def test_metadata(installed: Path) -> None:
    """Name, version, licence and dependencies are those of pyproject.toml; development tools are not among them."""
    (path,) = installed.glob("*.dist-info/METADATA")
    metadata, project = Parser().parsestr(path.read_text(encoding="utf-8")), pyproject()["project"]
    assert (metadata["Name"], metadata["Version"]) == (project["name"], project["version"])
    assert (metadata["Requires-Python"], metadata["License-Expression"]) == (">=3.11", "Apache-2.0")
    required = {
        Requirement(text).name.lower() for text in metadata.get_all("Requires-Dist", []) if "extra ==" not in text
    }
    assert required == {Requirement(text).name.lower() for text in project["dependencies"]}
    assert run("import apportion; print(apportion.__version__)", installed) == project["version"]


def test_size(wheel: Path) -> None:
    """The wheel stays small: a picture or a table that slipped in shows here."""
    assert wheel.stat().st_size < LARGEST


def test_same_bytes_again(wheel: Path, tmp_path: Path) -> None:
    """One source, one wheel: the second build has the same bytes."""
    again = build("wheel", tmp_path)
    assert (again.name, hashlib.sha256(again.read_bytes()).digest()) == (
        wheel.name,
        hashlib.sha256(wheel.read_bytes()).digest(),
    )


def test_source_distribution_gives_the_same_wheel(names: list[PurePosixPath], tmp_path: Path) -> None:
    """Who builds from the source distribution gets the same files."""
    archive = build("sdist", tmp_path / "sdist")
    with tarfile.open(archive) as packed:
        packed.extractall(tmp_path, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))  # since 3.11.4
    (source,) = tmp_path.glob("apportion-*")
    rebuilt = build("wheel", tmp_path / "wheel", source)
    with zipfile.ZipFile(rebuilt) as unpacked:
        assert sorted(unpacked.namelist()) == sorted(str(name) for name in names)
