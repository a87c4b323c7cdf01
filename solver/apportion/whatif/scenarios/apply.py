"""From a setting and a scenario to the setting that the scenario asks about."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from apportion.build import Estimates
from apportion.whatif.estimates import estimate
from apportion.whatif.scenarios.arrivals import changed_leads
from apportion.whatif.scenarios.policy_edits import edited_policy
from apportion.whatif.scenarios.roster import changed_roster
from apportion.whatif.scenarios.schema import Scenario
from apportion.whatif.setting import Setting
from apportion_models import load_model
from apportion_models.errors import Finding, InputError, ModelError


def apply(scenario: Scenario, base: Setting) -> Setting:
    """The setting with the scenario's changes. Raises InputError with every fault: file, key, value and remedy."""
    faults: list[Finding] = []
    policy = edited_policy(base.policy, scenario, faults)
    tables = changed_roster(base.tables, scenario, faults)
    tables = changed_leads(tables, base.policy, base.at, scenario, faults)
    model = base.model
    if scenario.model_folder is not None:
        try:
            model = load_model(scenario.model_folder)
        except ModelError as error:
            faults += [scenario.fault("fit.model", str(one), value=scenario.fit.model) for one in error.findings]
    if faults:
        raise InputError(faults)
    return replace(base, tables=tables, policy=policy, model=model)


def believed(scenario: Scenario, setting: Setting) -> Estimates:
    """The estimates of the scenario's setting: its model's, shrunk where the scenario says so."""
    estimates = estimate(setting.model, setting.tables, setting.policy, at=setting.at)
    return estimates if not scenario.fit.shrink else shrunk(estimates, scenario.fit.shrink)


def shrunk(estimates: Estimates, share: float) -> Estimates:
    """The fits with `share` of what tells the reps apart taken away: at 1 each lead has its mean fit with every rep.

    The mean of a lead over all reps stays as it is.
    """
    fit = estimates.fit.astype(np.float64)
    if not fit.size:
        return estimates
    mean = np.sort(fit, axis=1).mean(axis=1, keepdims=True)
    return Estimates((mean + (1.0 - share) * (fit - mean)).astype(np.float32), estimates.deal_value, estimates.spread)
