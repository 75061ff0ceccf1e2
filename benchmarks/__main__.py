"""All benchmarks, one after the other: `python -m benchmarks [--json]`."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from pathlib import Path

NEEDS = {"end_to_end": "wrk"}
SHARED = {"offered", "served", "trees"}
"""Parts of the others, which measure nothing by themselves."""


def main() -> None:
    """Run each in a process of its own, so that none warms another."""
    sys.stdout.write(f"{platform.platform()}, Python {platform.python_version()}\n")
    for path in sorted(Path(__file__).parent.glob("[a-z]*.py")):
        if path.stem in SHARED:
            continue
        needs = NEEDS.get(path.stem)
        sys.stdout.write(f"\n{path.stem}\n")
        sys.stdout.flush()
        if needs is not None and shutil.which(needs) is None:
            sys.stdout.write(f"left out: it needs {needs}\n")
            continue
        subprocess.run([sys.executable, "-m", f"benchmarks.{path.stem}", *sys.argv[1:]], check=True)


if __name__ == "__main__":
    main()
