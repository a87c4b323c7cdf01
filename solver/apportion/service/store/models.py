"""Models by version: the files of the registry's folder, byte for byte, known by the hash of their manifest."""

from __future__ import annotations

import datetime as dt
import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from apportion.service.store.desk import Page
from apportion.service.store.schema import model_files, models
from apportion.service.store.versions import Versioned
from apportion_models import FitModel, load_model, save_model
from apportion_models.errors import ModelError, NotFoundError
from apportion_models.registry import MANIFEST


@dataclass(frozen=True)
class ModelVersion:
    """One model, without its files. fingerprint : what a run's `model_hash` says."""

    version: int
    fingerprint: str
    level: str
    card: Mapping[str, Any]
    added_at: dt.datetime
    added_by: str


class Models(Versioned):
    """What can be asked and said of models."""

    kind = "model"

    def add(self, model: FitModel) -> ModelVersion:
        """Keep a fitted model, and give its version; equal models have one version, however often they are added."""
        with tempfile.TemporaryDirectory() as folder:
            save_model(model, folder)
            files = {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}
        fingerprint = hashlib.sha256(files[MANIFEST]).hexdigest()
        row = {"fingerprint": fingerprint, "level": model.level_, "card": dict(model.card_)}
        statement = self.tx.insert(models).values(**row, added_at=self.tx.now(), added_by=self.tx.actor)
        is_new = self.inserted(statement.on_conflict_do_nothing(index_elements=["fingerprint"]))
        found = self.first(sa.select(models).where(models.c.fingerprint == fingerprint))
        assert found is not None
        if is_new:
            self._keep_files(int(found.version), files)
            self.note("model.add", version=int(found.version), fingerprint=fingerprint)
        return _version(found)

    def _keep_files(self, version: int, files: Mapping[str, bytes]) -> None:
        for name, content in files.items():
            digest = hashlib.sha256(content).hexdigest()
            row = {"version": version, "name": name, "sha256": digest, "content": content}
            self.changed(sa.insert(model_files).values(row))

    def load(self, version: int) -> FitModel:
        """The model itself. Raises NotFoundError; ModelError where its files are damaged."""
        with tempfile.TemporaryDirectory() as folder:
            return load_model(self.write(version, Path(folder)))

    def write(self, version: int, folder: Path) -> Path:
        """Write the files as the registry wrote them. Raises NotFoundError; ModelError where one is damaged."""
        for name, content in self.files(version).items():
            (folder / name).write_bytes(content)
        return folder

    def files(self, version: int) -> dict[str, bytes]:
        """The files by name. Raises NotFoundError; ModelError where one is damaged."""
        self.get(version)
        kept = self.rows(sa.select(model_files).where(model_files.c.version == version).order_by(model_files.c.name))
        for row in kept:
            if hashlib.sha256(row.content).hexdigest() != row.sha256:
                raise ModelError(f"The file {row.name} of model version {version} was changed in the store.")
        return {row.name: bytes(row.content) for row in kept}

    def get(self, version: int) -> ModelVersion:
        """One version. Raises NotFoundError."""
        row = self.first(sa.select(models).where(models.c.version == version))
        if row is None:
            raise NotFoundError(f"There is no model version {version}.")
        return _version(row)

    def active(self) -> ModelVersion | None:
        """The model in use; None before the first activation."""
        version = self.active_version()
        return None if version is None else self.get(version)

    def page(self, *, after: str | None = None, limit: int = 100) -> Page[ModelVersion]:
        """Versions, the newest first."""
        place = None if after is None else int(after)
        return self.listed(sa.select(models), models.c.version, _version, after=place, limit=limit, newest_first=True)


def _version(row: sa.Row[Any]) -> ModelVersion:
    return ModelVersion(**{**row._mapping, "version": int(row.version)})
