"""Each typology leaves its signature in the stream, some of its episodes plainly and others hardly."""

from __future__ import annotations

from collections import Counter
from statistics import mean, median

import pytest

from shroff.simulator import TYPOLOGIES, Simulated, simulate

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


def values(rows: list[Simulated], name: str) -> list[str]:
    return [str(row.body[name]) for row in rows if name in row.body]


def amounts(rows: list[Simulated]) -> list[float]:
    return [float(row.body["amount"]) for row in rows]


def span(rows: list[Simulated]) -> int:
    return rows[-1].occurred_at - rows[0].occurred_at


def test_there_are_six_typologies_and_each_strikes_several_times_in_a_month(month):
    assert len(TYPOLOGIES) == 6
    episodes = Counter(rows[0].typology for rows in month.episodes.values())
    assert set(episodes) == set(TYPOLOGIES)
    assert min(episodes.values()) >= 8


@pytest.mark.parametrize("fraud_rate", [0.002, 0.006, 0.02])
def test_the_share_of_fraud_is_the_one_asked_for(fraud_rate):
    rows = [row.fraud for row in simulate(days=20, customers=400, seed=5, fraud_rate=fraud_rate)]
    assert sum(rows) / len(rows) == pytest.approx(fraud_rate, rel=0.25)


def test_the_default_share_of_fraud_is_between_three_and_ten_in_a_thousand(month):
    assert 0.003 < sum(map(len, month.episodes.values())) / month.transactions < 0.01


def test_card_testing_tries_tiny_amounts_within_minutes_from_one_machine(month):
    for rows in month.of("card_testing"):
        assert median(amounts(rows)) < 9
        assert len(set(values(rows, "device_id"))) == len(set(values(rows, "ip"))) == 1
        tiny = [row for row in rows if float(row.body["amount"]) < 10]
        assert len(tiny) >= 12
        assert span(tiny) < 2 * HOUR
    assert any(span(rows[:12]) < 5 * MINUTE for rows in month.of("card_testing"))


def test_card_testing_tries_one_card_often_or_many_cards_at_one_merchant(month):
    cards = [len(set(values(rows, "card_id"))) for rows in month.of("card_testing")]
    assert 1 in cards
    assert max(cards) >= 12
    for rows in month.of("card_testing"):
        if len(set(values(rows, "card_id"))) > 1:
            assert len(set(values(rows, "merchant"))) == 1


def test_account_takeover_comes_from_a_machine_that_the_customer_never_had(month):
    for rows in month.of("account_takeover"):
        (victim,) = set(values(rows, "customer_id"))
        (device,) = set(values(rows, "device_id"))
        assert device not in month.devices[victim]
        assert set(values(rows, "channel")) == {"online"}


def test_account_takeover_drains_far_more_than_the_customer_usually_pays_and_mostly_from_abroad(month):
    factors, foreign = [], []
    for rows in month.of("account_takeover"):
        (victim,) = set(values(rows, "customer_id"))
        factors.append(mean(amounts(rows)) / mean(month.amounts[victim]))
        foreign.append(not set(values(rows, "country")) & month.countries[victim])
    assert median(factors) > 3
    assert max(factors) > 6
    assert min(factors) < 3  # the stealthy ones are not given away by the amount
    assert 0.2 < mean(foreign) < 0.9


def test_stolen_card_spree_goes_from_till_to_till_in_one_town_with_growing_amounts(month):
    grown = []
    for rows in month.of("stolen_card_spree"):
        assert len(set(values(rows, "card_id"))) == 1
        assert set(values(rows, "channel")) == {"pos"}
        assert span(rows) < 12 * HOUR
        latitudes = [float(text) for text in values(rows, "latitude")]
        assert max(latitudes) - min(latitudes) < 0.3
        assert len(set(values(rows, "merchant"))) >= 4
        grown.append(mean(amounts(rows[-2:])) > mean(amounts(rows[:2])))
    assert mean(grown) > 0.7


def test_compromised_cards_all_paid_at_one_till_days_before(month):
    for rows in month.of("compromised_merchant"):
        first = rows[0].occurred_at
        cards = set(values(rows, "card_id"))
        assert len(cards) >= 3
        shared = set.intersection(
            *({shop for at, shop in month.tills[card] if at < first - DAY} for card in cards)
        )
        assert shared
        assert not shared & set(values(rows, "merchant"))


def test_a_compromised_merchant_is_used_for_days(month):
    assert median(span(rows) for rows in month.of("compromised_merchant")) > 2 * DAY


def test_collusive_merchant_sells_to_a_small_ring_far_above_its_prices(month):
    for rows in month.of("collusive_merchant"):
        (shop,) = set(values(rows, "merchant"))
        assert len(set(values(rows, "customer_id"))) <= 6
        assert mean(amounts(rows)) > 1.8 * mean(month.by_merchant.get(shop, [1.0]))
        assert mean(amount % 50 == 0 for amount in amounts(rows)) > 0.3


def test_mule_burst_rushes_money_through_one_account(month):
    out_of_one = [rows for rows in month.of("mule_burst") if len(set(values(rows, "customer_id"))) == 1]
    into_one = [rows for rows in month.of("mule_burst") if len(set(values(rows, "merchant"))) == 1]
    assert out_of_one
    assert into_one
    assert len(out_of_one) + len(into_one) == len(month.of("mule_burst"))
    assert all(len(set(values(rows, "customer_id"))) == len(rows) for rows in into_one)
    for rows in month.of("mule_burst"):
        assert set(values(rows, "merchant_category")) == {"transfer"}
        assert span(rows) < 3 * HOUR
    assert max(len(rows) for rows in out_of_one if span(rows) < HOUR) >= 12


def test_episodes_of_a_typology_differ_in_how_plain_they_are(month):
    paces = sorted(span(rows) / len(rows) for rows in month.of("card_testing"))
    assert paces[-1] > 4 * paces[0]
