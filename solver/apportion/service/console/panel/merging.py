"""One territory taken into another, as a change of the policy's list of territories."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass

from apportion.service.console.panel.places import JOINED, Draft, part

COVER = "territories.cover"
Crew = tuple[str, str]


@dataclass(frozen=True, eq=False)
class Merges:
    """A territory that becomes part of another. cover : the policy's territories, as its file has them; the whole list
    is set anew, for its order counts. crews : by name: who covers it as primary and as overflow, as predicates."""

    taken: str
    cover: tuple[Draft, ...]
    crews: Mapping[str, Crew]

    def put(self, draft: Draft, text: str) -> None:
        """The other territory takes its leads; whoever covers one of the two covers both."""
        edits = part(draft, "policy", "set")
        cover = edits.get(COVER) or copy.deepcopy(list(self.cover))
        edits[COVER] = merged(cover, self.taken, text, self.crews)

    def peek(self, draft: Draft) -> str | None:
        """Not told from a list of territories: a saved merger is shown with the further changes."""
        return None

    def clear(self, draft: Draft) -> None:
        """Nothing is held here."""


def crew_words(reps: list[str]) -> str:
    """A predicate that names the reps, and whoever joins in the panel like one of them."""
    names = [name for rep in reps for name in (rep, f"{rep}{JOINED}")]
    return f"rep_id in [{', '.join(map(repr, names))}]" if names else "false"


def merged(cover: list[Draft], taken: str, into: str, crews: Mapping[str, Crew]) -> list[Draft]:
    """The territories without `taken`, whose leads are those of `into`; every other territory keeps its leads.

    The first territory that holds counts, so what comes between the two is left out of the later one's leads. Raises
    ValueError where one of the two is not there any more.
    """
    names = [item["name"] for item in cover]
    if taken not in names or into not in names or taken == into:
        raise ValueError("must be another territory, that is not merged away itself")
    first, later = sorted((names.index(taken), names.index(into)))
    between = [f"({item['when']})" for item in cover[first + 1 : later]]
    late = f"({cover[later]['when']})" + (f" and not ({' or '.join(between)})" if between else "")
    one, other = cover[names.index(into)], cover[names.index(taken)]
    sides = [_crew(item, crews) for item in (one, other)]
    whole = {
        **one,
        "when": f"({cover[first]['when']}) or ({late})",
        "primary": " or ".join(f"({primary})" for primary, _ in sides),
        "overflow": " or ".join(f"({overflow})" for _, overflow in sides),
    }
    rest = [item for item in cover if item["name"] not in (taken, into)]
    return [*rest[:first], whole, *rest[first:]]


def _crew(item: Draft, crews: Mapping[str, Crew]) -> Crew:
    """Who covers a territory: as its own predicates say, else as the tables do."""
    primary, overflow = crews[item["name"]]
    if item.get("primary") is None:
        return primary, overflow
    return item["primary"], item["overflow"] if item.get("overflow") is not None else overflow
