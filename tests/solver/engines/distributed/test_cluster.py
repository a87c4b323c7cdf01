"""On a real Ray cluster: any number of workers gives the plan of this machine, and a dead one costs time alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from apportion.engines import distributed
from apportion.engines.distributed import cluster
from apportion.engines.distributed.part import Part
from apportion.engines.distributed.solve import _slices, _with_scales, even_cuts
from apportion.engines.distributed.spread import Spread
from apportion.engines.formulate import formulate
from apportion.engines.lagrangian import no_prices, price_out
from apportion_models.errors import ServiceError, UsageError
from tests.conftest import ROOT
from tests.solver.engines.distributed.cases import banded, said

pytestmark = pytest.mark.filterwarnings("default")  # what Ray warns of is not ours


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    """One small cluster for all tests: starting it takes longer than they do."""
    ray = pytest.importorskip("ray", reason="Ray is not installed: pip install apportion[cluster]")
    path = os.pathsep.join(str(ROOT / room) for room in ("models", "solver", "."))
    ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False, runtime_env={"env_vars": {"PYTHONPATH": path}})
    yield ray
    ray.shutdown()


@pytest.fixture
def crews(monkeypatch: pytest.MonkeyPatch) -> list[cluster.Workers]:
    """All workers that are hired."""
    hired: list[cluster.Workers] = []

    class Known(cluster.Workers):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            hired.append(self)

    monkeypatch.setattr(cluster, "Workers", Known)
    return hired


def test_any_number_of_workers_gives_the_same_plan(ray: Any, crews: list[cluster.Workers]) -> None:
    """1, 2 and 3 workers, and the threads of this process: the same bytes."""
    problem = banded()
    here = said(distributed.solve(problem))
    for count in (1, 2, 3):
        assert said(distributed.solve(problem, workers=count)) == here
    assert [len(crew.actors) for crew in crews] == [1, 2, 3]


def test_killed_workers_cost_time_not_the_plan(ray: Any, crews: list[cluster.Workers]) -> None:
    """Workers killed from outside while the prices are looked for are replaced; the plan is the same."""
    problem = banded(1)
    killed = []

    def kill_one() -> bool:
        if crews and len(killed) < 3:
            victim = crews[0].actors[len(killed) % 2]
            killed.append(victim)
            ray.kill(victim)
        return False

    plan = distributed.solve(problem, workers=2, cancelled=kill_one)
    assert len(killed) == 3 and crews[0].deaths >= 2
    assert said(plan) == said(distributed.solve(problem))


class Mortal(Part):
    """Ends its process in the middle of an answer, as often as there are files to take away."""

    lives: Path

    def priced(self, multipliers: Any) -> list[float]:
        for life in sorted(self.lives.iterdir())[:1]:
            life.unlink()
            os._exit(1)
        return super().priced(multipliers)


def mortal(lives: Path, deaths: int) -> tuple[Any, Any, list[Part]]:
    form = _with_scales(formulate(banded(2)))
    cuts = even_cuts(form, 4)
    parts = _slices(form, cuts)
    parts[1].__class__ = Mortal
    parts[1].lives = lives  # type: ignore[attr-defined]
    for number in range(deaths):
        (lives / str(number)).touch()
    return form, cuts, parts


def test_a_worker_that_dies_over_an_answer_is_asked_again(ray: Any, tmp_path: Path) -> None:
    """The other parts of the dead worker are answered too, and the sum is exact."""
    form, cuts, parts = mortal(tmp_path, 2)
    with cluster.hired(parts, 2) as crew:
        bound = Spread(form, cuts, crew).priced(no_prices(form)).bound
        assert crew.deaths == 2
    assert bound == price_out(form, no_prices(form)).bound


def test_workers_that_keep_dying_are_told(ray: Any, tmp_path: Path) -> None:
    """A part that kills every worker is no accident: ServiceError, and the cluster stays usable."""
    form, cuts, parts = mortal(tmp_path, 50)
    with pytest.raises(ServiceError, match="workers died over part 1 of 4"), cluster.hired(parts, 2) as crew:
        Spread(form, cuts, crew).priced(no_prices(form))
    assert ray.is_initialized()
    assert distributed.solve(banded(2, n_leads=200), workers=1).status.has_plan


def test_an_error_in_a_worker_is_not_taken_for_its_death(ray: Any) -> None:
    """A bug is raised at once, as it is; nobody is replaced."""
    form, cuts, parts = mortal(Path("/nowhere at all"), 0)
    with cluster.hired(parts, 2) as crew:
        with pytest.raises(FileNotFoundError):
            Spread(form, cuts, crew).priced(no_prices(form))
        assert crew.deaths == 0


def test_without_ray_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers need the extra; without it a UsageError names it before anything starts."""
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(UsageError, match=r"apportion\[cluster\]"):
        distributed.solve(banded(n_leads=20), workers=2)


def test_sums_come_back_not_pairs(ray: Any) -> None:
    """What a worker sends for a pass is as large as the prices, however many pairs it holds."""
    import pickle

    sizes = []
    for n_leads in (500, 4_000):
        form = _with_scales(formulate(banded(n_leads=n_leads)))
        part = _slices(form, even_cuts(form, 1))[0]
        sizes.append(len(pickle.dumps(part.priced(no_prices(form)))))
        assert np.isfinite(part.priced(no_prices(form))).all()
    assert max(sizes) < 200
