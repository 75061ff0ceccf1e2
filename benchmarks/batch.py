"""Many at once: `POST /transactions/batch`, 1,000 lines each, and `shroff import`, decided and stored.

python -m benchmarks.batch [--transactions 200000] [--repeat 3] [--json]

Counted from the first line, or the command's start, until the last decision is stored; the audit is part of
each run. Default policy, a promoted model of 300 trees. Spread over many customers, and all of one customer
at one merchant, so that velocity rules hit each; in turn.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from itertools import cycle, islice
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from threading import Lock, Thread

from benchmarks.served import Server, decided, folder, made_hot, prepare, serving, show, shroff, spread, tails

LINES = 1_000
_CONNECTIONS = 2
_POLL = 0.02
_HEADERS = {"Content-Type": "application/x-ndjson"}


def lines(rows: Path, many: int) -> Iterator[bytes]:
    """Distinct transactions, a hundred to the second, up to now."""
    began = time.time() - many / 100
    with rows.open("rb") as tails:
        for number, tail in enumerate(islice(cycle(tails), many)):
            yield b'{"transaction_id":"batch-%08d","timestamp":%.3f,%b' % (number, began + number / 100, tail)


def bodies(rows: Path, many: int) -> list[bytes]:
    """The same, a thousand to a body."""
    every = lines(rows, many)
    return [b"".join(islice(every, LINES)) for _ in range(0, many, LINES)]


def post(server: Server, waiting: list[bytes], lock: Lock) -> None:
    """Post, the oldest first, until none is left."""
    connection = HTTPConnection("127.0.0.1", server.port)
    while True:
        with lock:
            if not waiting:
                return
            body = waiting.pop(0)
        while (status := _status(connection, body)) != 200:
            if status not in {0, 503}:
                raise RuntimeError(f"a batch was answered {status}")
            time.sleep(0.05)


def _status(connection: HTTPConnection, body: bytes) -> int:
    """What a batch is answered; 0 where the line broke, as it may where it is refused unread.

    Either way it is posted again: what was accepted before is not accepted twice.
    """
    try:
        connection.request("POST", "/transactions/batch", body, _HEADERS)
        answer = connection.getresponse()
        answer.read()
    except (ConnectionError, HTTPException):
        connection.close()
        return 0
    return answer.status


def posted(rows: Path, many: int, place: Path) -> dict[str, float]:
    """All of them over HTTP."""
    prepare(place / "data")
    with serving(place / "data") as server:
        lock, waiting = Lock(), bodies(rows, many)
        began, spent = time.monotonic(), server.cpu_s()
        threads = [Thread(target=post, args=(server, waiting, lock)) for _ in range(_CONNECTIONS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        accepted = time.monotonic() - began
        server.drain()
        took, used = time.monotonic() - began, server.cpu_us(spent, many)
        decided = server.audit()["decided"]
    if decided != many:
        raise RuntimeError(f"{many} were posted, {decided} decided")
    return {
        "accepted_per_s": round(many / accepted, 1),
        "decided_and_stored_per_s": round(many / took, 1),
        **used,
    }


def imported(rows: Path, many: int, place: Path) -> dict[str, float]:
    """All of them from a file: until the last decision is stored, and until the command has ended."""
    prepare(place / "data")
    file = place / "rows.ndjson"
    file.write_bytes(b"".join(lines(rows, many)))
    began, spent = time.monotonic(), _children_s()
    command = [sys.executable, "-m", "shroff", "import", str(file), "--data", str(place / "data")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as running:
        while running.poll() is None and decided(place / "data") < many:
            time.sleep(_POLL)
        took = time.monotonic() - began
    ended, used = time.monotonic() - began, _children_s() - spent
    told = json.loads(shroff("audit", "--data", place / "data", "--json"))
    if told["missing"] or told["decided"] != many:
        raise RuntimeError(f"{many} were imported; the audit says {told}")
    return {
        "decided_and_stored_per_s": round(many / took, 1),
        "whole_command_per_s": round(many / ended, 1),
        "cpu_us": round(used / many * 1e6, 1),
    }


def _children_s() -> float:
    """Processor seconds of the children that have ended, and of theirs."""
    spent = getrusage(RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def main() -> None:
    """Print the figures, as a table or as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--transactions", type=int, default=200_000)
    parser.add_argument("--repeat", type=int, default=3, help="each on a fresh data folder")
    given = parser.parse_args()
    runs: dict[str, list[dict[str, float]]] = {}
    with folder() as kept:
        rows = Path(kept) / "rows"
        tails(rows)
        parts = {
            "POST /transactions/batch": (posted, rows),
            "  one customer, one merchant": (posted, made_hot(rows)),
            "shroff import": (imported, rows),
        }
        for _ in range(given.repeat):
            for part, (measure, source) in parts.items():
                with folder() as place:
                    runs.setdefault(part, []).append(measure(source, given.transactions, Path(place)))
    show({part: spread(of) for part, of in runs.items()}, as_json=given.json)


if __name__ == "__main__":
    main()
