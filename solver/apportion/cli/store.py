"""`apportion store migrate | load | backup | restore | forget | verify | policy | model | roll-back`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from apportion.cli import options
from apportion.cli.screen import show_json, tell_error
from apportion.connectors.extras import needs
from apportion_models.errors import InputError, UsageError

if TYPE_CHECKING:
    from apportion.service.store import Store

store_commands = typer.Typer(help="Set up, back up and restore the service's store.", no_args_is_help=True)

StoreUrl = Annotated[
    str | None,
    typer.Option("--store", help="The store: sqlite:///file.db or postgresql://user@host/name; else by the settings."),
]
Config = Annotated[Path | None, typer.Option("--config", help="TOML file of settings; default: apportion.toml.")]
ACTOR = "cli"


@contextmanager
def opened(url: str | None, config: Path | None, *, checked: bool = True) -> Iterator[Store]:
    """The store that the flag or the settings name, closed afterwards. checked : its schema must be of this version."""
    with needs("service"):
        from apportion.service.settings import load_settings
    store = load_settings(config=config, store_url=url).store()
    try:
        if checked:
            store.check()
        yield store
    finally:
        store.close()


@store_commands.command("migrate")
def migrate_command(store: StoreUrl = None, config: Config = None, as_json: options.AsJson = False) -> int:
    """Make the schema, or bring it to this version. Safe while others do the same."""
    with opened(store, config, checked=False) as there:
        revision = there.migrate()
        _say(as_json, {"revision": revision}, f"The store at {there} has the schema {revision}.")
    return 0


@store_commands.command("load")
def load_command(
    leads: Annotated[str | None, typer.Option("--leads", help="Leads that are to wait for a rep.")] = None,
    reps: Annotated[str | None, typer.Option("--reps", help="The salespeople.")] = None,
    accounts: options.Accounts = None,
    teams: options.Teams = None,
    territories: options.Territories = None,
    calendar: options.Calendar = None,
    mapping: options.MappingFile = None,
    store: StoreUrl = None,
    config: Config = None,
    as_json: options.AsJson = False,
) -> int:
    """Store tables from files or SQL: leads and reps are added or changed, the others replaced whole."""
    given = {"leads": leads, "reps": reps, "accounts": accounts, "teams": teams}
    given |= {"territories": territories, "calendar": calendar}
    sources = {name: source for name, source in given.items() if source is not None}
    if not sources:
        raise UsageError("Name a table to load: --leads FILE, --reps FILE, …")
    with opened(store, config) as there:
        from apportion.service.loading import load_tables

        told, findings = load_tables(there, sources, mapping=None if mapping is None else str(mapping), actor=ACTOR)
    for finding in findings:
        tell_error(f"{finding.severity}: {finding}")
    plain: dict[str, Any] = {name: one if isinstance(one, int) else asdict(one) for name, one in told.items()}
    _say(as_json, plain, f"Stored. {'; '.join(_counted(name, one) for name, one in plain.items())}.")
    return 0


@store_commands.command("backup")
def backup_command(
    out: Annotated[Path, typer.Argument(help="The file to write: .zip, or .db for a copy of a SQLite store.")],
    store: StoreUrl = None,
    config: Config = None,
    as_json: options.AsJson = False,
) -> int:
    """Write a backup while the store is in use."""
    with opened(store, config) as there:
        from apportion.service.store.backup import back_up

        made = back_up(there, out)
    told = (
        f"Written: {out}, {sum(made.rows.values()):,} rows; audit trail of {made.entries:,} entries, head {made.head}."
    )
    _say(as_json, asdict(made), told)
    return 0


@store_commands.command("restore")
def restore_command(
    backup: Annotated[Path, typer.Argument(help="A file that `apportion store backup` wrote.")],
    store: StoreUrl = None,
    config: Config = None,
    as_json: options.AsJson = False,
) -> int:
    """Fill an empty store from a backup, of whichever database it was."""
    with opened(store, config, checked=False) as there:
        from apportion.service.store.backup import restore

        made = restore(there, backup)
        told = f"Restored to {there}: {sum(made.rows.values()):,} rows; the audit trail is whole, head {made.head}."
        _say(as_json, asdict(made), told)
    return 0


@store_commands.command("forget")
def forget_command(
    lead: Annotated[str | None, typer.Option("--lead", help="The id of the lead to erase.")] = None,
    rep: Annotated[str | None, typer.Option("--rep", help="The id of the rep to erase.")] = None,
    store: StoreUrl = None,
    config: Config = None,
    as_json: options.AsJson = False,
) -> int:
    """Erase what tells of a person, and keep what was decided; the audit trail stays whole."""
    if (lead is None) == (rep is None):
        raise UsageError("Say whom to forget: --lead ID or --rep ID.")
    with opened(store, config) as there:
        from apportion.service.store.forget import forget_lead, forget_rep

        with there.write(actor=ACTOR) as tx:
            done = forget_lead(tx, lead) if lead is not None else forget_rep(tx, str(rep))
        cleaned = there.compact()
    told = (
        f"Forgotten, now {done.alias}: {done.assignments} reasons and {done.letters} messages erased; {done.runs} runs "
        "keep their plan and cannot be repeated. Backups, and what was sent to others, are not touched."
    )
    if not cleaned:
        tell_error("Somebody is reading the old state: it stays in the store's log until a later write clears it.")
    _say(as_json, asdict(done), told)
    return 0


@store_commands.command("verify")
def verify_command(store: StoreUrl = None, config: Config = None, as_json: options.AsJson = False) -> int:
    """Check that the audit trail is whole."""
    with opened(store, config) as there, there.read() as tx:
        trail = tx.audit.verify()
    if not trail.ok:
        raise InputError(f"The audit trail is broken at entry {trail.broken_at}: it was changed from outside.")
    _say(as_json, asdict(trail), f"The audit trail is whole: {trail.entries:,} entries, head {trail.head}.")
    return 0


@store_commands.command("policy")
def policy_command(
    policy: Annotated[Path, typer.Argument(help="The policy file.")],
    store: StoreUrl = None,
    config: Config = None,
    as_json: options.AsJson = False,
) -> int:
    """Keep a policy, and use it from now on."""
    from apportion.policy import load_policy

    loaded = load_policy(policy)
    with opened(store, config) as there, there.write(actor=ACTOR) as tx:
        kept = tx.policies.add(loaded, source=policy.read_text(encoding="utf-8-sig"))
        tx.policies.activate(kept.version)
    _say(
        as_json, {"version": kept.version, "fingerprint": kept.fingerprint}, f"Policy version {kept.version} is in use."
    )
    return 0


@store_commands.command("model")
def model_command(
    model: Annotated[Path, typer.Argument(help="Folder of a model that `apportion fit` saved.")],
    store: StoreUrl = None,
    config: Config = None,
    as_json: options.AsJson = False,
) -> int:
    """Keep a fit model, and use it from now on."""
    from apportion_models import load_model

    loaded = load_model(model)
    with opened(store, config) as there, there.write(actor=ACTOR) as tx:
        kept = tx.models.add(loaded)
        tx.models.activate(kept.version)
    _say(
        as_json, {"version": kept.version, "fingerprint": kept.fingerprint}, f"Model version {kept.version} is in use."
    )
    return 0


@store_commands.command("roll-back")
def roll_back_command(
    what: Annotated[str, typer.Argument(help="policy or model.")],
    store: StoreUrl = None,
    config: Config = None,
    as_json: options.AsJson = False,
) -> int:
    """Use again the policy or model that was in use before."""
    if what not in ("policy", "model"):
        raise UsageError(f"Say policy or model. Got {what!r}.")
    with opened(store, config) as there, there.write(actor=ACTOR) as tx:
        version = tx.policies.roll_back() if what == "policy" else tx.models.roll_back()
    _say(as_json, {"version": version}, f"{what.capitalize()} version {version} is in use again.")
    return 0


def _counted(name: str, told: int | dict[str, int]) -> str:
    """leads: 5 new, 0 changed, 1 same."""
    words = f"{told} rows" if isinstance(told, int) else ", ".join(f"{count} {word}" for word, count in told.items())
    return f"{name}: {words}"


def _say(as_json: bool, document: dict[str, object], sentence: str) -> None:
    if as_json:
        show_json(document)
    else:
        typer.echo(sentence)
