"""Features over a history as one writes them with pandas: windows of customers and merchants, habits, labels.

python benchmarks/peers/pandas_features.py FILE.npz DELAY_DAYS

The file has `when` [n] int64 ms ascending, `customer`, `merchant` [n] int, `amount` [n], `fraud` [n] bool.
What pandas has no rolling function for is left out: distinct counts, runs of frauds, what came after them.
"""

from __future__ import annotations

import json
import sys
from time import perf_counter, process_time

import numpy as np
import pandas as pd  # type: ignore[import-untyped,unused-ignore]

SPANS = {
    "customer": ("5min", "1h", "1D", "7D", "30D"),
    "merchant": ("1h", "1D", "7D", "30D"),
}


def of_transactions(frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """Counts, sums, means, deviations and maxima; and the median, by which this amount is a surprise."""
    found = {}
    for entity, spans in SPANS.items():
        groups = frame.groupby(entity, sort=False)["amount"]
        for span in spans:
            window = groups.rolling(span, closed="left")
            operations = ["count", "sum"] + (["mean", "std", "max"] if span == "30D" else [])
            for operation in operations:
                found[f"{entity}.{operation}_{span}"] = getattr(window, operation)().to_numpy()
        if entity == "customer":
            window = groups.rolling("30D", closed="left")
            found["customer.median_30D"] = window.median().to_numpy()
            found["customer.rank_30D"] = groups.rolling("30D").rank(pct=True).to_numpy()
    return found


def of_labels(frame: pd.DataFrame, delay: pd.Timedelta) -> dict[str, np.ndarray]:
    """Counts of labels and frauds by when they became known: labels and transactions in one order of time."""
    found = {}
    labels = frame.assign(labelled=1.0, frauds=frame["fraud"].astype(float), asked=False)
    labels.index = labels.index + delay
    asked = frame.assign(labelled=0.0, frauds=0.0, asked=True)
    both = pd.concat([labels, asked]).sort_index(kind="stable")
    for entity, spans in (("customer", ("30D",)), ("merchant", ("7D", "30D"))):
        groups = both.groupby(entity, sort=False)
        for span in spans:
            for column in ("labelled", "frauds"):
                found[f"{entity}.{column}_{span}"] = groups[column].rolling(span).sum().to_numpy()
    return found


def main() -> None:
    """Print the seconds and how many columns there were."""
    data, delay = np.load(sys.argv[1]), pd.Timedelta(days=float(sys.argv[2]))
    index = pd.to_datetime(data["when"], unit="ms")
    names = ("customer", "merchant", "amount", "fraud")
    frame = pd.DataFrame({name: data[name] for name in names}, index=index)
    wall, processor = perf_counter(), process_time()
    found = of_transactions(frame) | of_labels(frame, delay)
    told = {
        "seconds": round(perf_counter() - wall, 1),
        "cpu_seconds": round(process_time() - processor, 1),
        "columns": len(found),
        "pandas": pd.__version__,
    }
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
