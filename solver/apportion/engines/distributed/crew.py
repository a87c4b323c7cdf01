"""Who answers for the parts: threads of this process. On a cluster: see `cluster`."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

from apportion.engines.distributed.part import Part
from apportion.problem.blocks import workers

AHEAD = 2  # parts under way for each thread: answers that wait for their turn take memory


class Crew(Protocol):
    """Asks parts, and gives their answers in the order of the parts, whoever was ready first."""

    def ask(self, question: str, asked: Mapping[int, Sequence[Any]]) -> Iterator[Any]:
        """Call a method of the numbered parts, each with arguments of its own."""


class Threads:
    """The parts are here."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = parts

    def ask(self, question: str, asked: Mapping[int, Sequence[Any]]) -> Iterator[Any]:
        """Call a method of the numbered parts."""
        count = workers()
        if count == 1:
            for number in sorted(asked):
                yield getattr(self.parts[number], question)(*asked[number])
            return
        under_way: deque[Future[Any]] = deque()
        with ThreadPoolExecutor(count) as pool:
            for number in sorted(asked):
                if len(under_way) >= AHEAD * count:
                    yield under_way.popleft().result()
                under_way.append(pool.submit(getattr(self.parts[number], question), *asked[number]))
            while under_way:
                yield under_way.popleft().result()
