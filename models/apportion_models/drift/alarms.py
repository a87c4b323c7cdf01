"""What a monitor says: each alarm names what was seen, how sure that is, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["conversions", "revenue", "calibration", "population", "scores", "segment", "records"]


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """One thing that is not as the model expects. where : "all leads", a window, a column, or a segment."""

    kind: Kind
    where: str
    sentence: str
    action: str

    def __str__(self) -> str:
        return f"{self.sentence} What to do: {self.action}"
