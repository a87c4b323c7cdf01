"""Saved scenarios: the YAML files that the command line reads too."""

from __future__ import annotations

from pathlib import Path

import pytest

from apportion.service.console.shelf import FolderShelf
from apportion.whatif import Scenario, load_scenario
from apportion_models.errors import InputError, UsageError

CHANGED = {"name": "A firmer floor", "reps": {"leave": ["R02"]}, "policy": {"set": {"equity[fair offer].low": 0.8}}}

NAMES = ("../secret.yaml", "/etc/passwd", "sub/x.yaml", "", ".", "..", "secret.txt", "no.yaml")


def scenario(**content: object) -> Scenario:
    return load_scenario({**CHANGED, **content})


def test_what_is_saved_is_what_the_command_line_reads(tmp_path: Path) -> None:
    """The file holds the scenario, whole, under a name that tells it."""
    shelf = FolderShelf(tmp_path / "made" / "by it")
    file = shelf.save(scenario())
    assert file == "a-firmer-floor.yaml"
    assert load_scenario(shelf.folder / file) == scenario()
    assert shelf.scenarios([file]) == (scenario(),)
    assert shelf.text(file).startswith("version: 1\n")


def test_names_are_of_their_own_unless_replaced(tmp_path: Path) -> None:
    """A second scenario of a name is refused, or takes the file; another name never takes a file that is there."""
    shelf = FolderShelf(tmp_path)
    shelf.save(scenario())
    with pytest.raises(InputError, match="name of its own"):
        shelf.save(scenario(reps={"leave": ["R03"]}))
    assert shelf.save(scenario(reps={"leave": ["R03"]}), replace=True) == "a-firmer-floor.yaml"
    assert shelf.scenarios(["a-firmer-floor.yaml"])[0].reps.leave == ("R03",)
    other = shelf.save(scenario(name="A FIRMER floor!"))
    assert other != "a-firmer-floor.yaml" and len(shelf.all()) == 2
    assert shelf.save(scenario(name="–")) == "scenario.yaml"


def test_what_cannot_be_read_is_told_and_hides_nothing(tmp_path: Path) -> None:
    """A broken file stands beside the others with its fault; other files are not looked at."""
    shelf = FolderShelf(tmp_path)
    shelf.save(scenario())
    (tmp_path / "broken.yaml").write_text("name: x\nnonsense: 1\n")
    (tmp_path / "notes.txt").write_text("no scenario")
    kept = {one.file: one for one in shelf.all()}
    assert set(kept) == {"a-firmer-floor.yaml", "broken.yaml"}
    assert kept["broken.yaml"].scenario is None
    assert kept["broken.yaml"].findings[0].column == "nonsense"
    with pytest.raises(InputError, match="nonsense"):
        shelf.scenarios(["a-firmer-floor.yaml", "broken.yaml"])
    assert FolderShelf(tmp_path / "nowhere").all() == ()


@pytest.mark.parametrize("name", NAMES)
def test_no_other_file_can_be_named(tmp_path: Path, name: str) -> None:
    """Whatever name comes over the page: only files of the folder are read, handed out or deleted."""
    (tmp_path / "secret.yaml").write_text("name: secret\n")
    shelf = FolderShelf(tmp_path / "shelf")
    (shelf.folder / "sub").mkdir(parents=True)
    for name_of in ("sub/x.yaml", "secret.txt"):
        (shelf.folder / name_of).write_text("name: x\n")
    for deed in (shelf.text, shelf.delete, lambda file: shelf.scenarios([file])):
        with pytest.raises(UsageError):
            deed(name)
    assert (tmp_path / "secret.yaml").exists() and (shelf.folder / "sub" / "x.yaml").exists()


def test_deleting_takes_the_file_away(tmp_path: Path) -> None:
    """Gone is gone; a second time there is nothing to delete."""
    shelf = FolderShelf(tmp_path)
    file = shelf.save(scenario())
    shelf.delete(file)
    assert shelf.all() == ()
    with pytest.raises(UsageError):
        shelf.delete(file)


@pytest.mark.parametrize("folder", ["/etc", "../models", "sub/../../x"])
def test_a_model_elsewhere_is_refused(tmp_path: Path, folder: str) -> None:
    """A scenario from the page may not make the console open folders elsewhere on the machine."""
    with pytest.raises(InputError, match="must be a folder under"):
        FolderShelf(tmp_path).guard(scenario(fit={"model": folder}))


def test_a_model_beside_the_scenarios_is_found_from_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the file the model's folder is said as seen from the file, as the command line takes it."""
    monkeypatch.chdir(tmp_path)
    shelf = FolderShelf(Path("scenarios"))
    file = shelf.save(scenario(fit={"model": "scenarios/newer"}))
    assert "model: newer" in shelf.text(file)
    assert Path(shelf.scenarios([file])[0].model_folder or "") == Path("scenarios/newer")
