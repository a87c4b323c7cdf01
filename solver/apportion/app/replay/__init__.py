"""Replay and simulation over time: the use cases, their files and their page."""

from apportion.app.replay.report import RunReport
from apportion.app.replay.run import ReplayRequest, SimulateRequest, replay_past, simulate_weeks

__all__ = ["ReplayRequest", "RunReport", "SimulateRequest", "replay_past", "simulate_weeks"]
