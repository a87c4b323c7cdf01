from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.packaging.project import SOURCES, modules

PROBE = Path(__file__).with_name("probe.py")
PATHS = [folder.parent for folder in SOURCES.values()]
COMPILED = {  # numba prepares a folder for its cache; loaded by what needs them, never before
    "apportion.engines.anneal",
    "apportion.engines.distributed",
    "apportion.engines.passes",
    "apportion.engines.transport",
    "apportion.online.kernel",
}
ROOMS = [name for name in modules() if name.count(".") <= 1]
EFFECTS = {
    "output": "print('loaded')",
    "warning": "import warnings; warnings.warn('old')",
    "file": "open('left.txt', 'w').close()",
    "folder": "import os; os.mkdir('left')",
    "environment": "import os; os.environ['LEFT'] = '1'",
    "logging": "import logging; logging.basicConfig(level='INFO')",
    "filters": "import warnings; warnings.simplefilter('ignore')",
    "numpy": "import numpy as np; np.seterr(all='raise')",
    "pandas": "import pandas as pd; pd.set_option('display.width', 33)",
    "randomness": "import random; random.seed(1)",
    "process": "import subprocess; subprocess.run(['true'])",
    "network": "import socket; socket.socket().connect_ex(('127.0.0.1', 9))",
    "thread": "import threading, time; threading.Thread(target=time.sleep, args=(9,), daemon=True).start()",
    "signal": "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)",
    "path": "import sys; sys.path.append('/left')",
    "crash": "import no_such_module",
}


def _compiled(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in COMPILED)


def probe(folder: Path, sources: list[Path], foreign: list[str], names: list[str]) -> Any:
    """The probe's answer, from an interpreter of its own."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, sources)), "HOME": str(folder)}
    question = json.dumps({"foreign": foreign, "names": names})
    command = [sys.executable, "-P", str(PROBE)]
    done = subprocess.run(
        command, input=question, cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Every module of others that importing all of ours brings along."""
    loaded = probe(tmp_path_factory.mktemp("foreign"), PATHS, modules(), [])
    return [name for name in loaded if name.split(".")[0] not in SOURCES]


@pytest.mark.parametrize("names", [modules(), ROOMS[::-1]], ids=["all modules", "last room first"])
def test_imports_have_no_side_effects(names: list[str], foreign: list[str], tmp_path: Path) -> None:
    """No module prints, warns, writes, connects or changes the process that imports it; none needs another first."""
    seen = probe(tmp_path, PATHS, foreign, names)
    assert list(seen) == names
    assert {name: what for name, what in seen.items() if what and not _compiled(name)} == {}


def test_nothing_is_compiled_before_it_is_needed(tmp_path: Path) -> None:
    """Importing either package loads no compiler: it writes a cache, and takes a second."""
    for package in SOURCES:
        loaded = probe(tmp_path, PATHS, [package], [])
        assert package in loaded and "numba" not in loaded


@pytest.mark.parametrize("effect", EFFECTS)
def test_the_probe_sees(effect: str, tmp_path: Path) -> None:
    """The probe reports each kind of side effect, and reports nothing for a module without one."""
    (tmp_path / "harmless.py").write_text("VALUE = 1\n", encoding="utf-8")
    (tmp_path / "harmful.py").write_text(f"{EFFECTS[effect]}\n", encoding="utf-8")
    foreign = [name for name in ("numpy", "pandas") if name == effect]
    seen = probe(tmp_path, [tmp_path], foreign, ["harmless", "harmful"])
    assert seen["harmless"] == [] and seen["harmful"] != []


@pytest.mark.parametrize("package", SOURCES)
def test_packages_say_that_they_are_typed(package: str) -> None:
    """Type checkers of others read our annotations: each import package carries py.typed."""
    assert (SOURCES[package] / "py.typed").is_file()
