"""Where the tables, the policy and the estimates meet: a batch, ready to solve and to explain."""

from apportion.build.batch import Batch
from apportion.build.build import build_batch
from apportion.build.inputs import Estimates, Tables

__all__ = ["Batch", "Estimates", "Tables", "build_batch"]
