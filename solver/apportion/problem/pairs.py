"""The eligible pairs, lead by lead, and the numbers that belong to a pair."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from apportion.problem.checked import Checker

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Which pairs are eligible. start : (L + 1,) offsets; rep : (P,) rep of each pair, ascending within a lead."""

    start: NDArray[np.int64]
    rep: NDArray[np.int64]
    n_reps: int

    @property
    def n_leads(self) -> int:
        """L."""
        return len(self.start) - 1

    @property
    def n_pairs(self) -> int:
        """P."""
        return len(self.rep)

    @cached_property
    def lead(self) -> NDArray[np.int64]:
        """(P,) lead of each pair."""
        return np.repeat(np.arange(self.n_leads), np.diff(self.start))

    def position(self, lead: Any, rep: Any) -> NDArray[np.int64]:
        """Index of the pairs (lead, rep), -1 where a pair is not eligible."""
        key = self.lead * self.n_reps + self.rep
        wanted = np.asarray(lead, dtype=np.int64) * self.n_reps + np.asarray(rep, dtype=np.int64)
        if not len(key):
            return np.full(wanted.shape, -1, dtype=np.int64)
        found = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
        return np.where((key[found] == wanted) & (np.asarray(rep) >= 0), found, -1)

    def mean_by_lead(self, entries: Floats) -> Floats:
        """(L,) mean of the entries over each lead's pairs; 0 for a lead with none. The order of reps does not touch the
        last digit."""
        order = np.lexsort((entries, self.lead))
        return np.bincount(self.lead[order], weights=entries[order], minlength=self.n_leads) / np.maximum(
            np.diff(self.start), 1
        )

    def dense(self, entries: Floats, fill: float) -> Floats:
        """(L, R) array of the entries, `fill` where a pair is not eligible."""
        full = np.full((self.n_leads, self.n_reps), fill)
        full[self.lead, self.rep] = entries
        return full


def read_pairs(
    check: Checker, *, value: Any, eligible: Any, effort: Any, revenue: Any
) -> tuple[Pairs, dict[str, Floats]]:
    """Turn the arrays over leads × reps into pairs; what is wrong goes to `check`, and stops here if the shape is
    unknown."""
    sparse = _as_csr(check, value)
    n_leads, n_reps = sparse.shape
    keep = _kept(check, eligible, sparse)
    lead = np.repeat(np.arange(n_leads), np.diff(sparse.indptr))[keep]
    start = np.concatenate([[0], np.cumsum(np.bincount(lead, minlength=n_leads))]).astype(np.int64)
    pairs = Pairs(start=_frozen(start), rep=_frozen(sparse.indices[keep].astype(np.int64)), n_reps=n_reps)
    values = _finite(check, "value", pairs, sparse.data[keep])
    entries = {
        "value": values,
        "revenue": values
        if revenue is None
        else _finite(check, "revenue", pairs, _entries(check, "revenue", revenue, pairs)),
        "effort": _finite(check, "effort", pairs, _efforts(check, effort, pairs), minimum=0.0),
    }
    return pairs, entries


def _stored(check: Checker, name: str, matrix: Any) -> sp.csr_matrix:
    """Read a sparse matrix as CSR with sorted indices; explicit zeros stay, a pair stored twice is a fault."""
    coo = sp.coo_matrix(matrix)
    data = check.array(name, coo.data)
    csr = sp.csr_matrix((np.zeros(coo.nnz) if data is None else data, (coo.row, coo.col)), shape=coo.shape)
    csr.sum_duplicates()
    if csr.nnz != coo.nnz:
        check.fault(name, "must store each pair once; so many are stored again", coo.nnz - csr.nnz)
    csr.sort_indices()
    return csr


def _as_csr(check: Checker, value: Any) -> sp.csr_matrix:
    if sp.issparse(value):
        csr = _stored(check, "value", value)
    else:
        dense = check.array("value", value)
        if dense is not None and dense.ndim != 2:
            check.fault("value", "must be an (L, R) array of leads × reps", dense.shape)
        if dense is None or dense.ndim != 2:
            check.finish()
        assert dense is not None
        n_leads, n_reps = dense.shape
        csr = sp.csr_matrix(
            (dense.ravel().copy(), np.tile(np.arange(n_reps), n_leads), np.arange(n_leads + 1) * n_reps),
            shape=dense.shape,
        )
    if csr.shape[1] == 0:
        check.fault("value", "must have at least one rep (column)", csr.shape)
        check.finish()
    return csr


def _kept(check: Checker, eligible: Any, sparse: sp.csr_matrix) -> NDArray[np.bool_]:
    if eligible is None:
        return np.ones(sparse.nnz, dtype=bool)
    allowed = eligible.toarray() if bool(sp.issparse(eligible)) else np.asarray(eligible)
    if allowed.shape != sparse.shape or allowed.dtype != np.bool_:
        check.fault("eligible", f"must be bool of shape {sparse.shape}", f"{allowed.dtype} of shape {allowed.shape}")
        check.finish()
    lead = np.repeat(np.arange(sparse.shape[0]), np.diff(sparse.indptr))
    return np.asarray(allowed[lead, sparse.indices], dtype=bool)


def _efforts(check: Checker, effort: Any, pairs: Pairs) -> Floats:
    if effort is None:
        return np.ones(pairs.n_pairs)
    if sp.issparse(effort):
        return _entries(check, "effort", effort, pairs)
    array = check.array("effort", effort)
    if array is None:
        return np.ones(pairs.n_pairs)
    if array.ndim <= 1:
        return check.vector("effort", array, pairs.n_leads)[pairs.lead]
    return _entries(check, "effort", array, pairs)


def _entries(check: Checker, name: str, matrix: Any, pairs: Pairs) -> Floats:
    """(P,) the entries of an (L, R) array or sparse matrix at the pairs."""
    shape = (pairs.n_leads, pairs.n_reps)
    if sp.issparse(matrix):
        stored = _stored(check, name, matrix)
        if stored.shape == shape:
            return _stored_entries(check, name, stored, pairs)
        got: Any = stored.shape
    else:
        dense = check.array(name, matrix)
        if dense is None:
            return np.zeros(pairs.n_pairs)
        if dense.shape == shape:
            return dense[pairs.lead, pairs.rep]
        got = dense.shape
    check.fault(name, f"must have shape {shape}" + (f" or ({pairs.n_leads},)" if name == "effort" else ""), got)
    return np.zeros(pairs.n_pairs)


def _stored_entries(check: Checker, name: str, stored: sp.csr_matrix, pairs: Pairs) -> Floats:
    """(P,) what is stored for each pair. A pair left out is a fault: its entry is unknown, not zero."""
    own = Pairs(start=stored.indptr.astype(np.int64), rep=stored.indices.astype(np.int64), n_reps=pairs.n_reps)
    place = own.position(pairs.lead, pairs.rep)
    missing = place < 0
    if missing.any():
        first = int(np.argmax(missing))
        where = (int(pairs.lead[first]), int(pairs.rep[first]))
        check.fault(name, "must store an entry for each eligible pair; none for this one", where, int(missing.sum()))
    return np.where(missing, 0.0, np.append(stored.data, 0.0)[place])


def _finite(check: Checker, name: str, pairs: Pairs, entries: Floats, minimum: float | None = None) -> Floats:
    wrong = ~np.isfinite(entries) if minimum is None else ~(np.isfinite(entries) & (entries >= minimum))
    if wrong.any():
        first = int(np.argmax(wrong))
        must = "be finite" if minimum is None else f"be finite and >= {minimum:g}"
        place = f"{name}[{pairs.lead[first]}, {pairs.rep[first]}]"
        check.fault(
            name, f"must {must} at every eligible pair; {place} is not", float(entries[first]), int(wrong.sum())
        )
    return _frozen(np.ascontiguousarray(entries, dtype=np.float64))


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    array.setflags(write=False)
    return array
