"""Settings: flag, environment, file, default, in this order; slips are errors, and no secret is shown."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import SecretStr

from apportion.service.settings import PREFIX, Settings, SettingsError, load_settings
from apportion_models.errors import UsageError

SECRET = "postgresql://u:hunter2@db/x?sslpassword=hunter2"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings but the test's own."""
    monkeypatch.chdir(tmp_path)
    for name in ["APPORTION_CONFIG", *(PREFIX + name.upper() for name in Settings.model_fields)]:
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


# For each setting: in the file, in the environment, by flag; all different, and none the default.
SAID: dict[str, tuple[str, str, object]] = {
    "store_url": ('"sqlite:///a.db"', "sqlite:///b.db", "sqlite:///c.db"),
    "store_password": ('"a"', "b", "c"),
    "lease_seconds": ("11", "12", 13.0),
    "sinks": ('"a.toml"', "b.toml", Path("c.toml")),
    "host": ('"127.0.0.2"', "127.0.0.3", "127.0.0.4"),
    "port": ("8001", "8002", 8003),
    "clockwork": ("false", "true", False),
    "body_megabytes": ("1", "2", 3.0),
    "request_seconds": ("11", "12", 13.0),
    "requests_per_minute": ("1", "2", 3),
    "origins": ('["https://a.example"]', '["https://b.example"]', ("https://c.example",)),
}


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_every_setting_can_be_said_in_each_way(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the file; in the environment, which counts before it; by a flag, which counts before both."""
    in_file, in_environment, by_flag = SAID[name]
    values = [getattr(load_settings(), name)]
    (tmp_path / "apportion.toml").write_text(f"{name} = {in_file}\n")
    values.append(getattr(load_settings(), name))
    monkeypatch.setenv(PREFIX + name.upper(), in_environment)
    values.append(getattr(load_settings(), name))
    values.append(getattr(load_settings(**{name: by_flag}), name))
    assert all(before != after for before, after in pairwise(values)), values
    read = values[-1].get_secret_value() if isinstance(values[-1], SecretStr) else values[-1]
    assert read == by_flag


@pytest.mark.parametrize("name", ["APPORTION_STORE_URL", "APPORTION_PORT", "APPORTION_SINKS"])
def test_what_was_to_be_set_and_is_empty_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret that a deployment forgot must not turn into an empty store of the default."""
    monkeypatch.setenv(name, " ")
    with pytest.raises(SettingsError, match=f"{name}.*is empty"):
        load_settings()


def test_slips_in_any_case_and_lists_that_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables are read whatever their case, so their slips are seen in any; `origins` is a list in JSON."""
    monkeypatch.setenv("apportion_prot", "1")
    with pytest.raises(SettingsError, match="Did you mean APPORTION_PORT"):
        load_settings()
    monkeypatch.delenv("apportion_prot")
    monkeypatch.setenv("APPORTION_ORIGINS", "https://hunter2.example")
    with pytest.raises(SettingsError, match="must be a list in JSON") as caught:
        load_settings()
    assert "hunter2" not in str(caught.value)


def test_secrets_in_files_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The URL, or the password that it lacks; a file that is not there, or empty, is named and nothing more."""
    (tmp_path / "password").write_text("hunter/2@\n")
    monkeypatch.setenv("APPORTION_STORE_PASSWORD", f"file:{tmp_path}/password")
    made = load_settings(store_url="postgresql://u@db/x").store()
    assert made.url.password == "hunter/2@"
    assert "hunter" not in f"{made} {made!r}"
    assert load_settings(store_url="postgresql://u:own@db/x").store().url.password == "own"
    assert load_settings(store_url="sqlite:///a.db").store().url.password is None
    (tmp_path / "url").write_text("postgresql://u@there/x\n")
    assert load_settings(store_url=f"file:{tmp_path}/url").store().url.host == "there"
    (tmp_path / "password").write_text("\n")
    with pytest.raises(UsageError, match=r"password must hold a secret; it is empty"):
        load_settings(store_url="postgresql://u@db/x").store()
    monkeypatch.setenv("APPORTION_STORE_PASSWORD", "file:/nowhere")
    with pytest.raises(UsageError, match="/nowhere must be readable"):
        load_settings(store_url="postgresql://u@db/x").store()


def test_the_page_tells_every_setting() -> None:
    """docs/operate.md has a row for each, with its variable and its default."""
    page = (Path(__file__).parents[3] / "docs" / "operate.md").read_text(encoding="utf-8")
    for name in Settings.model_fields:
        assert f"| `{name}` | `{PREFIX}{name.upper()}` |" in page, name
