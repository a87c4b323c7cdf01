"""The engines: the only room that imports OR-Tools. `solve` picks one by the problem's structure and verifies its
plan."""

from apportion.engines.memory import in_words, memory_needed
from apportion.engines.solve import Progress, solve

__all__ = ["Progress", "in_words", "memory_needed", "solve"]
