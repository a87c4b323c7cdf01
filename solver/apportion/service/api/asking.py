"""A plan is asked for: it is a run of the store from the first, whether it is waited for or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from apportion.build import Tables
from apportion.policy import Policy
from apportion.service.api.policies import read_policy
from apportion.service.api.tables import read, read_batch
from apportion.service.runs import ask_given
from apportion.service.store import Answer, Tx
from apportion.service.wire.plans import Believing, StoreAsk, TablesAsk
from apportion_models.errors import ConflictError

NO_MODEL = "No fit model is in use: add one with `apportion store model DIR`, which activates it."
OF_A_RUN = ("leads", "reps", "accounts", "territories", "calendar", "overrides")  # as they are named in Tables


@dataclass(frozen=True)
class Asked:
    """A body, read: what is left is said in one transaction. tables : None for the leads of the store."""

    body: Believing
    policy: Policy | None
    tables: dict[str, Any] | None

    def add(self, tx: Tx) -> Answer:
        """The run, and leads × reps of it. Raises ConflictError, NotFoundError."""
        need_model(tx, self.body.model_version)
        version = None if self.policy is None else tx.policies.add(self.policy).version
        about: dict[str, Any] = {"at": self.body.at, "seed": self.body.seed, "options": self.body.options}
        about |= {"policy_version": version, "model_version": self.body.model_version}
        if self.tables is not None:
            pairs = len(self.tables["leads"]) * len(self.tables["reps"])
            return Answer(202, {"plan_id": ask_given(tx, self.tables, **about).run_id, "pairs": pairs})
        pairs = tx.leads.waiting().count * len(tx.reps.all())
        run = tx.runs.add(kind="batch", **about)
        assert run is not None  # only a slot of a schedule may have one already
        return Answer(202, {"plan_id": run.run_id, "pairs": pairs})


def read_ask(body: TablesAsk | StoreAsk) -> Asked:
    """Raises InputError with the faults of all tables, or of the policy."""
    policy = None if body.policy is None else read_policy(body.policy)
    return Asked(body, policy, None if isinstance(body, StoreAsk) else _frames(body, read_batch(body)))


def need_model(tx: Tx, version: int | None = None) -> int:
    """The version of the fit model that counts. Raises NotFoundError, ConflictError."""
    if version is not None:
        tx.models.get(version)
        return version
    active = tx.models.active_version()
    if active is None:
        raise ConflictError(NO_MODEL)
    return active


def _frames(body: TablesAsk, tables: Tables) -> dict[str, Any]:
    frames = {name: getattr(tables, name) for name in OF_A_RUN} | {"assignments": tables.assigned}
    if body.teams is not None:
        frames["teams"] = read("teams", body.teams)
    return {name: frame for name, frame in frames.items() if frame is not None}
