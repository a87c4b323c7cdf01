"""Exploration: a few leads change reps by a draw, within every hard rule, with the chance of each known exactly."""

from apportion.swaps.lottery import Lottery, lottery_of
from apportion.swaps.swap import swap_some

__all__ = ["Lottery", "lottery_of", "swap_some"]
