"""The way of a lead through the policy, as an inline SVG."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from apportion.policy.document.phrases import money
from apportion.policy.schema import Policy

WIDTH, STEP, BOX, GAP = 800, 92, 66, 26
LEFT, BOX_WIDTH, BAR_X, BAR_WIDTH = 20, 430, 612, 172


@dataclass(frozen=True)
class Stage:
    """One box: a title, what happens there, and which leads leave to nurture or are rejected."""

    title: str
    says: str
    leaves: str = ""
    rejects: str = ""


def stages(policy: Policy) -> list[Stage]:
    """The stages that a lead passes, with this policy's numbers."""
    firm = [rule.outcome for rule in policy.screening if rule.price == "hard"]
    cover, tiers = policy.territories.cover, policy.tiers.bands
    unmatched = policy.territories.unmatched if cover else "any"
    counts = (("requirement", len(policy.requirements)), ("own rule", len(policy.rules)))
    asks = [f"{count} {name}{'s' if count != 1 else ''}" for name, count in counts if count]
    asks += ["owner keeps the account"] if policy.accounts.owner != "off" else []
    asks += ["account stays together"] if policy.accounts.together != "off" else []
    held = [
        f"{len(items)} {name}{'s' if len(items) != 1 else ''}"
        for name, items in (
            ("ramp profile", policy.ramp), ("cap", policy.capacity.caps), ("adjustment", policy.capacity.adjust),
            ("throttle", policy.throttle), ("reserve", policy.reserve),
        )
        if items
    ]  # fmt: skip
    shared = [rule.name for rule in policy.equity] + [rule.name for rule in policy.limits]
    return [
        Stage(
            "Screening",
            _brief([rule.name for rule in policy.screening]) or "every lead passes",
            _rules(firm.count("nurture")),
            _rules(firm.count("reject")),
        ),
        Stage("Tier", " › ".join(band.name for band in tiers) or "one tier for all"),
        Stage("Territory", _brief([item.name for item in cover]) or "none: any place, any rep", *_unmatched(unmatched)),
        Stage("Eligibility", _brief(asks) or "any rep who is not paused", "no rep may get it"),
        Stage("Capacity", _brief(held) or "working hours and leave", "no room left"),
        Stage("Optimise", _brief(shared) or "expected revenue alone", "nurture is worth more"),
    ]


def _rules(count: int) -> str:
    return f"{count} rule{'' if count == 1 else 's'}" if count else ""


def _unmatched(outcome: str | float) -> tuple[str, str]:
    return ("no territory" if outcome == "nurture" else ""), ("no territory" if outcome == "reject" else "")


def _brief(names: list[str], room: int = 54) -> str:
    text = ", ".join(names)
    return text if len(text) <= room else f"{text[: room - 14].rsplit(',', 1)[0]} … ({len(names)} in all)"


def draw(policy: Policy) -> str:
    """The diagram. Colours come from the page's style, so that it follows light and dark."""
    found = stages(policy)
    height = STEP * (len(found) + 2)
    parts = [
        f'<svg class="flow" viewBox="0 0 {WIDTH} {height}" role="img" '
        'aria-label="The way of a lead through the policy">',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 8 4 0 8z" class="tip"/></marker></defs>',
        _pill(0, "A batch of leads"),
    ]
    for index, stage in enumerate(found, start=1):
        top = index * STEP
        parts.append(_arrow(top))
        parts.append(_box(top, stage))
        parts.append(_exits(top, stage))
    last = (len(found) + 1) * STEP
    parts += [_arrow(last), _pill(last, "A rep, with the reason"), _bar(policy, len(found)), "</svg>"]
    return "".join(parts)


def _exits(top: float, stage: Stage) -> str:
    start, text_x = LEFT + BOX_WIDTH, (LEFT + BOX_WIDTH + BAR_X) / 2
    out = ""
    if stage.leaves:
        y = top + 24
        out += f'<path class="exit" d="M{start} {y} H{BAR_X - 2}" marker-end="url(#tip)"/>'
        out += f'<text class="leave" x="{text_x}" y="{y - 6}">{escape(stage.leaves)}</text>'
    if stage.rejects:
        y = top + 50
        out += f'<path class="reject" d="M{start} {y} h22 m-5 -5 l10 10 m0 -10 l-10 10"/>'
        out += f'<text class="rejected" x="{start + 36}" y="{y + 4}">rejected: {escape(stage.rejects)}</text>'
    return out


def _arrow(top: float) -> str:
    x = LEFT + BOX_WIDTH / 2
    return f'<path class="way" d="M{x} {top - GAP} V{top - 2}" marker-end="url(#tip)"/>'


def _box(top: float, stage: Stage) -> str:
    return (
        f'<rect class="box" x="{LEFT}" y="{top}" width="{BOX_WIDTH}" height="{BOX}" rx="10"/>'
        f'<text class="name" x="{LEFT + 18}" y="{top + 27}">{escape(stage.title)}</text>'
        f'<text class="says" x="{LEFT + 18}" y="{top + 49}">{escape(stage.says)}</text>'
    )


def _pill(top: float, text: str) -> str:
    x = LEFT + BOX_WIDTH / 2
    return (
        f'<rect class="pill" x="{x - 120}" y="{top + 8}" width="240" height="{BOX - 16}" rx="25"/>'
        f'<text class="pilltext" x="{x}" y="{top + 39}">{escape(text)}</text>'
    )


def _bar(policy: Policy, count: int) -> str:
    top, height = STEP, STEP * count - GAP
    worth = money(policy, policy.nurture.value)
    middle = top + height / 2
    x = BAR_X + BAR_WIDTH / 2
    return (
        f'<rect class="bar" x="{BAR_X}" y="{top}" width="{BAR_WIDTH}" height="{height}" rx="10"/>'
        f'<text class="bartext" x="{x}" y="{middle - 8}">Nurture</text>'
        f'<text class="barnote" x="{x}" y="{middle + 14}">worth {escape(worth)}</text>'
        f'<text class="barnote" x="{x}" y="{middle + 34}">an answer, not a failure</text>'
    )
