from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from apportion_models.errors import ModelError
from apportion_models.fit import FitModel
from apportion_models.registry import load_model, save_model
from tests.models.worlds import LAST, World

WORLD = World(rep_sd=0.6, segment_sd=0.6, skill=0.3, seed=1)
HISTORY = WORLD.history(1500)

ALLOWED = {"age": {"who": "nobody", "when": "2024-05-01", "why": "a test"}}


def fitted(level: str = "rep x segment") -> FitModel:
    return FitModel(level=level, override=ALLOWED).fit(HISTORY, WORLD.reps())


@pytest.fixture(scope="module")
def model() -> FitModel:
    return fitted()


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize("level", ["base rate", "lead", "rep", "rep x segment"])
def test_a_loaded_model_predicts_the_same_bytes(tmp_path: Path, level: str) -> None:
    """Whatever the level: chances, revenue, evidence, card and findings survive the round trip."""
    one = fitted(level)
    two = load_model(save_model(one, tmp_path / "model"))
    leads, reps = WORLD.leads(80), WORLD.reps()
    assert one.predict_fit(leads, reps, at=LAST).tobytes() == two.predict_fit(leads, reps, at=LAST).tobytes()
    assert one.predict_revenue(leads, reps, at=LAST).tobytes() == two.predict_revenue(leads, reps, at=LAST).tobytes()
    assert one.evidence_.sentences == two.evidence_.sentences and one.card_ == two.card_
    assert one.evidence_.rates.equals(two.evidence_.rates)
    assert list(map(str, one.findings_)) == list(map(str, two.findings_))
    assert two.get_params()["override"] == ALLOWED


def test_the_same_data_give_the_same_files(tmp_path: Path, model: FitModel) -> None:
    """Fit twice, from rows in another order, saved in two places: the same bytes; and saving again changes nothing."""
    save_model(model, tmp_path / "a")
    again = FitModel(level="rep x segment", override=ALLOWED)
    save_model(again.fit(HISTORY.sample(frac=1.0, random_state=1), WORLD.reps()), tmp_path / "b")
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    save_model(load_model(tmp_path / "a"), tmp_path / "a")
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_a_new_model_replaces_the_old_one(tmp_path: Path, model: FitModel) -> None:
    """Saving over another model leaves one model, and files of other people alone."""
    save_model(fitted("lead"), tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    save_model(model, tmp_path)
    assert len(contents(tmp_path)) == 5 and (tmp_path / "notes.txt").read_text() == "mine"
    assert load_model(tmp_path).level_ == "rep x segment"


def test_a_save_that_is_killed_leaves_the_old_model(
    tmp_path: Path, model: FitModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash at any file leaves a folder that still loads as the old model."""
    save_model(fitted("lead"), tmp_path)
    replace = Path.replace
    for crash_at in range(3):
        calls = iter(range(10))

        def crash(self: Path, target: Path, calls: object = calls, crash_at: int = crash_at) -> Path:
            if next(calls) == crash_at:  # type: ignore[call-overload]
                raise KeyboardInterrupt
            return replace(self, target)

        monkeypatch.setattr(Path, "replace", crash)
        with pytest.raises(KeyboardInterrupt):
            save_model(model, tmp_path)
        monkeypatch.undo()
        assert load_model(tmp_path).level_ == "lead"
        assert not [name for name in contents(tmp_path) if name.startswith(".")]


def test_every_damaged_file_is_refused_by_name(tmp_path: Path, model: FitModel) -> None:
    """One flipped byte, a cut file or a missing one: ModelError naming the file."""
    save_model(model, tmp_path)
    whole = contents(tmp_path)
    for name in whole:
        if name == "card.md":
            continue
        half = len(whole[name]) // 2
        flipped = whole[name][:half] + bytes([whole[name][half] ^ 1]) + whole[name][half + 1 :]
        for damaged in (flipped, whole[name][:half], b"", None):
            if damaged is None:
                (tmp_path / name).unlink()
            else:
                (tmp_path / name).write_bytes(damaged)
            with pytest.raises(ModelError) as caught:
                load_model(tmp_path)
            assert name in str(caught.value) or (name == "manifest.json" and "model file" in str(caught.value))
        (tmp_path / name).write_bytes(whole[name])
    assert load_model(tmp_path).level_ == model.level_


def test_foreign_folders_are_refused(tmp_path: Path) -> None:
    """An empty folder, another project's manifest, another version: each is told apart."""
    with pytest.raises(ModelError, match="cannot be read"):
        load_model(tmp_path / "nowhere")
    for content, told in (
        ("[]", "not a saved fit model"),
        ('{"format": "other"}', "not a saved fit model"),
        ('{"format": "apportion-fit-model", "version": 99}', "version 3"),
        ('{"format": "apportion-fit-model", "version": 3}', "names no 'model'"),
        ("not json", "not JSON"),
    ):
        (tmp_path / "manifest.json").write_text(content)
        with pytest.raises(ModelError, match=told):
            load_model(tmp_path)


def rewrite(folder: Path, part: str, content: bytes, name: str | None = None) -> None:
    """Put other content into a model, with a manifest whose hash agrees."""
    import hashlib

    manifest = json.loads((folder / "manifest.json").read_text())
    entry = manifest["files"][part]
    entry["name"] = name or entry["name"]
    entry["sha256"] = hashlib.sha256(content).hexdigest()
    (folder / entry["name"]).write_bytes(content)
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_nothing_is_unpickled(tmp_path: Path, model: FitModel) -> None:
    """Arrays that hold a pickle are refused even when the hash agrees, and nothing of it runs."""
    save_model(model, tmp_path / "m")
    witness = tmp_path / "ran"

    class Evil:
        def __reduce__(self) -> tuple[object, tuple[object, ...]]:
            return Path.touch, (witness,)

    rewrite(tmp_path / "m", "arrays", pickle.dumps(Evil()))
    with pytest.raises(ModelError, match="arrays"):
        load_model(tmp_path / "m")
    np.savez(tmp_path / "evil.npz", beta=np.array([Evil()], dtype=object))
    rewrite(tmp_path / "m", "arrays", (tmp_path / "evil.npz").read_bytes())
    with pytest.raises(ModelError, match="arrays"):
        load_model(tmp_path / "m")
    assert not witness.exists()


def test_a_model_of_unlike_pieces_is_refused(tmp_path: Path, model: FitModel) -> None:
    """Arrays of one model with the encoders of another do not load, whatever their hashes say."""
    save_model(model, tmp_path / "a")
    save_model(fitted("lead"), tmp_path / "b")
    other = next((tmp_path / "b").glob("arrays-*")).read_bytes()
    rewrite(tmp_path / "a", "arrays", other)
    with pytest.raises(ModelError, match="put together"):
        load_model(tmp_path / "a")
    manifest = json.loads((tmp_path / "b" / "manifest.json").read_text())
    manifest["files"]["model"]["name"] = "../a/manifest.json"
    (tmp_path / "b" / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match="own folder"):
        load_model(tmp_path / "b")
