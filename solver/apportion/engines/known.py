"""What is known before a solve: prices and the plan of a similar problem."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from apportion.engines.formulation import Formulation
from apportion.engines.lagrangian import Multipliers

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Known:
    """Where to start from. prices : of each family; None where they are of other families.

    rep : (U,) who had each unit, -1 for nobody; None where the units are others.
    """

    prices: Multipliers | None = None
    rep: Ints | None = None

    def with_prices(self, prices: Multipliers) -> Known:
        """The same plan, other prices."""
        return replace(self, prices=prices)

    def options(self, form: Formulation) -> Ints | None:
        """(U,) what each unit had as an option of the formulation, -1 where it has no such pair any more."""
        if self.rep is None or len(self.rep) != form.n_units:
            return None
        options = np.where((self.rep < 0) & np.isfinite(form.rest), form.n_pairs + np.arange(form.n_units), -1)
        held = np.flatnonzero(form.rep == self.rep[form.unit])
        options[form.unit[held]] = held
        return options


NOTHING = Known()
