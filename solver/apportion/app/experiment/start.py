"""Start: fix everything that must not be chosen after the outcomes are seen."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from apportion.app.experiment.folder import SCHEMA, Running, design_document, open_experiment, write_setup
from apportion.app.experiment.plan import PlanReport, PlanRequest, plan_experiment
from apportion.policy import load_policy
from apportion_models.errors import InputError, UsageError
from apportion_models.experiment import Design


@dataclass(frozen=True, eq=False)
class StartReport:
    """The experiment as it was started, the plan behind it, and the files."""

    running: Running
    plan: PlanReport
    written: list[Path]


def start_experiment(request: PlanRequest, *, start: pd.Timestamp, folder: Path) -> StartReport:
    """Plan, and write the experiment's folder. Raises InputError where the plan tells no horizon, or one is running."""
    plan = plan_experiment(request)
    if plan.forecast.blocks is None:
        message = "The experiment cannot see a gain of this size in any sensible time. Ask for a larger effect.worth, "
        raise InputError(message + "another design or metric, or state horizon_blocks.")
    if start.tzinfo is None:
        raise UsageError(f"The start must carry a time zone. Got {start}.")
    experiment = plan.experiment
    design = Design(
        kind=experiment.design.kind,
        arms=tuple(arm.name for arm in experiment.arms),
        start=start,
        salt=f"{experiment.fingerprint[:16]} {experiment.seed}",
        shares=experiment.shares,
        window_days=plan.window_days,
        windows_per_block=experiment.design.windows_per_block,
    )
    names = [f"{number}-{arm.name.replace(' ', '_')}.yaml" for number, arm in enumerate(experiment.arms)]
    policies = [load_policy(content.decode("utf-8-sig")) for content in plan.loaded.policies]
    document = {
        "schema": SCHEMA,
        "fingerprint": experiment.fingerprint,
        "experiment": experiment.model_dump(mode="json"),
        "design": design_document(design),
        "rules": asdict(plan.rules),
        "policy_fingerprints": [policy.fingerprint for policy in policies],
        "currency": policies[0].currency,
        "past": {name: asdict(past) for name, past in plan.past.items()},
        "forecast": asdict(plan.forecast),
    }
    written = write_setup(folder, document, dict(zip(names, plan.loaded.policies, strict=True)))
    return StartReport(open_experiment(folder), plan, written)
