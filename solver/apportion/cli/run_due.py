"""`apportion run-due`: one look at the clock, for an outside scheduler such as cron, systemd or Kubernetes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from apportion.cli import options
from apportion.cli.extras import needs
from apportion.cli.screen import show_json, steps, tell, tell_error
from apportion.cli.store import Config, StoreUrl, opened

if TYPE_CHECKING:
    from apportion.service.outbox import Delivered, Route
    from apportion.service.schedule import Ticked
    from apportion.service.watching.alarms import Raised

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
    """Run what the schedule of the policy in use says is due now, raise alarms, and deliver what waits.

    Any number of these may run at once: a slot is run once. 5 where a run failed: its leads wait again.
    """
    with needs("service"):
        from apportion.service.outbox import Deliverer, read_sinks
        from apportion.service.schedule import Runner
        from apportion.service.settings import load_settings
        from apportion.service.watching import raise_alarms
    settings = load_settings(config=config, store_url=store, sinks=sinks)
    routes = {} if settings.sinks is None else read_sinks(settings.sinks)
    with opened(store, config) as there, steps(quiet) as progress:
        progress.step("Running what is due")
        runner = Runner(there, sinks=_who_hears(routes, "plan.done"), lease_seconds=settings.lease_seconds)
        ticked = runner.tick()
        progress.step("Looking for what is not as it should be")
        raised = raise_alarms(there, _who_hears(routes, "alert"), learnt=ticked.learnt)
        progress.step("Delivering")
        sent = Deliverer(there, routes).all_due() if deliver and routes else None
    _show(ticked, raised, sent, as_json=as_json)
    failed = [run for run in ticked.ended if run.state == "failed"]
    for run in failed:
        tell_error(f"Run {run.run_id} failed: {(run.error or {}).get('message', '')}")
    return FAILED if failed else 0


def _who_hears(routes: dict[str, Route], topic: str) -> list[str]:
    return [name for name, route in routes.items() if route.hears(topic)]


def _show(ticked: Ticked, raised: tuple[Raised, ...], sent: Delivered | None, *, as_json: bool) -> None:
    if as_json:
        show_json(_document(ticked, raised, sent))
        return
    if not ticked.asked and not ticked.ended and not ticked.learnt:
        tell("Nothing is due.")
    for run in ticked.ended:
        leads = (run.plan or {}).get("summary", {}).get("leads", 0)
        slot = "" if run.slot is None else f" of {run.schedule} at {run.slot:%Y-%m-%d %H:%M} UTC"
        tell(f"Run {run.run_id}{slot}: {run.state}, {leads:,} leads.")
    for learnt in ticked.learnt:
        tell(f"Model learnt anew: {'live' if learnt.live else 'not live'}. {learnt.why}")
    for one in raised:
        tell(f"Alarm: {one.sentence} What to do: {one.action}")
    if sent is not None:
        tell(f"Delivered: {sent.received} received, {sent.again} to be tried again, {sent.dead} given up.")


def _document(ticked: Ticked, raised: tuple[Raised, ...], sent: Delivered | None) -> dict[str, Any]:
    return {
        "schema": "apportion.run-due/1",
        "asked": [run.run_id for run in ticked.asked],
        "ended": [
            {
                "run": run.run_id,
                "schedule": run.schedule,
                "slot": None if run.slot is None else run.slot.isoformat(),
                "state": run.state,
                "summary": (run.plan or {}).get("summary"),
                "error": None if run.error is None else dict(run.error),
            }
            for run in ticked.ended
        ],
        "learnt": [
            {"slot": one.slot, "version": one.version, "live": one.live, "why": one.why} for one in ticked.learnt
        ],
        "alarms": [
            {"kind": one.kind, "where": one.where, "sentence": one.sentence, "action": one.action} for one in raised
        ],
        "delivered": None if sent is None else {"received": sent.received, "again": sent.again, "dead": sent.dead},
    }
