"""Whether looking back costs more the longer history is: sweep and report with 0.1, 1 and 10 million stored.

python -m benchmarks.sweep FOLDER [--sizes 100000 1000000 10000000] [--json]

FOLDER is what `python -m benchmarks.stored FOLDER` built; sizes that are not there are left out. The
transactions of the window and of the day are the same in all. Median, least and most of the runs in ms of
wall time, the sizes in turn, after one run that does not count: each in a process that is there already.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from benchmarks.stored import END, SIZES
from shroff.core.policy_document import read_policy
from shroff.flows.sweep import sweep
from shroff.runtimes.jobs import write_report
from shroff.runtimes.wiring import default_policy
from shroff.runtimes.wiring.command import opened_of
from shroff.runtimes.wiring.embedded import Embedded, open_embedded

SWEEPS, REPORTS, DAY = 15, 2, 86_400


def timed(work: Callable[[], object]) -> float:
    """Milliseconds."""
    begun = perf_counter()
    work()
    return (perf_counter() - begun) * 1e3


def swept(folder: Embedded) -> Callable[[], object]:
    """The default policy's sweep, of the newest five minutes."""
    policy, end = read_policy(default_policy()), END * 1000
    ledger, alerts = folder.store.ledger, folder.store.alerts
    return lambda: sweep(policy, ledger, alerts, at=end, window=policy.sweep.window, now=end)


def reported(folder: Embedded) -> Callable[[], object]:
    """The report of the newest day."""
    return lambda: write_report((END - 1) // DAY, opened_of(folder))


def measure(folders: dict[str, Embedded]) -> dict[str, dict[str, object]]:
    """By size: sweep and report, median, least and most."""
    found: dict[str, dict[str, list[float]]] = {name: {"sweep": [], "report": []} for name in folders}
    for job, make, runs in (("sweep", swept, SWEEPS), ("report", reported, REPORTS)):
        for _ in range(runs + 1):
            for name, folder in folders.items():
                found[name][job].append(timed(make(folder)))
    return {
        name: {
            f"{job}_ms": [round(each(times[1:]), 1) for each in (statistics.median, min, max)]
            for job, times in jobs.items()
        }
        for name, jobs in found.items()
    }


def main() -> None:
    """Print the figures, as a table or as JSON."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("folder", type=Path, nargs="?")
    asked.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    asked.add_argument("--json", action="store_true")
    given = asked.parse_args()
    there = [
        n for n in given.sizes if given.folder is not None and (given.folder / str(n) / "store.db").exists()
    ]
    if not there:
        sys.stdout.write("left out: it needs a folder that python -m benchmarks.stored FOLDER built\n")
        return
    folders = {f"{size:,} stored": open_embedded(given.folder / str(size), create=False) for size in there}
    found = measure(folders)
    for folder in folders.values():
        folder.close()
    if given.json:
        machine = {"machine": platform.platform(), "python": platform.python_version()}
        sys.stdout.write(json.dumps(machine | found) + "\n")
        return
    sys.stdout.write(f"{'ms: median, least, most':<24}{'sweep':>24}{'report':>28}\n")
    for name, jobs in found.items():
        sys.stdout.write(f"{name:<24}{jobs['sweep_ms']!s:>24}{jobs['report_ms']!s:>28}\n")


if __name__ == "__main__":
    main()
