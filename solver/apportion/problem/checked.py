"""Checking what a caller hands in: every fault is collected, and told at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NoReturn, get_args

import numpy as np
from numpy.typing import NDArray

from apportion.problem.rules import Limit, MaxMin, Measure, Rule, Share, default_name
from apportion_models.errors import Finding, ProblemError


class Checker:
    """Reads arguments into arrays and collects what is wrong with them."""

    def __init__(self) -> None:
        self._faults: list[Finding] = []

    def fault(self, argument: str, message: str, value: Any, count: int = 1) -> None:
        """Note one fault of an argument."""
        self._faults.append(
            Finding(severity="error", table="problem", column=argument, message=message, value=value, count=count)
        )

    def finish(self) -> None:
        """Raise ProblemError if anything was wrong."""
        if self._faults:
            self._raise()

    def _raise(self) -> NoReturn:
        raise ProblemError(self._faults)

    def array(self, name: str, given: Any) -> NDArray[np.float64] | None:
        """Read as float64, or note that it is not numbers."""
        try:
            if np.iscomplexobj(given):
                raise TypeError
            return np.array(given, dtype=np.float64)
        except (TypeError, ValueError, OverflowError):
            self.fault(name, "must be numbers", type(given).__name__)
            return None

    def vector(self, name: str, given: Any, size: int, minimum: float | None = None) -> NDArray[np.float64]:
        """(size,) finite numbers, at least `minimum`; a scalar stands for all."""
        array = self.array(name, given)
        if array is None:
            return np.zeros(size)
        if array.ndim == 0:
            array = np.full(size, float(array))
        if array.shape != (size,):
            self.fault(name, f"must have shape ({size},)", array.shape)
            return np.zeros(size)
        wrong = ~np.isfinite(array) if minimum is None else ~(np.isfinite(array) & (array >= minimum))
        if wrong.any():
            first = int(np.argmax(wrong))
            must = "finite" if minimum is None else f"finite and >= {minimum:g}"
            self.fault(name, f"must be {must}; {name}[{first}] is not", float(array[first]), int(wrong.sum()))
        array.setflags(write=False)
        return array

    def mask(self, name: str, given: Any, size: int) -> NDArray[np.bool_]:
        """(size,) booleans; a scalar stands for all."""
        array = np.asarray(given)
        if array.size == size == 0:
            array = array.astype(bool)
        if array.dtype != np.bool_ or array.shape not in ((), (size,)):
            self.fault(name, f"must be bool, or ({size},) bool", f"{array.dtype} of shape {array.shape}")
            return np.zeros(size, dtype=bool)
        array = np.array(np.broadcast_to(array, (size,)))
        array.setflags(write=False)
        return array

    def labels(self, name: str, given: Any, size: int) -> NDArray[np.int64] | None:
        """(size,) integer labels, or None."""
        if given is None:
            return None
        array = np.asarray(given)
        if array.shape != (size,) or not (np.issubdtype(array.dtype, np.integer) or size == 0):
            self.fault(name, f"must be ({size},) integer labels", f"{array.dtype} of shape {array.shape}")
            return None
        array = array.astype(np.int64)
        array.setflags(write=False)
        return array

    def ids(self, name: str, given: Sequence[Any], size: int) -> tuple[str, ...]:
        """Give unique names."""
        ids = tuple(str(item) for item in given)
        if len(ids) != size:
            self.fault(name, f"must have {size} names", len(ids))
        elif len(set(ids)) != size:
            twice = next(item for item in ids if ids.count(item) > 1)
            self.fault(name, "must be unique; a name stands twice", twice)
        return ids

    def sequence(self, argument: str, given: Any) -> tuple[Any, ...]:
        """Read a sequence of rules."""
        if isinstance(given, Iterable):
            return tuple(given)
        self.fault(argument, "must be a list of rules", type(given).__name__)
        return ()

    def rules(
        self,
        argument: str,
        rules: Sequence[Rule],
        *,
        n_leads: int,
        n_reps: int,
        team: NDArray[np.int64] | None,
        tier: NDArray[np.int64] | None,
    ) -> None:
        """Check that each rule fits the problem: groups, sizes, bounds, price."""
        for rule in rules:
            self._rule(argument, rule, n_leads, n_reps, team, tier)
        if sum(isinstance(rule, MaxMin) and rule.price is None for rule in rules) > 1:
            self.fault(argument, "must have at most one hard MaxMin: two cannot both come first", None)

    def _rule(self, argument: str, rule: Rule, n_leads: int, n_reps: int, team: Any, tier: Any) -> None:
        wanted = Limit if argument == "limits" else (Share, MaxMin)
        if not isinstance(rule, wanted) or type(rule) is Share:
            allowed = "Limit" if argument == "limits" else "RevenueShare, OpportunityShare, LeadShare or MaxMin"
            self.fault(argument, f"must hold {allowed} objects", type(rule).__name__)
            return
        if isinstance(rule, Limit) and rule.measure not in get_args(Measure):
            self.fault(argument, f"measure must be one of {', '.join(get_args(Measure))}", rule.measure)
            return
        name = f"{argument}: {rule.name or default_name(rule)}"
        n_groups = self._groups(name, rule, n_reps, team)
        if rule.price is not None and not (_is_number(rule.price) and np.isfinite(rule.price) and rule.price >= 0):
            self.fault(name, "price must be finite and >= 0, or None for a hard rule", rule.price)
        if getattr(rule, "tier", None) is not None and tier is None:
            self.fault(name, "names a tier, so the problem must be given `tier` labels", getattr(rule, "tier", None))
        if not isinstance(rule, MaxMin) and rule.leads is not None:
            self.mask(name, rule.leads, n_leads)
        if isinstance(rule, (Share, MaxMin)) and rule.weights is not None:
            self.vector(f"{name} weights", rule.weights, n_reps, minimum=0.0)
        if isinstance(rule, MaxMin):
            if not (_is_number(rule.keep) and 0 <= rule.keep <= 1):
                self.fault(name, "keep must lie between 0 and 1", rule.keep)
            return
        if isinstance(rule, Share) and rule.earlier is not None:
            self.vector(f"{name} earlier", rule.earlier, n_groups)
        self._bounds(name, rule, n_groups)

    def _groups(self, name: str, rule: Rule, n_reps: int, team: Any) -> int:
        if isinstance(rule.by, str):
            if rule.by == "team" and team is None:
                self.fault(name, "is by team, so the problem must be given `team` labels", None)
            elif rule.by not in ("rep", "team", "all"):
                self.fault(name, "`by` must be 'rep', 'team', 'all' or (R,) integer labels", rule.by)
            counts = {"rep": n_reps, "all": 1, "team": 0 if team is None else len(np.unique(team[team >= 0]))}
            return counts.get(rule.by, 0)
        labels = self.labels(f"{name} by", rule.by, n_reps)
        return 0 if labels is None else len(np.unique(labels[labels >= 0]))

    def _bounds(self, name: str, rule: Limit | Share, n_groups: int) -> None:
        bounds = {}
        for side in ("low", "high"):
            given = getattr(rule, side)
            if given is None:
                continue
            array = self.array(f"{name} {side}", given)
            if array is None:
                continue
            if array.shape not in ((), (n_groups,)) or np.isnan(array).any():
                self.fault(name, f"{side} must be a number, or one a group ({n_groups} groups)", given)
                continue
            if (array == (np.inf if side == "low" else -np.inf)).any():
                self.fault(name, f"{side} must leave room; no sum can reach this bound", given)
                continue
            bounds[side] = array
        if len(bounds) == 2 and (bounds["low"] > bounds["high"]).any():
            self.fault(name, "low must not be above high", f"low={rule.low}, high={rule.high}")


def _is_number(given: Any) -> bool:
    return isinstance(given, (int, float, np.integer, np.floating)) and not isinstance(given, bool)
