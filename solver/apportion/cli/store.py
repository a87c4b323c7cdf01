"""`apportion store migrate | load | backup | restore | forget | verify | policy | model | roll-back`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from apportion.cli import options
from apportion.cli.extras import needs
from apportion.cli.groups import spelled_out
from apportion.cli.screen import show_json, tell_error
from apportion_models.errors import InputError, UsageError

if TYPE_CHECKING:
    from apportion.service.store import ModelVersion, PolicyVersion, Store, Tx

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


@dataclass(frozen=True, kw_only=True)
class AtStore:
    """Which store, and how the answer is shown."""

    store: StoreUrl = None
    config: Config = None
    as_json: options.AsJson = False

    def opened(self, *, checked: bool = True) -> AbstractContextManager[Store]:
        """The store, closed afterwards, as `opened` gives it."""
        return opened(self.store, self.config, checked=checked)

    @contextmanager
    def reading(self) -> Iterator[Tx]:
        """One state of the store."""
        with self.opened() as there, there.read() as tx:
            yield tx

    @contextmanager
    def writing(self) -> Iterator[Tx]:
        """All or nothing, in the name of whoever sits at the command line."""
        with self.opened() as there, there.write(actor=ACTOR) as tx:
            yield tx

    def say(self, document: dict[str, Any], sentence: str) -> int:
        """Show the document where JSON is wanted, else the sentence; 0, as the command's end."""
        if self.as_json:
            show_json(document)
        else:
            typer.echo(sentence)
        return 0


@store_commands.command("migrate")
@spelled_out
def migrate_command(at: AtStore) -> int:
    """Make the schema, or bring it to this version.

    Safe while others do the same.

    Example:

    apportion store migrate --store sqlite:///apportion.db
    """
    with at.opened(checked=False) as there:
        revision = there.migrate()
        return at.say({"revision": revision}, f"The store at {there} has the schema {revision}.")


@store_commands.command("load")
@spelled_out
def load_command(
    leads: Annotated[str | None, typer.Option("--leads", help="Leads that are to wait for a rep.")] = None,
    reps: options.RepsIfAny = None,
    *,
    company: options.Company,
    at: AtStore,
) -> int:
    """Store tables from files or SQL.

    Leads and reps are added or changed, the others replaced whole.

    Example:

    apportion store load --leads leads.csv --reps reps.csv
    """
    given = {"leads": leads, "reps": reps, **vars(company)}
    mapping = given.pop("mapping")
    sources = {name: source for name, source in given.items() if source is not None}
    if not sources:
        raise UsageError("Name a table to load: --leads FILE, --reps FILE, …")
    with at.opened() as there:
        from apportion.service.loading import load_tables

        told, findings = load_tables(there, sources, mapping=None if mapping is None else str(mapping), actor=ACTOR)
    for finding in findings:
        tell_error(f"{finding.severity}: {finding}")
    plain: dict[str, Any] = {name: one if isinstance(one, int) else asdict(one) for name, one in told.items()}
    return at.say(plain, f"Stored. {'; '.join(_counted(name, one) for name, one in plain.items())}.")


@store_commands.command("backup")
@spelled_out
def backup_command(
    out: Annotated[Path, typer.Argument(help="The file to write: .zip, or .db for a copy of a SQLite store.")],
    *,
    at: AtStore,
) -> int:
    """Write a backup while the store is in use.

    Example:

    apportion store backup apportion.zip
    """
    with at.opened() as there:
        from apportion.service.store.backup import back_up

        made = back_up(there, out)
    return at.say(
        asdict(made),
        f"Written: {out}, {sum(made.rows.values()):,} rows; audit trail of {made.entries:,} entries, head {made.head}.",
    )


@store_commands.command("restore")
@spelled_out
def restore_command(
    backup: Annotated[Path, typer.Argument(help="A file that `apportion store backup` wrote.")], *, at: AtStore
) -> int:
    """Fill an empty store from a backup.

    Of whichever database it was.

    Example:

    apportion store restore apportion.zip --store sqlite:///new.db
    """
    with at.opened(checked=False) as there:
        from apportion.service.store.backup import restore

        made = restore(there, backup)
        told = f"Restored to {there}: {sum(made.rows.values()):,} rows; the audit trail is whole, head {made.head}."
    return at.say(asdict(made), told)


@store_commands.command("forget")
@spelled_out
def forget_command(
    lead: Annotated[str | None, typer.Option("--lead", help="The id of the lead to erase.")] = None,
    rep: Annotated[str | None, typer.Option("--rep", help="The id of the rep to erase.")] = None,
    *,
    at: AtStore,
) -> int:
    """Erase what tells of a person; decisions stay.

    What was decided is kept, and the audit trail stays whole.

    Example:

    apportion store forget --lead L0001
    """
    if (lead is None) == (rep is None):
        raise UsageError("Say whom to forget: --lead ID or --rep ID.")
    with at.opened() as there:
        from apportion.service.store.forget import forget_lead, forget_rep

        with there.write(actor=ACTOR) as tx:
            done = forget_lead(tx, lead) if lead is not None else forget_rep(tx, str(rep))
        cleaned = there.compact()
    if not cleaned:
        tell_error("Somebody is reading the old state: it stays in the store's log until a later write clears it.")
    told = (
        f"Forgotten, now {done.alias}: {done.assignments} reasons and {done.letters} messages erased; {done.runs} runs "
        "keep their plan and cannot be repeated. Backups, and what was sent to others, are not touched."
    )
    return at.say(asdict(done), told)


@store_commands.command("verify")
@spelled_out
def verify_command(at: AtStore) -> int:
    """Check that the audit trail is whole.

    Example:

    apportion store verify
    """
    with at.reading() as tx:
        trail = tx.audit.verify()
    if not trail.ok:
        raise InputError(f"The audit trail is broken at entry {trail.broken_at}: it was changed from outside.")
    return at.say(asdict(trail), f"The audit trail is whole: {trail.entries:,} entries, head {trail.head}.")


@store_commands.command("policy")
@spelled_out
def policy_command(policy: Annotated[Path, typer.Argument(help="The policy file.")], *, at: AtStore) -> int:
    """Keep a policy, and use it from now on.

    Example:

    apportion store policy policy.yaml
    """
    from apportion.policy import load_policy

    loaded = load_policy(policy)
    with at.writing() as tx:
        kept = tx.policies.add(loaded, source=policy.read_text(encoding="utf-8-sig"))
        tx.policies.activate(kept.version)
    return _say_kept(at, "Policy", kept)


@store_commands.command("model")
@spelled_out
def model_command(
    model: Annotated[Path, typer.Argument(help="Folder of a model that `apportion fit` saved.")], *, at: AtStore
) -> int:
    """Keep a fit model, and use it from now on.

    Example:

    apportion store model model
    """
    from apportion_models import load_model

    loaded = load_model(model)
    with at.writing() as tx:
        kept = tx.models.add(loaded)
        tx.models.activate(kept.version)
    return _say_kept(at, "Model", kept)


@store_commands.command("roll-back")
@spelled_out
def roll_back_command(what: Annotated[str, typer.Argument(help="policy or model.")], *, at: AtStore) -> int:
    """Use again the policy or model that was in use before.

    Example:

    apportion store roll-back policy
    """
    if what not in ("policy", "model"):
        raise UsageError(f"Say policy or model. Got {what!r}.")
    with at.writing() as tx:
        version = tx.policies.roll_back() if what == "policy" else tx.models.roll_back()
    return at.say({"version": version}, f"{what.capitalize()} version {version} is in use again.")


def _counted(name: str, told: int | dict[str, int]) -> str:
    """leads: 5 new, 0 changed, 1 same."""
    words = f"{told} rows" if isinstance(told, int) else ", ".join(f"{count} {word}" for word, count in told.items())
    return f"{name}: {words}"


def _say_kept(at: AtStore, what: str, kept: PolicyVersion | ModelVersion) -> int:
    document = {"version": kept.version, "fingerprint": kept.fingerprint}
    return at.say(document, f"{what} version {kept.version} is in use.")
