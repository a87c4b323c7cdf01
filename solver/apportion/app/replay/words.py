"""What came out of a run, in plain words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from apportion.reasons.words import money, percent
from apportion.whatif.replay import FROZEN, PLAN, TRUTH, Run

CAN_AND_CANNOT = {
    "replay": (
        "A replay shows how rules, capacity, ramps, backlog and rolling windows would have worked out on the leads "
        "that really came. Each batch knew only what was known then.",
        "It cannot show what those leads would have become: nobody saw them with another rep. What they are worth is "
        "an estimate, by one model over the whole history; where good reps were given good leads for reasons that no "
        "table holds, it takes part of that for skill. Closing times are drawn from the delays that were known then. "
        "Only an experiment proves a gain.",
    ),
    "simulation": (
        "The world is made up, and its truth is known: each lead has the same luck on every track, and each track "
        "learns only from what it made happen itself.",
        "It shows how policy, learning and routers work together over time, in a company like this one. It says "
        "nothing of how large a gain is in yours.",
    ),
}


def sentences(run: Run) -> list[str]:
    """What came out: the plan; against the best router and the all-knowing; what could not be planned."""
    totals = {str(row["track"]): row for row in run.measured.totals.to_dict(orient="records")}
    plan, currency = totals[PLAN], run.stage.policy.currency
    number = len(run.stage.moments)
    told = [
        f"In {number:,} {'batch' if number == 1 else 'batches'} the policy placed {plan['placed']:,} of "
        f"{plan['arrived']:,} leads, worth {money(plan['worth'], currency)} ({run.worth_is})."
    ]
    best = best_router(run)
    rows = {str(row["track"]): row for row in worths(run).to_dict(orient="records")}
    told += [_compared(rows[track], run, currency) for track in (best, TRUTH) if track in rows]
    if _blind_judge(run):
        told.append("The judge finds no evidence that reps differ: worth moves only by which leads are placed.")
    if plan["without_plan"]:
        told.append(
            f"In {plan['without_plan']:,} of them no plan kept every hard rule, or none was found in time: "
            f"their leads waited for the next batch; {plan['waiting']:,} wait still."
        )
    return told


def _blind_judge(run: Run) -> bool:
    levels = [row["level"] for row in run.models.to_dict(orient="records") if row["track"] == "judge"]
    return bool(levels) and "rep" not in levels[0]


def best_router(run: Run) -> str | None:
    """The router of most worth among those that broke no hard rule; among all where each broke one; None without."""
    totals = run.measured.totals.to_dict(orient="records")
    routers = [row for row in totals if row["track"] not in (PLAN, TRUTH, FROZEN)]
    lawful = [row for row in routers if not row["broke_hard_rules"]]
    best = max(lawful or routers, key=lambda row: float(row["worth"]), default=None)
    return None if best is None else str(best["track"])


def worths(run: Run) -> pd.DataFrame:
    """The differences of worth, one row a track beside the plan."""
    return run.against[run.against["measure"] == "worth"]


def meaning(row: Mapping[Any, Any]) -> str:
    """Whether the difference is clear of the spread of weeks."""
    if not math.isfinite(row["low"]):
        return "too few weeks to tell"
    return "clear of the spread of weeks" if row["low"] > 0 or row["high"] < 0 else "within the spread of weeks"


def _compared(row: dict[Any, Any], run: Run, currency: str) -> str:
    title = run.titles[row["track"]]
    name = title[0].lower() + title[1:]
    size = money(abs(row["difference"]), currency)
    way = "more" if row["difference"] >= 0 else "less"
    share = "" if not math.isfinite(row["of_other"]) else f" ({percent(abs(row['of_other']))})"
    best = ", the best router here" if row["track"] == best_router(run) else ""
    return f"That is {size}{share} {way} than {name}{best}: {meaning(row)}."
