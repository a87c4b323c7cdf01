"""What a problem, a plan and their checks show in a notebook: true, escaped, small, and of the page's own colours."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from html.parser import HTMLParser

import numpy as np
import pytest

from apportion import AssignmentProblem, LeadShare, Limit, MaxMin, Plan, RevenueShare, solve, verify
from apportion.problem.display import number
from tests.solver.problem.test_tables import small

EVIL = "<script>alert('x')</script>&\""
VOID = {"br", "hr", "img"}


class Reader(HTMLParser):
    """Reads the HTML as a browser would: its text, its tags, and whether each is closed."""

    def __init__(self, shown: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.open: list[str] = []
        self.feed(shown)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " | ".join(self.words)


def shown(thing: object) -> Reader:
    """What a notebook shows of it."""
    return Reader(thing._repr_html_())  # type: ignore[attr-defined]


def test_a_plan_says_what_it_is_worth_and_how_that_is_known() -> None:
    """Leads placed, worth, bound, gap, proof, verdict, engine, prices."""
    problem, _ = small()
    plan = solve(problem, gap=0)
    text = shown(plan).text
    assert f"{plan.n_placed} with 2 of 3 reps, {5 - plan.n_placed} to nurture" in text
    for part in (number(plan.objective), number(plan.bound), "0.000%", "rules hold", plan.certificate.engine):
        assert part in text
    assert "OPTIMAL, proved within the gap that was asked for" in text


def test_no_plan_says_what_that_means() -> None:
    """An infeasible problem has no numbers to show."""
    problem = AssignmentProblem.from_arrays(np.ones((3, 1)), capacity=[1], must_assign=True)
    text = shown(solve(problem)).text
    assert "No plan: INFEASIBLE" in text and "no plan keeps all hard rules" in text


def test_a_problem_says_what_is_posed() -> None:
    """Size, pairs, room and need, and each rule with its bounds, and whether it is held hard."""
    base, _ = small()
    problem = base.replace(
        must_assign=[True, False, False, False, False],
        min_load=[1.0, 0.0, 0.0],
        equity=[RevenueShare(low=[0.5, 0.7, 0.0], high=1.25, price=3.0), LeadShare(low=0.5, tier=0), MaxMin(keep=0.9)],
        limits=[Limit(high=4, by="team", leads=[True, False, True, False, False], name="few of them"), Limit(by="all")],
    )
    text = shown(problem).text
    assert "5 leads × 3 reps" in text
    assert "8, 53% of all" in text and "Leads that no rep may take | 1" in text
    assert "5 effort units; all leads together need 6" in text
    assert "Minimum loads | 1 effort units" in text and "Leads that need a rep | 1" in text
    assert "Nurture is worth | 5" in text and "Teams | 2" in text and "Tiers | 2" in text
    assert "at least 0 to 0.7, at most 1.25 | the fair share of revenue | rep | at a price of 3" in text
    assert "few of them | at most 4 | leads over 2 leads | team | hard" in text
    assert "as much as can be for the worst off | revenue per fair share | rep | hard" in text
    assert "limit on leads | none | leads | all | hard" in text


def test_a_verdict_shows_what_is_broken_first() -> None:
    """By how much, and where; a verdict without a fault is short."""
    problem, plan = small()
    forged = verify(problem, plan.replace(rep=np.array([0, 0, 0, 1, -1])))
    text = shown(forged).text
    assert f"{len(forged.broken)} of {len(forged.rules)} rules broken" in text
    first, second = forged.broken[0], next(rule for rule in forged.rules if rule.holds)
    assert text.index(first.rule) < text.index(second.rule)
    assert f"{first.rule} | broken | {number(first.violation)} | {first.where}" in text
    fine = verify(problem, solve(problem))
    assert "All" in shown(fine).text and "broken" not in shown(fine).text


def test_a_certificate_shows_itself() -> None:
    """The same facts as the plan's, without the plan."""
    problem, _ = small()
    certificate = solve(problem).certificate
    text = shown(certificate).text
    assert "Certificate" in text and number(certificate.bound) in text and certificate.why_engine in text


def things() -> list[object]:
    """One of each, with names that are meant to break out."""
    base, _ = small()
    problem = base.replace(
        lead_ids=[f"{EVIL}{k}" for k in range(5)],
        rep_ids=[f"{EVIL}{k}" for k in range(3)],
        limits=[Limit(high=1, name=EVIL)],
        equity=(),
    )
    plan = solve(problem)
    broken = verify(problem, plan.replace(rep=np.array([0, 0, 0, 1, 2])))
    assert any(EVIL in rule.where for rule in broken.broken)
    return [problem, plan, plan.certificate, broken]


@pytest.mark.parametrize("place", range(4), ids=["problem", "plan", "certificate", "verdict"])
def test_names_are_escaped_and_colours_left_alone(place: int) -> None:
    """No name becomes HTML, every tag is closed, and neither paper nor text is coloured: light and dark read alike."""
    thing = things()[place]
    source = thing._repr_html_()  # type: ignore[attr-defined]
    read = Reader(source)
    assert set(read.tags) <= {"div", "p", "strong", "table", "thead", "tbody", "tr", "th", "td"}
    assert "<script" not in source
    assert not re.search(r"(?<![-\w])(color|background)\s*:", source)
    assert len(source) < 12_000
    if place in (0, 3):
        assert EVIL in read.text


def test_a_large_problem_is_shown_at_once() -> None:
    """Nothing is worked out for each pair: no field of two million pairs is written out."""
    problem = AssignmentProblem.from_arrays(np.ones((20_000, 100), dtype=np.float32), capacity=np.full(100, 300.0))
    began = time.process_time()
    assert "2,000,000" in shown(problem).text
    assert time.process_time() - began < 0.5
    assert "_whole" not in problem.entries("value").__dict__


@pytest.mark.parametrize(
    ("amount", "told"),
    [
        (0.0, "0"),
        (15.25, "15.25"),
        (1234.5, "1,234.5"),
        (1234567.8, "1,234,568"),
        (-0.5, "-0.5"),
        (20.0, "20"),
        (0.0150381, "0.015"),
        (np.inf, "without limit"),
    ],
)
def test_numbers_are_short(amount: float, told: str) -> None:
    """Thousands apart; as many digits as tell something."""
    assert number(amount) == told


def test_charts_come_late() -> None:
    """Importing the package loads neither plotly nor the frames; asking for a chart does."""
    code = (
        "import sys, apportion; print([name for name in ('plotly', 'apportion.problem.tables') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=_here(), timeout=120)
    assert done.stdout.strip() == "[]", done.stderr


def _here() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def test_a_plan_is_still_a_plan() -> None:
    """Showing changes nothing."""
    problem, _ = small()
    plan = solve(problem)
    before = (plan.rep.tobytes(), repr(plan), repr(problem))
    assert plan._repr_html_() == plan._repr_html_() and problem._repr_html_() == problem._repr_html_()
    assert (plan.rep.tobytes(), repr(plan), repr(problem)) == before
    assert isinstance(plan, Plan)
