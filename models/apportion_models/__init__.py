"""What Apportion believes: the tables it reads, the fit model it trains, and how far the evidence goes."""

from apportion_models.fit import FitModel
from apportion_models.registry import load_model, save_model
from apportion_models.tables import (
    check_references,
    load_mapping,
    read_accounts,
    read_assignments,
    read_calendar,
    read_history,
    read_leads,
    read_overrides,
    read_reps,
    read_teams,
    read_territories,
)

__all__ = [
    "FitModel",
    "check_references",
    "load_mapping",
    "load_model",
    "read_accounts",
    "read_assignments",
    "read_calendar",
    "read_history",
    "read_leads",
    "read_overrides",
    "read_reps",
    "read_teams",
    "read_territories",
    "save_model",
]
