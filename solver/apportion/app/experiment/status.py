"""Look at a running experiment, end it, and make its winner the policy."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from apportion.app.experiment.folder import PROMOTED, STOPPED, Running, open_experiment
from apportion.app.experiment.loading import read_bytes
from apportion.app.experiment.plan import last_moment
from apportion.app.sources import Sources, read_sources
from apportion.connectors import check_folder, json_bytes, write_files
from apportion.policy import load_policy
from apportion_models.errors import InputError, UsageError
from apportion_models.experiment import Comparison, Look, Reading, look, sentences


@dataclass(frozen=True, eq=False)
class StatusReport:
    """One look, with the experiment that it looks at."""

    running: Running
    look: Look

    def sentences(self) -> tuple[str, ...]:
        """The verdict first, in plain words."""
        running = self.running
        return sentences(self.look, running.rules, control=running.design.arms[0], currency=running.currency)

    def document(self) -> dict[str, Any]:
        """Plain JSON values."""
        seen = self.look
        return {
            "schema": "apportion.experiment-look/1",
            "experiment": self.running.experiment.name,
            "fingerprint": self.running.experiment.fingerprint,
            "as_of": seen.as_of.isoformat(),
            "leads": seen.leads,
            "waiting": seen.waiting,
            "blocks": {"complete": seen.complete, "horizon": seen.horizon},
            "comparisons": [_comparison(one) for one in seen.comparisons],
            "winner": seen.winner,
            "ended": seen.ended,
            "broken": seen.broken,
            "sentences": list(self.sentences()),
            "findings": [str(finding) for finding in seen.findings],
        }


def experiment_status(folder: Path, sources: Sources, *, at: pd.Timestamp | None = None) -> StatusReport:
    """Look at the experiment in `folder`, with what the history knew at `at` (default: the history's last date)."""
    if sources.history is None:
        raise UsageError("A look needs to know what became of the leads: name the history with --history.")
    running = open_experiment(folder)
    history = read_sources(sources).history
    assert history is not None
    as_of = at or last_moment(history)
    if as_of is None:
        raise InputError("The history has no dates: say with --at up to when it is known.")
    seen = look(
        running.log(), history, running.design, running.rules, as_of=pd.Timestamp(as_of), capacity=running.capacity()
    )
    return StatusReport(running, seen)


def stop_experiment(
    folder: Path, sources: Sources, *, at: pd.Timestamp | None = None, reason: str | None = None
) -> tuple[StatusReport, list[Path]]:
    """End the experiment and keep the verdict with its evidence. Before a stop rule fires, only with a reason."""
    if open_experiment(folder).stopped() is not None:
        raise UsageError(f"The experiment in {folder} is stopped already; {folder / STOPPED} tells how it ended.")
    report = experiment_status(folder, sources, at=at)
    if not (report.look.ended or report.look.broken) and not (reason or "").strip():
        raise UsageError("No stop rule has fired yet. To stop all the same, say why with --reason.")
    return report, write_files(folder, {STOPPED: json_bytes({**report.document(), "reason": reason})})


@dataclass(frozen=True, eq=False)
class PromoteReport:
    """What became the policy, and on what evidence."""

    arm: str
    policy: Path
    record: dict[str, Any]
    written: list[Path]


def promote_winner(
    folder: Path, policy: Path, *, arm: str | None = None, anyway: bool = False, reason: str | None = None
) -> PromoteReport:
    """Write the winner's policy to `policy` in one step, and the record of the evidence to the experiment's folder.

    Raises UsageError where the experiment is not stopped, where there is no winner (or another arm is asked for) and
    not both `anyway` and a reason are given, and where the arm is a router, which is no policy.
    """
    running = open_experiment(folder)
    stopped = running.stopped()
    if stopped is None:
        raise UsageError(f"The experiment still runs. End it first: apportion experiment stop {folder} --history FILE.")
    winner = stopped.get("winner")
    chosen = arm or winner
    if chosen is None or (chosen != winner and not (anyway and (reason or "").strip())):
        found = "The experiment has no winner." if winner is None else f"The winner is {winner}."
        raise UsageError(f"{found} To promote another arm, name it with --arm, and give --anyway and a --reason.")
    if chosen not in running.design.arms:
        raise UsageError(f"--arm must be one of {', '.join(running.design.arms)}. Got {chosen!r}.")
    place = running.design.arms.index(chosen)
    if running.experiment.arms[place].router is not None:
        raise UsageError(f"{chosen} is a router, not a policy: there is nothing to promote.")
    content = read_bytes(running.policy(place), "The arm's policy")
    load_policy(running.policy(place))
    check_folder(policy.parent)
    before = policy.read_bytes() if policy.is_file() else None
    record = {
        "schema": "apportion.promotion/1",
        "arm": chosen,
        "winner": winner,
        "anyway": chosen != winner,
        "reason": reason,
        "policy": policy.name,
        "sha256": hashlib.sha256(content).hexdigest(),
        "replaced_sha256": None if before is None else hashlib.sha256(before).hexdigest(),
        "evidence": stopped,
    }
    # The record, and what is replaced, first: a promotion that is cut short is known, and is made whole by a second.
    kept: Mapping[str, bytes] = {} if before is None or before == content else {"replaced-policy.yaml": before}
    written = write_files(folder, {**kept, PROMOTED: json_bytes(record)})
    written += write_files(policy.parent, {policy.name: content})
    return PromoteReport(chosen, policy, record, written)


def _comparison(one: Comparison) -> dict[str, Any]:
    return {
        "arm": one.arm,
        "state": one.state,
        "decided_after": one.decided_after,
        "main": _reading(one.main),
        "other": _reading(one.other),
        "guardrails": [
            {**asdict(kept.guardrail), "kept": kept.kept, "measured": _finite(kept.measured), "sentence": kept.sentence}
            for kept in one.guardrails
        ],
    }


def _reading(reading: Reading | None) -> dict[str, Any] | None:
    if reading is None:
        return None
    return {
        "metric": reading.metric,
        "leads": list(reading.leads),
        "mean": list(reading.mean),
        "estimate": reading.estimate,
        "low": _finite(reading.low),
        "high": _finite(reading.high),
        "interval_for_one_look": None if reading.once is None else list(reading.once),
        "blocks": reading.blocks,
        "blocks_without_an_arm": reading.empty,
        "adjusted": reading.adjusted,
        "log_e": [float(value) for value in reading.sequence.log_e],
    }


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
