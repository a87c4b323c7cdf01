"""One look at a running experiment: what is known now, whether it may stop, and what follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion_models.errors import Finding
from apportion_models.experiment.blocks import block_weights, contrasts
from apportion_models.experiment.checks import check_log, missing_outcomes
from apportion_models.experiment.design import Design
from apportion_models.experiment.draws import Floats
from apportion_models.experiment.guardrails import Kept, facts_kept, metric_kept
from apportion_models.experiment.outcomes import Outcomes, outcomes_of
from apportion_models.experiment.planning import FEWEST_BLOCKS
from apportion_models.experiment.rules import Metric, Rules
from apportion_models.experiment.sequence import Sequence, confidence_sequence, first_time, single_look

State = Literal[
    "better",
    "worse",
    "no difference",
    "not worth it",
    "guardrail",
    "undecided at the end",
    "running",
    "nothing to compare",
]
OPEN = ("running", "nothing to compare")
LEAST_SD = 0.5  # of what was planned: fewer conversions than that prove nothing by their evenness
EXPECTED = {"conversion": "expected_conversion", "revenue": "expected_value"}


@dataclass(frozen=True, eq=False, kw_only=True)
class Reading:
    """One metric of one treatment against the control, over complete blocks. Amounts a lead.

    low, high : the interval that holds at every look. once : the 90 % interval for a single look at the planned end;
    None before the end, for it does not hold for those who look earlier.
    """

    metric: Metric
    leads: tuple[int, int]  # treatment, control
    mean: tuple[float, float]
    estimate: float
    low: float
    high: float
    once: tuple[float, float] | None
    blocks: int
    empty: int
    adjusted: bool
    sequence: Sequence


@dataclass(frozen=True, eq=False, kw_only=True)
class Comparison:
    """One treatment: what was found and what follows. decided_after : blocks after which the stop rule fired."""

    arm: str
    state: State
    decided_after: int | None
    main: Reading | None
    other: Reading | None
    guardrails: tuple[Kept, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Look:
    """Everything that one look shows. broken : the checks failed, so that no result is given.

    waiting : leads that are too young to count. complete : blocks whose last lead has had its time.
    """

    as_of: pd.Timestamp
    leads: dict[str, int]
    waiting: int
    complete: int
    horizon: int
    comparisons: tuple[Comparison, ...]
    winner: str | None
    ended: bool
    broken: bool
    findings: tuple[Finding, ...]


def look(
    log: pd.DataFrame,
    history: pd.DataFrame,
    design: Design,
    rules: Rules,
    *,
    as_of: pd.Timestamp,
    capacity: pd.DataFrame | None = None,
) -> Look:
    """Look at an experiment at `as_of`. Looking as often as one likes is allowed.

    log : a row a lead: lead_id, unit, arm, propensity, at, window, block, rep_id, and where known effort, opportunity,
    expected_conversion, expected_value. capacity : at, arm, rep_id, capacity, a row a batch and rep.
    A block counts when it is over and its last lead has had `within_days`; then once, for ever.
    """
    checked, findings = check_log(log, design)
    outcomes = outcomes_of(checked["lead_id"], checked["at"], history, within_days=rules.within_days, as_of=as_of)
    findings += outcomes.findings
    complete = _complete(design, rules, as_of)
    counted = outcomes.usable & (checked["block"].to_numpy(dtype=np.int64) < complete)
    given = counted & (checked["rep_id"].astype(str) != "").to_numpy()
    findings += missing_outcomes(checked.loc[given, "arm"], outcomes.listed[given])
    broken = any(finding.severity == "error" for finding in findings)
    comparisons = tuple(
        _compare(arm, checked, outcomes, counted, complete, design, rules, capacity) for arm in design.arms[1:]
    )
    better = [one for one in comparisons if one.state == "better" and one.main is not None]
    winner = None
    if better and not broken:
        winner = max(better, key=lambda one: (one.main.estimate if one.main else 0.0, one.arm)).arm
    return Look(
        as_of=as_of,
        leads={arm: int((checked["arm"] == arm).sum()) for arm in design.arms},
        waiting=int((outcomes.usable & ~counted).sum()),
        complete=complete,
        horizon=rules.horizon,
        comparisons=comparisons,
        winner=winner,
        ended=all(one.state not in ("running", "nothing to compare") for one in comparisons)
        or complete >= rules.horizon,
        broken=broken,
        findings=tuple(findings),
    )


def _complete(design: Design, rules: Rules, as_of: pd.Timestamp) -> int:
    """How many blocks are over and ripe, at most those of the horizon."""
    days = (as_of - design.start).total_seconds() / 86_400.0 - rules.within_days
    return int(np.clip(np.floor(days / design.block_days + 1e-9), 0, rules.horizon))


def _compare(
    arm: str,
    log: pd.DataFrame,
    outcomes: Outcomes,
    counted: NDArray[np.bool_],
    complete: int,
    design: Design,
    rules: Rules,
    capacity: pd.DataFrame | None,
) -> Comparison:
    other: Metric = "revenue" if rules.metric == "conversion" else "conversion"
    readings = {
        name: read_metric(name, arm, log, outcomes, counted, complete, design, rules)
        for name in (rules.metric, other)
        if name in rules.metrics
    }
    main, second = readings[rules.metric], readings.get(other)
    kept = []
    for rail in rules.guardrails:
        if rail.kind == "metric":
            rules_of = rules.metrics.get(rail.metric or other)
            kept.append(
                metric_kept(
                    arm, rail, None if second is None else second.sequence, rules_of.baseline if rules_of else 0.0
                )
            )
        else:
            own = None if capacity is None else capacity.loc[capacity["arm"] == arm]
            kept.append(facts_kept(arm, log.loc[log["arm"] == arm], own, rail))
    state, after = _state(main, tuple(kept), complete, rules)
    return Comparison(arm=arm, state=state, decided_after=after, main=main, other=second, guardrails=tuple(kept))


def read_metric(
    metric: Metric,
    arm: str,
    log: pd.DataFrame,
    outcomes: Outcomes,
    counted: NDArray[np.bool_],
    complete: int,
    design: Design,
    rules: Rules,
) -> Reading | None:
    """The metric of a treatment against the control over complete blocks; None where no block has both."""
    own = rules.metrics[metric]
    arms = log["arm"].to_numpy()
    rows = counted & ((arms == arm) | (arms == design.arms[0]))
    value = outcomes.converted if metric == "conversion" else outcomes.revenue
    value = np.minimum(value, np.inf if own.cap is None else own.cap)[rows]
    treated = (arms == arm)[rows]
    block = log["block"].to_numpy(dtype=np.int64)[rows]
    stratum = block if design.kind == "switchback" else log["window"].to_numpy(dtype=np.int64)[rows]
    expected = _expected(metric, log, rows) if rules.adjust else None
    left = value if expected is None else value - expected
    found = contrasts(left, treated, stratum, block, n_blocks=complete)
    if not found.effect.size or not value.any():
        return None
    weight = block_weights(found.size, planned_size=rules.planned_size, shock=rules.shock)
    alpha = rules.alpha / (len(design.arms) - 1)
    sequence = confidence_sequence(
        found.effect, weight, planned=float(rules.horizon), alpha=alpha, least_sd=LEAST_SD * own.block_sd
    )
    once = None
    if complete >= rules.horizon:
        low, high = single_look(found.effect, weight, least_sd=LEAST_SD * own.block_sd)
        once = (float(low), float(high))
    return Reading(
        metric=metric,
        leads=(int(treated.sum()), int((~treated).sum())),
        mean=(float(value[treated].mean()), float(value[~treated].mean())),
        estimate=float(sequence.estimate[-1]),
        low=float(sequence.low[-1]),
        high=float(sequence.high[-1]),
        once=once,
        blocks=int(found.effect.size),
        empty=found.empty,
        adjusted=expected is not None,
        sequence=sequence,
    )


def _expected(metric: Metric, log: pd.DataFrame, rows: NDArray[np.bool_]) -> Floats | None:
    column = EXPECTED[metric]
    if column not in log:
        return None
    expected = pd.to_numeric(log[column], errors="coerce").to_numpy(dtype=np.float64)[rows]
    return expected if np.isfinite(expected).all() else None


def _state(main: Reading | None, guardrails: tuple[Kept, ...], complete: int, rules: Rules) -> tuple[State, int | None]:
    """The first stop rule that fired. Safety before gain: a broken guardrail stops whatever the metric says."""
    if any(rail.kept is False for rail in guardrails):
        return "guardrail", complete
    at_end = complete >= rules.horizon
    if main is None:
        return ("undecided at the end" if at_end else "nothing to compare"), None
    state, after = stopped(main.sequence, worth=rules.worth, margin=rules.margin)
    if state is not None and after is not None:
        return state, after
    return ("undecided at the end" if at_end else "running"), None


def stopped(sequence: Sequence, *, worth: float, margin: float) -> tuple[State | None, int | None]:
    """Which rule fired as the blocks came in, and after how many. None: none did.

    better : the whole interval is above 0. worse : below 0. no difference : within ± margin. not worth it : below the
    least gain that is worth having. The first three exclude each other, and the first to fire counts. "Not worth it"
    comes sooner; it stands unless a longer run shows that the arm is worse, or no different.
    """
    low, high = sequence.low, sequence.high
    fired: dict[State, NDArray[np.bool_]] = {
        "no difference": (low > -margin) & (high < margin),
        "better": low > 0,
        "worse": high < 0,
        "not worth it": high < worth,
    }
    first: dict[State, float] = {}
    for state, holds in fired.items():
        holds = holds.copy()
        holds[: FEWEST_BLOCKS - 1] = False
        first[state] = float(first_time(holds))
    there = {state: block for state, block in first.items() if np.isfinite(block)}
    futile = there.pop("not worth it", None)
    if there:
        earliest = min(there.values())
        state = next(state for state in fired if there.get(state) == earliest)
        if state != "better" or futile is None or earliest <= futile:
            return state, int(earliest)
    return (None, None) if futile is None else ("not worth it", int(futile))
