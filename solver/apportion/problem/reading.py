"""From the arrays over leads × reps to pairs and their entries; nothing is made larger than it came."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from apportion.problem.checked import Checker
from apportion.problem.entries import Entries
from apportion.problem.pairs import Ints, Pairs

CHUNK = 1 << 20  # cells that are looked at together

Numbers = NDArray[Any]


def read_pairs(check: Checker, *, value: Any, eligible: Any, effort: Any, revenue: Any) -> tuple[Pairs, dict[str, Any]]:
    """Turn the arrays over leads × reps into pairs; what is wrong goes to `check`, and stops here if the shape is
    unknown.

    A dense matrix without a mask is held as it is (float32 or float64); with a mask, or sparse, the numbers of the
    eligible pairs are stored.
    """
    pairs, numbers = _sparse(check, value) if sp.issparse(value) else _dense(check, value)
    if pairs.n_reps == 0:
        check.fault("value", "must have at least one rep (column)", (pairs.n_leads, 0))
        check.finish()
    if eligible is not None:
        pairs, numbers = _masked(check, eligible, pairs, numbers)
    values = _finite(check, "value", Entries(pairs, numbers))
    own = values if revenue is None else _finite(check, "revenue", _entries(check, "revenue", revenue, pairs))
    return pairs, {"value": values, "revenue": own, "effort": _efforts(check, effort, pairs)}


def as_numbers(check: Checker, name: str, given: Any) -> Numbers | None:
    """An array of float32 or float64 in row order: the same one where it is that already."""
    if isinstance(given, np.ndarray) and given.dtype in (np.float32, np.float64):
        return np.ascontiguousarray(given)
    return check.array(name, given)


def _dense(check: Checker, value: Any) -> tuple[Pairs, Numbers]:
    matrix = as_numbers(check, "value", value)
    if matrix is not None and matrix.ndim != 2:
        check.fault("value", "must be an (L, R) array of leads × reps", matrix.shape)
    if matrix is None or matrix.ndim != 2:
        check.finish()
    assert matrix is not None
    return Pairs.every(*matrix.shape), matrix.reshape(-1)


def _sparse(check: Checker, value: Any) -> tuple[Pairs, Numbers]:
    csr, numbers = _stored(check, "value", value)
    pairs = Pairs(start=csr.indptr, rep=csr.indices, n_reps=csr.shape[1])
    return pairs, numbers


def _stored(check: Checker, name: str, matrix: Any) -> tuple[sp.csr_matrix, Numbers]:
    """Read a sparse matrix as CSR with sorted indices; explicit zeros stay, a pair stored twice is a fault."""
    csr = sp.csr_matrix(matrix)
    if not csr.has_canonical_format:
        csr = csr.copy() if csr.nnz == matrix.nnz else csr
        csr.sum_duplicates()
    if csr.nnz != matrix.nnz:
        check.fault(name, "must store each pair once; so many are stored again", matrix.nnz - csr.nnz)
    numbers = as_numbers(check, name, csr.data)
    return csr, np.zeros(csr.nnz) if numbers is None else numbers


def _masked(check: Checker, eligible: Any, pairs: Pairs, numbers: Numbers) -> tuple[Pairs, Numbers]:
    """Only the pairs that the mask allows."""
    shape = (pairs.n_leads, pairs.n_reps)
    allowed: Any = eligible.tocsr() if bool(sp.issparse(eligible)) else np.asarray(eligible)
    if allowed.shape != shape or allowed.dtype != np.bool_:
        check.fault("eligible", f"must be bool of shape {shape}", f"{allowed.dtype} of shape {allowed.shape}")
        check.finish()
    start, columns, kept = np.zeros(shape[0] + 1, dtype=np.int64), [], []
    for first, last in _chunks(shape[0], shape[1]):
        rows = allowed[first:last].toarray() if bool(sp.issparse(allowed)) else allowed[first:last]
        if pairs.column is None:
            cell = np.flatnonzero(rows)
            lead, column = np.divmod(cell, shape[1])
            part = numbers[first * shape[1] : last * shape[1]][cell]
        else:
            begin, end = int(pairs.start[first]), int(pairs.start[last])
            lead, column = np.repeat(np.arange(last - first), pairs.count[first:last]), pairs.column[begin:end]
            keep = rows[lead, column]
            lead, column, part = lead[keep], column[keep], numbers[begin:end][keep]
        start[first + 1 : last + 1] = np.bincount(lead, minlength=last - first)
        columns.append(column.astype(np.int32))
        kept.append(part)
    if pairs.is_dense and int(start.sum()) == pairs.n_pairs:
        return pairs, numbers
    rep = np.concatenate([np.zeros(0, dtype=np.int32), *columns])
    return Pairs(start=np.cumsum(start), rep=rep, n_reps=shape[1]), np.concatenate([numbers[:0], *kept])


def _chunks(n_leads: int, n_reps: int) -> Iterator[tuple[int, int]]:
    step = max(1, CHUNK // max(n_reps, 1))
    return ((first, min(first + step, n_leads)) for first in range(0, n_leads, step))


def _efforts(check: Checker, effort: Any, pairs: Pairs) -> Entries:
    """Effort as one number, one a lead or one a pair; only the eligible pairs' must be right."""
    one = Entries(pairs, 1.0, "one")
    if effort is None:
        return one
    if bool(sp.issparse(effort)):
        return _finite(check, "effort", _entries(check, "effort", effort, pairs), minimum=0.0)
    array = as_numbers(check, "effort", effort)
    if array is None:
        return one
    if array.ndim == 2:
        return _finite(check, "effort", _entries(check, "effort", array, pairs), minimum=0.0)
    vector = check.vector("effort", array, pairs.n_leads)
    below = (vector < 0) & (pairs.count > 0)
    if below.any():
        first = int(np.argmax(below))
        check.fault("effort", f"must be >= 0; effort[{first}] is not", float(vector[first]), int(below.sum()))
    if pairs.n_leads and (vector == vector[0]).all():
        return Entries(pairs, vector[0], "one")
    return Entries(pairs, vector, "lead")


def _entries(check: Checker, name: str, matrix: Any, pairs: Pairs) -> Entries:
    """The entries of an (L, R) array or sparse matrix at the pairs."""
    shape = (pairs.n_leads, pairs.n_reps)
    if bool(sp.issparse(matrix)):
        csr, numbers = _stored(check, name, matrix)
        if csr.shape == shape:
            own = Pairs(start=csr.indptr, rep=csr.indices, n_reps=pairs.n_reps)
            return Entries(pairs, _stored_entries(check, name, own, numbers, pairs))
        got: Any = csr.shape
    else:
        dense = as_numbers(check, name, matrix)
        if dense is None:
            return Entries(pairs, 0.0, "one")
        if dense.shape == shape:
            return Entries(pairs, dense.reshape(-1) if pairs.is_dense else _gathered(dense, pairs))
        got = dense.shape
    check.fault(name, f"must have shape {shape}" + (f" or ({pairs.n_leads},)" if name == "effort" else ""), got)
    return Entries(pairs, 0.0, "one")


def _gathered(dense: Numbers, pairs: Pairs) -> Numbers:
    """(P,) the cells of a matrix at the pairs."""
    assert pairs.column is not None
    out = np.empty(pairs.n_pairs, dtype=dense.dtype)
    for first, last in _chunks(pairs.n_leads, pairs.n_reps):
        begin, end = int(pairs.start[first]), int(pairs.start[last])
        lead = np.repeat(np.arange(last - first), pairs.count[first:last])
        out[begin:end] = dense[first:last][lead, pairs.column[begin:end]]
    return out


def _stored_entries(check: Checker, name: str, own: Pairs, numbers: Numbers, pairs: Pairs) -> Numbers:
    """(P,) what is stored for each pair. A pair left out is a fault: its entry is unknown, not zero."""
    out = np.zeros(pairs.n_pairs, dtype=numbers.dtype)
    missing, where = 0, (0, 0)
    for first, last in _chunks(pairs.n_leads, pairs.n_reps):
        begin, end = int(pairs.start[first]), int(pairs.start[last])
        lead = np.repeat(np.arange(first, last), pairs.count[first:last])
        rep = _reps(pairs, begin, end)
        place = own.position(lead, rep)
        absent = place < 0
        if absent.any() and not missing:
            at = int(np.argmax(absent))
            where = (int(lead[at]), int(rep[at]))
        missing += int(absent.sum())
        out[begin:end][~absent] = numbers[place[~absent]]
    if missing:
        check.fault(name, "must store an entry for each eligible pair; none for this one", where, missing)
    return out


def _reps(pairs: Pairs, begin: int, end: int) -> Ints:
    """Rep of the pairs begin:end."""
    return np.arange(begin, end) % pairs.n_reps if pairs.column is None else pairs.column[begin:end].astype(np.int64)


def _finite(check: Checker, name: str, entries: Entries, minimum: float | None = None) -> Entries:
    """Note where an entry is not finite (or too small), chunk by chunk."""
    with np.errstate(over="ignore", invalid="ignore"):
        fine = bool(np.isfinite(entries.size))  # one not-a-number, or infinity, would show in the sum
    if (fine and minimum is None) or entries.kind == "one":
        return entries
    count, first = 0, -1
    for at in range(0, len(entries.kept), CHUNK):
        part = entries.kept[at : at + CHUNK]
        wrong = ~np.isfinite(part) if minimum is None else ~(np.isfinite(part) & (part >= minimum))
        found = int(wrong.sum())
        if found and not count:
            first = at + int(np.argmax(wrong))
        count += found
    if count:
        pairs = entries.pairs
        lead = int(np.searchsorted(pairs.start, first, side="right")) - 1
        must = "be finite" if minimum is None else f"be finite and >= {minimum:g}"
        place = f"{name}[{lead}, {int(_reps(pairs, first, first + 1)[0])}]"
        check.fault(name, f"must {must} at every eligible pair; {place} is not", float(entries.kept[first]), count)
    return entries
