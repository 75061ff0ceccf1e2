"""Processes that do the same thing at the same moment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_START = """
import sys, time
from pathlib import Path
print("ready", flush=True)
while not Path(sys.argv[1]).exists():
    time.sleep(0.0005)
"""


def together(script: str, argument: Path, gate: Path, *, processes: int) -> list[str]:
    """What so many processes print, which all wait at a gate before they run a script. Each has to succeed.

    The script's argument is `sys.argv[2]`; what it imports beforehand it should import here, on its first lines.
    """
    imports, _, act = script.partition("\n\n")
    command = [sys.executable, "-c", imports + _START + act, str(gate), str(argument)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(processes)]
    for each in running:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    gate.touch()
    printed = [each.communicate(timeout=60)[0] for each in running]
    assert [each.returncode for each in running] == [0] * processes
    return printed
