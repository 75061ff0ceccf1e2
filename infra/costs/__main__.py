"""`python -m infra.costs` writes docs/cost.md; with --check it fails where it would write another."""

from __future__ import annotations

import sys
from pathlib import Path

from infra.costs.bill import Biller
from infra.costs.counted import read_counted
from infra.costs.layout import read_layout
from infra.costs.page import page
from infra.costs.prices import read_prices

PAGE = Path(__file__).parents[2] / "docs" / "cost.md"


def main(arguments: list[str]) -> int:
    """Write the page, or compare it; returns what the process exits with."""
    written = page(Biller(read_layout(), read_counted(), read_prices()))
    if "--check" not in arguments:
        PAGE.write_text(written, encoding="utf-8")
        return 0
    if PAGE.read_text(encoding="utf-8") == written:
        return 0
    sys.stderr.write("docs/cost.md is not what is computed now: make costs\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
