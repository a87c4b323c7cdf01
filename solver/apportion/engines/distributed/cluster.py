"""Workers of a Ray cluster: each is a process that holds its parts; a worker that dies is replaced, and asked again.

Optional: `pip install apportion[cluster]`. A cluster that this process is connected to (`ray.init`) is used; else one
is started on this machine and stopped in the end.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from apportion.engines.distributed.part import Part
from apportion_models.errors import ServiceError, UsageError

DEATHS = 5  # of the workers that were asked for one and the same answer: more are no accident
AHEAD = 2  # answers under way for each worker: those that wait for their turn take memory


class Workers:
    """Actors that hold the parts in turns: part k is with worker k modulo their number."""

    def __init__(self, parts: Sequence[Part], count: int) -> None:
        self._ray = load_ray()
        self._actor = self._ray.remote(num_cpus=1, max_restarts=0)(_Worker)
        self._parts, self._count = parts, max(1, min(count, len(parts)))
        self.deaths = 0
        self.actors = [self._hired(worker) for worker in range(self._count)]

    def _hired(self, worker: int) -> Any:
        """A worker with its parts: given, or read by itself."""
        return self._actor.remote({k: self._parts[k] for k in range(worker, len(self._parts), self._count)})

    def ask(self, question: str, asked: Mapping[int, Sequence[Any]]) -> Iterator[Any]:
        """Call a method of the numbered parts; their answers in order."""
        numbers = sorted(asked)
        under_way: dict[int, tuple[Any, Any]] = {}
        for at, number in enumerate(numbers):
            for soon in numbers[at : at + AHEAD * self._count]:
                if soon not in under_way:
                    under_way[soon] = self._sent(question, soon, asked[soon])
            yield self._answer(question, number, asked[number], *under_way.pop(number))

    def _sent(self, question: str, number: int, arguments: Sequence[Any]) -> tuple[Any, Any]:
        actor = self.actors[number % self._count]
        return actor, actor.answer.remote(question, number, *arguments)

    def _answer(self, question: str, number: int, arguments: Sequence[Any], actor: Any, answer: Any) -> Any:
        lost = (self._ray.exceptions.RayActorError, self._ray.exceptions.ObjectLostError)
        for _ in range(DEATHS):
            try:
                return self._ray.get(answer)
            except lost:
                self._replace(number % self._count, actor)
                actor, answer = self._sent(question, number, arguments)
        raise ServiceError(
            f"{DEATHS} workers died over part {number} of {len(self._parts)}. "
            "Look at their logs; with too little memory, use more parts or workers."
        )

    def _replace(self, worker: int, dead: Any) -> None:
        """Hire another, unless that was done when another answer failed to come."""
        if self.actors[worker] is dead:
            self.deaths += 1
            self.actors[worker] = self._hired(worker)

    def dismiss(self) -> None:
        """Let all workers go."""
        for actor in self.actors:
            self._ray.kill(actor)


class _Worker:
    """What an actor runs."""

    def __init__(self, parts: dict[int, Part]) -> None:
        self._parts = parts

    def answer(self, question: str, number: int, *arguments: Any) -> Any:
        return getattr(self._parts[number], question)(*arguments)


def load_ray() -> ModuleType:
    """Import Ray. Raises UsageError where it is not installed."""
    try:
        import ray
    except ImportError as error:
        raise UsageError("workers needs Ray, which is not installed. Use `pip install apportion[cluster]`.") from error
    module: ModuleType = ray
    return module


@contextmanager
def hired(parts: Sequence[Part], count: int) -> Iterator[Workers]:
    """Workers for the parts, on the cluster that this process is connected to, or on one of its own."""
    ray = load_ray()
    own = not ray.is_initialized()
    if own:
        path = os.pathsep.join(entry for entry in sys.path if entry)  # workers import what this process imports
        ray.init(
            num_cpus=count,
            include_dashboard=False,
            log_to_driver=False,
            configure_logging=False,
            runtime_env={"env_vars": {"PYTHONPATH": path}},
        )
    try:
        crew = Workers(parts, count)
        try:
            yield crew
        finally:
            crew.dismiss()
    finally:
        if own:
            ray.shutdown()
