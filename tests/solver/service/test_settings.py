"""Settings: flag, environment, file, default, in this order; slips are errors, and no secret is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from apportion.service.settings import SettingsError, load_settings
from apportion_models.errors import UsageError

SECRET = "postgresql://u:hunter2@db/x?sslpassword=hunter2"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings but the test's own."""
    monkeypatch.chdir(tmp_path)
    for name in ("APPORTION_STORE_URL", "APPORTION_LEASE_SECONDS", "APPORTION_CONFIG"):
        monkeypatch.delenv(name, raising=False)


def test_the_nearest_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Default, then apportion.toml, then the environment, then the flag; what a nearer one leaves open stays."""
    assert load_settings().store_url.get_secret_value() == "sqlite:///apportion.db"
    (tmp_path / "apportion.toml").write_text('store_url = "sqlite:///file.db"\nlease_seconds = 5\n')
    assert load_settings().store_url.get_secret_value() == "sqlite:///file.db"
    monkeypatch.setenv("APPORTION_STORE_URL", "sqlite:///env.db")
    assert load_settings().store_url.get_secret_value() == "sqlite:///env.db"
    said = load_settings(store_url="sqlite:///flag.db")
    assert said.store_url.get_secret_value() == "sqlite:///flag.db"
    assert said.lease_seconds == 5
    assert load_settings(store_url=None).store_url.get_secret_value() == "sqlite:///env.db"


def test_the_file_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By --config before APPORTION_CONFIG before the folder; one that is named must be there, and be TOML."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.toml").write_text(f'store_url = "sqlite:///{name}.db"')
    monkeypatch.setenv("APPORTION_CONFIG", str(tmp_path / "a.toml"))
    assert load_settings().store_url.get_secret_value() == "sqlite:///a.db"
    assert load_settings(config=tmp_path / "b.toml").store_url.get_secret_value() == "sqlite:///b.db"
    (tmp_path / "bad.toml").write_text("store_url = ")
    for name, words in (("absent.toml", "cannot be read"), ("bad.toml", "must be TOML")):
        with pytest.raises(SettingsError, match=words):
            load_settings(config=tmp_path / name)


def test_slips_are_told_all_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unknown keys name the near one; a wrong value says what it must be."""
    (tmp_path / "apportion.toml").write_text("lease_second = 3\nlease_seconds = -1\n")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    told = {str(finding.column): str(finding) for finding in caught.value.findings}
    assert "Did you mean lease_seconds?" in told["lease_second"]
    assert "must be greater than or equal to 1" in told["lease_seconds"]
    monkeypatch.setenv("APPORTION_STORE_URI", SECRET)
    with pytest.raises(SettingsError, match="Did you mean APPORTION_STORE_URL") as caught:
        load_settings()
    assert "hunter2" not in str(caught.value)


def test_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by printing settings or store, nor by an error."""
    monkeypatch.setenv("APPORTION_STORE_URL", SECRET)
    settings = load_settings()
    store = settings.store()
    shown = f"{settings} {settings!r} {settings.model_dump()} {settings.model_dump_json()} {store} {store!r}"
    assert "hunter2" not in shown
    assert "postgresql+psycopg://u:***@db/x" in shown
    store.close()


@pytest.mark.parametrize("url", ["", "x", "mysql://a/b", "sqlite://", "sqlite:///:memory:", "http://a.example"])
def test_an_address_that_is_none(url: str) -> None:
    """Only a file of SQLite or a PostgreSQL can be the store."""
    with pytest.raises(UsageError, match="must"):
        load_settings(store_url=url).store()
