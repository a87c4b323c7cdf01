"""What a process and all it started use, read from /proc; and how to end them all."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")
TICK = os.sysconf("SC_CLK_TCK")


def family(root: int) -> list[int]:
    """The process, all its descendants, and whatever else is of its session (its id is its session's id)."""
    parents: dict[int, int] = {}
    found = {root}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (stat := _stat(int(entry.name))) is not None:
            parents[int(entry.name)] = int(stat[1])
            if int(stat[3]) == root:
                found.add(int(entry.name))
    more = True
    while more:
        more = bool(new := {pid for pid, parent in parents.items() if parent in found} - found)
        found |= new
    return sorted(found)


def resident(pids: list[int]) -> int:
    """Bytes in memory of the processes together; pages that they share count for each."""
    total = 0
    for pid in pids:
        try:
            total += PAGE * int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1])
        except (OSError, IndexError):
            continue
    return total


def end(root: int, known: list[int]) -> None:
    """Kill the process and all that it started, and wait until they are gone or have only their parent to tell."""
    for _ in range(50):
        alive = [pid for pid in {*family(root), *known} if (stat := _stat(pid)) is not None and stat[0] not in "ZX"]
        if not alive:
            return
        for pid in alive:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.02)


def busy_seconds() -> float:
    """Seconds of processor time that the whole machine has used since it started."""
    try:
        fields = Path("/proc/stat").read_text(encoding="utf-8").splitlines()[0].split()[1:]
    except OSError:
        return 0.0
    user, nice, system, _, _, irq, soft, *_ = (int(field) for field in fields)
    return (user + nice + system + irq + soft) / TICK


def available() -> int:
    """Bytes that could be had without swapping, within the limit of the control group if there is one."""
    lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
    free = next(1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))
    try:
        group = Path("/sys/fs/cgroup")
        limit = int((group / "memory.max").read_text(encoding="utf-8"))
        free = min(free, limit - int((group / "memory.current").read_text(encoding="utf-8")))
    except (OSError, ValueError):
        pass
    return free


def _stat(pid: int) -> list[str] | None:
    """State, parent, group, session and the rest; None when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return None
