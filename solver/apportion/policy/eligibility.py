"""Which pairs are allowed, by which rule the others are not, and what soft rules add to or take from a pair."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion.policy.accounts import account_owners
from apportion.policy.asked import Asked, days_in_role, flags
from apportion.policy.context import LeadContext, lead_context
from apportion.policy.overrides import Overrides, read_overrides
from apportion.policy.predicates.values import by_distinct
from apportion.policy.ramp import too_early
from apportion.policy.schema import Policy
from apportion.policy.schema.routing import Requirement
from apportion.policy.territories import NONE, OVERFLOW, coverage
from apportion_models.errors import Finding, PolicyError

Bools = NDArray[np.bool_]
SECTIONS = ("ramp", "territories", "requirements", "rules")


@dataclass(frozen=True)
class Effect:
    """What a soft rule or a preference adds to the value of each pair: (L, R) currency, negative for a malus."""

    name: str
    amount: NDArray[np.float64]


@dataclass(frozen=True)
class Eligibility:
    """The verdict of all rules on all pairs."""

    allowed: Bools  # (L, R)
    blocked_by: NDArray[np.int16]  # (L, R) index into rules of the first hard rule that forbids the pair; -1 none
    rules: tuple[str, ...]  # in the policy's own words
    effects: tuple[Effect, ...]
    territory: NDArray[np.int64]  # (L,) index into policy.territories.cover, -1 none
    covers: NDArray[np.int64]  # (T, R) 2 primary, 1 overflow, 0 none
    lock: NDArray[np.int64]  # (L,) index of the rep that the lead is locked to, -1 none

    def why_not(self, lead: int, rep: int) -> str | None:
        """The rule that forbids the pair, or None."""
        index = int(self.blocked_by[lead, rep])
        return None if index < 0 else self.rules[index]


class _Verdicts:
    """Collects rules in order; a pair keeps the first rule that forbids it."""

    def __init__(self, leads: int, reps: int) -> None:
        self.blocked_by = np.full((leads, reps), -1, dtype=np.int16)
        self.rules: list[str] = []
        self.effects: list[Effect] = []

    def forbid(self, name: str, pairs: Bools) -> None:
        self.rules.append(name)
        self.blocked_by[np.broadcast_to(pairs, self.blocked_by.shape) & (self.blocked_by < 0)] = len(self.rules) - 1

    def charge(self, name: str, amount: float, pairs: Bools) -> None:
        amounts = np.where(np.broadcast_to(pairs, self.blocked_by.shape), amount, 0.0)
        self.effects.append(Effect(name, amounts))

    def against(self, name: str, price: float | str, pairs: Bools) -> None:
        """Pairs against a rule: forbidden, or at its price."""
        if price == "hard":
            self.forbid(name, pairs)
        else:
            self.charge(name, -float(price), pairs)


def eligible_pairs(
    policy: Policy,
    leads: pd.DataFrame,
    reps: pd.DataFrame,
    *,
    at: object,
    assigned: pd.DataFrame | None = None,
    accounts: pd.DataFrame | None = None,
    territories: pd.DataFrame | None = None,
    overrides: pd.DataFrame | None = None,
    tier: NDArray[np.int64] | None = None,
    capacity: pd.DataFrame | None = None,
) -> Eligibility:
    """The verdict of territories, requirements, accounts, ramp by tier, own rules, bans and locks on every pair.

    `tier` is (L,) as `tiers` gives it, needed where tiers are by expected revenue; `capacity` is `rep_capacity`'s
    answer, by which an owner with no working time in the window counts as away. `assigned` makes the owner of an
    account the rep who got its last lead, where no table names one. Raises PolicyError, TableError, UsageError.
    """
    early = any(profile.tier_from for profile in policy.ramp)
    context = lead_context(policy, leads, at=at, tier=tier, needs_tier=early)
    asked = Asked(policy, at=at, leads=context.leads, reps=reps)
    asked.check(*SECTIONS)
    known = read_overrides(policy, leads, reps, overrides)
    verdicts = _Verdicts(len(leads), len(reps))
    covers = coverage(asked, territories)
    verdicts.forbid("ban: a person excluded this rep for this lead", known.ban)
    verdicts.forbid("pause: the rep is paused", flags(reps, "paused")[None, :])
    verdicts.forbid("start date: the rep has not started yet", (days_in_role(reps, asked.at) < 0)[None, :])
    _ramp(asked, context, verdicts)
    _soft_screens(asked, verdicts)
    _territories(asked, context, covers, verdicts)
    _requirements(asked, verdicts)
    _owners(asked, leads, accounts, assigned, capacity, verdicts)
    _own_rules(asked, verdicts)
    _locks(policy, known, verdicts)
    return Eligibility(
        allowed=verdicts.blocked_by < 0,
        blocked_by=verdicts.blocked_by,
        rules=tuple(verdicts.rules),
        effects=tuple(verdicts.effects),
        territory=context.territory,
        covers=covers,
        lock=known.lock,
    )


def _ramp(asked: Asked, context: LeadContext, verdicts: _Verdicts) -> None:
    for profile, early in too_early(asked, context.tier, context.tier_names):
        verdicts.against(f"ramp '{profile.name}': too early for this tier", profile.price, early)


def _soft_screens(asked: Asked, verdicts: _Verdicts) -> None:
    """Leads that should go to nurture, but may be worked at a price; the first rule that holds counts."""
    rules = asked.policy.screening
    if all(rule.price == "hard" for rule in rules):
        return
    assert asked.leads is not None
    chosen = asked.first(((f"screening[{k}].when", rule.when) for k, rule in enumerate(rules)), len(asked.leads))
    for index, rule in enumerate(rules):
        if rule.price != "hard":
            verdicts.charge(f"screening '{rule.name}'", -float(rule.price), (chosen == index)[:, None])


def _territories(asked: Asked, context: LeadContext, covers: NDArray[np.int64], verdicts: _Verdicts) -> None:
    for index, territory in enumerate(asked.policy.territories.cover):
        inside = (context.territory == index)[:, None]
        stranger = inside & (covers[index] == NONE)[None, :]
        verdicts.against(f"territory '{territory.name}': the rep does not cover it", territory.price, stranger)
        if territory.overflow_price > 0:
            helps = inside & (covers[index] == OVERFLOW)[None, :]
            verdicts.charge(f"territory '{territory.name}': overflow", -territory.overflow_price, helps)
    unmatched = asked.policy.territories.unmatched
    if asked.policy.territories.cover and isinstance(unmatched, float):
        verdicts.charge("territories: the lead lies in none", -unmatched, (context.territory < 0)[:, None])


def _requirements(asked: Asked, verdicts: _Verdicts) -> None:
    for index, rule in enumerate(asked.policy.requirements):
        lacking = _lacking(asked, rule, index) & asked.holds(rule.when, f"requirements[{index}].when")[:, None]
        verdicts.against(
            f"requirement '{rule.name}': the rep's {rule.rep} lack the lead's {rule.lead}", rule.price, lacking
        )


def _lacking(asked: Asked, rule: Requirement, index: int) -> Bools:
    """(L, R) where the lead's value (or one of its values) is not in the rep's list."""
    findings: list[Finding] = []
    for side, name in (("lead", rule.lead), ("rep", rule.rep)):
        if name not in asked.tables.columns(side):
            known = f"Write one of: {', '.join(asked.tables.columns(side))}."
            path = f"requirements[{index}].{side}"
            findings.append(
                asked.policy.finding("error", path, f"must be a column of the {side}s", value=name, remedy=known)
            )
    if findings:
        raise PolicyError(findings)
    wanted, offered = asked.tables.get("lead", rule.lead), asked.tables.get("rep", rule.rep)
    nothing = np.zeros(np.broadcast_shapes(wanted.data.shape, offered.data.shape), dtype=bool)
    if wanted.kind == "nothing":
        return nothing
    if offered.kind not in ("list", "nothing"):
        message = f"must be a list column of the reps, and is a {offered.kind}"
        remedy = "Give lists with ; between the items."
        raise PolicyError(
            asked.policy.finding("error", f"requirements[{index}].rep", message, value=rule.rep, remedy=remedy)
        )
    has = nothing
    if offered.kind == "list":
        has = by_distinct(
            lambda want, have: want <= have if isinstance(want, frozenset) else want in have, wanted, offered
        )
    return ~(has & ~offered.missing) & ~wanted.missing & ~_empty(wanted.data)


def _empty(data: NDArray[np.generic]) -> Bools:
    flat = [isinstance(item, frozenset) and not item for item in data.ravel()]
    return np.array(flat, dtype=bool).reshape(data.shape)


def _owners(
    asked: Asked,
    leads: pd.DataFrame,
    accounts: pd.DataFrame | None,
    assigned: pd.DataFrame | None,
    capacity: pd.DataFrame | None,
    verdicts: _Verdicts,
) -> None:
    rule = asked.policy.accounts
    if rule.owner == "off":
        return
    known = account_owners(asked, leads, accounts, assigned, capacity)
    others = known.there[:, None] & (known.owner[:, None] != np.arange(verdicts.blocked_by.shape[1])[None, :])
    verdicts.against("account: its owner keeps it", rule.owner, others)
    if rule.if_owner_away != "release":
        waits = "account: its owner is away, and it waits in nurture"
        verdicts.against(waits, "hard" if rule.if_owner_away == "nurture" else rule.if_owner_away, known.gone[:, None])


def _own_rules(asked: Asked, verdicts: _Verdicts) -> None:
    for index, rule in enumerate(asked.policy.rules):
        holds = asked.holds(rule.when, f"rules[{index}].when")
        name = f"rule '{rule.name}'"
        if rule.effect == "forbid":
            verdicts.against(name, rule.price, holds)
        elif rule.effect == "allow":
            verdicts.against(name, rule.price, asked.holds(rule.leads, f"rules[{index}].leads")[:, None] & ~holds)
        else:
            sign = 1.0 if rule.effect == "prefer" else -1.0
            verdicts.charge(name, sign * float(rule.amount or 0.0), holds)


def _locks(policy: Policy, known: Overrides, verdicts: _Verdicts) -> None:
    leads = np.flatnonzero(known.lock >= 0)
    reps = known.lock[leads]
    kept = verdicts.blocked_by[leads, reps].copy()
    others = np.zeros(verdicts.blocked_by.shape, dtype=bool)
    others[leads] = True
    others[leads, reps] = False
    verdicts.forbid("lock: a person gave this lead to another rep", others)
    verdicts.blocked_by[leads, reps] = -1 if policy.overrides.locks_break_eligibility else kept
