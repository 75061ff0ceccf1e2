"""Transactions and policies to test with."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from shroff.core.columns import Batch
from shroff.core.decision import Decision, decide, snapshot
from shroff.core.observe import observe
from shroff.core.policy import Policy
from shroff.core.policy_document import read_policy
from shroff.core.transaction import Transaction

START = 1_700_000_000_000
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000

DOCUMENT = """
name = "sample"
[rates]
EUR = 1.1
[entities]
customer = "customer_id"
card = "card_id"
pair = ["customer_id", "merchant"]
[attributes]
terminal = "text"
tip = "number"
vip = "bool"
[features]
customer = ["count_5m", "amount_mean_1d", "amount_std_1d", "merchant_distinct_1h", "since_last_1d"]
card = ["count_1h", "amount_max_1d"]
pair = ["count_30d"]
[lists.blocked]
field = "customer_id"
[[rules]]
name = "fast"
when = "customer.count_5m >= 3"
outcome = "challenge"
score = 0.3
reason = "{customer.count_5m} payments in 5 minutes, {amount} now"
[[rules]]
name = "high"
when = "amount > 3 * customer.amount_mean_1d"
outcome = "review"
score = 0.4
[[rules]]
name = "odd_card"
when = "card.amount_max_1d > 500 or (card.count_1h >= 4 and missing(merchant))"
outcome = "decline"
score = 0.5
reason = "{card_id} at {merchant}"
[[rules]]
name = "listed"
when = "list.blocked and not attributes.vip"
outcome = "decline"
score = 0.9
[[rules]]
name = "tipped"
when = "attributes.tip > 10 or attributes.terminal == 'T1'"
outcome = "challenge"
score = 0.25
[[rules]]
name = "spread"
when = "amount > customer.amount_mean_1d + 2 * customer.amount_std_1d and pair.count_30d == 0"
outcome = "challenge"
score = 0.2
[thresholds]
review = 0.45
decline = 0.8
[sweep]
by = "customer"
[[sweep.rules]]
name = "high_amount"
when = "amount > 3 * window.amount_mean and amount > 1000"
reason = "High amount compared to average"
score = "round(amount / window.amount_mean, 2)"
[[sweep.rules]]
name = "high_frequency"
when = "window.count > 10"
reason = "High transaction frequency"
score = "window.count / 10"
"""

HEAVY = DOCUMENT.replace(
    '"merchant_distinct_1h"', ", ".join(f'"{of}_distinct_1h"' for of in ("merchant", "card", "ip", "email"))
)
"""With more distinct counts of a customer than one item of DynamoDB holds."""


def policy(document: str = DOCUMENT) -> Policy:
    return read_policy(document)


def transaction(number: int, at: int = 0, amount: int = 1000, **members: Any) -> Transaction:
    """`at` in milliseconds after START, `amount` in minor units."""
    values = {"currency": "USD", **members}
    return Transaction(transaction_id=f"t{number}", occurred_at=START + at, amount_minor=amount, **values)


offsets = st.one_of(
    st.integers(0, 10 * MINUTE),
    st.integers(0, 3 * DAY),
    st.sampled_from([0, 1, 4_999, 5_000, 5 * MINUTE - 1, 5 * MINUTE, HOUR, HOUR + 1, DAY, 400 * DAY]),
)


def numbered(drafts: Sequence[dict[str, Any]]) -> list[Transaction]:
    return [transaction(number, **draft) for number, draft in enumerate(drafts)]


_drafts = st.lists(
    st.fixed_dictionaries(
        {
            "at": offsets,
            "amount": st.one_of(st.integers(1, 100_000), st.integers(1, 10**15)),
            "currency": st.sampled_from(["USD", "USD", "USD", "EUR", "JPY"]),
            "customer_id": st.sampled_from(["ann", "bob", None]),
            "merchant": st.sampled_from(["shop", "bar", "inn", None]),
            "card_id": st.sampled_from(["c1", "c2", None]),
            "attributes": st.sampled_from(
                [None, {"tip": 12}, {"tip": "12"}, {"terminal": "T1", "vip": True}, {"terminal": 1}]
            ),
        }
    ),
    min_size=1,
    max_size=40,
)
streams = _drafts.map(numbered)
"""Late, out of order, on the same instant, far in the future; foreign, without a rate, without entities."""


def decided(which: Policy, transactions: Sequence[Transaction], cuts: Sequence[int] = ()) -> list[Decision]:
    """Decisions on a stream that comes in batches ending at the cuts; bob is on the blocklist."""
    state, found = which.empty_state(), list[Decision]()
    edges = [0, *sorted(cuts), len(transactions)]
    for start, end in pairwise(edges):
        batch = Batch.of(transactions[start:end])
        features = observe(state, batch)
        listed = {name: batch.texts[member] == "bob" for name, member in which.lists.items()}
        found += decide(which, batch, snapshot(features, listed), decided_at=START)
    return found
