"""The charts of the page: the figures of `apportion.whatif.charts` as JSON."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import plotly.graph_objects as go


def embedded(figure: go.Figure) -> str:
    """The figure as JSON that is safe inside a script element; the same figure gives the same bytes."""
    plain = json.dumps(json.loads(figure.to_json()), sort_keys=True, separators=(",", ":"), default=_number)
    return plain.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _number(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
