from __future__ import annotations

import hashlib
import json
import re
from dataclasses import astuple
from itertools import islice, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shroff.simulator import DEFAULT_START, TYPOLOGIES, Simulated, simulate, simulate_days

WIRE = {
    *("transaction_id", "amount", "timestamp", "customer_id", "merchant", "currency", "card_id", "device_id"),
    *("ip", "email", "country", "merchant_category", "channel", "latitude", "longitude"),
}
DAY = 86_400_000


def taken(**arguments) -> list[Simulated]:
    return list(simulate(**{"days": 6, "customers": 120, "seed": 7, "fraud_rate": 0.03} | arguments))


def digest(rows: list[Simulated]) -> str:
    return hashlib.sha256("\n".join(json.dumps(astuple(row)) for row in rows).encode()).hexdigest()


@pytest.fixture(scope="module")
def rows() -> list[Simulated]:
    return taken()


def test_the_same_arguments_give_the_same_bytes(rows):
    assert digest(taken()) == digest(rows)


@pytest.mark.parametrize("other", [{"seed": 8}, {"customers": 121}, {"start": DEFAULT_START + DAY}])
def test_other_arguments_give_other_transactions_with_other_ids(rows, other):
    ids = {row.body["transaction_id"] for row in rows}
    assert not ids & {row.body["transaction_id"] for row in taken(**other)}


def test_more_days_only_add_transactions_at_the_end(rows):
    longer = taken(days=7)
    assert longer[: len(rows)] == rows
    assert len(longer) > len(rows)


def test_transactions_come_in_time_order_across_days_and_ids_are_unique(rows):
    assert all(earlier.occurred_at <= later.occurred_at for earlier, later in pairwise(rows))
    assert len({row.body["transaction_id"] for row in rows}) == len(rows)


def test_each_day_holds_its_own_24_hours_only():
    start = DEFAULT_START + 5 * 3_600_000 + 17
    for number, day in enumerate(simulate_days(days=4, customers=60, seed=1, start=start, fraud_rate=0.05)):
        assert len(day) > 0
        assert start + number * DAY <= day.occurred_at[0]
        assert day.occurred_at[-1] < start + (number + 1) * DAY


def test_the_columns_of_a_day_say_what_its_rows_say():
    day = next(simulate_days(days=1, customers=60, seed=1))
    assert set(day.wire) == WIRE
    for at, row in enumerate(day):
        present = {name: column[at] for name, column in day.wire.items() if column[at] is not None}
        assert row.body == present
        assert (row.typology, row.episode) == (day.typology[at], day.episode[at])


def test_a_long_simulation_starts_at_once_because_days_are_made_when_asked_for():
    assert len(list(islice(simulate(days=1_000_000, customers=20, seed=3), 100))) == 100


def test_the_wire_body_has_known_members_only_and_no_label(rows):
    always = WIRE - {"device_id", "ip", "email"}
    for row in rows:
        assert always <= row.body.keys() <= WIRE
        assert row.fraud is (row.typology is not None) is (row.episode is not None)
        text = json.dumps(row.body)
        assert not any(word in text for word in ("fraud", "episode", "label", *TYPOLOGIES))


def test_names_look_the_same_for_fraud_and_for_honest_payments(rows):
    shapes: dict[bool, set[tuple[str, str]]] = {True: set(), False: set()}
    for row in rows:
        for name in ("transaction_id", "customer_id", "card_id", "device_id", "email"):
            text = re.sub("[0-9a-f]", "x", str(row.body.get(name)).split("@")[0].partition("-")[2])
            shapes[row.fraud].add((name, text))
    assert shapes[True] == shapes[False]


def test_the_order_of_ids_tells_nothing_about_fraud(rows):
    by_id = sorted(rows, key=lambda row: str(row.body["transaction_id"]))
    positions = [at / len(rows) for at, row in enumerate(by_id) if row.fraud]
    assert len(positions) > 40
    assert 0.35 < sum(positions) / len(positions) < 0.65


def test_amounts_are_positive_decimal_text_with_two_places(rows):
    for row in rows:
        assert re.fullmatch(r"\d+\.\d\d", str(row.body["amount"]))
        assert float(row.body["amount"]) > 0


def test_the_wire_says_the_instant_in_seconds_with_milliseconds(rows):
    for row in rows:
        text = json.dumps(row.body["timestamp"])
        assert re.fullmatch(r"\d{10}\.\d{1,3}", text)
        seconds, _, fraction = text.partition(".")
        assert int(seconds) * 1000 + int(fraction.ljust(3, "0")) == row.occurred_at


def test_machines_are_seen_online_only(rows):
    for row in rows:
        online = row.body["channel"] == "online"
        assert {name in row.body for name in ("device_id", "ip", "email")} == {online}


@settings(max_examples=25, deadline=None)
@given(
    days=st.integers(0, 5),
    customers=st.integers(1, 6),
    seed=st.integers(0, 2**64),
    start=st.integers(0, 2 * DEFAULT_START),
    fraud_rate=st.floats(0, 0.5),
)
def test_small_worlds_simulate_too(days, customers, seed, start, fraud_rate):
    rows = taken(days=days, customers=customers, seed=seed, start=start, fraud_rate=fraud_rate)
    assert all(start <= row.occurred_at < start + days * DAY for row in rows)
    assert all(earlier.occurred_at <= later.occurred_at for earlier, later in pairwise(rows))
    assert len({row.body["transaction_id"] for row in rows}) == len(rows)


def test_one_lonely_customer_can_be_defrauded():
    found = {row.typology for row in taken(days=60, customers=1, fraud_rate=0.5)}
    assert {"card_testing", "account_takeover", "stolen_card_spree", "mule_burst"} <= found


def test_no_fraud_is_simulated_at_a_rate_of_zero():
    assert not any(row.fraud for row in taken(fraud_rate=0.0))


@pytest.mark.parametrize(
    "wrong", [{"days": -1}, {"customers": 0}, {"seed": -1}, {"fraud_rate": -0.1}, {"fraud_rate": 0.6}]
)
def test_senseless_arguments_are_refused_at_once(wrong):
    with pytest.raises(ValueError, match="must not be negative"):
        simulate_days(**{"days": 1, "customers": 1, "seed": 1} | wrong)
