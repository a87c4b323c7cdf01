"""Saved scenarios: the YAML files of one folder, which `apportion whatif` reads too."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from apportion.connectors import write_files
from apportion.service.console.panel.draft import plain, scenario_text
from apportion.whatif import Scenario, load_scenario
from apportion_models.errors import Finding, InputError, UsageError

ENDINGS = (".yaml", ".yml")
SLUG = 48  # letters of a file's name
MOST_FILES = 500


@dataclass(frozen=True)
class Kept:
    """One file of the shelf. scenario : what it holds, or None where it cannot be read; then findings say why."""

    file: str
    scenario: Scenario | None
    findings: tuple[Finding, ...] = ()


class Shelf:
    """The scenarios of a folder. It is read anew each time, so that files may come and go."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def all(self) -> tuple[Kept, ...]:
        """Every file, by name; what cannot be read is told and not hidden."""
        if not self.folder.is_dir():
            return ()
        paths = sorted(path for path in self.folder.iterdir() if path.suffix in ENDINGS and path.is_file())
        return tuple(self._read(path) for path in paths[:MOST_FILES])

    def scenarios(self, files: list[str]) -> tuple[Scenario, ...]:
        """The scenarios of the files. InputError with what is wrong in any of them."""
        faults: list[Finding] = []
        found = []
        for file in files:
            kept = self._read(self._path(file))
            faults += kept.findings
            if kept.scenario is not None:
                found.append(kept.scenario)
        if faults:
            raise InputError(faults)
        return tuple(found)

    def text(self, file: str) -> str:
        """A file as it is."""
        return self._path(file).read_text(encoding="utf-8")

    def save(self, scenario: Scenario, *, replace: bool = False) -> str:
        """Write a scenario under its name; the file's name is given back. InputError where another has the name."""
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
        file = held.get(scenario.name) or self._free(scenario.name)
        content = {"version": 1, **plain(self.guard(scenario))}
        if scenario.model_folder is not None:  # in a file it is said as seen from the file
            content["fit"]["model"] = os.path.relpath(scenario.model_folder, self.folder)
        write_files(self.folder, {file: scenario_text(content).encode()})
        return file

    def delete(self, file: str) -> None:
        """Take a file away."""
        self._path(file).unlink(missing_ok=True)

    @staticmethod
    def _read(path: Path) -> Kept:
        try:
            return Kept(path.name, load_scenario(path))
        except InputError as error:
            return Kept(path.name, None, tuple(error.findings))

    def _path(self, file: str) -> Path:
        """Only files of the shelf: no other place can be named. UsageError where there is none."""
        path = self.folder / file
        if file != path.name or path.suffix not in ENDINGS or not path.is_file():
            raise UsageError(f"There is no saved scenario {file}.")
        return path

    def _free(self, name: str) -> str:
        """A file name that tells the scenario, and that no file has."""
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:SLUG] or "scenario"
        if not (self.folder / f"{slug}.yaml").exists():
            return f"{slug}.yaml"
        return f"{slug}-{hashlib.sha256(name.encode()).hexdigest()[:8]}.yaml"

    def guard(self, scenario: Scenario) -> Scenario:
        """Refuse a scenario from the page that names a model elsewhere on the machine: InputError."""
        folder = scenario.model_folder
        if folder is not None and not Path(folder).resolve().is_relative_to(self.folder.resolve()):
            message = f"must be a folder under {self.folder}, where the saved scenarios are"
            remedy = "`apportion whatif` takes a model from anywhere."
            raise InputError(scenario.fault("fit.model", message, value=scenario.fit.model, remedy=remedy))
        return scenario
