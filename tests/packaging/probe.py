"""Imports modules one by one, and tells what each import did besides defining names.

On stdin: `{"foreign": [module, …], "names": [module, …]}`. On stdout: `{name: [effect, …]}`. Foreign modules are loaded
beforehand: what numpy or scikit-learn do on import is theirs. Without `names`, tells instead which modules came along.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import locale
import logging
import os
import random
import signal
import sys
import threading
import traceback
import warnings
from pathlib import Path
from typing import Any

WATCHED = (
    "os.mkdir",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "shutil.",
    "subprocess.",
    "socket.connect",
    "os.system",
    "os.fork",
)


def main(foreign: list[str], names: list[str]) -> None:
    """Load, import, compare, tell."""
    sys.dont_write_bytecode = True
    before = set(sys.modules)
    for name in foreign:
        with contextlib.suppress(ImportError), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            importlib.import_module(name)
    if not names:
        answer: Any = [name for name in sys.modules if name not in before]
    else:
        touched: list[str] = []
        sys.addaudithook(lambda event, details: _note(touched, event, details))
        warnings.simplefilter("error")
        answer = {name: _import(name, touched) for name in names}
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    os._exit(0)  # whatever thread a module has left must not keep us


def _note(touched: list[str], event: str, details: tuple[Any, ...]) -> None:
    if event == "open":
        path, mode, flags = details
        if (isinstance(mode, str) and set(mode) & set("wax+")) or (flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)):
            touched.append(f"opened {path} to write")
    elif event.startswith(WATCHED):
        touched.append(f"{event} {details!r}")


def _import(name: str, touched: list[str]) -> list[str]:
    touched.clear()
    before, said = _state(), io.StringIO()
    done = []
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            importlib.import_module(name)
        except BaseException:
            done.append(traceback.format_exc(limit=-2))
    after = _state()
    done += [f"{key}: {before[key]} became {after[key]}" for key in before if before[key] != after[key]]
    if said.getvalue():
        done.append(f"said {said.getvalue()!r}")
    return done + touched


def _state() -> dict[str, str]:
    """What one process shares and an import may not change."""
    root = logging.getLogger()
    state: dict[str, Any] = {
        "environment": dict(os.environ),
        "folder": str(Path.cwd()),
        "path": sys.path,
        "hooks": [sys.excepthook, sys.displayhook],
        "logging": [root.level, root.handlers, root.filters, logging.root.manager.disable],
        "filters": warnings.filters,
        "locale": locale.setlocale(locale.LC_ALL),
        "random": hash(random.getstate()),
        "signals": [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)],
        "threads": threading.active_count(),
        "recursion": sys.getrecursionlimit(),
    }
    if numpy := sys.modules.get("numpy"):
        state["numpy"] = [numpy.geterr(), numpy.get_printoptions(), numpy.random.get_state()[1].tobytes()]
    if pandas := sys.modules.get("pandas"):
        state["pandas"] = [pandas.get_option(key) for key in ("display.width", "display.max_rows")]
    if plotly := sys.modules.get("plotly.io"):
        state["plotly"] = [plotly.templates.default, plotly.renderers.default]
    return {key: repr(value) for key, value in state.items()}


if __name__ == "__main__":
    main(**json.load(sys.stdin))
