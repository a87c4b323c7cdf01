"""The configuration: settings, the files they come from, and the sinks."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from apportion.connectors import FileDrop, GiveUpError, RetryLaterError
from apportion.connectors.webhook import Webhook
from apportion.service.doctor.check import USAGE, Check, ok, warning, wrong
from apportion.service.outbox import Route, read_sinks
from apportion.service.settings import Settings, secrets_in
from apportion.service.watching.looking import TOPIC
from apportion_models.errors import InputError

LOOK_UP_SECONDS = 5.0
SINKS_PAGE = "docs/connectors.md says how a sink is named"


def settings_checks(settings: Settings) -> Iterator[Check]:
    """Where the settings come from, and whether others may read a secret there."""
    file = settings.file
    from_ = "the environment and the defaults" if file is None else f"the environment, {file} and the defaults"
    yield ok("settings", f"Settings are whole; from {from_}.")
    if file is not None and _is_open(file) and secrets_in(file):
        yield warning("settings file", f"{file} holds a secret, and other users of this machine may read it.",
                      f"Run `chmod 600 {file}`, or keep the secret in a file of its own: file:PATH.")  # fmt: skip


def sink_checks(settings: Settings) -> tuple[Mapping[str, Route] | None, list[Check]]:
    """The sinks by name, None where their file cannot be used, and what there is to say of them."""
    if settings.sinks is None:
        said = "No sinks are named: plans stay in the store, and alarms reach nobody."
        return {}, [warning("sinks", said, f"Name a file of sinks, APPORTION_SINKS; {SINKS_PAGE}.")]
    try:
        routes = read_sinks(settings.sinks)
    except InputError as error:
        return None, [wrong("sinks", str(finding), f"{SINKS_PAGE}.", exit_code=USAGE) for finding in error.findings]
    checks = [_reached(name, route) for name, route in routes.items()]
    if not any(route.hears(TOPIC) for route in routes.values()):
        said = "No sink hears alarms: nobody is told when something goes wrong."
        checks.append(warning("alarms", said, 'Give one sink `tells = ["alert"]`.'))
    return routes, checks


def _reached(name: str, route: Route) -> Check:
    """Whether a message could go there; nothing is sent."""
    title, sink = f"sink {name}", route.sink
    if isinstance(sink, Webhook):
        return _webhook(title, sink)
    if isinstance(sink, FileDrop):
        return _folder(title, sink.folder)
    return ok(title, "It is named; what lies behind it is not tried.")


def _webhook(title: str, hook: Webhook) -> Check:
    url = hook.destinations.check_url(hook.url)
    port = url.port or (80 if url.scheme == "http" else 443)
    try:
        hook.destinations.addresses(url.host, port, look_up=hook.look_up, seconds=LOOK_UP_SECONDS)
    except GiveUpError as error:
        return wrong(title, str(error), "Name a public host, or open the network with `networks` in the file of sinks.")
    except RetryLaterError as error:
        return warning(title, str(error), "See whether the host's name is right, and whether this machine has DNS.")
    if url.scheme == "http":
        return warning(title, f"{hook.where} is told over plain http: who listens on the way reads it.", "Use https.")
    return ok(title, f"{hook.where} is an allowed destination.")


def _folder(title: str, folder: Path) -> Check:
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir() or not _may_write(there):
        return wrong(title, f"{there} is no folder that this user may write.", f"Let this user write {folder}.")
    return ok(title, f"{folder} can be written.")


def _may_write(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK)


def _is_open(file: Path) -> bool:
    return bool(file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))
