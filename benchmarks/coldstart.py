"""What a cold start of each function imports, from the zips of `make package`: sizes, and median seconds.

python -m benchmarks.coldstart [--json]
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from zipfile import ZipFile

from zips.functions import HANDLERS

RUNS = 5
DIST = Path(__file__).parent.parent / "dist"


def main() -> None:
    """Import each handler in fresh processes that see nothing but its unpacked zip."""
    for function, module in HANDLERS.items():
        path = DIST / f"{function}.zip"
        if not path.exists():
            sys.stdout.write(f"left out: {path.name} is not there: make package\n")
            continue
        with tempfile.TemporaryDirectory() as folder, ZipFile(path) as archive:
            archive.extractall(folder)
            seconds = statistics.median(_imported(folder, module) for _ in range(RUNS))
            unzipped = sum(entry.file_size for entry in archive.infolist())
        _say(function, path.stat().st_size / 1e6, unzipped / 1e6, seconds)


def _imported(folder: str, module: str) -> float:
    start = f"""
import sys, time
sys.path.insert(0, {folder!r})
begun = time.perf_counter()
import {module}
print(time.perf_counter() - begun)"""
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", start], check=True, capture_output=True, text=True
    )
    return float(run.stdout)


def _say(function: str, zipped: float, unzipped: float, seconds: float) -> None:
    if "--json" in sys.argv:
        row = {"function": function, "zipped_mb": zipped, "unzipped_mb": unzipped, "import_s": seconds}
        sys.stdout.write(f"{json.dumps(row)}\n")
        return
    sizes = f"{zipped:5.1f} MB, {unzipped:5.1f} MB unzipped"
    sys.stdout.write(f"{function:<18}{sizes}, imported in {seconds:.2f} s\n")


if __name__ == "__main__":
    main()
