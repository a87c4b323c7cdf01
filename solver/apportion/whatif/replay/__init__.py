"""Replay: past batches under another policy; and weeks to come in a world whose truth is known."""

from apportion.whatif.replay.differences import weeks
from apportion.whatif.replay.measures import COHORTS, Measured
from apportion.whatif.replay.replay import Past, ReplayHow, replay
from apportion.whatif.replay.run import Run
from apportion.whatif.replay.simulate import WORLD_POLICY, SimulateHow, simulate
from apportion.whatif.replay.tracks import DEFAULT_ROUTERS, FROZEN, PLAN, TRUTH

__all__ = [
    "COHORTS",
    "DEFAULT_ROUTERS",
    "FROZEN",
    "PLAN",
    "TRUTH",
    "WORLD_POLICY",
    "Measured",
    "Past",
    "ReplayHow",
    "Run",
    "SimulateHow",
    "replay",
    "simulate",
    "weeks",
]
