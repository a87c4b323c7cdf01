"""Many clients in one process, each with a connection that it keeps: the plainest HTTP there is, so that what is
measured is the service.

`python -m benchmarks.service.clients PORT PATH CLIENTS < {"key": …, "bodies": […]}` prints what it measured as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from typing import Any


class Crowd:
    """Clients that send one body after the other until there are none."""

    def __init__(self, port: int, path: str, key: str, bodies: list[dict[str, Any]]) -> None:
        self._port, self._head = port, f"POST {path} HTTP/1.1\r\nHost: service\r\nX-API-Key: {key}\r\n"
        self._bodies = iter(bodies)
        self.seconds: list[float] = []
        self.statuses: Counter[int] = Counter()

    async def all(self, clients: int) -> float:
        """Seconds until every body is answered."""
        began = time.perf_counter()
        await asyncio.gather(*(self._one() for _ in range(clients)))
        return time.perf_counter() - began

    async def _one(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        for body in self._bodies:
            content = json.dumps(body).encode()
            names = f"Content-Type: application/json\r\nIdempotency-Key: {body['lead']['lead_id']}\r\n"
            began = time.perf_counter()
            writer.write(f"{self._head}{names}Content-Length: {len(content)}\r\n\r\n".encode() + content)
            self.statuses[await _status(reader)] += 1
            self.seconds.append(time.perf_counter() - began)
        writer.close()


async def _status(reader: asyncio.StreamReader) -> int:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    await reader.readexactly(int(head.split("content-length:")[1].split("\r\n")[0]))
    return int(head.split(" ", 2)[1])


def main(port: int, path: str, clients: int) -> None:
    """Read what to send, send it, and tell how it went."""
    asked = json.load(sys.stdin)
    crowd = Crowd(port, path, asked["key"], asked["bodies"])
    seconds = asyncio.run(crowd.all(clients))
    json.dump({"seconds": seconds, "each": crowd.seconds, "statuses": dict(crowd.statuses)}, sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
