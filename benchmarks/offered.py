"""An open loop: requests go out when they are due, whether or not those before them were answered.

python -m benchmarks.offered ROWS --port PORT [--path /transactions] --rate 1000 --seconds 60 [--warm 3]

Latencies count from the moment at which a request was due, so a server that stalls is charged for all that it
kept waiting. What is due while every connection is busy waits for the first free one, at its own cost.
"""

from __future__ import annotations

import argparse
import gc
import json
import select
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from socket import IPPROTO_TCP, TCP_NODELAY, create_connection, socket

_DRAIN = 20.0
_ID, _TIME = 20, 14
_KEPT = 200_000


@dataclass(slots=True)
class Told:
    """Latencies in seconds from when each was due, by status; and how late requests went out."""

    taken: dict[int, list[float]] = field(default_factory=dict)
    late: list[float] = field(default_factory=list)
    unanswered: int = 0


@dataclass(slots=True)
class Connection:
    """A connection with at most one request on its way."""

    line: socket
    due: float = 0.0
    counts: bool = False
    answer: bytes = b""


def requests(rows: Path, path: str) -> list[tuple[bytes, bytes]]:
    """Each row as what comes before the id and what after the time, both of which have one width."""
    rendered = []
    with rows.open("rb") as tails:
        for tail in islice(tails, _KEPT):
            middle = b'","timestamp":'
            length = len(b'{"transaction_id":"') + _ID + len(middle) + _TIME + 1 + len(tail.rstrip())
            head = (
                f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                f"Content-Length: {length}\r\n\r\n"
            ).encode()
            rendered.append((head + b'{"transaction_id":"', b"," + tail.rstrip()))
    return rendered


def status_of(answer: bytes) -> int:
    """The status of an answer that is all there, else 0."""
    head = answer.find(b"\r\n\r\n")
    if head < 0:
        return 0
    at = answer.lower().find(b"content-length:", 0, head)
    length = int(answer[at + 15 : answer.find(b"\r\n", at)])
    return int(answer[9:12]) if len(answer) >= head + 4 + length else 0


class Load:
    """A schedule over some connections; the one that was free last is taken first."""

    def __init__(self, port: int, rendered: list[tuple[bytes, bytes]], connections: int, told: Told) -> None:
        self.port = port
        self.free: list[Connection] = []
        self.by_number: dict[int, Connection] = {}
        self.waiting: deque[tuple[float, bool]] = deque()
        self.epoll = select.epoll()
        self.told = told
        self.rows = cycle(rendered)
        self.begun, self.sent = int(time.time() * 1e6), 0
        for _ in range(connections):
            self.free.append(self._connected())

    def run(self, rate: int, seconds: float, warm: float) -> None:
        """Send what is due at its time, then wait for what is still out."""
        start = time.perf_counter() + 0.01
        many, spared = int((seconds + warm) * rate), int(warm * rate)
        number = 0
        while number < many:
            now = time.perf_counter()
            while number < many and start + number / rate <= now:
                self.waiting.append((start + number / rate, number >= spared))
                number += 1
            self._send()
            self._hear(max(0.0, start + number / rate - time.perf_counter()))
        until = time.perf_counter() + _DRAIN
        while len(self.free) < len(self.by_number) and time.perf_counter() < until:
            self._hear(0.1)
            self._send()
        self.told.unanswered = len(self.by_number) - len(self.free) + len(self.waiting)

    def _connected(self) -> Connection:
        line = create_connection(("127.0.0.1", self.port))
        line.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        self.by_number[line.fileno()] = connection = Connection(line)
        self.epoll.register(line.fileno(), select.EPOLLIN)
        return connection

    def _renew(self, number: int) -> None:
        """Connect again where a server closed what had nothing to do for half a minute."""
        connection = self.by_number.pop(number)
        if connection not in self.free:
            raise ConnectionError("the server closed a connection that waited for its answer")
        self.free.remove(connection)
        self.epoll.unregister(number)
        connection.line.close()
        self.free.insert(0, self._connected())

    def _send(self) -> None:
        while self.waiting and self.free:
            due, counts = self.waiting.popleft()
            connection = self.free.pop()
            connection.due, connection.counts = due, counts
            before, after = next(self.rows)
            self.sent += 1
            named = b'%0*d","timestamp":%.3f' % (_ID, self.begun + self.sent, time.time())
            connection.line.sendall(before + named + after)
            if counts:
                self.told.late.append(time.perf_counter() - due)

    def _hear(self, most: float) -> None:
        # The epoll's own file, since its timeout is in whole milliseconds and this one in microseconds.
        select.select([self.epoll.fileno()], [], [], most)
        for number, _ in self.epoll.poll(0):
            connection = self.by_number[number]
            heard = connection.line.recv(65_536)
            if not heard:
                self._renew(number)
                continue
            connection.answer += heard
            status = status_of(connection.answer)
            if status:
                connection.answer = b""
                self.free.append(connection)
                if connection.counts:
                    taken = self.told.taken.setdefault(status, [])
                    taken.append(time.perf_counter() - connection.due)


def figures(told: Told, rate: int, seconds: float) -> dict[str, object]:
    """What was offered, what was answered, and the latencies of all answers in milliseconds."""
    from benchmarks.served import percentiles  # noqa: PLC0415  # not before the load, whose process is small

    every = sorted(1e3 * each for of in told.taken.values() for each in of)
    late = sorted(1e3 * each for each in told.late)
    return {
        "offered_per_s": rate,
        "answered_per_s": round(len(every) / seconds, 1),
        **{f"answered_{status}": len(of) for status, of in sorted(told.taken.items())},
        "unanswered": told.unanswered,
        **percentiles(every),
        "sent_late_p99_ms": percentiles(late).get("p99_ms", 0.0),
    }


def main() -> None:
    """Offer the load and print what it met, as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rows", type=Path)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", default="/transactions")
    parser.add_argument("--rate", type=int, required=True)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--warm", type=float, default=3)
    parser.add_argument("--connections", type=int, default=128)
    asked = parser.parse_args()
    told = Told()
    load = Load(asked.port, requests(asked.rows, asked.path), asked.connections, told)
    gc.disable()
    load.run(asked.rate, asked.seconds, asked.warm)
    sys.stdout.write(json.dumps(figures(told, asked.rate, asked.seconds)) + "\n")


if __name__ == "__main__":
    main()
