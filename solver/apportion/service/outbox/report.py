"""The report of a run, in one row: what it was, how good, how fair, what was not placed and why."""

from __future__ import annotations

from collections import Counter

from apportion.connectors.contract import Scalar, utc_text
from apportion.service.store import Run, Tx

WORDS = {
    "slot": "every slot is worth more to other leads",
    "full": "no room with those who would make more of it",
    "gap": "the plan is within its gap of the best",
    "no_rep": "no rep may get it",
    "no_capacity": "no rep has the capacity",
    "nurture_worth_more": "nurture is worth more",
}  # the codes of reasons for nurture; a rule's own code stands for itself


def run_report(tx: Tx, run_id: str) -> dict[str, Scalar]:
    """The row. Money in the policy's currency; gap, worst_off_share and gini_opportunity as shares. round_robin : the
    revenue that turns would have brought. not_placed : how many for which reason, the most common first. Raises
    NotFoundError."""
    run = tx.runs.get(run_id)
    plan = run.plan or {}
    by_name = {one["name"]: one for one in plan.get("baselines", ())}
    mine, turns = by_name.get("plan", {}), by_name.get("round_robin", {})
    return {
        **_what(run),
        **{name: plan.get("summary", {}).get(name) for name in ("leads", "assigned", "nurture", "reject")},
        "expected_revenue": plan.get("summary", {}).get("expected_revenue"),
        "round_robin": turns.get("expected_revenue"),
        "gap": (run.certificate or {}).get("gap"),
        "stopped_by": (run.certificate or {}).get("stopped_by"),
        "worst_off_share": mine.get("worst_off_share"),
        "gini_opportunity": mine.get("gini_opportunity"),
        "not_placed": _not_placed(tx, run_id),
    }


def _what(run: Run) -> dict[str, Scalar]:
    times = {"slot": run.slot, "finished_at": run.finished_at}
    return {
        "run_id": run.run_id,
        "schedule": run.schedule,
        **{name: None if at is None else utc_text(at) for name, at in times.items()},
        "policy_version": run.policy_version,
        "model_version": run.model_version,
    }


def _not_placed(tx: Tx, run_id: str) -> str:
    codes = Counter(str(one.get("code") or one["outcome"]) for one in tx.assignments.told(run_id) if not one["rep_id"])
    ranked = sorted(codes.items(), key=lambda pair: (-pair[1], pair[0]))
    return "; ".join(f"{count}: {WORDS.get(code, code)}" for code, count in ranked)
