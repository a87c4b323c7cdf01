"""What came out of a run, in plain words."""

from __future__ import annotations

import math
from typing import Any

from apportion.reasons.words import count, money, percent
from apportion.whatif.replay import PLAN, TRUTH, Run

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
    """What came out: one sentence on the plan, one for each other track, then on what could not be planned."""
    totals = {str(row["track"]): row for row in run.measured.totals.to_dict(orient="records")}
    plan, currency = totals[PLAN], run.stage.policy.currency
    told = [
        f"In {count(len(run.stage.moments), 'batch').replace('batchs', 'batches')} the policy placed "
        f"{plan['placed']:,} of {plan['arrived']:,} leads, worth {money(plan['worth'], currency)} ({run.worth_is})."
    ]
    told += [_compared(row, run, currency) for row in run.against.to_dict(orient="records")]
    if plan["without_plan"]:
        told.append(
            f"In {plan['without_plan']:,} of them no plan kept every hard rule, or none was found in time: "
            f"their leads waited for the next batch; {plan['waiting']:,} wait still."
        )
    return told


def _compared(row: dict[Any, Any], run: Run, currency: str) -> str:
    title = run.titles[row["track"]]
    title = title if row["track"] == TRUTH else title[0].lower() + title[1:]
    what = "worth" if row["measure"] == "worth" else "earned, with the luck of the draw"
    size = money(abs(row["difference"]), currency)
    way = "more" if row["difference"] >= 0 else "less"
    share = "" if not math.isfinite(row["of_other"]) else f", {percent(abs(row['of_other']))}"
    told = f"{size} {way} than {title} ({what}{share}"
    if not math.isfinite(row["low"]):
        return f"{told})."
    clear = row["low"] > 0 or row["high"] < 0
    band = f"90 % by the spread of weeks: {_signed(row['low'], currency)} to {_signed(row['high'], currency)}"
    return f"{told}; {band}){'' if clear else ': within the spread of weeks'}."


def _signed(amount: float, currency: str) -> str:
    return f"{'−' if amount < 0 else '+'}{money(abs(amount), currency)}"
