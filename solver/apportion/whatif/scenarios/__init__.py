"""Scenarios: named changes to policy, roster, leads or model."""

from apportion.whatif.scenarios.apply import apply, believed, shrunk
from apportion.whatif.scenarios.combine import combine, sweep
from apportion.whatif.scenarios.reading import load_scenario, load_scenarios, scenario_json_schema
from apportion.whatif.scenarios.schema import Scenario

__all__ = [
    "Scenario",
    "apply",
    "believed",
    "combine",
    "load_scenario",
    "load_scenarios",
    "scenario_json_schema",
    "shrunk",
    "sweep",
]
