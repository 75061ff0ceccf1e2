"""The SQLite queue among processes: what is acknowledged stays, whoever dies."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from shroff.adapters.sqlite import SqliteQueue
from tests.adapters.processes import together

APPEND_FOREVER = """
import sys
from itertools import count
from shroff.adapters.sqlite import SqliteQueue
from shroff.ports import Entry
queue = SqliteQueue(sys.argv[1])
for start in count(0, 20):
    names = [f"txn-{number}" for number in range(start, start + 20)]
    queue.append([Entry(transaction_id=name, body=name.encode() * 50, received_at=1) for name in names])
    print(start + 20, flush=True)
"""

APPEND_THE_SAME = """
import json, sys
from shroff.adapters.sqlite import SqliteQueue
from shroff.ports import Entry

queue = SqliteQueue(sys.argv[2])
statuses = {}
for start in range(0, 2_000, 10):
    names = [f"txn-{number}" for number in range(start, start + 10)]
    entries = [Entry(transaction_id=name, body=b"{}", received_at=1) for name in names]
    for receipt in queue.append(entries):
        statuses[receipt.transaction_id] = (receipt.message_id, receipt.status)
print(json.dumps(statuses))
"""


def test_all_that_was_acknowledged_outlives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    for _ in range(3):
        acknowledged = _append_until_killed(path, after=25)
        with closing(SqliteQueue(path)) as queue:
            ids = queue.ids(0, 1_000_000)
        assert len(ids) >= acknowledged
        assert ids == [(seq, f"txn-{seq - 1}") for seq in range(1, len(ids) + 1)]


def _append_until_killed(path: Path, *, after: int) -> int:
    """How many entries a process acknowledged before it was killed in the middle of its work."""
    command = [sys.executable, "-c", APPEND_FOREVER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as appending:
        assert appending.stdout is not None
        reported = [int(appending.stdout.readline()) for _ in range(after)]
        appending.kill()
        reported += [int(line) for line in appending.stdout if line.endswith("\n")]
    return reported[-1]


def test_processes_that_append_the_same_at_once_accept_each_once(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    answers = [json.loads(each) for each in together(APPEND_THE_SAME, path, tmp_path / "gate", processes=3)]
    with closing(SqliteQueue(path)) as queue:
        held = queue.ids(0, 10_000)
        assert queue.last() == len(held) == 2_000
    for seq, name in held:
        given = [answer[name] for answer in answers]
        assert {message_id for message_id, _ in given} == {f"m-{seq:012d}"}
        assert sorted(status for _, status in given) == ["accepted", "repeated", "repeated"]
