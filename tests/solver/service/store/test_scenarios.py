"""Saved scenarios: one a name, noted without telling of anybody."""

from __future__ import annotations

import json

import pytest

from apportion.service.store import Store
from apportion.service.store import scenarios as desk
from apportion.service.store.forget import forget_rep
from apportion_models.errors import ConflictError, NotFoundError
from tests.solver.service.tables import set_up


def test_a_scenario_has_one_name(store: Store) -> None:
    """Saved again it is replaced; unknown ones are told; who saved it stands beside it, and the trail has no name."""
    with store.write(actor="key:ab") as tx:
        tx.scenarios.put("Änna leaves", "name: Änna leaves\n")
        tx.scenarios.put("B", "name: B\n")
    with store.write(actor="key:cd") as tx:
        tx.scenarios.put("B", "name: B\ndescription: again\n")
    with store.read() as tx:
        assert [(one.name, one.saved_by) for one in tx.scenarios.all()] == [("B", "key:cd"), ("Änna leaves", "key:ab")]
        assert "again" in tx.scenarios.get("B").content
        assert "nna" not in json.dumps([dict(one.about) for one in tx.audit.page()])
        with pytest.raises(NotFoundError):
            tx.scenarios.get("C")
    with store.write() as tx:
        tx.scenarios.delete("B")
        with pytest.raises(NotFoundError):
            tx.scenarios.delete("B")
        assert [one.name for one in tx.scenarios.all()] == ["Änna leaves"]


def test_there_is_an_end_of_them(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more than may be is refused and changes nothing; one that is there may be changed all the same."""
    monkeypatch.setattr(desk, "MOST_SCENARIOS", 1)
    with store.write() as tx:
        tx.scenarios.put("A", "name: A\n")
    with pytest.raises(ConflictError, match="delete one"), store.write() as tx:
        tx.scenarios.put("B", "name: B\n")
    with store.write() as tx:
        tx.scenarios.put("A", "name: A \n")
        assert [one.name for one in tx.scenarios.all()] == ["A"]


def test_a_forgotten_rep_is_in_no_scenario(store: Store) -> None:
    """Neither by id nor by name; two that then are called alike are one."""
    set_up(store)
    with store.write() as tx:
        tx.scenarios.put("R2 leaves", "name: R2 leaves\nreps: {leave: [R2]}\n")
        tx.scenarios.put("Rep Number 2 leaves", "name: Rep Number 2 leaves\n")
        tx.scenarios.put("R22 leaves", "name: R22 leaves\n")
        alias = forget_rep(tx, "R2").alias
        assert [one.name for one in tx.scenarios.all()] == ["R22 leaves", f"{alias} leaves"]
        assert "R2]" not in tx.scenarios.get(f"{alias} leaves").content
