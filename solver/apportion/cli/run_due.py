"""`apportion run-due`: one look at the clock, for an outside scheduler such as cron, systemd or Kubernetes."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from apportion.cli import options
from apportion.cli.extras import needs
from apportion.cli.screen import show_json, steps, tell, tell_error
from apportion.cli.store import Config, StoreUrl, opened

if TYPE_CHECKING:
    from apportion.service.clockwork import Round

Sinks = Annotated[Path | None, typer.Option("--sinks", help="TOML file that names the sinks; else by the settings.")]
Deliver = Annotated[bool, typer.Option("--deliver/--no-deliver", help="Also deliver what is due.")]
FAILED = 5


def run_due_command(
    store: StoreUrl = None,
    config: Config = None,
    sinks: Sinks = None,
    deliver: Deliver = True,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> int:
    """Run what the schedule says is due now.

    For cron and the like: runs what is due by the policy in use, raises alarms, and delivers what waits.
    Any number of these may run at once: a slot is run once. Ends 5 where a run failed: its leads wait again.

    Example:

    apportion run-due --store sqlite:///apportion.db
    """
    with needs("service"):
        from apportion.service.clockwork import Clockwork
        from apportion.service.outbox import read_sinks
        from apportion.service.settings import load_settings
    settings = load_settings(config=config, store_url=store, sinks=sinks)
    routes = {} if settings.sinks is None else read_sinks(settings.sinks)
    with opened(store, config) as there, steps(quiet) as progress:
        clockwork = Clockwork(there, routes, lease_seconds=settings.lease_seconds)
        done = clockwork.once(deliver=deliver, step=progress.step)
    if as_json:
        show_json(_document(done))
    else:
        _show(done)
    failed = [run for run in done.ticked.ended if run.state == "failed"]
    for run in failed:
        tell_error(f"Run {run.run_id} failed: {(run.error or {}).get('message', '')}")
    return FAILED if failed else 0


def _show(done: Round) -> None:
    ticked, sent = done.ticked, done.sent
    if not ticked.asked and not ticked.ended and not ticked.learnt:
        tell("Nothing is due.")
    for run in ticked.ended:
        leads = (run.plan or {}).get("summary", {}).get("leads", 0)
        slot = "" if run.slot is None else f" of {run.schedule} at {run.slot:%Y-%m-%d %H:%M} UTC"
        tell(f"Run {run.run_id}{slot}: {run.state}, {leads:,} leads.")
    for learnt in ticked.learnt:
        tell(f"Model learnt anew: {'live' if learnt.live else 'not live'}. {learnt.why}")
    for one in done.raised:
        tell(f"Alarm: {one.sentence} What to do: {one.action}")
    if sent.received or sent.again or sent.dead:
        tell(f"Delivered: {sent.received} received, {sent.again} to be tried again, {sent.dead} given up.")


def _document(done: Round) -> dict[str, Any]:
    return {
        "schema": "apportion.run-due/1",
        "asked": [run.run_id for run in done.ticked.asked],
        "ended": [
            {
                "run": run.run_id,
                "schedule": run.schedule,
                "slot": None if run.slot is None else run.slot.isoformat(),
                "state": run.state,
                "summary": (run.plan or {}).get("summary"),
                "error": None if run.error is None else dict(run.error),
            }
            for run in done.ticked.ended
        ],
        "learnt": [asdict(one) for one in done.ticked.learnt],
        "alarms": [asdict(one) for one in done.raised],
        "delivered": asdict(done.sent),
    }
