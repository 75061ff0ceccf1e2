"""What a card says is what was measured."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from shroff.codec import instant
from shroff.core.errors import Rejected
from shroff.core.metrics import average_precision
from shroff.core.model import Model
from shroff.core.policy import OUTCOMES
from shroff.core.policy_document import read_policy
from shroff.core.thresholds import Costs
from shroff.flows.card import as_json, as_page
from shroff.flows.evaluate.protocol import DAY
from shroff.flows.train import Ask, Make, Split, train
from tests.card.made import ASK, MAKE, POLICY, grown, made, silent, told
from tests.core.models import stump
from tests.flows.evaluated import START


def kinds(card: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    return {kind["by"]: kind["slices"] for kind in card["slices"]}


def test_the_same_history_and_seed_give_the_same_card_and_page_to_the_byte() -> None:
    again = train(told(), POLICY, ASK, make=MAKE, track=silent)
    assert again.model.version == made().model.version
    assert as_json(again.card) == as_json(made().card)
    assert as_page(again.card) == as_page(made().card)


def test_the_days_are_split_as_they_were(card) -> None:
    data, end = card["data"], START + 60 * DAY
    assert data["label_delay_days"] == 3
    assert data["validation"]["from"] == instant(end - 14 * DAY)
    assert data["validation"]["from"] > data["training"]["to"]
    assert data["transactions"] == 60 * 40
    assert data["training"]["transactions"] < 44 * 40


def test_the_measures_are_those_of_the_model_and_lie_in_their_intervals(card) -> None:
    for name, each in card["measures"].items():
        assert each["low"] <= each["value"] <= each["high"]
        assert each["value"] == pytest.approx(made().model.trained["measures"][name], abs=1e-6)


def test_each_kind_of_slice_and_each_bin_counts_every_transaction_once(card) -> None:
    valid = card["data"]["validation"]
    cut = {**kinds(card), "score": card["calibration"]}
    assert set(kinds(card)) == {"amount, USD", "hour of the day, UTC", "weekday", "merchant category"}
    for found in cut.values():
        assert sum(each["transactions"] for each in found) == valid["transactions"]
        assert sum(each["frauds"] for each in found) == valid["frauds"]


def test_a_channel_that_all_have_and_customers_that_all_are_known_are_no_slices(card) -> None:
    assert not {"channel", "customer", "country"} & set(kinds(card))


def test_the_curve_goes_from_high_scores_to_all_frauds(card) -> None:
    curve = card["precision_recall"]
    assert [each["recall"] for each in curve] == sorted({each["recall"] for each in curve})
    assert curve[-1]["recall"] == 1.0
    thresholds = [each["threshold"] for each in curve]
    assert thresholds == sorted(thresholds, reverse=True)


def test_features_come_with_their_share_of_the_gain_and_with_words(card) -> None:
    first, second = card["features"]
    assert (first["name"], first["gain"], second["gain"]) == ("merchant.fraud_count_30d", 0.75, 0.25)
    assert first["usually"] == "0 known frauds of this merchant from the last 30 days"


def test_the_thresholds_are_those_of_the_model_keep_to_the_capacity_and_are_fit_for_a_policy(card) -> None:
    found, model = card["thresholds"], made().model
    assert found["scores"] == model.thresholds == model.trained["thresholds"]["scores"]
    assert 0 < found["most_cards_a_day"] <= 4
    assert found["cost"] < found["cost_without"]
    lines = [f"{outcome} = {score}" for outcome, score in found["scores"].items()]
    document = "\n".join(
        ['name = "p"', "[model]", f'version = "{model.version}"', "[model.thresholds]", *lines]
    )
    plan = read_policy(document).model
    assert plan is not None
    assert {OUTCOMES[at]: score for at, score in plan.thresholds.items()} == found["scores"]


def test_without_costs_or_capacity_there_are_no_thresholds() -> None:
    plain = train(told(), POLICY, Ask(split=ASK.split), make=MAKE, track=silent)
    assert plain.card["thresholds"] is None
    assert plain.model.thresholds == {}
    assert "1 % of the legitimate" in plain.card["recall_threshold"]["why"]
    assert b"None were asked for" in as_page(plain.card)


def test_capacity_alone_chooses_the_review_threshold_alone() -> None:
    asked = Ask(split=ASK.split, review_capacity=2)
    found = train(told(), POLICY, asked, make=MAKE, track=silent)
    assert set(found.model.thresholds) <= {"review"}
    assert found.card["thresholds"]["most_cards_a_day"] <= 2
    assert "cost" not in found.card["thresholds"]


def test_a_fraud_may_have_one_value_instead_of_its_amount() -> None:
    asked = replace(ASK, fraud_value=1_000.0, review_capacity=None)
    found = train(told(), POLICY, asked, make=MAKE, track=silent).card
    assert found["thresholds"]["cost_without"] == 1_000 * found["data"]["validation"]["frauds"]


def test_where_a_policy_has_no_entities_each_transaction_is_its_own_card() -> None:
    alone = read_policy('name = "plain"')

    def flat(rows, fraud, names, valid, /, show=None) -> Model:
        return stump(
            "flat", {"amount": (100.0, -0.2, 0.2), "hour": (9.0, 0.1, 0.0), "weekday": (2.0, 0.0, 0.1)}
        )

    found = train(told(), alone, ASK, make=Make(grow=flat, trees=1), track=silent).card
    assert found["intervals"]["cards"] == found["data"]["validation"]["transactions"]
    assert found["features"] == []
    assert set(kinds(found)) == {"amount, USD", "hour of the day, UTC", "weekday", "merchant category"}
    as_page(found)


def test_few_frauds_are_warned_of(card) -> None:
    assert card["data"]["validation"]["frauds"] < 100
    assert any(
        each["kind"] == "few_frauds" and "validated on" in each["sentence"] for each in card["warnings"]
    )


def test_scores_that_are_no_probabilities_are_warned_of() -> None:
    def sure(*rows, show=None) -> Model:
        model = grown(*rows)
        return replace(model, base=4.0)

    longer = Ask(split=Split(delay_days=3, validation_days=30))
    found = train(told(), POLICY, longer, make=Make(grow=sure, trees=1), track=silent).card
    said = [each["sentence"] for each in found["warnings"] if each["kind"] == "calibration"]
    assert said
    assert all(each.endswith("they are not probabilities there.") for each in said)


def test_a_slice_that_is_much_worse_is_warned_of() -> None:
    from shroff.flows.card.warnings import warnings

    row = {"name": "online", "frauds": 80, "recall": 0.3, "recall_low": 0.2, "recall_high": 0.41}
    well = {"name": "pos", "frauds": 80, "recall": 0.8, "recall_low": 0.7, "recall_high": 0.87}
    few = row | {"name": "post", "frauds": 29}
    slices = [{"by": "channel", "slices": [row, well, few]}]
    found = {**made().card, "slices": slices, "recall_threshold": {"recall": 0.55}}
    said = [each["sentence"] for each in warnings(found) if each["kind"] == "slice"]
    assert said == ["Channel: online: 30 % of 80 frauds are found, of all 55 %."]


def test_amounts_without_a_rate_are_warned_of_and_cost_nothing() -> None:
    found = train(told(change={"currency": "EUR"}), POLICY, ASK, make=MAKE, track=silent)
    assert any(each["kind"] == "amounts" for each in found.card["warnings"])
    assert found.card["thresholds"]["cost_without"] == 0
    assert found.card["data"]["validation"]["fraud_value"] == 0
    as_page(found.card)


def test_settings_are_tried_before_the_validation_days_begin() -> None:
    seen = []

    def looking(rows, fraud, windows, /, show):
        seen.extend(windows)
        return MAKE.search(rows, fraud, windows, show)  # type: ignore[misc]

    whole = told()
    train(whole, POLICY, ASK, make=replace(MAKE, search=looking), track=silent)
    when = whole.batch.occurred_at
    begin = START + (60 - 14) * DAY
    assert len(seen) == 2
    for known, later in seen:
        assert when[known].max() + 3 * DAY <= when[later].min()
        assert when[later].max() + 3 * DAY <= begin


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (Ask(split=Split(delay_days=-1)), "--delay-days must be from 0"),
        (Ask(costs=Costs(review=-1.0, friction=math.nan)), "--review-cost must be a number from 0"),
        (Ask(costs=Costs(review=1.0, friction=math.nan)), "--friction-cost must be a number from 0"),
        (Ask(fraud_value=5.0), "--fraud-value needs"),
        (Ask(review_capacity=0), "--review-capacity must be from 1"),
        (Ask(seed=-1), "--seed -1 must not be negative"),
    ],
)
def test_what_makes_no_sense_is_refused(asked: Ask, sentence: str) -> None:
    with pytest.raises(Rejected, match=sentence):
        asked.check()


def test_the_card_is_json_without_what_json_has_not(card) -> None:
    assert json.loads(as_json(card)) == card
    assert "NaN" not in as_json(card).decode()


def test_the_average_precision_of_a_slice_is_that_of_its_rows() -> None:
    from shroff.flows.card import Judged
    from shroff.flows.card.slices import slices

    whole = told()
    dice = np.random.default_rng(1)
    rows = np.arange(len(whole))[::2]
    scores = np.round(dice.random(len(rows)), 6)
    judged = Judged(
        history=whole, rows=rows, scores=scores, fraud=whole.fraud[rows], cards=np.zeros(len(whole), int),
        values=whole.batch.amount_minor / 100, every_row=rows, every_score=scores, train_rows=rows,
        valid_from=0, valid_to=DAY, delay_days=0, told=False,
    )  # fmt: skip
    found = {kind["by"]: kind["slices"] for kind in slices(judged, POLICY, 0.5)}
    monday = (whole.batch.occurred_at[rows] // DAY + 3) % 7 == 0
    said = found["weekday"][0]
    assert said["name"] == "Monday"
    assert said["transactions"] == monday.sum()
    assert said["average_precision"] == pytest.approx(
        average_precision(judged.fraud[monday], scores[monday]), abs=1e-6
    )
    new = found["customer"][0]
    assert (new["transactions"], new["name"]) == (3, "its first 5 transactions")
