"""One look at everything, in the order in which an operator would look."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from apportion.service.doctor import database, keys, rules, work
from apportion.service.doctor.check import AWAY, USAGE, Check, Look, Report, unknown, wrong
from apportion.service.doctor.configuration import settings_checks, sink_checks
from apportion.service.doctor.machine import machine
from apportion.service.settings import Settings, load_settings
from apportion.service.store import AwayError, Store, Tx
from apportion_models.errors import ApportionError, InputError, UsageError

OF_THE_STORE: dict[str, Callable[[Tx, Look], Iterator[Check]]] = {
    "clock": database.clock,
    "audit trail": database.trail,
    "policy": rules.policy,
    "schedule": rules.schedule,
    "model": rules.model,
    "batches": work.batches,
    "leads": work.leads,
    "workers": work.workers,
    "messages": work.messages,
    "keys": keys.keys,
}


def examine(*, config: Path | None = None, **flags: Any) -> Report:
    """Look at the machine, the settings, the sinks and the store; change nothing, send nothing.

    config, flags : as `load_settings` takes them. Raises nothing for what is wrong: that is what the report tells.
    """
    checks = list(machine())
    try:
        settings = load_settings(config=config, **flags)
        store = settings.store()
    except InputError as error:
        faults = [wrong("settings", str(finding), "Mend it.", exit_code=USAGE) for finding in error.findings]
        return Report([*checks, *faults])
    except UsageError as error:
        return Report([*checks, wrong("settings", str(error), "Mend APPORTION_STORE_URL.", exit_code=USAGE)])
    try:
        return Report([*checks, *_with(settings, store)])
    finally:
        store.close()


def _with(settings: Settings, store: Store) -> Iterator[Check]:
    yield from settings_checks(settings)
    routes, checks = sink_checks(settings)
    yield from checks
    yield from look_at_store(store, Look(routes=routes))


def look_at_store(store: Store, look: Look) -> Iterator[Check]:
    """Every check of a store. Each reads in a transaction of its own: what keeps one from its answer keeps no other."""
    there = database.there(store)
    yield there
    left: dict[str, Callable[[], Iterable[Check]]] = {"room": partial(database.room, store)}
    left |= {name: partial(_read, store, check, look) for name, check in OF_THE_STORE.items()}
    why = None if there.state == "ok" else "the store cannot be used"
    for name, check in left.items():
        if why is not None:
            yield unknown(name, why)
            continue
        try:
            yield from check()
        except AwayError as error:
            why = "the store went away"
            yield wrong(name, str(error), "See whether the database is up.", exit_code=AWAY)
        except ApportionError as error:
            yield wrong(name, str(error).split("\n")[0], "See docs/operate.md.", exit_code=error.exit_code)


def _read(store: Store, check: Callable[[Tx, Look], Iterator[Check]], look: Look) -> list[Check]:
    with store.read() as tx:
        return list(check(tx, look))
