"""Policies by version, known by the hash of their content."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from apportion.policy import Policy, load_policy
from apportion.service.store.desk import Page
from apportion.service.store.schema import policies
from apportion.service.store.versions import Versioned
from apportion_models.errors import NotFoundError


@dataclass(frozen=True)
class PolicyVersion:
    """One policy. content : canonical JSON with all defaults. source : the file as it was written, if it was kept."""

    version: int
    fingerprint: str
    name: str
    content: str
    source: str | None
    added_at: dt.datetime
    added_by: str

    @cached_property
    def policy(self) -> Policy:
        """The policy itself."""
        return load_policy(json.loads(self.content))


class Policies(Versioned):
    """What can be asked and said of policies."""

    kind = "policy"

    def add(self, policy: Policy, *, source: str | None = None) -> PolicyVersion:
        """Keep a policy, and give its version; equal rules have one version, however often they are added."""
        row = {"fingerprint": policy.fingerprint, "name": policy.name, "content": policy.canonical, "source": source}
        statement = self.tx.insert(policies).values(**row, added_at=self.tx.now(), added_by=self.tx.actor)
        if self.inserted(statement.on_conflict_do_nothing(index_elements=["fingerprint"])):
            self.note("policy.add", fingerprint=policy.fingerprint)
        found = self.first(sa.select(policies).where(policies.c.fingerprint == policy.fingerprint))
        assert found is not None
        return _version(found)

    def get(self, version: int) -> PolicyVersion:
        """One version. Raises NotFoundError."""
        row = self.first(sa.select(policies).where(policies.c.version == version))
        if row is None:
            raise NotFoundError(f"There is no policy version {version}.")
        return _version(row)

    def active(self) -> PolicyVersion | None:
        """The policy in use; None before the first activation."""
        version = self.active_version()
        return None if version is None else self.get(version)

    def page(self, *, after: str | None = None, limit: int = 100) -> Page[PolicyVersion]:
        """Versions, the newest first."""
        place = None if after is None else int(after)
        return self.listed(
            sa.select(policies), policies.c.version, _version, after=place, limit=limit, newest_first=True
        )


def _version(row: sa.Row[Any]) -> PolicyVersion:
    return PolicyVersion(**{**row._mapping, "version": int(row.version)})
