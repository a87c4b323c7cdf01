from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from apportion.online import Router
from apportion_models.errors import InputError
from tests.solver.online.cases import random_case


@pytest.mark.parametrize("seed", range(12))
def test_a_loaded_router_decides_as_the_saved_one(seed: int, tmp_path: Path) -> None:
    """Saved in the middle, with leads placed, released, and a rep paused: what comes after is the same, and so is what
    is saved then, byte for byte."""
    case = random_case(seed)
    first = case.make()
    for row in range(30):
        first.route(case.lead_ids[row], **case.lead(row))
        if row % 5 == 0:
            first.release(case.lead_ids[row])
    first.pause(case.router["rep_ids"][0])
    second = Router.load(first.save(tmp_path / "saved"))
    for row in range(30, 60):
        assert second.route(case.lead_ids[row], **case.lead(row)) == first.route(case.lead_ids[row], **case.lead(row))
    for made in (first, second):
        made.resume(case.router["rep_ids"][0])
        made.release(case.lead_ids[1])
    files = [_bytes(made.save(tmp_path / name)) for made, name in ((first, "a"), (second, "b"))]
    assert files[0] == files[1]
    with pytest.raises(InputError, match="routed before"):
        second.route(case.lead_ids[2], **case.lead(2))


def _bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_saving_again_leaves_two_files(tmp_path: Path) -> None:
    """An older save in the same folder is replaced whole."""
    made = Router(capacity=[1.0])
    made.save(tmp_path)
    made.route("a\0", value=[1.0])  # an odd id survives
    made.save(tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    assert Router.load(tmp_path).report().assigned == {"a\0": "0"}


def _damage(folder: Path, change: Any) -> None:
    path = folder / "router.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


DAMAGES: dict[str, Any] = {
    "no file": lambda folder: (folder / "router.json").unlink(),
    "no arrays": lambda folder: next(folder.glob("*.npz")).unlink(),
    "cut": lambda folder: next(folder.glob("*.npz")).write_bytes(b"PK"),
    "not JSON": lambda folder: (folder / "router.json").write_text("{"),
    "not ours": lambda folder: (folder / "router.json").write_text("[]"),
    "version": lambda folder: _damage(folder, lambda document: document.update(version=99)),
    "outside": lambda folder: _damage(folder, lambda document: document["arrays"].update(name="../x.npz")),
    "a rep less": lambda folder: _damage(folder, lambda document: document["rep_ids"].pop()),
    "a lead more": lambda folder: _damage(folder, lambda document: document["leads"].append("x")),
    "no groups": lambda folder: _damage(folder, lambda document: document.pop("groups")),
    "order": lambda folder: _damage(folder, lambda document: document.update(order=[5, 6])),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_state_is_refused(damage: str, tmp_path: Path) -> None:
    """A file that is missing, cut, foreign or does not fit is refused, saying so; never half loaded."""
    made = Router(capacity=[1.0, 2.0])
    made.route("a", value=[1.0, 2.0])
    made.save(tmp_path)
    DAMAGES[damage](tmp_path)
    with pytest.raises(InputError, match="router state"):
        Router.load(tmp_path)


def test_state_is_a_copy() -> None:
    """What comes later does not change a state that was taken."""
    made = Router(capacity=[5.0], horizon=5)
    document, arrays = made.state()
    made.route("a", value=[1.0])
    assert document["leads"] == [] and float(np.sum(arrays["book_sums"])) == 0.0
    assert Router.from_state(document, arrays).report().arrivals == 0
