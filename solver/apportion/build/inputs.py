"""What a batch is built from."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion_models.errors import Finding


@dataclass(frozen=True, eq=False)
class Tables:
    """The tables of one batch, as read. All but leads and reps are optional.

    assigned : what was given before (rep_id, assigned_at, ...): for caps, rolling windows, and the capacity that is
    left.
    from_history : it is what the history says, and takes nothing off the capacity: of a history nobody knows how much
    of it still takes time, and what does is in the reps' backlog.
    """

    leads: pd.DataFrame
    reps: pd.DataFrame
    accounts: pd.DataFrame | None = None
    territories: pd.DataFrame | None = None
    calendar: pd.DataFrame | None = None
    overrides: pd.DataFrame | None = None
    assigned: pd.DataFrame | None = None
    from_history: bool = False
    findings: tuple[Finding, ...] = field(default=())


@dataclass(frozen=True, eq=False)
class Estimates:
    """What is believed of every lead and rep, in the tables' row order.

    fit : (L, R) P(convert | lead, rep). deal_value : (L,) currency. spread : (L, R) standard error of fit × deal value,
    or None.
    """

    fit: NDArray[np.float32]
    deal_value: NDArray[np.float64]
    spread: NDArray[np.float64] | None = None

    @property
    def revenue(self) -> NDArray[np.float64]:
        """(L, R) expected revenue."""
        return self.fit.astype(np.float64) * self.deal_value[:, None]
