"""Saved scenarios: where they are kept, the rules for names that hold everywhere, and the folder of YAML files."""

from __future__ import annotations

import hashlib
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from apportion.connectors import write_files
from apportion.service.console.panel.draft import plain, scenario_text
from apportion.service.console.panel.places import Draft
from apportion.whatif import Scenario, load_scenario
from apportion_models.errors import Finding, InputError, UsageError

ENDINGS = (".yaml", ".yml")
SLUG = 48  # letters of a file's name
MOST_FILES = 500


@dataclass(frozen=True)
class Kept:
    """One scenario of a shelf. file : by which it is known there. scenario : what it holds, or None where it cannot be
    read; then findings say why."""

    file: str
    scenario: Scenario | None
    findings: tuple[Finding, ...] = ()

    @classmethod
    def read(cls, file: str, source: Path | str) -> Kept:
        """From a file, or its text."""
        try:
            return cls(file, load_scenario(source))
        except InputError as error:
            return cls(file, None, tuple(error.findings))


class Shelf(ABC):
    """Scenarios that were saved. It is read anew each time, so that they may come and go."""

    @property
    @abstractmethod
    def about(self) -> str:
        """Where they are, in a sentence."""

    @abstractmethod
    def all(self) -> tuple[Kept, ...]:
        """Every scenario, by name; what cannot be read is told and not hidden."""

    @abstractmethod
    def one(self, file: str) -> Kept:
        """One of them. UsageError where there is none."""

    @abstractmethod
    def text(self, file: str) -> str:
        """One as it is. UsageError where there is none."""

    @abstractmethod
    def delete(self, file: str) -> None:
        """Take one away. UsageError where there is none."""

    @abstractmethod
    def guard(self, scenario: Scenario) -> Scenario:
        """Refuse a scenario from the page that names a model elsewhere on the machine: InputError."""

    @abstractmethod
    def _write(self, scenario: Scenario, held: str | None, content: Draft) -> str:
        """Keep it, in the place of `held`; gives by which name it is known."""

    def scenarios(self, files: Sequence[str]) -> tuple[Scenario, ...]:
        """The scenarios of these. InputError with what is wrong in any of them."""
        kept = [self.one(file) for file in files]
        if faults := [finding for one in kept for finding in one.findings]:
            raise InputError(faults)
        return tuple(one.scenario for one in kept if one.scenario is not None)

    def save(self, scenario: Scenario, *, replace: bool = False) -> str:
        """Keep a scenario, and give by which name it is known. InputError where another has its name."""
        held = {kept.scenario.name: kept.file for kept in self.all() if kept.scenario is not None}
        if scenario.name in held and not replace:
            raise InputError(
                Finding(
                    severity="error",
                    table="scenario",
                    column="name",
                    message="must be a name of its own; a saved scenario has it.",
                    value=scenario.name,
                    remedy="Choose another name, or tick that it replaces the saved one.",
                )
            )
        return self._write(scenario, held.get(scenario.name), {"version": 1, **plain(self.guard(scenario))})


def slug(name: str) -> str:
    """A name that a file may have."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:SLUG] or "scenario"


class FolderShelf(Shelf):
    """The YAML files of one folder, which `apportion whatif` reads too."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def about(self) -> str:
        """Which folder."""
        return f"The YAML files in {self.folder}, which `apportion whatif` reads too."

    def all(self) -> tuple[Kept, ...]:
        """Every file, by name."""
        if not self.folder.is_dir():
            return ()
        paths = sorted(path for path in self.folder.iterdir() if path.suffix in ENDINGS and path.is_file())
        return tuple(Kept.read(path.name, path) for path in paths[:MOST_FILES])

    def one(self, file: str) -> Kept:
        """One file."""
        return Kept.read(file, self._path(file))

    def text(self, file: str) -> str:
        """A file as it is."""
        return self._path(file).read_text(encoding="utf-8")

    def delete(self, file: str) -> None:
        """Take a file away."""
        self._path(file).unlink(missing_ok=True)

    def guard(self, scenario: Scenario) -> Scenario:
        """A model must be under the folder."""
        folder = scenario.model_folder
        if folder is not None and not Path(folder).resolve().is_relative_to(self.folder.resolve()):
            message = f"must be a folder under {self.folder}, where the saved scenarios are"
            remedy = "`apportion whatif` takes a model from anywhere."
            raise InputError(scenario.fault("fit.model", message, value=scenario.fit.model, remedy=remedy))
        return scenario

    def _write(self, scenario: Scenario, held: str | None, content: Draft) -> str:
        file = held or self._free(scenario.name)
        if scenario.model_folder is not None:  # in a file it is said as seen from the file
            content["fit"]["model"] = os.path.relpath(scenario.model_folder, self.folder)
        write_files(self.folder, {file: scenario_text(content).encode()})
        return file

    def _path(self, file: str) -> Path:
        """Only files of the shelf: no other place can be named."""
        path = self.folder / file
        if file != path.name or path.suffix not in ENDINGS or not path.is_file():
            raise UsageError(f"There is no saved scenario {file}.")
        return path

    def _free(self, name: str) -> str:
        """A file name that tells the scenario, and that no file has."""
        file = f"{slug(name)}.yaml"
        if not (self.folder / file).exists():
            return file
        return f"{slug(name)}-{hashlib.sha256(name.encode()).hexdigest()[:8]}.yaml"
