"""Runs inside a function's process: AWS's runtime client, the unpacked zip, and nothing else of this
machine.

`python -I -S launcher.py ZIP_FOLDER CLIENT_FOLDER HANDLER`: Python's own library is all that is on the path
besides.
"""

import os
import sys


def main(task: str, client: str, handler: str) -> None:
    sys.path[:0] = [task, client]
    os.chdir(task)
    from awslambdaric.__main__ import main as run

    run(["bootstrap", handler])


if __name__ == "__main__":
    main(*sys.argv[1:])
