"""Decisions: outcome, score and reasons, the same however a stream is cut."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shroff.codec import decode_reasons, encode, encode_reasons
from shroff.core.columns import Batch
from shroff.core.decision import Decision, decide
from shroff.core.policy import OUTCOMES, SCORE, Policy
from shroff.core.transaction import Transaction
from tests.core.samples import START, decided, policy, streams, transaction

_policy = cache(policy)
HOUR, DAY = 3_600_000, 86_400_000


def alone(document: str, **members: Any) -> Decision:
    """The decision on one transaction under a policy without features."""
    which = _policy(document)
    return decide(which, Batch.of([transaction(1, **members)]), np.empty((1, 0)), decided_at=5)[0]


def rules(*rules: tuple[str, str, float | str], rest: str = "") -> str:
    """A policy of (when, outcome, score), named r0, r1, …"""
    text = [
        f"[[rules]]\nname = 'r{at}'\nwhen = '''{when}'''\noutcome = '{outcome}'\nscore = {score}\n"
        for at, (when, outcome, score) in enumerate(rules)
    ]
    return "\n".join(text) + rest


def test_no_hit_is_approved_without_a_reason() -> None:
    decision = alone(rules(("amount > 100", "decline", 0.9)))
    assert (decision.outcome, decision.score, decision.reasons) == ("approve", 0.0, ())
    assert decision.decided_at == 5
    assert decision.policy_version == _policy(rules(("amount > 100", "decline", 0.9))).version


def test_the_highest_hit_wins_whatever_the_order_of_the_rules() -> None:
    hits = [("amount > 1", outcome, 0.1) for outcome in ("review", "challenge", "decline", "approve")]
    for order in (hits, hits[::-1]):
        decision = alone(rules(*order))
        assert decision.outcome == "decline"
        assert [reason.outcome for reason in decision.reasons] == [outcome for _, outcome, _ in order]


@given(st.lists(st.tuples(st.integers(0, 100), st.booleans()), min_size=1, max_size=6))
def test_scores_join_as_independent_chances(scored: list[tuple[int, bool]]) -> None:
    document = rules(*(("amount > 1" if hit else "amount < 1", "review", s / 100) for s, hit in scored))
    expected = 1 - math.prod(1 - s / 100 for s, hit in scored if hit)
    assert alone(document).score == pytest.approx(expected, abs=1e-6)


def test_a_score_at_a_threshold_leads_to_its_outcome_and_says_so() -> None:
    document = rules(("amount > 1", "challenge", 0.3), ("amount > 2", "challenge", 0.3))
    decision = alone(document + "[thresholds]\nreview = 0.51\ndecline = 0.52")
    assert decision.outcome == "review"
    assert [reason.rule for reason in decision.reasons] == ["r0", "r1", SCORE]
    last = decision.reasons[-1]
    assert (last.outcome, last.score, last.values) == ("review", 0.51, {"score": 0.51})
    assert last.reason == "All rules together score 0.51, and review begins at 0.51"


def test_a_threshold_never_makes_an_outcome_milder() -> None:
    decision = alone(rules(("amount > 1", "decline", 0.3), rest="[thresholds]\nchallenge = 0.1"))
    assert decision.outcome == "decline"
    assert [reason.rule for reason in decision.reasons] == ["r0"]


def test_a_reason_shows_the_values_that_made_it() -> None:
    document = rules(("amount > 5 and missing(card_id)", "review", 0.5))
    document += "reason = '{amount} by {customer_id} with {card_id} at {hour} h'"
    [reason] = alone(document, amount=123_456_789, customer_id="{ann}").reasons
    assert reason.reason == "1,234,567.89 by {ann} with none at 22 h"
    assert reason.values == {"amount": 1234567.89, "card_id": None, "customer_id": "{ann}", "hour": 22.0}
    assert (reason.rule, reason.outcome, reason.score) == ("r0", "review", 0.5)


@given(st.lists(st.floats() | st.integers(-(10**15), 10**15).map(lambda cents: cents / 100), min_size=1))
def test_a_reason_keeps_numbers_to_six_decimals(numbers: list[float]) -> None:
    which = _policy(rules(("1 > 0 or attributes.x > 0", "review", 0.5), rest="[attributes]\nx = 'number'"))
    batch = Batch.of([transaction(at, attributes={"x": number}) for at, number in enumerate(numbers)])
    decisions = decide(which, batch, np.empty((len(numbers), 0)), decided_at=5)
    kept = [each.reasons[0].values["attributes.x"] for each in decisions]
    assert kept == [None if math.isnan(number) else round(number, 6) for number in numbers]


@pytest.mark.parametrize(
    "when", ["amount > 0", "amount <= 0", "amount == amount", "latitude < 5", "not amount > 0"]
)
def test_a_missing_value_makes_a_comparison_false(when: str) -> None:
    decision = alone(rules((when, "review", 0.5)), currency="CHF")
    assert decision.outcome == ("review" if when.startswith("not") else "approve")


def test_hour_and_weekday_are_in_utc() -> None:
    document = rules(("hour == 22 and weekday == 1", "review", 0.5))  # START is a Tuesday, 22:13 UTC
    assert alone(document).outcome == "review"


@pytest.mark.parametrize(
    ("kind", "when", "hits"),
    [
        ("number", "attributes.x > 1", [2, 2.5]),
        ("text", "attributes.x != 'b'", ["a", "", "2"]),
        ("bool", "attributes.x", [True]),
    ],
)
def test_an_attribute_of_another_kind_is_missing(kind: str, when: str, hits: list[Any]) -> None:
    document = rules((when, "review", 0.5), rest=f"[attributes]\nx = '{kind}'")
    for value in (2, 2.5, "a", "", "2", True, False, None):
        attributes = None if value is None else {"x": value}
        hit = any(value is each or (value == each and type(value) is type(each)) for each in hits)
        assert alone(document, attributes=attributes).outcome == ("review" if hit else "approve"), value


def test_a_listed_customer_is_declined_and_another_is_not() -> None:
    which = policy()
    first, second = decided(which, [transaction(1, customer_id="bob"), transaction(2, customer_id="ann")])
    assert (first.outcome, second.outcome) == ("decline", "approve")
    assert [reason.rule for reason in first.reasons] == ["listed"]
    assert first.reasons[0].values == {"attributes.vip": False, "list.blocked": True}


def test_a_snapshot_is_the_features_and_lists_as_little_endian_doubles() -> None:
    which = policy()
    decision = decided(which, [transaction(number, number * 1000, customer_id="bob") for number in range(3)])[
        2
    ]
    stored = dict(zip(which.snapshot_names, np.frombuffer(decision.snapshot, "<f8").tolist(), strict=True))
    assert stored["customer.count_5m"] == 2
    assert stored["customer.since_last_1d"] == 1
    assert math.isnan(stored["card.count_1h"])
    assert stored["list.blocked"] == 1
    assert list(stored)[-1] == "list.blocked"


def as_bytes(decisions: list[Decision]) -> list[bytes]:
    return [encode(decision) for decision in decisions]


@given(streams, st.data())
def test_any_split_of_a_stream_into_batches_gives_the_same_decisions_to_the_byte(
    stream: list[Transaction], data: st.DataObject
) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=6))
    which = _policy()
    assert as_bytes(decided(which, stream, cuts)) == as_bytes(decided(which, stream))


@given(streams)
def test_one_at_a_time_gives_the_same_decisions_to_the_byte(stream: list[Transaction]) -> None:
    which = _policy()
    assert as_bytes(decided(which, stream, range(1, len(stream)))) == as_bytes(decided(which, stream))


@given(streams)
def test_every_decision_follows_from_its_reasons(stream: list[Transaction]) -> None:
    which: Policy = _policy()
    for decision in decided(which, stream):
        outcomes = [OUTCOMES.index(reason.outcome) for reason in decision.reasons]
        assert OUTCOMES.index(decision.outcome) == max(outcomes, default=0)
        chances = [1 - reason.score for reason in decision.reasons if reason.rule != SCORE]
        assert decision.score == pytest.approx(1 - math.prod(chances), abs=1e-6)
        assert decode_reasons(encode_reasons(decision.reasons)) == decision.reasons


@pytest.mark.parametrize(
    ("score", "amount", "expected"),
    [
        ("amount / 400", 100, 0.25),
        ("amount / 300", 100, 0.333333),  # to six decimals, as machines may differ behind them
        ("amount - 500", 100, 0.0),
        ("amount", 100, 1.0),
        ("latitude / 90", 100, 0.0),  # missing
    ],
)
def test_a_score_that_varies_is_worked_out_for_each_hit(score: str, amount: int, expected: float) -> None:
    document = rules(("amount > 1", "review", f'"{score}"'))
    decision = alone(document, amount=amount * 100)
    assert (decision.score, decision.reasons[0].score) == (expected, expected)


def test_scores_that_vary_join_with_those_that_do_not_and_show_their_values() -> None:
    document = rules(("amount > 1", "review", '"hour / 48 + amount / 400"'), ("amount > 2", "review", 0.5))
    decision = alone(document, amount=10_000, at=-START % DAY + 12 * HOUR)
    assert decision.score == pytest.approx(1 - 0.5 * 0.5)
    assert decision.reasons[0].values == {"amount": 100.0, "hour": 12.0}


DERIVED = """
[entities]
customer = "customer_id"
[features]
customer = ["count_1h", "count_1d"]
[derived]
burst = "(1 + customer.count_1h) / (1 + customer.count_1d) * amount"
[[rules]]
name = "burst"
when = "derived.burst > 20"
outcome = "review"
score = "derived.burst / 100"
reason = "a burst of {derived.burst}"
"""


@given(streams)
def test_what_is_derived_is_the_same_however_a_stream_is_cut(stream: list[Transaction]) -> None:
    which = _policy(DERIVED)
    whole, single = decided(which, stream), decided(which, stream, range(1, len(stream)))
    assert [encode_reasons(each.reasons) for each in whole] == [
        encode_reasons(each.reasons) for each in single
    ]


def test_a_rule_reads_and_shows_what_is_derived() -> None:
    which = _policy(DERIVED)
    one = Batch.of([transaction(1, amount=5_000)])
    decision = decide(which, one, np.array([[0.0, 1.0]]), decided_at=5)[0]
    assert (decision.score, decision.reasons[0].reason) == (0.25, "a burst of 25")
    assert "derived.burst" in which.number_names, "and so may a model"


@pytest.mark.parametrize(
    ("hour", "weekday", "night", "weekend"),
    [
        (0, 3, True, False),
        (5, 3, True, False),
        (6, 3, False, False),
        (29, 4, True, False),
        (48, 5, True, True),
    ],
)
def test_night_and_weekend_are_by_utc(hour: int, weekday: int, night: bool, weekend: bool) -> None:
    document = rules(("night", "review", 0), ("weekend", "review", 0), (f"weekday == {weekday}", "review", 0))
    decision = alone(document, at=hour * HOUR - START)  # 1970-01-01 was a Thursday
    hits = {reason.rule for reason in decision.reasons}
    assert hits == {"r2", *(["r0"] if night else []), *(["r1"] if weekend else [])}
