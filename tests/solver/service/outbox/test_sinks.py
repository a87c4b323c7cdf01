"""The file of sinks: read whole, all faults at once, no secret in it and none shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from apportion.connectors import FileDrop, SqlTable
from apportion.connectors.webhook import Webhook, new_secret
from apportion.service.outbox import read_sinks
from apportion_models.errors import InputError


def test_a_whole_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every kind, with secrets from the environment and from a file."""
    (tmp_path / "old").write_text(new_secret() + "\n")
    monkeypatch.setenv("HOOK_SECRET", new_secret())
    monkeypatch.setenv("DB_URL", "postgresql://me:hidden@db/x")
    path = tmp_path / "sinks.toml"
    path.write_text(f"""
[crm]
type = "webhook"
url = "https://crm.example.com/hook"
secrets = ["env:HOOK_SECRET", "file:{tmp_path}/old"]
tells = ["alert"]
[warehouse]
type = "sql"
url = "env:DB_URL"
table = "given"
[drop]
type = "parquet"
folder = "out"
""")
    routes = read_sinks(path)
    assert [type(route.sink) for route in routes.values()] == [Webhook, SqlTable, FileDrop]
    assert routes["crm"].hears("alert") and not routes["crm"].hears("plan.done") and routes["drop"].hears("plan.done")
    assert routes["warehouse"].hears("lead.assigned") and not routes["warehouse"].hears("alert"), "a table of leads"
    assert routes["crm"].most_rows == 1000 and routes["drop"].most_rows is None
    assert "hidden" not in repr(routes)


def test_all_faults_at_once_and_no_secret() -> None:
    """A secret that stands in the file, a variable that is missing, a key that is none."""
    secret = new_secret()
    with pytest.raises(InputError) as caught:
        read_sinks(
            {
                "a": {"type": "webhook", "url": "https://x.example/", "secrets": [secret]},
                "b": {"type": "webhook", "url": "https://x.example/", "secrets": ["env:NO_SUCH_VARIABLE"]},
                "c": {"type": "sql", "url": "env:NO_SUCH_URL", "table": "t"},
            }
        )
    told = str(caught.value)
    assert [finding.column for finding in caught.value.findings] == ["a", "b", "c"]
    assert secret not in told and "NO_SUCH_VARIABLE" in told and "NO_SUCH_URL" in told
    with pytest.raises(InputError) as caught:
        read_sinks({"a": {"type": "csv", "folder": "x", "colour": "red"}, "b": {"type": "fax"}})
    assert len(caught.value.findings) == 2


def test_a_sink_that_can_never_deliver_is_told_when_the_file_is_read() -> None:
    """A URL that is none, a database that is not known: not by the first message, three days long."""
    places = {"a": "mysql://me:hidden@db/x", "b": "no url"}
    with pytest.raises(InputError) as caught:
        read_sinks({name: {"type": "sql", "url": url, "table": "t"} for name, url in places.items()})
    assert [finding.column for finding in caught.value.findings] == ["a", "b"]
    assert "hidden" not in str(caught.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """Missing, or no TOML."""
    with pytest.raises(InputError, match="cannot be read"):
        read_sinks(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("[crm")
    with pytest.raises(InputError, match="must be TOML"):
        read_sinks(tmp_path / "bad.toml")
