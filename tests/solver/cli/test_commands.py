"""The other commands, and what every command shows of itself."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from apportion import __version__
from tests.solver.cli.conftest import Company, call, contents

TABLES = ["--leads", "--reps", "--history"]
OPTIONS = {
    "demo": ["--out", "--json", "--quiet"],
    "fit": ["--history", "--reps", "--mapping", "--out", "--until", "--seed", "--json", "--quiet"],
    "assign": [*TABLES, "--model", "--policy", "--mapping", "--overrides", "--earlier", "--at", "--gap",
               "--out", "--json"],
    "evaluate": [*TABLES, "--policy", "--mapping", "--at", "--json"],
    "verify": [*TABLES, "--model", "--policy", "--mapping", "--at", "--json"],
    "policy check": [*TABLES, "--mapping", "--json"],
    "policy document": ["--out"],
    "policy schema": ["--help"],
}  # fmt: skip


@pytest.mark.parametrize("command", OPTIONS)
def test_help_lists_the_options(command: str) -> None:
    """`--help` ends 0, on stdout, and names each option."""
    called = call(*command.split(), "--help")
    assert called.code == 0 and called.err == ""
    assert not [option for option in OPTIONS[command] if option not in called.out]


def test_the_version_is_told() -> None:
    """`--version` prints the version and ends 0."""
    called = call("--version")
    assert called.code == 0 and called.out == f"apportion {__version__}\n"


def test_fit_says_what_it_found(company: Company, tmp_path: Path) -> None:
    """`fit --json` is one document: the folder, the level and the evidence; the same history gives the same model."""
    options = company.options(learn=True, leads=None, policy=None)
    called = call("fit", *options, "--out", tmp_path / "one", "--json")
    assert called.code == 0 and called.err == ""
    document = called.json
    assert document["model"] == str(tmp_path / "one") and document["evidence"]
    assert document["level"] in ("base rate", "lead", "rep", "rep x segment")
    assert call("fit", *options, "--out", tmp_path / "two").code == 0
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_a_policy_is_checked_against_tables(company: Company, tmp_path: Path) -> None:
    """A good one ends 0; a territory that nobody covers ends 3, and --json says the same on stdout."""
    tables = company.options(model=None, policy=None)
    good = call("policy", "check", company.folder / "policy.yaml", *tables, "--json")
    assert good.code == 0 and good.json["ok"] is True
    bad = tmp_path / "bad.yaml"
    bad.write_text(
        "version: 1\nterritories:\n  cover:\n    - {name: moon, when: source == 'event', primary: team_id == 'lunar'}\n"
    )
    called = call("policy", "check", bad, *tables, "--json")
    assert called.code == 3 and called.json["ok"] is False and "moon" in called.err
    assert {finding["severity"] for finding in called.json["findings"]} >= {"error"}


def test_a_policy_becomes_a_page(company: Company, tmp_path: Path) -> None:
    """One self-contained file, in a folder that is made, the same each time."""
    page = tmp_path / "deep" / "policy.html"
    assert call("policy", "document", company.folder / "policy.yaml", "--out", page).code == 0
    first = page.read_bytes()
    assert b"<html" in first and not re.search(rb"<(?:script|link|img)[^>]+(?:src|href)", first)
    assert call("policy", "document", company.folder / "policy.yaml", "--out", page).code == 0
    assert page.read_bytes() == first and contents(tmp_path / "deep").keys() == {"policy.html"}


def test_the_schema_of_policies_is_printed() -> None:
    """One JSON document that names the policy's keys."""
    called = call("policy", "schema")
    assert called.code == 0 and {"capacity", "equity", "solve"} <= called.json["properties"].keys()


def test_evaluate_is_honest_about_a_thin_history(company: Company) -> None:
    """400 past leads prove nothing of plans: it ends 0 and says why there is no number."""
    options = company.options(learn=True)
    called = call("evaluate", *options)
    assert called.code == 0 and "too thin" in called.out
    document = call("evaluate", *options, "--json").json
    assert document["value"] is None and json.dumps(document, allow_nan=False)


def test_no_color_is_honoured(company: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR wins even where a terminal is forced: no colour code in the summary."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    called = call("assign", *company.options(), "--out", tmp_path / "out", "--quiet")
    assert called.code == 0 and "leads" in called.out
    codes = re.findall(r"\x1b\[([0-9;]*)m", called.out)
    assert not [code for code in codes if any(30 <= int(part or 0) <= 107 for part in code.split(";"))]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["evaluate", "--time-limit", "-1"], 2, "--time-limit"),
        (["evaluate", "--at", "12"], 2, "--at"),
        (["replay", "--out", "o", "--from", "nope"], 2, "--from"),
        (["replay", "--out", "o", "--retrain", "-1"], 2, "--retrain"),
        (["simulate", "--out", "o", "--time-limit", "0"], 2, "--time-limit"),
        (["monitor", "--assignments", "gone"], 3, "gone: cannot be read: No such file or directory."),
        (["monitor", "--assignments", "binary"], 3, "binary: cannot be read: it must be UTF-8 text."),
        (["monitor", "--assignments", "o", "--tolerance", "-1"], 2, "--tolerance"),
        (["monitor", "--assignments", "o", "--within-days", "nan"], 2, "--within-days"),
        (["policy", "document", "policy.yaml", "--out", "folder"], 2, "folder is a folder"),
        (["experiment", "start", "e.yaml", "--out", "o", "--start", "soon"], 2, "--start"),
        (["outbox", "show", "--after", "x"], 2, "--after"),
        (["outbox", "replay", "9" * 30], 2, "Invalid value"),
    ],
)
def test_a_fault_is_told_by_its_own_name(
    company: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, told: str
) -> None:
    """The option or file at fault, the exit code of its kind, no traceback, and nothing written."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "binary").write_bytes(bytes(range(256)))
    (tmp_path / "policy.yaml").write_text("version: 1\n")
    before = contents(tmp_path)
    tables = {"evaluate": ["history", "reps"], "replay": ["history", "reps"], "monitor": ["history"]}
    needed = [*tables.get(arguments[0], []), *(["history"] if "start" in arguments else [])]
    called = call(*arguments, *(word for name in needed for word in (f"--{name}", company.path(name))))
    assert (called.code, called.out) == (code, "") and told in called.err and "Traceback" not in called.err
    assert contents(tmp_path) == before


def test_faults_of_a_policy_are_told_in_the_order_of_the_file(company: Company, tmp_path: Path) -> None:
    """Misspelt sections and keys, each with its line and what was probably meant."""
    policy = tmp_path / "policy.yaml"
    policy.write_text("version: 1\nswpas: {share: 0.1}\nschedule: {time: []}\nprotected: {colums: [a]}\n")
    called = call("policy", "check", policy, *company.options(model=None, policy=None))
    assert called.code == 3
    rows = [re.search(r"row (\d).*Did you mean (\w+)\?", line) for line in called.err.splitlines()[1:]]
    assert [row.groups() for row in rows if row] == [("2", "swaps"), ("3", "times"), ("4", "columns")]


def test_schema_and_page_answer_in_json_too(company: Company, tmp_path: Path) -> None:
    """`--json` is understood by every command that answers, and stdout is one document."""
    assert call("policy", "schema", "--json").json == call("policy", "schema").json
    assert call("experiment", "schema", "--json").json == call("experiment", "schema").json
    page = tmp_path / "policy.html"
    called = call("policy", "document", company.folder / "policy.yaml", "--out", page, "--json")
    assert called.json == {"written": str(page)} and page.exists()
