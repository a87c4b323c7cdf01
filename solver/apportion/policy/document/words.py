"""Each section of the policy in plain words."""

from __future__ import annotations

from collections.abc import Callable

from apportion.policy.document import caution, routing, running, sharing, work
from apportion.policy.document.phrases import SectionText
from apportion.policy.schema import Policy


def sections(policy: Policy) -> list[SectionText]:
    """The chapters, in the order in which a lead meets them."""
    tell: tuple[Callable[[Policy], SectionText], ...] = (
        routing.screening,
        routing.tiers,
        routing.territories,
        routing.requirements,
        routing.accounts,
        routing.rules,
        routing.overrides,
        work.capacity,
        work.ramp,
        work.availability,
        sharing.equity,
        sharing.limits,
        sharing.value,
        sharing.nurture,
        caution.swaps,
        caution.people,
        running.schedule,
    )
    return [section(policy) for section in tell]
