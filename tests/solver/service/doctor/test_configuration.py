"""Settings and sinks: where they come from, whether they can be used, whether others may read a secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from apportion.connectors.webhook import Destinations, Webhook, new_secret
from apportion.service.doctor import configuration
from apportion.service.doctor.check import Check
from apportion.service.doctor.configuration import settings_checks, sink_checks
from apportion.service.outbox import Route
from apportion.service.settings import load_settings


def checks_of(content: str, tmp_path: Path) -> list[Check]:
    """What is said of a file of sinks."""
    (tmp_path / "sinks.toml").write_text(content)
    return sink_checks(load_settings(sinks=tmp_path / "sinks.toml"))[1]


def test_a_file_of_settings_with_a_secret(tmp_path: Path) -> None:
    """Open to others it is told; closed, or with the secret in a file of its own, it is not."""
    file = tmp_path / "a.toml"
    for content, mode, told in (
        ('store_password = "x"', 0o644, True),
        ('store_url = "postgresql://u:x@db/n"', 0o640, True),
        ('store_password = "x"', 0o600, False),
        ('store_password = "file:/x"\nstore_url = "postgresql://u@db/n"', 0o644, False),
        ("port = 1", 0o644, False),
    ):
        file.write_text(content)
        file.chmod(mode)
        found = list(settings_checks(load_settings(config=file)))
        assert [check.name for check in found] == ["settings", "settings file"][: 1 + told], content
        assert str(file) in found[0].sentence


def test_sinks_that_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A webhook at an allowed address, a folder, a table; nothing is sent, nothing made."""
    monkeypatch.setenv("HOOK", new_secret())
    found = checks_of(
        '[crm]\ntype = "webhook"\nurl = "https://93.184.216.34/x"\nsecrets = ["env:HOOK"]\n'
        f'[drop]\ntype = "csv"\nfolder = "{tmp_path}/new/deep"\n'
        '[table]\ntype = "sql"\nurl = "sqlite:///none.db"\ntable = "t"\n',
        tmp_path,
    )
    assert [(check.name, check.state) for check in found] == [
        ("sink crm", "ok"), ("sink drop", "ok"), ("sink table", "ok")
    ]  # fmt: skip
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sinks.toml"]


@pytest.mark.parametrize(
    ("url", "state", "words"),
    [
        ("https://127.0.0.1/x", "wrong", "loopback"),
        ("https://169.254.169.254/x", "wrong", "metadata"),
        ("https://[::ffff:10.0.0.1]/x", "wrong", "private"),
        ("http://93.184.216.34/x", "warning", "plain http"),
        ("https://nowhere.invalid/x", "warning", "looked up"),
    ],
)
def test_destinations(url: str, state: str, words: str) -> None:
    """Refused ones are wrong before the first message dies of it; a name that is not known may be so for now."""

    def look_up(host: str, port: int) -> list[str]:
        if host.endswith(".invalid"):
            raise OSError
        return [host]

    hook = Webhook(url=url, secrets=(new_secret(),), destinations=Destinations(plain_http=True), look_up=look_up)
    found = configuration._reached("crm", Route(hook))
    assert found.state == state
    assert words in found.sentence
    assert hook.secrets[0] not in str(found)


def test_sinks_that_do_not(tmp_path: Path) -> None:
    """No file: a warning, for alarms reach nobody. Faults: each, with 2. A folder that is none; nobody hears alarms."""
    (none,) = sink_checks(load_settings())[1]
    assert none.state == "warning"
    assert "alarms reach nobody" in none.sentence
    routes, found = sink_checks(load_settings(sinks=tmp_path / "absent.toml"))
    assert routes is None
    assert [(check.state, check.exit_code) for check in found] == [("wrong", 2)]
    found = checks_of('[a]\ntype = "csv"\n[b]\ntype = "carrier pigeon"\n', tmp_path)
    assert len(found) == 2
    (tmp_path / "file").touch()
    folder, alarms = checks_of(f'[a]\ntype = "csv"\nfolder = "{tmp_path}/file"\ntells = ["plan.done"]\n', tmp_path)
    assert (folder.state, alarms.state) == ("wrong", "warning")
