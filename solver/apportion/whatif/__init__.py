"""What would have happened otherwise: the rule-based routers on the same batch, and scenarios beside the base."""

from apportion.whatif.baselines import (
    BASELINES,
    Baseline,
    BaselineResult,
    RouterContext,
    router_context,
    run_baselines,
    score,
)
from apportion.whatif.compare import Comparison, Difference, How, Interval, Outcome, Sources, compare
from apportion.whatif.scenarios import Scenario, combine, load_scenario, load_scenarios, sweep
from apportion.whatif.setting import Setting

__all__ = [
    "BASELINES",
    "Baseline",
    "BaselineResult",
    "Comparison",
    "Difference",
    "How",
    "Interval",
    "Outcome",
    "RouterContext",
    "Scenario",
    "Setting",
    "Sources",
    "combine",
    "compare",
    "load_scenario",
    "load_scenarios",
    "router_context",
    "run_baselines",
    "score",
    "sweep",
]
