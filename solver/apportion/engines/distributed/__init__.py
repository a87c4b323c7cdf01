"""The same prices and the same search over partitions of the leads: on this machine, on a Ray cluster, or with pairs
that are scored only when a pass looks at them."""

from apportion.engines.distributed.scored import solve_scored
from apportion.engines.distributed.solve import solve

__all__ = ["solve", "solve_scored"]
