"""`apportion why`: a rep's question, answered from the store."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Annotated

import typer

from apportion.cli import options
from apportion.cli.screen import show_json, tell, tell_error
from apportion.cli.store import Config, StoreUrl, opened


def why_command(
    lead: Annotated[str, typer.Argument(help="The lead's id.")],
    rep: Annotated[str, typer.Argument(help="The id of the rep who asks.")],
    run: Annotated[str | None, typer.Option("--run", help="The run in question; else the last that placed it.")] = None,
    store: StoreUrl = None,
    config: Config = None,
    as_json: options.AsJson = False,
) -> int:
    """Say why a rep did not get a lead.

    The plan is made again from what the service's store keeps, and asked; nothing is changed.

    Example:

    apportion why L000001 R17 --store sqlite:///apportion.db
    """
    with opened(store, config) as there:
        from apportion.service.runs.explaining import why_not_in_store

        told = why_not_in_store(there, lead_id=lead, rep_id=rep, run_id=run)
    answer = told.answer
    if as_json:
        gain = None if math.isnan(answer.gain) else answer.gain
        facts = {"run": told.run_id, "exact": told.is_exact}
        show_json({"schema": "apportion.why/1", **asdict(answer), "gain": gain, **facts})
        return 0
    tell(answer.sentence)
    if not told.is_exact:
        tell_error("The plan's solve was stopped by the clock; made again, it is not the same to the byte.")
    return 0
