"""Runs of the store as plans of the console."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from apportion.service.console.source import TODAY, Standing
from apportion.service.console.today import Step, Today, ready
from apportion.service.runs import restore
from apportion.service.store import Run, Store, Tx
from apportion.whatif.compare.solving import OnProgress

A_LOOK = 20  # runs that are read at once
OTHER = {"batch": "An earlier plan", "given": "A plan of tables of its own"}
FARTHEST = 200  # runs among which the latest plan is looked for


@dataclass(frozen=True)
class KeptRun:
    """The plan of one run, as it was handed out."""

    store: Store
    run_id: str
    aim: str = "The plan and what it was made from are read from the store, verified and explained anew."
    remedy: tuple[str, str] = ("The other plans can be looked at all the same.", "Try again")

    def open(self, folder: Path, *, step: Step, on_progress: OnProgress) -> Today:
        """Nothing is solved, so that nobody hears of bound and gap. Raises NotFoundError, ConflictError."""
        found = restore(self.store, self.run_id, step=step)
        step("Making ready for what-if")
        return ready(found.report, found.posed.setting, found.posed.request, folder)

    def standing(self) -> Standing:
        """Whether it is the newest batch's, and made by the policy in use."""
        with self.store.read() as tx:
            run, newest, policy = tx.runs.get(self.run_id), latest(tx), tx.policies.active_version()
        lines = []
        if run.kind == "given":
            lines.append(("This plan is of tables that were sent with the request: it placed no lead of the store.",
                          "All plans", "/runs"))  # fmt: skip
        elif newest is not None and newest.run_id != run.run_id:
            lines.append(("There is a newer plan than this one.", "Show the newest", "/"))
        if policy is not None and policy != run.policy_version:
            words = f"It was made by version {run.policy_version} of the policy; version {policy} is in use now."
            lines.append((words, "", ""))
        title = TODAY if newest is not None and newest.run_id == run.run_id else OTHER[run.kind]
        return Standing(title, tuple(lines))


def recent(tx: Tx, *, limit: int = A_LOOK) -> tuple[Run, ...]:
    """The newest runs, of any kind and state."""
    return tx.runs.page(limit=limit).items


def latest(tx: Tx) -> Run | None:
    """The newest batch that has a plan; None where none of the newest runs is one."""
    after, seen = None, 0
    while seen < FARTHEST:
        page = tx.runs.page(state="done", after=after, limit=A_LOOK)
        found = next((run for run in page if run.kind == "batch"), None)
        if found is not None or page.after is None:
            return found
        after, seen = page.after, seen + len(page)
    return None
