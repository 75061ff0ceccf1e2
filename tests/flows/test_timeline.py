"""History lived through: however its days are taken together, everybody sees the same."""

from __future__ import annotations

from itertools import islice, pairwise

import numpy as np
import pytest

from shroff.core.columns import Batch
from shroff.core.observe import observe
from shroff.core.policy_document import read_policy
from shroff.core.transaction import parse
from shroff.flows.evaluate.history import History, joined
from shroff.flows.evaluate.protocol import DAY
from shroff.flows.evaluate.timeline import Timeline, days_together, maturing, span
from shroff.runtimes.wiring import default_policy
from shroff.simulator import simulate


@pytest.fixture(scope="module")
def history() -> History:
    """Two weeks of 40 customers; every ninth transaction was a fraud."""
    found = [parse(each.body) for each in islice(simulate(days=14, customers=40, seed=5), 3_000)]
    batch = joined([Batch.of(sorted(found, key=lambda each: each.occurred_at))])
    fraud = np.arange(len(batch)) % 9 == 0
    return History(batch=batch, fraud=fraud, labelled=np.arange(len(batch)) % 5 > 0)


def test_days_together_are_whole_days_that_follow_each_other_and_are_as_many_as_may_be(
    history: History,
) -> None:
    spans = list(days_together(history, 500))
    assert all(end == start and not (end - before) % DAY for (before, end), (start, _) in pairwise(spans))
    held = [span(history, *each) for each in spans]
    assert sum(rows.stop - rows.start for rows in held) == len(history)
    assert all(later.stop > earlier.start + 500 for earlier, later in pairwise(held))
    assert len(list(days_together(history, 0))) == (spans[-1][1] - spans[0][0]) // DAY


@pytest.mark.parametrize("most", [500, 10**6])
def test_days_together_have_the_features_of_days_one_by_one(history: History, most: int) -> None:
    policy = read_policy(default_policy())
    features = []
    for many in (0, most):
        known_at = maturing(history, 2 * DAY)
        line = Timeline(policy=policy, history=history, measure=observe, known_at=known_at)
        each = [line.live(span(history, *part), part[1]) for part in days_together(history, many)]
        features.append(np.vstack(each))
    np.testing.assert_array_equal(features[0], features[1])
