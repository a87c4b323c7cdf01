"""Which sinks there are: a TOML file that names them, with secrets from the environment or from files alone.

[crm]
type = "webhook"
url = "https://crm.example.com/hooks/apportion"
secrets = ["env:CRM_HOOK_SECRET"]           # or file:/run/secrets/crm; a second one while it is changed
tells = ["plan.done", "alert"]              # absent: everything

[warehouse]
type = "sql"
url = "env:WAREHOUSE_URL"
table = "given_leads"

[drop]
type = "csv"                                # or "parquet"
folder = "/var/lib/apportion/out"
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from apportion.connectors import FileDrop, Sink, SqlTable
from apportion.service.secrets import read_secret
from apportion_models.errors import Finding, InputError, UsageError

WEBHOOK_ROWS = 1000  # in one message: far below what a webhook may send


@dataclass(frozen=True)
class Route:
    """A sink, what it is told (None: everything), and how many rows one message to it has at most."""

    sink: Sink
    tells: tuple[str, ...] | None = None
    most_rows: int | None = None

    def hears(self, topic: str) -> bool:
        """Whether the sink is told of this."""
        return self.tells is None or topic in self.tells


class _Named(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    tells: tuple[str, ...] | None = None


class _Webhook(_Named):
    type: Literal["webhook"]
    url: str
    secrets: Annotated[tuple[str, ...], Field(min_length=1, max_length=2)]
    seconds: Annotated[float, Field(gt=0, le=60)] = 10.0
    plain_http: bool = False
    networks: tuple[str, ...] = ()
    most_rows: Annotated[int, Field(ge=1)] = WEBHOOK_ROWS

    def route(self) -> Route:
        from apportion.connectors.webhook import Destinations, Webhook

        destinations = Destinations(plain_http=self.plain_http, networks=self.networks)
        secrets = tuple(read_secret(text, must=True) for text in self.secrets)
        hook = Webhook(url=read_secret(self.url), secrets=secrets, destinations=destinations, seconds=self.seconds)
        return Route(hook, self.tells, self.most_rows)


class _Sql(_Named):
    type: Literal["sql"]
    url: str
    table: str
    keys: Annotated[tuple[str, ...], Field(min_length=1)] = ("lead_id",)

    def route(self) -> Route:
        return Route(SqlTable(read_secret(self.url), self.table, self.keys), self.tells)


class _Drop(_Named):
    type: Literal["csv", "parquet"]
    folder: Path

    def route(self) -> Route:
        return Route(FileDrop(folder=self.folder, form=self.type), self.tells)


_FILE = TypeAdapter(dict[str, Annotated[_Webhook | _Sql | _Drop, Field(discriminator="type")]])


def read_sinks(source: Path | Mapping[str, Any]) -> dict[str, Route]:
    """The sinks by name. Raises InputError with every fault and no secret."""
    name, content = ("sinks", dict(source)) if isinstance(source, Mapping) else (source.name, _toml(source))
    try:
        read = _FILE.validate_python(content)
    except ValidationError as error:
        raise InputError([_fault(name, fault) for fault in error.errors(include_input=False)]) from None
    routes: dict[str, Route] = {}
    faults: list[Finding] = []
    for key, one in read.items():
        try:
            routes[key] = one.route()
        except UsageError as error:
            faults.append(Finding(severity="error", table=name, column=key, message=str(error)))
    if faults:
        raise InputError(faults)
    return routes


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"The file of sinks {path} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise InputError(f"The file of sinks {path} must be TOML: {error}.") from None


def _fault(name: str, fault: Any) -> Finding:
    place = ".".join(str(part) for part in fault["loc"])
    return Finding(severity="error", table=name, column=place, message=f"{fault['msg']}.")
