"""Asking a router without booking."""

from __future__ import annotations

import numpy as np

from apportion.online import Router


def test_what_is_asked_is_what_would_be_done_and_nothing_is_booked() -> None:
    """The same decision as `route` gives next, however often it is asked; loads and prices stay."""
    values = np.random.default_rng(0).lognormal(5, 1, (40, 3))
    router = Router(capacity=[5.0, 5.0, 5.0], rep_ids=["c", "a", "b"])
    for number, value in enumerate(values):
        before = router.report()
        asked = [router.judge(f"lead {number}", value=value, nurture=20.0) for _ in range(2)]
        after = router.report()
        assert (before.load == after.load).all() and (before.prices == after.prices).all()
        assert asked == [router.route(f"lead {number}", value=value, nurture=20.0)] * 2
