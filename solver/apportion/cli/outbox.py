"""`apportion outbox show | replay`: messages that wait, and those that could not be delivered."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from apportion.cli.groups import spelled_out
from apportion.cli.screen import out, show_json, table, tell
from apportion.cli.store import AtStore
from apportion_models.errors import UsageError

outbox_commands = typer.Typer(help="See what is told to the sinks, and send it again.", no_args_is_help=True)

STATES = ("waiting", "delivered", "dead", "dropped")
SHOWN = 100
MOST_ID = 2**63 - 1  # of a column of whole numbers


@outbox_commands.command("show")
@spelled_out
def show_command(
    state: Annotated[str, typer.Option("--state", help=f"One of {', '.join(STATES)}.")] = "dead",
    after: Annotated[
        int | None, typer.Option("--after", min=0, max=MOST_ID, help="The last id that was shown: go on behind it.")
    ] = None,
    *,
    at: AtStore,
) -> int:
    """Show messages, oldest first, with why they were not taken.

    By default the dead ones.

    Example:

    apportion outbox show --state waiting
    """
    if state not in STATES:
        raise UsageError(f"--state must be one of {', '.join(STATES)}. Got {state!r}.")
    with at.reading() as tx:
        page, counts = (
            tx.outbox.page(state=state, after=None if after is None else str(after), limit=SHOWN),
            tx.outbox.counts(),
        )
    rows = [
        {
            "id": letter.id,
            "sink": letter.sink,
            "topic": letter.topic,
            "run": letter.run_id,
            "tries": letter.attempts,
            "written": letter.created_at.isoformat(),
            "error": letter.error,
        }
        for letter in page
    ]
    if at.as_json:
        show_json({"counts": counts, "letters": rows, "after": page.after})
        return 0
    tell(", ".join(f"{count:,} {name}" for name, count in counts.items()) or "The outbox is empty.")
    if rows:
        shown = table("id", "sink", "topic", "tries", "why", right=9)
        for row in rows:
            shown.add_row(*(escape(str(row[name] or "")) for name in ("id", "sink", "topic", "tries", "error")))
        out().print(shown)
    return 0


@outbox_commands.command("replay")
@spelled_out
def replay_command(
    ids: Annotated[list[int] | None, typer.Argument(min=0, max=MOST_ID, help="Ids of dead messages.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All dead messages.")] = False,
    *,
    at: AtStore,
) -> int:
    """Send dead messages again, under their old keys.

    Example:

    apportion outbox replay --all
    """
    if bool(ids) == every:
        raise UsageError("Say which messages to send again: their ids, or --all.")
    with at.writing() as tx:
        count = tx.outbox.replay(None if every else ids)
    return at.say({"replayed": count}, f"{count:,} dead message{'' if count == 1 else 's'} will be tried again.")
