from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime
from statistics import mean, median, pstdev

import pytest

from shroff.simulator import Simulated, simulate

HOUR, DAY = 3_600_000, 86_400_000
CHRISTMAS = int(datetime(2025, 12, 8, tzinfo=UTC).timestamp()) * 1000
OCTOBER = int(datetime(2025, 10, 6, tzinfo=UTC).timestamp()) * 1000


@pytest.fixture(scope="module")
def lives() -> dict[str, list[Simulated]]:
    """Forty days of a hundred customers without fraud, by customer."""
    lives = defaultdict(list)
    for item in simulate(days=40, customers=100, seed=11, fraud_rate=0.0):
        lives[str(item.body["customer_id"])].append(item)
    return {customer: rows for customer, rows in lives.items() if len(rows) >= 40}


def shares(rows: list[Simulated], name: str) -> list[float]:
    counts = Counter(row.body[name] for row in rows if name in row.body)
    return [count / counts.total() for _, count in counts.most_common()]


def test_customers_mostly_pay_at_a_dozen_favourites_and_now_and_then_somewhere_new(lives):
    assert median(sum(shares(rows, "merchant")[:12]) for rows in lives.values()) > 0.7
    assert mean(len(shares(rows, "merchant")) > 12 for rows in lives.values()) > 0.8


def test_customers_mostly_stay_in_one_country_and_some_travel(lives):
    assert median(shares(rows, "country")[0] for rows in lives.values()) > 0.9
    assert 0.05 < mean(len(shares(rows, "country")) > 1 for rows in lives.values()) < 0.7


def test_customers_carry_one_or_two_cards_and_few_devices(lives):
    assert {len(shares(rows, "card_id")) for rows in lives.values()} == {1, 2}
    assert median(len(shares(rows, "device_id")) for rows in lives.values()) <= 3
    assert all(len(shares(rows, "email")) <= 1 for rows in lives.values())


def test_honest_cards_and_devices_belong_to_one_customer(lives):
    for name in ("card_id", "device_id", "email"):
        owners = defaultdict(set)
        for customer, rows in lives.items():
            for row in rows:
                owners[row.body.get(name)].add(customer)
        owners.pop(None, None)
        assert all(len(customers) == 1 for customers in owners.values())


def test_each_customer_has_an_own_level_of_spending(lives):
    levels = [median(float(row.body["amount"]) for row in rows) for rows in lives.values()]
    halves = [
        abs(
            median(float(row.body["amount"]) for row in rows[::2])
            - median(float(row.body["amount"]) for row in rows[1::2])
        )
        for rows in lives.values()
    ]
    assert pstdev(levels) > 2 * median(halves)


def test_nights_are_quiet_on_the_local_clock(lives):
    german = [row for rows in lives.values() for row in rows if row.body["country"] == "DE"]
    hours = [(row.occurred_at // HOUR + 1) % 24 for row in german]
    assert mean(1 <= hour < 5 for hour in hours) < 0.05
    assert mean(7 <= hour < 23 for hour in hours) > 0.85


def test_cash_machines_give_whole_notes(lives):
    cash = [float(r.body["amount"]) for rows in lives.values() for r in rows if r.body["channel"] == "atm"]
    assert len(cash) > 50
    assert all(amount % 20 == 0 for amount in cash)


def test_the_money_is_that_of_the_home_country(lives):
    for rows in lives.values():
        assert len({row.body["currency"] for row in rows}) == 1


def test_people_pay_more_often_before_christmas():
    def payments(start: int) -> int:
        return sum(1 for _ in simulate(days=7, customers=300, seed=2, start=start, fraud_rate=0.0))

    assert payments(CHRISTMAS) > 1.15 * payments(OCTOBER)


def test_honest_bursts_happen_that_only_look_like_fraud(lives):
    busiest = 0
    for rows in lives.values():
        instants = [row.occurred_at for row in rows]
        for at in range(len(instants) - 5):
            busiest += instants[at + 5] - instants[at] < HOUR
    assert busiest > 20
