"""`apportion keys create | list | rotate | revoke`: the API's keys."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any

import typer

from apportion.cli.groups import spelled_out
from apportion.cli.screen import out, show_json, table, tell_error
from apportion.cli.store import AtStore
from apportion_models.errors import UsageError

if TYPE_CHECKING:
    from apportion.service.store import ApiKey

keys_commands = typer.Typer(help="Make, list, rotate and revoke API keys.", no_args_is_help=True)

KeyId = Annotated[str, typer.Argument(help="The key's id, as `apportion keys list` shows it.")]


@keys_commands.command("create")
@spelled_out
def create_command(
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    scope: Annotated[list[str], typer.Option("--scope", help="read, write, route or admin; may be repeated.")],
    days: Annotated[float | None, typer.Option("--days", help="Days until it expires; default: never.")] = None,
    *,
    at: AtStore,
) -> int:
    """Make a key. Its secret is shown now and never again.

    Example:

    apportion keys create website --scope route --days 90
    """
    if days is not None and not 0 < days <= 36_500:
        raise UsageError(f"--days must be above 0 and at most 36500. Got {days:g}.")
    with at.writing() as tx:
        expires_at = None if days is None else tx.now() + dt.timedelta(days=days)
        key, secret = tx.keys.create(name, scope, expires_at=expires_at)
    return _show_secret(at, key, secret)


@keys_commands.command("list")
@spelled_out
def list_command(at: AtStore) -> int:
    """List all keys, without their secrets.

    Example:

    apportion keys list
    """
    with at.reading() as tx:
        keys, now = tx.keys.all(), tx.now()
    if at.as_json:
        show_json({"keys": [_document(key) for key in keys]})
        return 0
    shown = table("id", "name", "scopes", "created", "state", right=9)
    for key in keys:
        shown.add_row(key.key_id, key.name, " ".join(key.scopes), f"{key.created_at:%Y-%m-%d}", _state(key, now))
    out().print(shown)
    return 0


@keys_commands.command("rotate")
@spelled_out
def rotate_command(
    key_id: KeyId,
    grace: Annotated[
        float, typer.Option("--grace", min=0.0, max=8760.0, help="Hours that the old secret is good for.")
    ] = 24.0,
    *,
    at: AtStore,
) -> int:
    """Give a key a new secret.

    The old one is good for some hours more.

    Example:

    apportion keys rotate 0123456789ab --grace 24
    """
    with at.writing() as tx:
        key, secret = tx.keys.rotate(key_id, grace=dt.timedelta(hours=grace))
    return _show_secret(at, key, secret)


@keys_commands.command("revoke")
@spelled_out
def revoke_command(key_id: KeyId, *, at: AtStore) -> int:
    """Let a key be good for nothing from now on.

    Example:

    apportion keys revoke 0123456789ab
    """
    with at.writing() as tx:
        key = tx.keys.revoke(key_id)
    return at.say(_document(key), f"Revoked: {key.key_id} ({key.name}).")


def _show_secret(at: AtStore, key: ApiKey, secret: str) -> int:
    """The secret alone on stdout, so that it can be piped."""
    if not at.as_json:
        tell_error(f"Key {key.key_id} ({key.name}; {', '.join(key.scopes)}). Keep this secret: it is not shown again.")
    return at.say(_document(key) | {"secret": secret}, secret)


def _state(key: ApiKey, now: dt.datetime) -> str:
    if key.revoked_at is not None:
        return "revoked"
    if key.expires_at is not None:
        return "expired" if key.expires_at <= now else f"until {key.expires_at:%Y-%m-%d}"
    return "good"


def _document(key: ApiKey) -> dict[str, Any]:
    times = ("created_at", "expires_at", "rotated_at", "revoked_at")
    told = {name: getattr(key, name) for name in times}
    shown = {name: None if moment is None else moment.isoformat() for name, moment in told.items()}
    return {"key_id": key.key_id, "name": key.name, "scopes": list(key.scopes), **shown}
