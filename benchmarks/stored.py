"""Data folders with 0.1, 1 and 10 million transactions stored, for the benchmarks of sweeps and restarts.

python -m benchmarks.stored FOLDER [--sizes 100000 1000000 10000000]

Each ends at the same moment and at the same rate, 100,000 transactions a day of 50,000 customers, so that
the newest hour of all is as busy. They are imported as anybody would; the last of them after a copy of the
snapshot was put aside, as a worker that was killed leaves it. Ten million take 18 GB, and half an hour on a
busy machine.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path
from time import perf_counter

import numpy as np
import polars as pl

SIZES = (100_000, 1_000_000, 10_000_000)
END, A_DAY = 1_760_000_000, 100_000
CUSTOMERS, MERCHANTS, USUAL = 50_000, 5_000, 10
MOST_AGAIN = 250_000
"""What a restart after a kill has to observe again: half of what may lie between two snapshots."""
AGED = "state.snapshot.aged"
"""The snapshot of before that."""


def write(path: Path, first: int, last: int) -> None:
    """Transactions `first` to `last`, counted back from the end: the same ones whatever the size."""
    numbers = np.arange(first, last, -1)
    dice = np.random.default_rng(7)
    offset, spread = dice.integers(0, MERCHANTS, CUSTOMERS), dice.integers(1, 97, CUSTOMERS)
    # What a transaction is follows from its number, so that files of different sizes agree.
    mixed = (numbers * 2_654_435_761 + 12_345) % 2**32
    customer = mixed % CUSTOMERS
    usual = (mixed >> 16) % USUAL
    amount = np.exp(3 + (mixed % 1_009) / 1_009 * 2 - (mixed % 31) / 31).round(2)
    frame = pl.DataFrame(
        {
            "number": numbers,
            "timestamp": END - numbers * 86_400 / A_DAY,
            "customer": customer,
            "merchant": (offset[customer] + usual * spread[customer]) % MERCHANTS,
            "amount": amount,
        }
    )
    frame.select(
        transaction_id=pl.format("t{}", "number"),
        timestamp="timestamp",
        customer_id=pl.format("customer-{}", "customer"),
        merchant=pl.format("merchant-{}", "merchant"),
        amount="amount",
    ).write_parquet(path)


def build(folder: Path, size: int) -> Path:
    """The data folder with so many transactions; made where it is not there."""
    data = folder / str(size)
    if (data / AGED).exists():
        return data
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    (data / "settings.toml").write_text("log_alerts = false\n", "utf-8")
    begun = perf_counter()
    again = min(size // 2, MOST_AGAIN)
    for name, first, last in (("most", size, again), ("rest", again, 0)):
        file = data / f"{name}.parquet"
        write(file, first, last)
        command = [sys.executable, "-m", "shroff", "import", str(file), "--data", str(data), "--json"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        file.unlink()
        if name == "most":
            shutil.copy(data / "state.snapshot", data / "aged")
    (data / "aged").rename(data / AGED)
    sys.stdout.write(f"{size:,} stored in {perf_counter() - begun:.0f} s\n")
    sys.stdout.flush()
    return data


def main() -> None:
    """Build all that are not there."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("folder", type=Path, nargs="?")
    asked.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    asked.add_argument(
        "--json", action="store_true", help="as all benchmarks have it; nothing is measured here"
    )
    given = asked.parse_args()
    if given.folder is None:
        sys.stdout.write("left out: name a folder that has room for it\n")
        return
    for size in given.sizes:
        build(given.folder, size)


if __name__ == "__main__":
    main()
