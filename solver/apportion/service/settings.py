"""Settings of the service: flag, else `APPORTION_…` in the environment, else the TOML file, else the default."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from apportion.service.store import Store, open_store
from apportion_models.errors import Finding, InputError

PREFIX = "APPORTION_"
CONFIG, DEFAULT_FILE = "APPORTION_CONFIG", "apportion.toml"
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
        SecretStr("sqlite:///apportion.db"), description="sqlite:///file.db or postgresql://user:password@host/name"
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
    answers_kept_hours: float = Field(
        24.0, ge=1.0, le=24 * 30, description="How long the answer to an Idempotency-Key is kept."
    )
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
        """The store that the settings name, not opened yet."""
        return open_store(self.store_url.get_secret_value())


def load_settings(*, config: Path | None = None, **flags: Any) -> Settings:
    """The settings. config : the TOML file; else the one that APPORTION_CONFIG names, else `apportion.toml`.

    flags : what was said on the command line; None is not said. Raises SettingsError with every fault at once; none
    shows a value that may be secret.
    """
    file = _file(config)
    faults = [*_unknown_variables(), *_unreadable(file)]
    if faults:
        raise SettingsError(faults)
    chosen = type("Settings", (Settings,), {"file": file, "__doc__": Settings.__doc__, "__module__": __name__})
    try:
        made: Settings = chosen(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        raise SettingsError([_finding(dict(fault)) for fault in error.errors(include_url=False)]) from None
    return made


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


def _unknown_variables() -> Iterator[Finding]:
    """Variables of our prefix that are no setting: pydantic passes over them, and a slip would go unseen."""
    known = [PREFIX + name.upper() for name in Settings.model_fields]
    for name in sorted(os.environ):
        if name.startswith(PREFIX) and name not in (*known, *NO_SETTINGS):
            yield _fault(name, "is no setting.", _near(name, known))


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
