from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from apportion import solve
from benchmarks import gap, instances
from benchmarks.instances import Instance

MAKERS: tuple[Callable[..., Instance], ...] = (
    instances.counts,
    instances.dense_bands,
    instances.bands,
    instances.tiered_bands,
    instances.all_rules,
    instances.sparse_bands,
    instances.rep_leaves,
)


def parts(instance: Instance) -> list[bytes]:
    """The bytes of every array."""
    value: Any = instance.value
    arrays = [value.data, value.indices, value.indptr] if bool(sp.issparse(value)) else [value]
    arrays += [instance.capacity, instance.effort, instance.eligible, instance.tier, instance.parcel]
    return [np.asarray(array).tobytes() for array in arrays if array is not None]


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_seeded(make: Callable[..., Instance]) -> None:
    """The same arguments give the same bytes, another seed gives others; each makes a problem."""
    one, again, other = (make(leads=60, reps=8, seed=seed) for seed in (3, 3, 4))
    assert parts(one) == parts(again) != parts(other)
    problem = one.problem()
    assert (problem.n_leads, problem.n_reps, problem.pairs.n_pairs) == (60, 8, one.n_pairs)


def test_chunks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """How many pairs are computed at once changes values by no more than a rounding of float32."""
    whole = instances.counts(leads=50, reps=7, seed=0).value
    monkeypatch.setattr(instances, "CHUNK", 30)
    np.testing.assert_allclose(instances.counts(leads=50, reps=7, seed=0).value, whole, rtol=1e-5)


def test_values_are_what_the_module_says() -> None:
    """One lead in eight converts, a median deal near 3,000, and a tail that is heavier at 1.0 than at 0.5."""
    shares = []
    for tail in (1.0, 0.5):
        value = np.sort(instances.counts(leads=20_000, reps=5, seed=1, tail=tail).value.mean(axis=1))[::-1]
        shares.append(value[:200].sum() / value.sum())
    assert shares[0] > 2 * shares[1] and 0.05 < shares[0] < 0.25
    assert 200 < np.median(value) < 600  # 3,000 times an eighth


def test_every_territory_is_covered() -> None:
    """No lead is without a rep where there are as many reps as territories; a rep covers one to three."""
    eligible = instances.bands(leads=2000, reps=30, seed=0).eligible
    assert eligible is not None and eligible.any(axis=1).all()
    assert 1 / 9 < eligible.mean() < 3 / 7


def test_sparse_is_a_twentieth() -> None:
    """Two of forty territories each: a twentieth of the pairs, and no lead without a rep."""
    instance = instances.sparse_bands(leads=4000, reps=200, seed=0)
    assert instance.n_pairs / (4000 * 200) == pytest.approx(0.05, rel=0.01)
    assert (np.diff(instance.value.indptr) > 0).all()
    assert instance.value.dtype == np.float32


def test_all_rules_can_be_kept() -> None:
    """The small batches have plans: not each seed, but most."""
    plans = [solve(instances.all_rules(leads=50, reps=5, seed=seed).problem(), gap=0.05) for seed in range(8)]
    assert sum(plan.status.has_plan for plan in plans) >= 7


def test_one_rep_leaves() -> None:
    """The batch before differs in one capacity alone, which is zero afterwards."""
    after = instances.rep_leaves(leads=60, reps=8, seed=0)
    assert after.before is not None and after.before.before is None
    changed = after.capacity != after.before.capacity
    assert changed.sum() == 1 and after.capacity[changed] == 0
    assert after.value is after.before.value


@pytest.mark.parametrize("kind", list("abcde"))
def test_gap_types(kind: str) -> None:
    """Each type has the ranges and the tightness of its definition."""
    made = gap.generated(kind=kind, agents=5, jobs=100, seed=0)
    cost, need = -made.value, made.effort
    assert made.must_assign and (need >= 1).all() and (need == np.rint(need)).all() and (cost == np.rint(cost)).all()
    load = made.capacity.sum() / need.mean(axis=1).sum()
    if kind in "cde":
        assert load == pytest.approx(0.8, abs=0.01)
    if kind in "abc":
        assert need.min() >= 5 and need.max() <= 25 and cost.min() >= 10 and cost.max() <= 50
    if kind == "d":
        assert np.abs(cost + need - 111).max() <= 10
    if kind == "e":
        assert np.corrcoef(np.log(cost + 11).ravel(), np.log(need).ravel())[0, 1] < -0.9


def test_gap_b_is_tighter_than_a() -> None:
    """Type b has seven tenths of type a's resources."""
    a, b = (gap.generated(kind=kind, agents=5, jobs=50, seed=1) for kind in "ab")
    np.testing.assert_allclose(b.capacity, 0.7 * a.capacity, atol=1)


def test_unknown_kind_is_refused() -> None:
    """The message names what there is."""
    with pytest.raises(ValueError, match="one of a, b, c, d, e"):
        gap.generated(kind="f", agents=2, jobs=2, seed=0)


def test_public_instances_where_there_are_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """Without the folder there are no rows, and no error."""
    monkeypatch.setenv("APPORTION_SHARED", str(tmp_path))
    assert gap.public_names() == []


def test_public_instances(shared: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file's optimum is reached."""
    monkeypatch.setenv("APPORTION_SHARED", str(shared))
    if not gap.public_names():
        pytest.skip(f"no instances in {shared}")
    made = gap.public(name="gap1-0", seed=0)
    assert (made.n_reps, made.n_leads, made.optimum) == (5, 15, -261.0)
    assert solve(made.problem(), gap=0).objective == -261.0
