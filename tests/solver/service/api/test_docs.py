"""Every example of docs/api.md works, as it stands, on a service of its own; and every call has one."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from apportion.service.api import make_app
from apportion.service.store import Store
from tests.solver.service.api.served import served

PAGE = Path(__file__).parents[4] / "docs" / "api.md"
BLOCKS = re.findall(r"```sh curl\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl on this machine")
def test_the_examples_work(there: Store, tmp_path: Path) -> None:
    """In their order; curl fails for any answer of 400 and above."""
    with there.write() as tx:
        secret = tx.keys.create("docs", ["admin"])[1]
    with served(str(there.url), tmp_path, "--no-clockwork") as one:
        for block in BLOCKS:
            variables = {"URL": one.url, "KEY": secret, "PATH": "/usr/bin:/bin:/usr/local/bin"}
            done = subprocess.run(
                ["bash", "-e", "-c", block], env=variables, capture_output=True, text=True, timeout=60
            )
            assert done.returncode == 0, block + done.stderr + done.stdout


def test_every_call_has_an_example(there: Store) -> None:
    """By method and path of the OpenAPI document."""
    lines = " ".join(BLOCKS).replace("\\\n", " ").replace("\n  ", " ")
    for path, calls in make_app(there).openapi()["paths"].items():
        pattern = re.sub(r"\\{\w+\\}", r"[$\\w]+", re.escape(path))
        told = [line for line in re.split(r"(?=curl -f?sS)", lines) if re.search(rf"\$URL{pattern}[\s\"?]", line)]
        for method in calls:
            marks = {"get": lambda s: "-d " not in s and "-X" not in s, "delete": lambda s: "-X DELETE" in s}
            posted = lambda s: "-d " in s or "-X POST" in s  # noqa: E731
            assert any(marks.get(method, posted)(line) for line in told), (method, path)
