"""Measures of estimated chances. Labels may be shares of a win (open leads), so that all measures take them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

Floats = NDArray[np.float64]

SMALLEST = 1e-6
BINS = 10


def log_losses(label: Floats, chance: Floats) -> Floats:
    """(n,) log loss of each row, in nats."""
    p = np.clip(chance, SMALLEST, 1.0 - SMALLEST)
    return np.asarray(-label * np.log(p) - (1.0 - label) * np.log1p(-p), dtype=np.float64)


def brier(label: Floats, chance: Floats) -> float:
    """Mean squared error of the chances."""
    return float(np.mean((label - chance) ** 2))


def area_under_curve(label: Floats, chance: Floats) -> float | None:
    """Chance that a won lead ranks above a lost one, over rows with a whole label; None when one kind is absent."""
    whole = (label == 0.0) | (label == 1.0)
    if np.unique(label[whole]).size < 2:
        return None
    return float(roc_auc_score(label[whole], chance[whole]))


def reliability(label: Floats, chance: Floats, bins: int = BINS) -> list[dict[str, Any]]:
    """Rows in order of their chance, cut into equal parts: mean chance, observed rate, its standard error, rows."""
    if label.size == 0:
        return []
    order = np.argsort(chance, kind="stable")
    table = []
    for part in np.array_split(order, min(bins, label.size)):
        rate = float(label[part].mean())
        table.append(
            {
                "rows": int(part.size),
                "expected": float(chance[part].mean()),
                "observed": rate,
                "standard_error": float(np.sqrt(max(rate * (1.0 - rate), 0.0) / part.size)),
            }
        )
    return table


def calibration_error(label: Floats, chance: Floats, bins: int = BINS) -> float:
    """Expected calibration error: mean |expected − observed| over equal parts of the rows."""
    table = reliability(label, chance, bins)
    rows = sum(part["rows"] for part in table)
    return float(sum(part["rows"] * abs(part["expected"] - part["observed"]) for part in table) / max(rows, 1))


def summary(label: Floats, chance: Floats) -> dict[str, Any]:
    """All measures of one set of chances."""
    return {
        "rows": int(label.size),
        "log_loss": float(log_losses(label, chance).mean()),
        "brier": brier(label, chance),
        "auc": area_under_curve(label, chance),
        "calibration_error": calibration_error(label, chance),
        "expected_rate": float(chance.mean()),
        "observed_rate": float(label.mean()),
        "reliability": reliability(label, chance),
    }
