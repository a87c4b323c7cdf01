"""What would have happened otherwise: the rule-based routers, on the same batch and under the same rules."""

from apportion.whatif.baselines import (
    BASELINES,
    Baseline,
    BaselineResult,
    RouterContext,
    router_context,
    run_baselines,
    score,
)

__all__ = ["BASELINES", "Baseline", "BaselineResult", "RouterContext", "router_context", "run_baselines", "score"]
