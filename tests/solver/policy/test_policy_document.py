"""The page for people: every rule on it, well-formed, self-contained, and safe against what is written in names."""

from __future__ import annotations

from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from apportion.policy import load_policy
from apportion.policy.document import document_policy
from apportion.policy.document.diagram import draw
from apportion.policy.document.sentences import said
from apportion.policy.predicates import parse

EVERYTHING = """
name: All of it
currency: SEK
window: {days: 2}
capacity:
  default: 11
  by_level: {junior: 6}
  effort: {rules: [{name: enterprise effort, when: company_size >= 1000, effort: 3}]}
  caps: [{name: daily cap, per: day, at_most: 8}, {name: open cap, per: open, at_most: 60, price: 4}]
  backlog: {effort_each: 0.1, at_most: 0.5}
  adjust: [{name: slow answers, reps: response_rate < 0.5, factor: 0.8}]
  overtime: {share: 0.2, price: 30}
ramp: [{name: new rep, points: [{day: 0, share: 0.25}, {day: 90, share: 1}], shape: linear, tier_from: {hot: 60}}]
throttle: [{name: full pipeline, steps: [{above: 100000, factor: 0.5}]}]
availability:
  hours: [{name: part time, reps: level == 'Junior A', week: mon-wed 09:00-17:00}]
  holidays: {default: SE}
  gradual_return: {points: [{day: 0, share: 0.5}]}
territories:
  cover: [{name: Nordics, when: "country in ['SE', 'NO']", overflow: level == 'senior', overflow_price: 20}]
  unmatched: reject
requirements: [{name: tongue, lead: language, rep: languages, price: 12}]
accounts: {owner: 40}
rules:
  - {name: no giants, effect: forbid, when: rep.level == 'junior' and company_size > 100}
  - {name: banks, effect: allow, leads: industry == 'Bank', when: rep.team_id == 'B', price: 5}
  - {name: bonus, effect: prefer, when: "has(rep.skills, lead.product)", amount: 150}
screening:
  - {name: students, when: company_size == 1, reason: No budget.}
  - {name: rivals, when: industry == 'CRM', outcome: reject}
tiers: {bands: [{name: hot, at_least: 80}, {name: warm, top: 0.5}, {name: vip, when: source == 'ref'}, {name: cold}]}
equity:
  - {name: fair hot, measure: leads, low: 0.5, high: 1.5, tier: each, window: 30, except: level == 'trainee'}
  - {name: poorest, measure: max_min, keep: 0.98}
limits: [{name: few hot, each: tier, high: 5}]
reserve: [{name: room, leads: tier == 'hot', share: 0.2}]
explore: [{minimum: 2, first_days: 60, fewer_than: 30}]
weights: [{name: mentors, reps: level == 'lead', weight: 0.8}]
nurture: {value: 5, share: 0.1, rules: [{name: cold ones, when: tier == 'cold', value: 9}], must_assign: tier == 'hot'}
value:
  estimate: lower
  cost_per_lead: 3
  cost_per_effort: 2
  cost_column: hourly
  costs: [{name: travel, when: country != rep.country, per_lead: 20, of_revenue: 0.1}, {name: own, column: fee}]
  decay: {half_life_hours: 48}
audits: [{by: team, at_least: 4}]
protected:
  columns: [group_b]
  allow: [{column: level, who: the council, when: 2026-03-01, why: pay grades}]
"""


class Strict(HTMLParser):
    """Notes tags that are not closed in order, and anything that loads from elsewhere."""

    VOID = frozenset({"meta", "br", "hr", "img", "link", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "link", "iframe", "img") or any(name in ("src", "onload") for name, _ in attrs):
            self.faults.append(f"loads: {tag}")
        if tag not in self.VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        if not self.stack or self.stack.pop() != tag:
            self.faults.append(f"closes: {tag}")


@pytest.mark.parametrize("text", ["", EVERYTHING])
def test_the_page_is_well_formed_and_self_contained(text: str) -> None:
    """Tags close, nothing is loaded, no script; the diagram is valid XML; the same policy gives the same bytes."""
    page = document_policy(load_policy(text))
    reader = Strict()
    reader.feed(page)
    assert reader.faults == []
    assert reader.stack == []
    assert "http" not in page
    assert "prefers-color-scheme: dark" in page
    ElementTree.fromstring(draw(load_policy(text)))
    assert page == document_policy(load_policy(text))


def test_every_rule_is_on_the_page_in_words() -> None:
    """Names, prices and sentences of all rules are told."""
    page = document_policy(load_policy(EVERYTHING)).replace("&#39;", "'").replace("&#34;", '"')
    for words in (
        "enterprise effort", "daily cap", "at most 60 leads open at once", "soft: SEK 4 a lead more", "slow answers",
        "Capacity × 0.8 for reps where response rate is below 0.5", "Up to 20% above the capacity", "new rep",
        "hot from day 60", "× 0.5 above 100,000", "part time", "those of SE", "50% from working day 1",
        "Leads where country is SE or NO are covered by those whose territories list it",
        "Reps where level is senior help out, at SEK 20 a lead", "Leads of none are rejected", "soft: SEK 12 a lead",
        "soft: SEK 40 a lead with anybody else", "the rep's level is junior, and the lead's company size is above 100",
        "Leads where industry is Bank may only go where the rep's team id is B", "+ SEK 150",
        "the rep's skills include the lead's product", "No budget.", "The best 50% of the batch by score",
        "at least 50% and at most 150% of the fair share of leads in each tier, counted over the last 30 days",
        "Not for reps where level is trainee", "keeping 98% of the best total", "few hot",
        "Each rep gets at most 5 leads, for each tier", "held back", "mentors",
        "in their first 60 days or with fewer than 30 past leads", "SEK 5 plus 10% of its opportunity", "cold ones",
        "Leads where tier is hot need a rep", "loses half of its worth every 48 hours", "2 working days", "Junior A",
        "A pair where the lead's country is not the rep's country costs SEK 20 a lead and 0.1 of the expected revenue",
        "Every pair costs what the lead's fee says", "Audit by team", "groups of fewer than 4 together",
        "Besides those known by name these are: group_b", "pay grades (the council, 2026-03-01)", "No lead is swapped",
    ):  # fmt: skip
        assert words in page, words


def test_the_draw_is_on_the_page_in_words() -> None:
    """How many leads may be swapped, whose, at what loss; all of it hard."""
    page = document_policy(load_policy("swaps: {share: 0.02, leads: score < 80, loss_at_most: 50}"))
    for words in ("a chance of at most 0.02", "leads where score is below 80, every rep", "EUR 50 by the estimates"):
        assert words in page, words


def test_names_cannot_break_the_page() -> None:
    """Markup in a name, a predicate or a reason is shown as text, in the diagram too."""
    evil = "<script>alert(1)</script>"
    policy = load_policy(
        {
            "name": evil,
            "screening": [{"name": evil, "when": f"industry == '{evil}'", "reason": evil}],
            "territories": {"cover": [{"name": evil, "when": True}]},
        }
    )
    page = document_policy(policy)
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 6


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("country != 'SE' or not urgent", "country is not SE or it is not so that urgent is set"),
        ("a == 1 and (b == 2 or c == 3)", "a is 1, and (b is 2 or c is 3)"),
        ("country not in ['SE', 'NO']", "country is not SE or NO"),
        ("10 <= company_size < 50", "10 is at most company size, and company size is below 50"),
        ("days_since(created_at) > 30", "days since created at is above 30"),
        ("postal_code startswith ['11', '12']", "postal code begins with 11 or 12"),
        ("-score * 2 < 1000000", "−score times 2 is below 1,000,000"),
        ("missing(industry) and known(country)", "industry is missing, and country is known"),
        ("'x' in tags", "x is among tags"),
        ("true", "always"),
    ],
)
def test_predicates_in_words(text: str, words: str) -> None:
    """A predicate reads as an English clause."""
    assert said(parse(text, scope="lead")) == words


@pytest.mark.parametrize(
    ("text", "says", "force"),
    [
        ("accounts: {together: 40}", "go to one rep: its owner, else who may have most of them", "soft: EUR 40 a lead"),
        ("accounts: {owner: hard, if_owner_away: 30}", "any rep may have it for EUR 30 a lead", "hard"),
        (
            "equity: [{name: poorest, measure: max_min, price: 0.05}]",
            "gets more where that is worth it",
            "soft: EUR 0.05 for each EUR of revenue over fair share",
        ),
        (
            "screening: [{name: tiny, when: company_size < 3, price: 9}]",
            "go to nurture",
            "soft: EUR 9 a lead",
        ),
        (
            "nurture: {must_assign: true, must_assign_price: 70}",
            "Every lead needs a rep",
            "soft: EUR 70 a lead",
        ),
        (
            "territories: {cover: [{name: n, when: country == 'SE'}], unmatched: 25}",
            "Leads of none cost EUR 25 with any rep",
            "hard",
        ),
    ],
)
def test_what_is_soft_is_told_with_its_price(text: str, says: str, force: str) -> None:
    """A rule at a price says what it asks for, and what going against it costs."""
    page = document_policy(load_policy(text))
    assert says in page
    assert force in page
