"""Is the experiment what it says it is? Checks that come before any result."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import chi2_contingency

from apportion_models.errors import Finding
from apportion_models.experiment.design import Design
from apportion_models.experiment.tilt import tilt_test

MISPLACED = 0.01  # share of leads in another arm than was drawn above which nothing is believed
ALPHA = 0.001  # of the shares, over all looks: a broken draw shows plainly, and a whole one is hardly ever called so
ALPHA_ONCE = 0.0001  # of missing outcomes, at one look: there are many looks


def check_log(log: pd.DataFrame, design: Design) -> tuple[pd.DataFrame, list[Finding]]:
    """The log in order of time and id, each lead once (its first arm counts), and what is wrong with it.

    log : lead_id, unit, arm (a name), propensity, at, window, rep_id. Findings of severity "error" mean that the
    comparison cannot be trusted.
    """
    log = log.sort_values(["at", "lead_id"], kind="stable")
    findings: list[Finding] = []
    again = log["lead_id"].duplicated()
    if again.any():
        findings.append(_told("notice", log, again, "lead_id", "came again; its first arm counts."))
    log = log.loc[~again].reset_index(drop=True)
    strange = ~log["arm"].isin(design.arms)
    if strange.any():
        findings.append(_told("error", log, strange, "arm", f"must be one of {', '.join(design.arms)}."))
        log = log.loc[~strange].reset_index(drop=True)
    findings += _misplaced(log, design)
    findings += _uneven(log, design)
    return log, findings


def missing_outcomes(arm: pd.Series, listed: np.ndarray) -> list[Finding]:
    """Does the history lack leads of one arm more than of another, among those that a rep was given?"""
    table = pd.crosstab(arm.to_numpy(), listed)
    if table.shape[0] < 2 or table.shape[1] < 2:
        return []
    if float(chi2_contingency(table.to_numpy()).pvalue) >= ALPHA_ONCE:
        return []
    share = 1.0 - pd.Series(listed).groupby(arm.to_numpy()).mean()
    shown = ", ".join(f"{name} {value:.1%}" for name, value in share.items())
    message = f"the history lacks leads that reps were given, and not equally in the arms ({shown})."
    remedy = "Find out where these leads went before you believe the comparison."
    return [Finding(severity="error", table="history", column="lead_id", message=message, remedy=remedy)]


def _misplaced(log: pd.DataFrame, design: Design) -> list[Finding]:
    """Switchback windows that another arm had; leads logged in a window that is not theirs."""
    window = design.windows_at(pd.DatetimeIndex(pd.to_datetime(log["at"], utc=True)))
    wrong = pd.Series(window != log["window"].to_numpy(dtype=np.int64), index=log.index)
    if design.kind == "switchback" and len(log):
        arm = {number: design.arms[design.window_arm(int(number))] for number in np.unique(window) if number >= 0}
        wrong |= pd.Series([arm.get(number) for number in window], index=log.index) != log["arm"]
    if not wrong.any():
        return []
    grave = float(wrong.mean()) > MISPLACED
    message = "the lead is logged in another window or arm than the design drew."
    return [_told("error" if grave else "notice", log, wrong, "arm", message)]


def _uneven(log: pd.DataFrame, design: Design) -> list[Finding]:
    """Sample ratio: do the arms get the share of units that was drawn? Holds at every look (see `tilt_test`)."""
    if design.kind == "switchback" or not len(log) or (design.kind == "by_team" and len(design.arms) > 2):
        return []  # by team the log tells the chance of the lead's own arm, and with two arms that of the other
    units = log.drop_duplicates(["unit", "window" if design.kind == "by_team" else "block"])
    findings = []
    for name, share in zip(design.arms[1:], design.shares[1:], strict=True):
        inside = np.asarray(units["arm"] == name, dtype=np.float64)
        own = units["propensity"].to_numpy(dtype=np.float64)
        chance = np.where(inside > 0, own, 1.0 - own) if design.kind == "by_team" else np.full(len(units), share)
        if float(tilt_test(inside, chance).log_e.max()) < np.log(1.0 / ALPHA):
            continue
        message = f"{inside.mean():.1%} of the units are in this arm where {chance.mean():.1%} were drawn."
        remedy = "Leads were moved, lost or added after the draw: find out which before you believe the comparison."
        findings.append(
            Finding(severity="error", table="experiment log", column="arm", value=name, message=message, remedy=remedy)
        )
    return findings


def _told(severity: str, log: pd.DataFrame, rows: pd.Series, column: str, message: str) -> Finding:
    first = int(np.flatnonzero(rows.to_numpy())[0])
    return Finding(
        severity="error" if severity == "error" else "notice",
        table="experiment log",
        column=column,
        value=str(log[column].iloc[first]),
        message=message,
        count=int(rows.sum()),
    )
