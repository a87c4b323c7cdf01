from __future__ import annotations

from pathlib import Path

import pytest

from apportion_models.synthetic import SampleCompany, World, sample_company
from apportion_models.synthetic.past import Logged

DATA = Path(__file__).parents[3] / "data"


@pytest.fixture(scope="session")
def company() -> SampleCompany:
    return sample_company()


@pytest.fixture(scope="session")
def data() -> Path:
    return DATA


@pytest.fixture(scope="session")
def managed() -> tuple[World, Logged]:
    """A world whose managers choose, with a large history."""
    world = World(seed=11)
    return world, world.logged(48_000)


@pytest.fixture(scope="session")
def explored() -> tuple[World, Logged]:
    """The same world, every lead given to a rep at random."""
    world = World(seed=11, exploration=1.0)
    return world, world.logged(48_000)
