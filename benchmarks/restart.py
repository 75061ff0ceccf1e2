"""How long the worker takes to be where it was: from its newest snapshot, and from one of some time before.

python -m benchmarks.restart FOLDER [--sizes 100000 1000000 10000000] [--json]

FOLDER is what `python -m benchmarks.stored FOLDER` built; sizes that are not there are left out. Each
start is a process of its own; median, least and most seconds of wall time from its first line to a state that
is the ledger's, imports and kernels included. The file system may have the snapshot cached, as after the
restart of a process.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks.stored import AGED, SIZES

RUNS = 3
START = """
import sys, time
begun = time.perf_counter()
from pathlib import Path
from shroff.adapters.files.snapshots import FileSnapshots
from shroff.core.policy_document import read_policy
from shroff.flows.rebuild import rebuild
from shroff.runtimes.wiring.embedded import open_embedded
there = open_embedded(Path(sys.argv[1]), create=False)
policy = read_policy(there.store.policies.active().document)
snapshots = FileSnapshots(Path(sys.argv[2]))
found = rebuild(policy, there.store.ledger, snapshots, there.store.labels)
print(time.perf_counter() - begun, found.seq - found.began, found.seq)
"""


def started(data: Path, snapshot: str) -> tuple[list[float], int]:
    """Seconds: median, least and most; and how many transactions were observed again."""
    told = []
    for _ in range(RUNS):
        command = [sys.executable, "-c", START, str(data), str(data / snapshot)]
        run = subprocess.run(command, check=True, capture_output=True, text=True)
        told.append(run.stdout.split())
    seconds = [float(each[0]) for each in told]
    return [round(of(seconds), 2) for of in (statistics.median, min, max)], int(told[-1][1])


def main() -> None:
    """Print the figures, as a table or as JSON."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("folder", type=Path, nargs="?")
    asked.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    asked.add_argument("--json", action="store_true")
    given = asked.parse_args()
    found = {}
    for size in given.sizes if given.folder is not None else ():
        data = given.folder / str(size)
        for snapshot in ("state.snapshot", AGED):
            if (data / snapshot).exists():
                seconds, again = started(data, snapshot)
                megabytes = round((data / snapshot).stat().st_size / 1e6)
                row = {"seconds": seconds, "observed_again": again, "snapshot_mb": megabytes}
                found[f"{size:,} stored, {again:,} since"] = row
    if not found:
        sys.stdout.write("left out: it needs a folder that python -m benchmarks.stored FOLDER built\n")
    elif given.json:
        machine = {"machine": platform.platform(), "python": platform.python_version()}
        sys.stdout.write(json.dumps(machine | found) + "\n")
    else:
        for name, row in found.items():
            sys.stdout.write(f"{name:<36}{row['seconds']!s:>24} s{row['snapshot_mb']:>8,} MB\n")


if __name__ == "__main__":
    main()
