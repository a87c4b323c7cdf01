"""A deliverer that is killed, in a nursery. Not a test."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from apportion.connectors import FileDrop, Message, Receipt
from apportion.service.outbox import Deliverer, Pauses, Route
from apportion.service.store import open_store

LEASE = 0.5


@dataclass(frozen=True)
class Watched:
    """A drop of files that also notes, in one write, what it begins and ends."""

    drop: FileDrop
    log: Path

    def deliver(self, message: Message, *, key: str) -> Receipt:
        self._note("begin", message)
        time.sleep(0.005)
        receipt = self.drop.deliver(message, key=key)
        self._note("end", message)
        return receipt

    def _note(self, what: str, message: Message) -> None:
        with self.log.open("ab", buffering=0) as log:
            log.write(f"{what} {message.rows[0]['n']}\n".encode())


def main(url: str, place: str) -> None:
    """Deliver until nothing waits."""
    store, folder = open_store(url), Path(place)
    sink = Watched(FileDrop(folder=folder / "drop"), folder / "log")
    deliverer = Deliverer(store, {"crm": Route(sink)}, lease_seconds=LEASE, pauses=Pauses(first=0.01, longest=0.05))
    while True:
        deliverer.all_due()
        with store.read() as tx:
            if not tx.outbox.counts().get("waiting"):
                return
        time.sleep(0.02)
