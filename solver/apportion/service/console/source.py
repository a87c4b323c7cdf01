"""Where a console's plan comes from: files, or a run of the store. The rest of the console does not know which."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from apportion.app.assign import AssignRequest
from apportion.service.console.today import Step, Today, open_today
from apportion.whatif.compare.solving import OnProgress

TODAY = "Today's plan"


@dataclass(frozen=True)
class Standing:
    """What a plan is among others. lines : what to know of that; words and address of a link after each, or none."""

    title: str = TODAY
    lines: tuple[tuple[str, str, str], ...] = ()


class Source(Protocol):
    """A plan that can be opened."""

    @property
    def aim(self) -> str:
        """What is done to open it, in words."""

    @property
    def remedy(self) -> tuple[str, str]:
        """Where it cannot be opened: what to do first, and the words of the button that opens it again."""

    def open(self, folder: Path, *, step: Step, on_progress: OnProgress) -> Today:
        """The plan, ready for questions. folder : of finished plans. Raises an ApportionError in words for the page."""

    def standing(self) -> Standing:
        """What it is among others, now."""


@dataclass(frozen=True)
class Files:
    """Tables, model and policy in files: read and assigned when the console starts."""

    request: AssignRequest
    aim: str = "The tables are read and checked, the model learns, and the batch is solved and verified."
    remedy: tuple[str, str] = ("Mend the files where they are, then:", "Read them again")

    def open(self, folder: Path, *, step: Step, on_progress: OnProgress) -> Today:
        """Read, believe, assign. Raises what `assign` raises."""
        return open_today(self.request, folder, step=step, on_progress=on_progress)

    def standing(self) -> Standing:
        """The only plan there is."""
        return Standing()
