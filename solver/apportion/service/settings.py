"""Settings of the service: flag, else `APPORTION_…` in the environment, else the TOML file, else the default.

A secret may stand in a file of its own, which the setting then names: `file:/run/secrets/store_password`.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource
from pydantic_settings import SettingsError as UnreadableError
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from apportion.service.secrets import read_secret
from apportion.service.store import Store, open_store
from apportion_models.errors import Finding, InputError

PREFIX = "APPORTION_"
CONFIG, DEFAULT_FILE = "APPORTION_CONFIG", "apportion.toml"
AS_LIST = 'Such as ["https://app.example"].'
NO_SETTINGS = (CONFIG, "APPORTION_SHARED", "APPORTION_TEST_SIZE", "APPORTION_WHEEL")  # of the tests and of this module


class SettingsError(InputError):
    """A setting is unknown or not what it must be."""

    code = "bad_settings"
    exit_code = 2
    http_status = 400


class Settings(BaseSettings):
    """Every setting of the service. Secrets show themselves as stars."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, hide_input_in_errors=True)
    file: ClassVar[Path | None] = None

    store_url: SecretStr = Field(
        SecretStr("sqlite:///apportion.db"),
        description="sqlite:///file.db, postgresql://user@host/name, or file:PATH of a file with either.",
    )
    store_password: SecretStr | None = Field(
        None, description="Password of a PostgreSQL store whose URL has none; file:PATH names a file with it."
    )
    lease_seconds: float = Field(
        60.0, ge=1.0, le=3600.0, description="After as long a silent worker is taken for dead."
    )
    sinks: Path | None = Field(None, description="TOML file that names the sinks; none: nothing is told to anybody.")
    host: str = Field("127.0.0.1", description="Address that `apportion serve` listens at.")
    port: int = Field(8000, ge=1, le=65_535, description="Port that `apportion serve` listens at.")
    clockwork: bool = Field(True, description="Whether `apportion serve` runs the schedule and delivers what waits.")
    body_megabytes: float = Field(32.0, gt=0, le=1024, description="The largest body of a request.")
    request_seconds: float = Field(60.0, ge=1.0, le=3600.0, description="After as long a request is answered 503.")
    requests_per_minute: int = Field(6000, ge=0, description="Of one key; 0: no limit.")
    origins: tuple[str, ...] = Field((), description="Web origins that browsers may call from; none: no CORS.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The first that says something counts."""
        files = () if cls.file is None else (TomlConfigSettingsSource(settings_cls, toml_file=cls.file),)
        return (init_settings, env_settings, *files)

    def store(self) -> Store:
        """The store that the settings name, not opened yet. Raises UsageError for an address that is none, and for a
        file of a secret that cannot be read."""
        url = _from_file(self.store_url)
        return open_store(url if self.store_password is None else _with_password(url, self.store_password))


def load_settings(*, config: Path | None = None, **flags: Any) -> Settings:
    """The settings. config : the TOML file; else the one that APPORTION_CONFIG names, else `apportion.toml`.

    flags : what was said on the command line; None is not said. Raises SettingsError with every fault at once; none
    shows a value that may be secret.
    """
    file = _file(config)
    faults = [*_wrong_variables(), *_unreadable(file)]
    if faults:
        raise SettingsError(faults)
    chosen = type("Settings", (Settings,), {"file": file, "__doc__": Settings.__doc__, "__module__": __name__})
    try:
        made: Settings = chosen(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        raise SettingsError([_finding(dict(fault)) for fault in error.errors(include_url=False)]) from None
    except UnreadableError:  # pydantic tells no more than the first; only `origins` is written as JSON
        raise SettingsError([_fault(PREFIX + "ORIGINS", "must be a list in JSON.", AS_LIST)]) from None
    return made


def secrets_in(file: Path) -> list[str]:
    """The settings whose secret stands in a file of settings itself. The file must be one that could be loaded."""
    told = tomllib.loads(file.read_text(encoding="utf-8"))
    found = []
    for name in ("store_url", "store_password"):
        text = str(told.get(name, ""))
        holds = make_url(text).password is not None if name == "store_url" and "://" in text else bool(text)
        if holds and not text.startswith("file:"):
            found.append(name)
    return found


def _from_file(secret: SecretStr) -> str:
    text = secret.get_secret_value()
    return read_secret(text) if text.startswith("file:") else text


def _with_password(url: str, password: SecretStr) -> str:
    """The URL with the password, where it is a server's and has none."""
    try:
        read = make_url(url)
    except (ArgumentError, ValueError):
        return url  # the store says what is wrong with it
    if read.get_backend_name() != "postgresql" or read.password is not None:
        return url
    return read.set(password=_from_file(password)).render_as_string(hide_password=False)


def _file(config: Path | None) -> Path | None:
    named = config or (Path(os.environ[CONFIG]) if os.environ.get(CONFIG) else None)
    if named is None:
        return Path(DEFAULT_FILE) if Path(DEFAULT_FILE).is_file() else None
    return named


def _unreadable(file: Path | None) -> Iterator[Finding]:
    if file is None:
        return
    try:
        tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        yield _fault(str(file), f"the file of settings cannot be read: {error.strerror}.", "Name a TOML file.")
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        yield _fault(str(file), f"the file of settings must be TOML: {error}.", "Mend it.")


def _wrong_variables() -> Iterator[Finding]:
    """Variables of our prefix that are no setting, or empty: pydantic passes over the first, and what was meant to be
    set and is not (a secret that a deployment forgot) must not become the default."""
    known = [PREFIX + name.upper() for name in Settings.model_fields]
    for name in sorted(os.environ):
        plain = name.upper()
        if not plain.startswith(PREFIX) or plain in NO_SETTINGS:
            continue
        if plain not in known:
            yield _fault(name, "is no setting.", _near(plain, known))
        elif not os.environ[name].strip():
            yield _fault(name, "is empty.", "Give it a value, or take it away to have the default.")


def _finding(fault: dict[str, Any]) -> Finding:
    name = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        return _fault(name, "is no setting.", _near(name, list(Settings.model_fields)))
    message = str(fault["msg"]).replace("Input should be", "must be")
    return _fault(name, f"{message}.", Settings.model_fields[name.split(".")[0]].description or "")


def _near(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean {near[0]}?" if near else f"Known are: {', '.join(known)}."


def _fault(name: str, message: str, remedy: str) -> Finding:
    return Finding(severity="error", table="settings", column=name, message=message, remedy=remedy)
