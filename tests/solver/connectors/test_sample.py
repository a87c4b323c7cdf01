from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from apportion.connectors import sample
from apportion.connectors.sample import sample_folder
from apportion_models.errors import ApportionError

ROOT = Path(__file__).parents[3]


def test_a_checkout_uses_its_data() -> None:
    """In a checkout the sample company is the one in data/, so that an edit there is seen."""
    assert sample_folder() == ROOT / "data"


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package folder that holds nothing yet, and believes to be ours."""
    package = tmp_path / "solver" / "apportion"
    package.mkdir(parents=True)
    monkeypatch.setattr(sample, "__file__", str(package / "connectors" / "sample.py"))
    return package


def test_the_installed_one_comes_first(elsewhere: Path) -> None:
    """What was installed with the code is what the code was tested with: it wins over any data/ folder."""
    for folder in (elsewhere / "sample", elsewhere.parents[1] / "data"):
        folder.mkdir()
        shutil.copy(ROOT / "data" / "leads.csv", folder)
    assert sample_folder() == elsewhere / "sample"


def test_a_damaged_installation_says_so(elsewhere: Path) -> None:
    """Where neither is there, the error names both places and the way out; an empty folder is no sample."""
    (elsewhere / "sample").mkdir()
    with pytest.raises(ApportionError, match="Install Apportion again") as error:
        sample_folder()
    assert str(elsewhere / "sample") in str(error.value) and str(elsewhere.parents[1] / "data") in str(error.value)


def test_it_does_not_depend_on_the_folder_one_is_in(tmp_path: Path) -> None:
    """The folder is found from wherever the command is called."""
    code = "from apportion.connectors.sample import sample_folder; print(sample_folder())"
    paths = [str(ROOT / "solver"), str(ROOT / "models")]
    command = [sys.executable, "-c", f"import sys; sys.path[:0] = {paths!r}; {code}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60)
    assert Path(done.stdout.strip()) == ROOT / "data"
