"""How commands end: one exit code a kind of end, faults on stderr with what would be right, nothing half-done."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path

import pytest

from apportion_models.errors import ServiceError
from tests.solver.cli.conftest import POLICY, Company, call, contents, read_plan

Write = Callable[..., Path]
ASSIGNING = importlib.import_module("apportion.app.assign")  # the module; the package shows a function of that name
TINY = POLICY + "nurture: {must_assign: true}\ncapacity: {caps: [{name: tiny, per: day, at_most: 1}]}\n"


def test_done_is_0_and_quiet_on_stderr(company: Company, tmp_path: Path) -> None:
    """Without a terminal there is no progress, and no control code on either stream."""
    called = call("assign", *company.options(), "--out", tmp_path / "out")
    assert called.code == 0 and called.err == ""
    assert "\x1b" not in called.out and "\r" not in called.out


def test_a_bug_is_1_and_asks_for_a_report(company: Company, plan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody foresaw is shown whole on stderr; stdout stays empty and the old files stay."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the roof is on fire")

    before = contents(plan)
    monkeypatch.setattr(ASSIGNING, "explain", broken)
    called = call("assign", *company.options(), "--out", plan, "--json")
    assert called.code == 1 and called.out == ""
    assert "the roof is on fire" in called.err and "bug in Apportion" in called.err
    assert contents(plan) == before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["assign"], "--leads"),
        (["assign", "--colour", "red"], "--colour"),
        (["nonsense"], "nonsense"),
        (["policy", "nonsense"], "nonsense"),
        (["fit", "--reps", "r.csv", "--out", "x"], "--history"),
        (["verify"], "folder"),
    ],
)
def test_a_wrong_call_is_2(arguments: list[str], told: str) -> None:
    """Usage faults name the option, on stderr."""
    called = call(*arguments)
    assert called.code == 2 and called.out == "" and told.lower() in called.err.lower()


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"at": "yesterday"}, "2026-03-02T08:00Z"),
        ({"at": "NaT"}, "2026-03-02T08:00Z"),
        ({"gap": "-1"}, "--gap"),
        ({"gap": "nan"}, "--gap"),
        ({"at": "now"}, "2026-03-02T08:00Z"),
        ({"at": "03/02/2026"}, "2026-03-02T08:00Z"),
        ({"at": "0001-01-01"}, "from 1900"),
        ({"gap": "2"}, "--gap"),
        ({"time_limit": "-1"}, "--time-limit"),
        ({"time_limit": "nan"}, "--time-limit"),
        ({"time_limit": "soon"}, "--time-limit"),
        ({"seed": "-1"}, "--seed"),
        ({"model": None}, "--history"),
    ],
)
def test_a_wrong_setting_is_2(company: Company, tmp_path: Path, other: dict[str, object], told: str) -> None:
    """A setting out of its range is told with what it must be; nothing is written."""
    called = call("assign", *company.options(**other), "--out", tmp_path / "out")
    assert called.code == 2 and told in called.err and not (tmp_path / "out").exists()


def test_faults_of_all_tables_and_the_policy_are_told_at_once(company: Company, plan: Path, write: Write) -> None:
    """Every fault with table, row, column, value and remedy; the folder of the last run stays as it is."""
    leads, reps, history = (company.table(name) for name in ("leads", "reps", "history"))
    leads.loc[3, "created_at"], leads.loc[5, "deal_value"] = "", "lots"
    reps.loc[1, "capacity"] = "-4"
    history.loc[2, "outcome"] = "maybe"
    tables = {
        name: write(f"{name}.csv", table) for name, table in (("leads", leads), ("reps", reps), ("history", history))
    }
    policy = write("policy.yaml", "version: 1\ncapcity: {default: 3}\nequity:\n  - {name: x, measure: luck}\n")
    before = contents(plan)
    called = call("assign", *company.options(learn=True, policy=policy, **tables), "--out", plan, "--json")
    assert called.code == 3 and called.out == "" and "6 faults" in called.err
    for place, value, remedy in [
        ("leads, row 4, column 'created_at'", "must not be empty", "leads.defaults.created_at"),
        ("leads, row 6, column 'deal_value'", "'lots'", "must be a number"),
        ("reps, row 2, column 'capacity'", "-4", "at least 0"),
        ("history, row 3, column 'outcome'", "'maybe'", "won, lost, open"),
        ("policy.yaml, row 2, column 'capcity'", "not a key", "Did you mean capacity?"),
        ("policy.yaml, row 4, column 'equity[0].measure'", "'luck'", "max_min"),
    ]:
        line = next(line for line in called.err.splitlines() if line.startswith(place))
        assert value in line and remedy in line
    assert contents(plan) == before


@pytest.mark.parametrize("name", ["leads", "reps", "history", "policy", "mapping", "model"])
def test_a_file_that_is_not_there_is_3(company: Company, tmp_path: Path, name: str) -> None:
    """The file is named; nothing is written."""
    gone = tmp_path / "gone"
    options = company.options(learn=name == "history", **{name: gone})
    called = call("assign", *options, "--out", tmp_path / "out")
    assert called.code == 3 and "gone" in called.err and not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["leads", "reps", "history", "policy", "mapping", "model", "overrides", "earlier"])
@pytest.mark.parametrize("kind", ["folder", "empty", "binary"])
def test_what_is_no_such_file_is_3(company: Company, tmp_path: Path, name: str, kind: str) -> None:
    """A folder, an empty file, or bytes that are no text: it is named, without control codes; nothing is written."""
    given = tmp_path / ("made" if kind == "folder" else "made.csv")
    given.mkdir() if kind == "folder" else given.write_bytes(b"" if kind == "empty" else bytes(range(256)) * 9)
    if kind == "empty" and name in ("policy", "mapping"):
        pytest.skip("an empty one says nothing, and is one")
    out = tmp_path / "out"
    called = call("assign", *company.options(learn=name == "history", **{name: given}), "--out", out)
    assert called.code == 3 and "Traceback" not in called.err and not out.exists()
    assert kind == "binary" or "1 fault" in called.err
    assert "made" in called.err or f"\n{name}" in called.err or "\nassignments" in called.err
    assert all(sign.isprintable() or sign == "\n" for sign in called.err)


def test_an_empty_out_is_2(company: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable of a shell that is not set must not fill the folder that one stands in."""
    monkeypatch.chdir(tmp_path)
    called = call("assign", *company.options(), "--out", "")
    assert called.code == 2 and "--out" in called.err and not list(tmp_path.iterdir())


def test_an_input_is_never_replaced(company: Company, plan: Path) -> None:
    """Yesterday's assignments, read as --earlier, would be gone: it is refused before the work."""
    before = contents(plan)
    called = call("assign", *company.options(earlier=plan / "assignments.csv"), "--out", plan)
    assert called.code == 2 and "--earlier" in called.err and contents(plan) == before


def test_no_reps_is_3(company: Company, tmp_path: Path, write: Write) -> None:
    """Nobody to give leads to: the table is named."""
    empty = write("reps.csv", company.table("reps").head(0))
    called = call("assign", *company.options(reps=empty), "--out", tmp_path / "out")
    assert called.code == 3 and "reps: must have at least one rep" in called.err


def test_a_column_that_is_missing_is_3(company: Company, tmp_path: Path, write: Write) -> None:
    """Leads without created_at: the message lists what is there and names the mapping's key."""
    leads = write("leads.csv", company.table("leads").drop(columns="created_at"))
    called = call("assign", *company.options(leads=leads), "--out", tmp_path / "out")
    assert called.code == 3 and "leads.columns.created_at" in called.err and "deal_value" in called.err


def test_an_unknown_mapping_key_is_3(company: Company, tmp_path: Path, write: Write) -> None:
    """A misspelt key is no silent default."""
    mapping = write("mapping.yaml", "version: 1\nleeds: {columns: {lead_id: id}}\n")
    called = call("assign", *company.options(mapping=mapping), "--out", tmp_path / "out")
    assert called.code == 3 and "'leeds'" in called.err


def test_the_folder_is_tried_before_the_work(company: Company, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a solve whose plan cannot be written."""

    def solved(*_: object, **__: object) -> None:
        raise AssertionError("it was solved")

    monkeypatch.setattr("apportion.engines.solve", solved)
    called = call("assign", *company.options(), "--out", write("taken", "mine"))
    assert called.code == 3 and "writable" in called.err


@pytest.mark.parametrize("command", ["assign", "fit"])
def test_a_folder_that_cannot_be_written_is_3(company: Company, write: Write, command: str) -> None:
    """A file where the folder should be stays a file, and the message names it."""
    file = write("taken", "mine")
    options = company.options() if command == "assign" else company.options(learn=True, leads=None, policy=None)
    for out in (file, file / "deeper"):
        called = call(command, *options, "--out", out)
        assert called.code == 3 and str(out) in called.err and "writable" in called.err
    assert file.read_text() == "mine"


def test_infeasible_is_4_with_the_diagnosis(company: Company, plan: Path, write: Write) -> None:
    """All leads must go to a rep, and each may take one: both rules are named, with a way out; nothing is written."""
    before = contents(plan)
    called = call("assign", *company.options(policy=write("policy.yaml", TINY)), "--out", plan, "--json")
    assert called.code == 4 and called.out == ""
    assert "must go to a rep" in called.err and "“tiny”" in called.err and "at most 1 lead" in called.err
    assert " 1 leads" not in called.err and "cap on leads" not in called.err
    assert "cheapest way out" in called.err
    assert contents(plan) == before


def test_the_time_limit_is_5_with_the_best_plan(company: Company, tmp_path: Path, write: Write) -> None:
    """Stopped by the clock: the plan is written, verified, and its gap is told."""
    exact = write("policy.yaml", "version: 1\nname: exact\nsolve: {gap: 0}\n")
    folder = tmp_path / "out"
    options = company.options(policy=exact)
    called = call("assign", *options, "--time-limit", 0.01, "--out", folder, "--json")
    assert called.code == 5 and "time limit" in called.err and "gap" in called.err
    assert called.json == read_plan(folder) and read_plan(folder)["certificate"]["gap"] > 0
    assert call("verify", folder, *options).code == 0


def test_a_service_that_fails_is_6(company: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that cannot be reached is not the user's table at fault."""
    called = call("assign", *company.options(leads=f"sqlite:///{tmp_path}/none.db#leads"), "--out", tmp_path / "out")
    assert called.code == 6 and "none.db" in called.err and not (tmp_path / "out").exists()

    def down(*_: object, **__: object) -> None:
        raise ServiceError("the database does not answer")

    monkeypatch.setattr(ASSIGNING, "read_sources", down)
    assert call("assign", *company.options(), "--out", tmp_path / "out").code == 6


def test_an_interrupt_is_130(company: Company, plan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the middle: 130, the old files stay."""

    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    before = contents(plan)
    monkeypatch.setattr(ASSIGNING, "explain", stopped)
    called = call("assign", *company.options(), "--out", plan)
    assert called.code == 130 and "Interrupted" in called.err and contents(plan) == before
