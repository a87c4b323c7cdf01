"""Scenarios kept in the store, for everybody who may ask."""

from __future__ import annotations

from apportion.service.console.panel.draft import scenario_text
from apportion.service.console.panel.places import Draft
from apportion.service.console.shelf import Kept, Shelf
from apportion.service.store import Store
from apportion.service.store.scenarios import SavedScenario
from apportion.whatif import Scenario
from apportion_models.errors import InputError, NotFoundError, UsageError


class StoreShelf(Shelf):
    """The saved scenarios of a store, known by their names. actor : who is noted where one is saved or deleted."""

    about = "Kept in the store: everybody who signs in sees them."

    def __init__(self, store: Store, actor: str) -> None:
        self._store, self._actor = store, actor

    def all(self) -> tuple[Kept, ...]:
        """Every scenario, by name."""
        with self._store.read() as tx:
            return tuple(map(_kept, tx.scenarios.all()))

    def one(self, file: str) -> Kept:
        """The one of this name."""
        return _kept(self._saved(file))

    def text(self, file: str) -> str:
        """As a scenario file says it."""
        return self._saved(file).content

    def delete(self, file: str) -> None:
        """Take it away."""
        self._saved(file)
        self._store.attempt(lambda tx: tx.scenarios.delete(file), actor=self._actor)

    def guard(self, scenario: Scenario) -> Scenario:
        """No model by its folder: the page names no place of the service's machine."""
        if scenario.fit.model is not None:
            message, remedy = "must not name a folder here", "`apportion whatif` takes a model from anywhere."
            raise InputError(scenario.fault("fit.model", message, value=scenario.fit.model, remedy=remedy))
        return scenario

    def _write(self, scenario: Scenario, held: str | None, content: Draft) -> str:
        self._store.attempt(lambda tx: tx.scenarios.put(scenario.name, scenario_text(content)), actor=self._actor)
        return scenario.name

    def _saved(self, name: str) -> SavedScenario:
        try:
            with self._store.read() as tx:
                return tx.scenarios.get(name)
        except NotFoundError as error:
            raise UsageError(str(error)) from None


def _kept(saved: SavedScenario) -> Kept:
    return Kept.read(saved.name, f"{saved.content}\n")
