"""Loading: every fault at once with key path, line, value and remedy; hostile YAML does nothing."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from apportion.policy import Policy, load_policy
from apportion_models.errors import Finding, PolicyError


def faults(text: str) -> dict[str | None, Finding]:
    with pytest.raises(PolicyError) as caught:
        load_policy(text)
    return {finding.column: finding for finding in caught.value.findings}


def test_an_empty_policy_has_sane_defaults() -> None:
    """Nothing written: a soft floor on opportunity, nurture worth nothing, capacity by the table of reps."""
    policy = load_policy("")
    assert policy == load_policy(None) == load_policy({}) == Policy()
    (floor,) = policy.equity
    assert (floor.measure, floor.low, floor.price) == ("opportunity", 0.7, 2.0)
    assert policy.nurture.value == 0
    assert policy.window.days == 1


def test_all_faults_come_at_once_with_line_value_and_remedy() -> None:
    """One run names every wrong key: its path, its line, its value, what would be right."""
    found = faults(
        "version: 2\n"
        "nam: x\n"
        "capacity:\n"
        "  default: -3\n"
        "  caps:\n"
        "    - {name: a, per: fortnight, at_most: 2.5, price: cheap}\n"
        "    - {per: day, at_most: true}\n"
        "rules:\n"
        "  - name: r\n"
        "    effect: forbid\n"
        "    when: country = 'SE'\n"
    )
    assert found["version"].row == 1
    assert "Did you mean name?" in found["nam"].remedy
    assert (found["capacity.default"].row, found["capacity.default"].value) == (4, -3)
    assert found["capacity.caps[0].per"].value == "fortnight"
    assert found["capacity.caps[0].at_most"].message == "must be a whole number."
    assert "hard, or a price" in found["capacity.caps[0].price"].message
    assert found["capacity.caps[1].name"].row == 7
    assert found["capacity.caps[1].at_most"].value is True
    assert found["rules[0].when"].row == 11
    assert "Write ==" in found["rules[0].when"].message


@pytest.mark.parametrize(
    ("text", "path", "words"),
    [
        ("equity: [{name: a, measure: leads, low: 2, high: 1}]", "equity[0]", "low must not be above high"),
        ("equity: [{name: a, measure: leads}]", "equity[0]", "must have low or high"),
        ("equity: [{name: a, measure: max_min}]", "equity[0]", "must have keep"),
        ("equity: [{name: a, measure: max_min, keep: 0.9, price: 3}]", "equity[0]", "keep is for a hard max_min"),
        ("equity: [{name: a, measure: max_min, price: 3, low: 0.5}]", "equity[0]", "neither low nor high"),
        ("equity: [{name: a, measure: max_min, price: 3, window: 30}]", "equity[0]", "whole batch"),
        ("equity: [{name: a, measure: max_min, price: -3}]", "equity[0].price", "0 or more"),
        ("equity: [{name: a, measure: leads, low: 1, keep: 0.9}]", "equity[0]", "keep is for max_min"),
        ("equity: [{name: a, measure: leads, low: 1, tier: hot}]", "equity[0].tier", "must name a tier"),
        ("equity: [{name: a, measure: leads, low: 1, window: -3}]", "equity[0].window", "number of days"),
        ("equity: [{name: a, measure: leads, low: 1}, {name: a, measure: leads, low: 1}]", "equity", "distinct names"),
        ("limits: [{name: a, low: 3, high: 1}]", "limits[0]", "low must not be above high"),
        ("limits: [{name: a}]", "limits[0]", "low or high"),
        ("explore: [{minimum: 2}]", "explore[0]", "first_days or fewer_than"),
        ("swaps: {share: 0}", "swaps.share", "greater than 0"),
        ("swaps: {share: 0.6}", "swaps.share", "less than or equal to 0.5"),
        ("swaps: {loss_at_most: -1}", "swaps.loss_at_most", "greater than or equal to 0"),
        ("swaps: {leads: score >}", "swaps.leads", "predicate"),
        ("swaps: {}\nequity: [{name: poor, measure: max_min, keep: 0.9}]", "swaps", "hard max_min 'poor'"),
        ("audits: [{by: sex}, {by: sex, at_least: 5}]", "audits", "each column once"),
        ("audits: [{by: sex, at_least: 0}]", "audits[0].at_least", "greater than or equal to 1"),
        ("protected: {allow: [{column: level, who: me, when: 2026-03-01}]}", "protected.allow[0].why", "must be given"),
        ("protected: {allow: [{column: a, who: me, when: soon, why: b}]}", "protected.allow[0].when", "date"),
        ("tiers: {bands: [{name: a, at_least: 3}]}", "tiers.bands", "takes the rest"),
        ("tiers: {bands: [{name: a, top: 0.5}, {name: b, top: 0.2}, {name: c}]}", "tiers.bands", "best first"),
        ("tiers: {bands: [{name: a, top: 0.5, at_least: 3}, {name: c}]}", "tiers.bands[0]", "no more"),
        ("rules: [{name: a, effect: prefer, when: true}]", "rules[0]", "amount must be given"),
        ("rules: [{name: a, effect: forbid, when: true, amount: 3}]", "rules[0]", "amount is for"),
        ("rules: [{name: a, effect: prefer, when: true, amount: 3, price: 3}]", "rules[0]", "price is for"),
        ("rules: [{name: a, effect: forbid, when: true, leads: a == 1}]", "rules[0]", "leads is for allow"),
        ("ramp: [{name: a, points: []}]", "ramp[0].points", "at least 1"),
        ("ramp: [{name: a, points: [{day: 3, share: 1}, {day: 3, share: 1}]}]", "ramp[0].points", "rising order"),
        ("ramp: [{name: a, points: [{day: 0, share: 1.5}]}]", "ramp[0].points[0].share", "less than or equal to 1"),
        ("ramp: [{name: a, points: [{day: 0, share: 1}], tier_from: {hot: 3}}]", "ramp[0].tier_from", "name a tier"),
        ("currency: euro", "currency", "three capitals"),
        ("name: '  '", "name", "must not be blank"),
        ("availability: {time_zone: Mars/Base}", "availability.time_zone", "IANA"),
        ("availability: {time_zone: ../../etc/passwd}", "availability.time_zone", "IANA"),
        ("availability: {week: mon-fri}", "availability.week", "times after the days"),
        ("availability: {week: mon 17:00-09:00}", "availability.week", "earlier first"),
        ("availability: {week: mon 09:00-12:00 11:00-13:00}", "availability.week", "overlapping"),
        ("availability: {week: fri-mon 09:00-12:00}", "availability.week", "order of the week"),
        ("availability: {holidays: {default: XX}}", "availability.holidays.default", "such as SE"),
        ("accounts: {together: mostly}", "accounts.together", "hard, off, or a price"),
        ("accounts: {together: -5}", "accounts.together", "hard, off, or a price"),
        ("accounts: {if_owner_away: hard}", "accounts.if_owner_away", "release, nurture, or a price"),
        ("territories: {unmatched: true}", "territories.unmatched", "any, nurture, reject, or a price"),
        (
            "screening: [{name: a, when: true, outcome: reject, price: 3}]",
            "screening[0]",
            "cannot be worked at a price",
        ),
        ("screening: [{name: a, when: true, reason: no, price: 3}]", "screening[0]", "reason is for hard screening"),
        ("nurture: {must_assign: true, must_assign_price: off}", "nurture.must_assign_price", "hard, or a price"),
        ("accounts: {owner: maybe}", "accounts.owner", "hard, off, or a price"),
        ("solve: {gap: .inf}", "solve.gap", "finite"),
        ("solve: {time_limit: 0}", "solve.time_limit", "greater than 0"),
        ("nurture: {must_assign: 5}", "nurture.must_assign", "predicate"),
        ("window: 5", "window", "must be a mapping"),
        ("ramp: 5", "ramp", "must be a list"),
        ("overrides: {locks: yes}", "overrides.locks", "boolean"),
    ],
)
def test_each_rule_says_what_would_be_right(text: str, path: str, words: str) -> None:
    """The schema's own checks name the key and the remedy."""
    found = faults(text + "\n")
    assert path in found, list(found)
    assert words in found[path].message
    assert found[path].row == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("capacity: {}\ncapacity: {}\n", "given twice, first on line 1"),
        ("name: !!python/object/apply:os.system ['true']\n", "Remove the tag"),
        ("name: !!binary aGk=\n", "Remove the tag"),
        ("? [a, b]\n: 1\n", "text as keys"),
        ("1: 2\n", "text as keys"),
        ("a: &a [*a]\n", "contain itself"),
        ("a: &a [1, 2]\nb: [*x]\n", "undefined alias"),
        ("[" * 5000 + "\n", "nested at most"),
        ("a: [" + "1, " * 30000 + "]\n", "entries"),
        ("- 1\n", "mapping of sections"),
        ("a: [1\n", "not YAML"),
        ("a:\n\t- b\n", "not YAML"),
        ("a: 1\n---\nb: 2\n", "not YAML"),
        ("name: 2026-13-45\n", "cannot be read"),
        ("# " + "x" * 300_000 + "\n", "at most 256,000 bytes"),
    ],
)
def test_hostile_yaml_is_refused(text: str, words: str) -> None:
    """Duplicate keys, tags, circles, bombs and broken text are told, and nothing is built of them."""
    assert any(words in str(finding) for finding in faults(text).values())


def test_aliases_cannot_stand_for_millions() -> None:
    """Ten lines of nested aliases are counted as what they expand to."""
    lines = ["a0: &a0 [1, 2, 3, 4, 5, 6, 7, 8, 9]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    assert any("aliases" in str(finding) for finding in faults("\n".join(lines)).values())


def test_plain_words_keep_their_meaning() -> None:
    """NO is Norway, off is off, 09:00 is a time of day and a date is a date."""
    policy = load_policy(
        "accounts: {owner: off, together: off}\n"
        "availability: {holidays: {default: NO, extra: [2026-12-24]}}\n"
        "rules: [{name: no, effect: forbid, when: true}]\n"
    )
    assert policy.accounts.owner == "off"
    assert policy.availability.holidays.default == "NO"
    assert policy.availability.holidays.extra == (dt.date(2026, 12, 24),)
    assert policy.rules[0].name == "no"
    assert policy.rules[0].when.text == "true"


def test_files(tmp_path: Path) -> None:
    """A file is read with or without a byte-order mark; one that is not there or not text is told by name."""
    path = tmp_path / "policy.yaml"
    path.write_bytes("\ufeffname: søk\n".encode())
    policy = load_policy(path)
    assert (policy.name, policy.source) == ("søk", "policy.yaml")
    assert load_policy(str(path)) == policy
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PolicyError, match="UTF-8"):
        load_policy(path)
    with pytest.raises(PolicyError, match="cannot be read"):
        load_policy(tmp_path / "none.yaml")
    with pytest.raises(PolicyError, match="cannot be read"):
        load_policy(tmp_path)


def test_lines_of_keys() -> None:
    """A rule's line is known, also of a key that was not written: the nearest above it."""
    policy = load_policy("name: x\nequity:\n  - name: a\n    measure: leads\n    low: 1\n")
    assert policy.line("equity[0].low") == 5
    assert policy.line("equity[0].high") == 3
    assert Policy().line("equity[0].low") is None


def test_a_policy_does_not_change() -> None:
    """A policy is immutable: what-if makes another."""
    policy = Policy()
    with pytest.raises(ValueError, match="frozen"):
        policy.name = "other"  # type: ignore[misc]
