"""Post transactions to Shroff, one JSON object a line, with the standard library alone.

    python examples/client.py transactions.ndjson
    python examples/client.py --decide --key shroff_... --url http://127.0.0.1:8080 < transactions.ndjson

Prints one line for each transaction. What was not answered is sent again: its
transaction_id makes that harmless.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import IO, Any
from urllib.parse import urlsplit

ATTEMPTS = 8
Answer = tuple[int, dict[str, Any]]


class Client:
    """One connection to a gateway, opened again where it breaks."""

    def __init__(self, url: str, key: str | None = None, sleep: Callable[[float], None] = time.sleep) -> None:
        parts = urlsplit(url)
        connect = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._connection = connect(parts.hostname or "127.0.0.1", parts.port, timeout=10)
        self._headers = {"Content-Type": "application/json"} | ({"X-API-Key": key} if key else {})
        self._sleep = sleep

    def send(self, path: str, body: bytes) -> Answer:
        """Status and members of the answer. Raises ConnectionError where several attempts met none."""
        problem: object = None
        for attempt in range(ATTEMPTS):
            try:
                self._connection.request("POST", path, body, self._headers)
                answer = self._connection.getresponse()
                members = json.loads(answer.read())
            except (OSError, HTTPException, ValueError) as error:
                self._connection.close()
                problem, pause = error, min(10.0, 0.2 * 2**attempt)
            else:
                if answer.status not in {429, 503}:
                    return answer.status, members
                problem, pause = members["error"], float(answer.headers.get("Retry-After", "1"))
            self._sleep(pause)
        raise ConnectionError(f"no answer after {ATTEMPTS} attempts: {problem}")


def post(client: Client, lines: Iterable[bytes], *, decide: bool) -> Iterator[str]:
    """What became of each line, in a line of text."""
    for number, line in enumerate(lines, 1):
        status, members = client.send("/decisions" if decide else "/transactions", line)
        if status == 200:
            reasons = "; ".join(reason["reason"] for reason in members["reasons"])
            yield f"{members['transaction_id']}  {members['outcome']}  {members['score']}  {reasons}".rstrip()
        elif status == 202:
            yield f"{members['transaction_id']}  accepted as {members['message_id']}"
        else:
            problems = [fault["problem"] for fault in members.get("faults", ())] or [members["error"]]
            yield f"line {number} was refused with {status}: {'; '.join(problems)}"


def main() -> None:
    """Read lines from a file or from standard input, and post them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", nargs="?", type=argparse.FileType("rb"), default=sys.stdin.buffer)
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    parser.add_argument("--key", help="an API key; not needed on a loopback address")
    parser.add_argument("--decide", action="store_true", help="wait for each decision")
    asked = parser.parse_args()
    file: IO[bytes] = asked.file
    for said in post(Client(asked.url, asked.key), filter(bytes.strip, file), decide=asked.decide):
        print(said)


if __name__ == "__main__":
    main()
