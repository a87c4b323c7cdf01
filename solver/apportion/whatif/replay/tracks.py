"""The tracks: the policy's plan, and routers whose turns go on from batch to batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

import apportion.engines as engines
from apportion.build import Batch
from apportion.whatif.baselines import BASELINES, Baseline, router_context
from apportion.whatif.baselines.context import Memory
from apportion.whatif.estimates import past_rates
from apportion.whatif.replay.book import Book
from apportion.whatif.replay.stage import Choice, Situation, Stage, Track
from apportion_models.errors import UsageError

PLAN, TRUTH, FROZEN = "plan", "truth", "frozen"
DEFAULT_ROUTERS = ("round_robin", "territory", "least_loaded", "cherry_pick")
RANKS_BY_VALUE = ("cherry_pick", "shotgun", "score_tiered")  # routers for whom it matters what is believed
TITLES = {PLAN: "This policy", TRUTH: "This policy, all-knowing", FROZEN: "This policy, never retrained"}


def chosen_routers(names: Sequence[str] | None) -> tuple[Baseline, ...]:
    """The routers by name, in the order of `BASELINES`; None: a few; "all": each. UsageError for a stranger."""
    wanted = set(DEFAULT_ROUTERS if names is None else names)
    known = {baseline.name for baseline in BASELINES}
    strangers = sorted(wanted - known - {"all", "none"})
    if strangers:
        raise UsageError(
            f"A router must be one of {', '.join(sorted(known))}, all or none. Got {', '.join(strangers)}."
        )
    return tuple(one for one in BASELINES if "all" in wanted or one.name in wanted)


def plan_track(stage: Stage, *, name: str = PLAN, cancelled: Callable[[], bool] | None = None) -> Track:
    """The policy's own plan, solved batch by batch."""

    def choose(batch: Batch, situation: Situation) -> Choice:
        plan = engines.solve(
            batch.problem, gap=stage.gap, time_limit=stage.time_limit, seed=situation.seed, cancelled=cancelled
        )
        if cancelled is not None and cancelled():
            raise KeyboardInterrupt
        cut_short = plan.certificate.stopped_by == "time"
        return Choice(plan.rep, str(plan.status), float(plan.gap), plan.status.has_plan, cut_short)

    return Track(name=name, title=TITLES[name], choose=choose, book=_book(stage))


def router_track(stage: Stage, baseline: Baseline) -> Track:
    """A router whose turns and credits go on from batch to batch."""
    memory = Memory()

    def choose(batch: Batch, situation: Situation) -> Choice:
        mixed = int(np.random.SeedSequence([situation.seed, situation.number]).generate_state(1)[0])
        context = router_context(
            batch,
            rank=past_rates(situation.model, batch.reps),
            seed=mixed,
            already=situation.already,
            memory=memory,
        )
        return Choice(baseline.assign(batch.problem, context))

    return Track(name=baseline.name, title=baseline.title, choose=choose, book=_book(stage))


def _book(stage: Stage) -> Book:
    return Book(stage.rep_ids, stage.earlier)
