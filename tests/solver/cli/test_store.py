"""`apportion store` and `apportion keys`, as an operator uses them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

import apportion
from apportion.cli.main import run
from apportion.service.store import open_store
from apportion_models import save_model
from tests.solver.service.tables import leads, model, reps


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The settings' own store: none is named on the command line."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("APPORTION_STORE_URL", f"sqlite:///{tmp_path}/store.db")
    return f"sqlite:///{tmp_path}/store.db"


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    """What a command prints with --json."""
    assert run([*arguments, "--json"]) == 0, capsys.readouterr().err
    document: dict[str, object] = json.loads(capsys.readouterr().out)
    return document


def test_the_way_of_an_operator(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Set up, a policy, a model, a backup, a person forgotten, all restored elsewhere, the trail whole."""
    assert run(["store", "verify"]) == 6
    assert "apportion store migrate" in capsys.readouterr().err
    assert said(capsys, "store", "migrate")["revision"] == "0004"
    (tmp_path / "policy.yaml").write_text("name: first  # mine\n")
    save_model(model(), tmp_path / "model")
    assert said(capsys, "store", "policy", "policy.yaml")["version"] == 1
    assert said(capsys, "store", "model", "model")["version"] == 1
    (tmp_path / "policy.yaml").write_text("name: second\n")
    assert said(capsys, "store", "policy", "policy.yaml")["version"] == 2
    assert said(capsys, "store", "roll-back", "policy")["version"] == 1
    store = open_store(url)
    with store.write() as tx:
        tx.leads.upsert(leads(2))
        tx.reps.upsert(reps(2))
        active = tx.policies.active()
        assert active is not None
        assert active.source == "name: first  # mine\n"
    store.close()
    assert said(capsys, "store", "forget", "--lead", "L0001")["alias"] == "forgotten-lead-1"
    assert said(capsys, "store", "forget", "--rep", "R2")["alias"] == "forgotten-rep-2"
    made = said(capsys, "store", "backup", "a.zip")
    assert said(capsys, "store", "restore", "a.zip", "--store", f"sqlite:///{tmp_path}/b.db")["head"] == made["head"]
    trail = said(capsys, "store", "verify", "--store", f"sqlite:///{tmp_path}/b.db")
    assert trail["broken_at"] is None
    assert run(["store", "restore", "a.zip"]) == 2
    assert "empty store only" in capsys.readouterr().err


def test_tables_are_loaded_all_or_none(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The sample company goes in, a second time as the same; one bad table keeps all out, with every fault told."""
    data = Path(__file__).parents[3] / "data"
    run(["store", "migrate"])
    (tmp_path / "bad.csv").write_text("lead_id,created_at\na,yesterday\n,2026-01-01\n")
    (tmp_path / "reps.csv").write_text("rep_id,capacity\nx,-1\n")
    capsys.readouterr()
    assert run(["store", "load", "--leads", "bad.csv", "--reps", "reps.csv"]) == 3
    told = capsys.readouterr().err
    assert "created_at" in told
    assert "lead_id" in told
    assert "capacity" in told
    named = [part for name in ("leads", "reps", "accounts", "teams", "territories", "calendar")
             for part in (f"--{name}", str(data / f"{name}.csv"))]  # fmt: skip
    first = said(capsys, "store", "load", *named)
    assert first["leads"] == {"new": 1200, "changed": 0, "same": 0}
    assert first["reps"] == {"new": 60, "changed": 0, "same": 0}
    assert said(capsys, "store", "load", *named)["leads"] == {"new": 0, "changed": 0, "same": 1200}
    assert run(["store", "load"]) == 2
    assert "--leads FILE" in capsys.readouterr().err


def test_keys_from_the_command_line(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The secret alone is on stdout, once; the list shows none."""
    run(["store", "migrate"])
    assert run(["keys", "create", " ", "--scope", "read"]) == 2
    assert "needs a name" in capsys.readouterr().err
    assert run(["keys", "create", "crm", "--scope", "read", "--scope", "route", "--days", "30"]) == 0
    shown = capsys.readouterr()
    secret = shown.out.strip()
    assert secret.count("\n") == 0
    assert secret not in shown.err
    store = open_store(url)
    with store.read() as tx:
        key = tx.keys.check(secret)
    store.close()
    assert key is not None
    assert key.scopes == ("read", "route")
    new = said(capsys, "keys", "rotate", key.key_id, "--grace", "0")
    listed = said(capsys, "keys", "list")
    assert str(new["secret"]) not in json.dumps(listed)
    assert run(["keys", "list"]) == 0
    assert "crm" in capsys.readouterr().out
    assert said(capsys, "keys", "revoke", key.key_id)["revoked_at"] is not None
    for wrong in (
        ["revoke", "none"],
        ["create", "x", "--scope", "all"],
        ["create", "x", "--scope", "read", "--days", "0"],
    ):
        assert run(["keys", *wrong]) == 2
        capsys.readouterr()


def test_whom_to_forget_must_be_said(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One lead or one rep; an unknown one changes nothing."""
    run(["store", "migrate"])
    for wrong in ([], ["--lead", "a", "--rep", "b"], ["--lead", "nobody"], ["--rep", "nobody"]):
        assert run(["store", "forget", *wrong]) == 2
    assert "There is no rep 'nobody'" in capsys.readouterr().err


def test_without_the_extra_the_command_says_which(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A missing library is a wrong call that names the extra, not a bug."""
    for name in [name for name in sys.modules if name.startswith("apportion.service")]:
        monkeypatch.delitem(sys.modules, name)
    if hasattr(apportion, "service"):
        monkeypatch.setattr(apportion, "service", apportion.service)  # the new import's attribute must not stay
    monkeypatch.setitem(sys.modules, "alembic", None)
    assert run(["store", "verify"]) == 2
    assert "pip install 'apportion[service]'" in capsys.readouterr().err
