"""What keeping each entity apart costs: bytes of its part, time for a batch of 10 with interpreted kernels.

python benchmarks/parts.py [--json]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import numpy as np

from shroff.codec import decode_part, encode_part
from shroff.core import chains, distincts
from shroff.core.columns import Batch
from shroff.core.observe import observe
from shroff.core.parts import touched
from shroff.core.policy import Policy
from shroff.core.policy_document import read_policy
from shroff.core.transaction import Transaction
from shroff.runtimes.wiring import default_policy

START, DAY = 1_750_000_000_000, 86_400_000
EVENTS = (1, 3, 10, 30, 200)
BATCHES, SIZE = 30, 10
STEPS = ("load", "observe", "store")


def payments(number: int, span: int, **members: str) -> list[Transaction]:
    """So many payments within `span` milliseconds, every member present; `members` are the same in all."""
    random = np.random.default_rng(number)
    times = START + np.sort(random.integers(0, span, number))
    amounts = np.rint(random.lognormal(8, 1, number)).astype(int) + 1
    drawn = random.integers(0, (max(1, number // 4), 30, 2, 2, 8), (number, 5)).tolist()
    return [
        Transaction(
            transaction_id=f"t{row}", occurred_at=int(times[row]), amount_minor=int(amounts[row]),
            currency="USD", country="DE", **texts(drawn[row], members),
        )
        for row in range(number)
    ]  # fmt: skip


def texts(drawn: Sequence[int], members: Mapping[str, str]) -> dict[str, Any]:
    """Whom and what a payment is about."""
    kinds = ("customer_id", "merchant", "card_id", "device_id", "ip")
    return {kind: f"{kind}-{value}" for kind, value in zip(kinds, drawn, strict=True)} | dict(members)


def size(policy: Policy, entity: str, key: str, events: Sequence[Transaction]) -> int:
    """Bytes of one entity's part after these events."""
    state = policy.empty_state()
    observe(state, Batch.of(events))
    return len(encode_part(state.take(entity, key)))


def sizes(policy: Policy) -> dict[str, int]:
    """Bytes of a customer's part, over 60 days, and of a merchant's, over two."""
    found = {
        f"customer, {number} events": size(
            policy, "customer", "ann", payments(number, 60 * DAY, customer_id="ann")
        )
        for number in EVENTS
    }
    shop = payments(20_000, 2 * DAY, merchant="shop")
    return found | {"merchant, 20000 events": size(policy, "merchant", "shop", shop)}


def batch_of_ten(policy: Policy, stream: Sequence[Transaction]) -> dict[str, float]:
    """Milliseconds to load, observe and store a batch, whose parts come from all that was before it."""
    before, taken = policy.empty_state(), [0.0, 0.0, 0.0]
    known = len(stream) - BATCHES * SIZE
    observe(before, Batch.of(stream[:known]))
    first = touched(policy.layouts, Batch.of(stream[known:]))
    kept = {pair: encode_part(before.take(*pair)) for pair in first}
    with interpreted():
        for start in range(known, len(stream), SIZE):
            batch = Batch.of(stream[start : start + SIZE])
            begun = perf_counter()
            pairs, state = touched(policy.layouts, batch), policy.empty_state()
            for pair in pairs:
                state.give(*pair, decode_part(kept[pair]))
            loaded = perf_counter()
            observe(state, batch)
            observed = perf_counter()
            for pair in pairs:
                kept[pair] = encode_part(state.take(*pair))
            ended = perf_counter()
            for step, seconds in enumerate((loaded - begun, observed - loaded, ended - observed)):
                taken[step] += seconds
    found = {name: step / BATCHES * 1e3 for name, step in zip(STEPS, taken, strict=True)}
    return {name: round(milliseconds, 2) for name, milliseconds in found.items()}


@contextmanager
def interpreted() -> Iterator[None]:
    """The kernels' plain Python forms in place of their compiled ones."""
    kernels = [
        (module, name, kernel)
        for module in (chains, distincts)
        for name, kernel in vars(module).items()
        if hasattr(kernel, "py_func")
    ]
    for module, name, kernel in kernels:
        setattr(module, name, kernel.py_func)
    try:
        yield
    finally:
        for module, name, kernel in kernels:
            setattr(module, name, kernel)


def measure() -> dict[str, dict[str, float] | dict[str, int]]:
    """Bytes by entity, milliseconds by batch."""
    policy = read_policy(default_policy())
    sparse, dense = payments(3_000, 30 * DAY), payments(20_000, 2 * DAY, merchant="shop")
    return {
        "bytes": sizes(policy),
        "ms, sparse": batch_of_ten(policy, sparse),
        "ms, one busy merchant": batch_of_ten(policy, dense),
    }


def main() -> None:
    """Print the figures, as a table or as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    asked = parser.parse_args()
    found = measure()
    if asked.json:
        sys.stdout.write(json.dumps(found) + "\n")
        return
    for title, row in found.items():
        sys.stdout.write(f"{title}\n")
        for name, figure in row.items():
            sys.stdout.write(f"  {name:<24}{figure:>10,}\n")


if __name__ == "__main__":
    main()
