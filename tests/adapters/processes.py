"""Processes that do the same thing at the same moment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_WAIT = """
import sys, time
from pathlib import Path
print("ready", flush=True)
while not Path(sys.argv[1]).exists():
    time.sleep(0.0005)
"""


def together(script: str, argument: Path, gate: Path, *, processes: int) -> list[str]:
    """What so many processes print that run a script at the same moment; each has to succeed.

    They wait at the gate after the script's imports, which end with an empty line.
    `sys.argv[2]` is the argument.
    """
    imports, _, act = script.partition("\n\n")
    command = [sys.executable, "-c", imports + _WAIT + act, str(gate), str(argument)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(processes)]
    ready = [each.stdout.readline() for each in running if each.stdout is not None]
    gate.touch()
    printed = [each.communicate(timeout=60)[0] for each in running]
    assert ready == ["ready\n"] * processes
    assert [each.returncode for each in running] == [0] * processes
    return printed
