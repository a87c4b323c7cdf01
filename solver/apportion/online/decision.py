"""What a router answers for one lead, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from apportion.online.terms import Answers, Floats, Leads


class Decision(NamedTuple):
    """The answer for one lead. Amounts in currency.

    rep_id : None for nurture. value : of the pair, or of nurture. worth : the pair's value less every charge, None for
    nurture. charges : what each rule charged the chosen pair (for nurture: the best pair with room), negative where a
    rule helped. runner_up : the next best rep with room (for nurture: the best), and their worth. full : a rep who
    would have been better than everyone with room, and whom `bound` (a rule, or a pause) kept out.
    """

    lead_id: str
    rep_id: str | None
    value: float
    worth: float | None
    nurture: float
    charges: tuple[tuple[str, float], ...]
    runner_up: str | None
    runner_up_worth: float | None
    full: str | None
    full_worth: float | None
    bound: str | None

    @property
    def outcome(self) -> str:
        """ "assign" or "nurture"."""
        return "nurture" if self.rep_id is None else "assign"

    @property
    def reason(self) -> str:
        """The decision in a sentence or two."""
        said = []
        if self.rep_id is not None:
            said.append(f"{self.rep_id}: worth {self.value:,.2f}, {self.worth:,.2f} after {self._charged()}")
            if self.runner_up is not None:
                said.append(f"next was {self.runner_up} with {self.runner_up_worth:,.2f}")
            said.append(f"nurture was worth {self.nurture:,.2f}")
        elif self.runner_up is not None:
            said.append(
                f"nurture, worth {self.nurture:,.2f}: the best with room was {self.runner_up}, "
                f"{self.runner_up_worth:,.2f} after {self._charged()}"
            )
        else:
            said.append("nurture: no eligible rep is open and has room")
        if self.full is not None:
            said.append(f"{self.full} ({self.full_worth:,.2f}) was out of reach by {self.bound}")
        return "; ".join(said) + "."

    def _charged(self) -> str:
        parts = [f"{amount:,.2f} for {name}" for name, amount in self.charges if amount != 0]
        return " and ".join(parts) if parts else "no charge"


@dataclass(frozen=True, eq=False)
class Decisions(Sequence[Decision]):
    """The answers for many leads; an item is a `Decision`. rep : (N,) index into the router's rep_ids, -1 for nurture.
    value : (N,) currency."""

    lead_ids: tuple[str, ...]
    rep: Any
    value: Floats
    tell: Teller
    answers: Answers
    nurture: Floats

    def __len__(self) -> int:
        return len(self.lead_ids)

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return [self[i] for i in range(*at.indices(len(self)))]
        row = range(len(self))[at]
        return self.tell.one(self.lead_ids[row], self.answers, row, float(self.value[row]), float(self.nurture[row]))

    def __iter__(self) -> Iterator[Decision]:
        return (self[row] for row in range(len(self)))


@dataclass(frozen=True, eq=False)
class Teller:
    """Turns answers into decisions. reps : by id. families, groups : names."""

    reps: tuple[str, ...]
    families: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]
    group: Any

    def one(self, lead_id: str, answers: Answers, row: int, value: float, nurture: float) -> Decision:
        """The decision on one lead."""
        rep, second, blocked = int(answers.rep[row]), int(answers.second[row]), int(answers.blocked[row])
        looked_at = rep >= 0 or second >= 0
        charges: tuple[tuple[str, float], ...] = ()
        if looked_at:
            charges = tuple(zip(self.families, answers.charges[row].tolist(), strict=True))
        return Decision(
            lead_id,
            None if rep < 0 else self.reps[rep],
            value,
            None if rep < 0 else float(answers.worth[row]),
            nurture,
            charges,
            None if second < 0 else self.reps[second],
            None if second < 0 else float(answers.second_worth[row]),
            None if blocked < 0 else self.reps[blocked],
            None if blocked < 0 else float(answers.blocked_worth[row]),
            None if blocked < 0 else self._bound(int(answers.blocked_by[row]), blocked),
        )

    def _bound(self, family: int, rep: int) -> str:
        if family == len(self.families):
            return f"a pause of {self.reps[rep]}"
        group = self.groups[family][int(self.group[family, rep])]
        return f"{self.families[family]} of {group}"


def values(leads: Leads, answers: Answers) -> Floats:
    """(N,) what each decision brings: the pair's value, or nurture's."""
    rep = answers.rep
    taken = leads.value[np.arange(len(rep)), np.maximum(rep, 0)]
    return np.where(rep >= 0, taken, leads.nurture)
