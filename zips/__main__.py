"""Pack every function of the stack, or those that are named."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from zips import Unpackable, archive, bytecode, closure, wheels
from zips.functions import HANDLERS

ROOT = Path(__file__).parent.parent


def pack(path: Path, handler: str, third: list[wheels.Wheel]) -> str:
    """Write the zip of one handler and say what is in it."""
    needs = closure.closure(handler)
    files = {name: file.read_bytes() for name, file in closure.sources(needs.modules, ROOT / "src")}
    taken = wheels.needed(third, needs.imported)
    for wheel in taken:
        files.update(wheel.contents())
    files.update(bytecode.compiled(files))
    archive.write(path, files)
    zipped, unzipped = path.stat().st_size / 1e6, sum(map(len, files.values())) / 1e6
    names = ", ".join(wheel.name for wheel in taken)
    sizes = f"{zipped:5.1f} MB, {unzipped:5.1f} MB unzipped"
    return f"{path.name:<22} {sizes}: {len(needs.modules)} modules, {names}"


def main() -> int:
    """Read the command line and pack."""
    parser = argparse.ArgumentParser(prog="python -m zips", description=__doc__)
    parser.add_argument("functions", nargs="*", metavar="FUNCTION", help=", ".join(HANDLERS))
    parser.add_argument("--to", type=Path, default=ROOT / "dist", help="the folder of the zips")
    parser.add_argument("--wheels", type=Path, default=ROOT / "var/wheels", help="where wheels are kept")
    given = parser.parse_args()
    if unknown := set(given.functions) - set(HANDLERS):
        parser.error(f"no function {', '.join(sorted(unknown))}; there are {', '.join(HANDLERS)}")
    if not bytecode.same_python():
        print(
            f"Only Python {wheels.PYTHON} can compile for Lambda: cold starts will be slower", file=sys.stderr
        )
    try:
        third = wheels.fetch(ROOT / "requirements-lambda.lock", given.wheels)
        for name in given.functions or HANDLERS:
            print(pack(given.to / f"{name}.zip", HANDLERS[name], third))
    except Unpackable as problems:
        print(problems, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
