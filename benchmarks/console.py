"""How long a what-if takes in the browser: `python -m benchmarks.console [SCALE]`.

Starts `apportion console` in a process of its own with the company of `benchmarks.workloads.whatif` (1,000 leads and 50
reps at scale 1), opens the what-if panel in a headless Chromium, and turns one thing after another: from the click to
the answer on the page, three times each. The first question of a process, which compiles and draws worlds, is told
apart.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from apportion_models import save_model
from benchmarks.workloads import whatif

LISTS = ("territories", "skills", "languages")
CHROMIUM = "/usr/bin/chromium"
TIMES, PATIENCE = 3, 120_000  # milliseconds


def write_company(folder: Path, scale: float) -> list[str]:
    """Write the company's files, and give the options that name them."""
    setting = whatif.base(scale)
    lists = {name: setting.tables.reps[name].map(";".join) for name in LISTS if name in setting.tables.reps}
    setting.tables.leads.to_csv(folder / "leads.csv", index=False)
    setting.tables.reps.assign(**lists).to_csv(folder / "reps.csv", index=False)
    save_model(setting.model, folder / "model")
    (folder / "policy.yaml").write_text(json.dumps(whatif.POLICY))  # JSON is YAML
    named = {"leads": "leads.csv", "reps": "reps.csv", "model": "model", "policy": "policy.yaml"}
    return [part for option, name in named.items() for part in (f"--{option}", str(folder / name))]


@contextmanager
def served(folder: Path, options: list[str]) -> Iterator[str]:
    """The console in a process of its own; gives its address."""
    own = ["--port", "0", "--scenarios", str(folder / "scenarios")]
    command = [sys.executable, "-m", "apportion", "console", *options, *own]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            told = next(line for line in process.stdout if "http://" in line)
            yield told.split("http://")[1].split()[0]
        finally:
            process.terminate()


def asked(page: Any, turn: str, value: str) -> float:
    """Seconds from the click to the answer."""
    if value:
        page.fill(turn, value)
    else:
        page.set_checked(turn, not page.is_checked(turn))
    began = time.perf_counter()
    page.click("button.go")
    page.wait_for_selector("#answer .working", state="attached", timeout=PATIENCE)
    page.wait_for_selector("#answer .result", timeout=PATIENCE)
    return time.perf_counter() - began


def measured(address: str) -> Iterator[tuple[str, float]]:
    """What was turned, and the seconds that it took."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        page = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"]).new_page()
        page.goto(f"http://{address}whatif?fresh=1")
        page.wait_for_selector("button.go", timeout=PATIENCE)
        page.eval_on_selector_all("details", "all => all.forEach(one => { one.open = true; })")
        yield "the first question", asked(page, "input[name='nurture.value']", "23")
        for turn in range(TIMES):
            yield "the value of nurture", asked(page, "input[name='nurture.value']", str(30 + 7 * turn))
        for turn in range(TIMES):
            yield "the floor of equity", asked(page, "input[name='equity.0.low']", str(50 + 5 * turn))
        for turn in range(TIMES):
            yield "a rep leaves", asked(page, f"input[name='rep.{turn}.in']", "")


def main(arguments: list[str]) -> int:
    """Measure and print."""
    scale = float(arguments[0]) if arguments else 1.0
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with served(folder, write_company(folder, scale)) as address:
            for what, seconds in measured(address):
                print(f"{what:24} {seconds:6.2f} s", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
