"""What routers need to know, read from a batch."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion.build.batch import Batch
from apportion.whatif.baselines.context import Memory, RouterContext


def router_context(
    batch: Batch,
    *,
    weights: NDArray[np.float64] | None = None,
    rank: NDArray[np.float64] | None = None,
    already: NDArray[np.float64] | None = None,
    shotgun: int = 5,
    seed: int = 0,
    memory: Memory | None = None,
) -> RouterContext:
    """Give the routers the batch's own facts: arrival by created_at, then lead_id; score; owner; territory and cover.

    A lead without a score comes after all others; without any score the opportunity counts. An owner who is not among
    the reps is none. Primary and overflow cover take part in a territory's rotation alike. The other arguments are
    those of RouterContext.
    """
    leads = batch.leads.iloc[batch.rows]
    return RouterContext(
        order=_order(leads),
        score=_score(leads),
        owner=_owner(leads, batch.problem.rep_ids),
        weights=weights,
        rank=rank,
        territory=np.asarray(batch.eligibility.territory, dtype=np.int64),
        cover=np.asarray(batch.eligibility.covers) > 0,
        already=already,
        shotgun=shotgun,
        seed=seed,
        memory=memory,
    )


def _order(leads: pd.DataFrame) -> NDArray[np.int64]:
    ids = leads["lead_id"].astype(str).to_numpy(dtype=str)
    if "created_at" not in leads.columns:
        return np.argsort(ids)
    created = pd.to_datetime(leads["created_at"], utc=True)
    when = created.astype("datetime64[ns, UTC]").astype("int64").to_numpy()
    return np.lexsort((ids, when, created.isna().to_numpy()))


def _score(leads: pd.DataFrame) -> NDArray[np.float64] | None:
    if "score" not in leads.columns or leads["score"].isna().all():
        return None
    score = leads["score"].to_numpy(dtype=np.float64)
    return np.where(np.isfinite(score), score, np.nanmin(score) - 1.0)


def _owner(leads: pd.DataFrame, rep_ids: tuple[str, ...]) -> NDArray[np.int64] | None:
    if "owner_rep_id" not in leads.columns:
        return None
    index = {rep: place for place, rep in enumerate(rep_ids)}
    return np.array([index.get(str(owner), -1) for owner in leads["owner_rep_id"]], dtype=np.int64)
