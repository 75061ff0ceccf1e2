"""Backtest: history decided again by a policy, beside another or what was decided then."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

import shroff
from shroff.core.model_document import model_document
from shroff.core.transaction import Transaction
from shroff.flows.backtest import (
    AsStored,
    Backtested,
    History,
    Known,
    ListHits,
    MadeAgain,
    Question,
    Side,
    Telling,
    backtest,
    members,
)  # fmt: skip
from shroff.flows.detect import detect
from shroff.flows.models import KnownModels, register, with_models, with_plan
from shroff.flows.publish import publish
from shroff.ports import Label, Message, Record, Work
from tests.core.models import stump
from tests.core.samples import DAY, DOCUMENT, HOUR, START, policy, transaction
from tests.flows.pipeline import Pipeline

DEFAULT = (Path(shroff.__file__).parent / "policies" / "default.toml").read_text()
STRICT = DOCUMENT.replace("amount > 3 * customer.amount_mean_1d", "amount > 2 * customer.amount_mean_1d")
NOW = START + 400 * DAY


@dataclass(frozen=True)
class Said:
    """A label as somebody gave it."""

    transaction_id: str
    fraud: bool
    known_at: int = START


def disordered(seed: int, many: int = 600) -> list[Transaction]:
    """Random transactions, one in five of them late."""
    source = random.Random(seed)
    return [
        transaction(
            number,
            number * 200_000 - (source.randrange(2 * DAY) if source.random() < 0.2 else 0) + 3 * DAY,
            source.randrange(1, 200_000),
            currency=source.choice(["USD", "USD", "EUR", "XAF"]),
            customer_id=source.choice(["ann", "bob", "cas", None]),
            merchant=source.choice(["shop", "bar", None]),
            card_id=source.choice(["c1", "c2", "c3", None]),
            attributes=source.choice([None, {"tip": 12}, {"vip": True}]),
        )
        for number in range(many)
    ]


def ran(document: str = DOCUMENT, rows: Iterable[Transaction] | None = None) -> Pipeline:
    pipeline = Pipeline(document)
    for name in pipeline.policy.lists:
        pipeline.store.lists.add(name, [("bob", None), ("c2", None)])
    pipeline.run(disordered(1) if rows is None else rows, batch=37)
    return pipeline


class Bench:
    """Backtests over a pipeline's store."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self.store = pipeline.store
        self.known = Known(self.store.policies)
        self.lists = ListHits(self.store.lists, self.known, NOW)
        self.current = pipeline.policy

    def again(self, document: str) -> Side:
        return MadeAgain(name="new", policy=policy(document), lists=self.lists)

    def stored(self) -> Side:
        return AsStored(name="stored", policy=self.current, known=self.known)

    def run(self, one: Side, other: Side, words: Sequence[Said] | None = None, **asked: Any) -> Backtested:
        given = None if words is None else lambda ids: [each for each in words if each.transaction_id in ids]
        write = asked.pop("write", None)
        question = Question(**{"start": 0, "end": 2**62, "as_of": NOW, **asked})
        history = History(ledger=self.store.ledger, words=given, learned=self.store.labels)
        return backtest(question, history, against=one, policy=other, write=write)

    def told(self, *given: Any, minutes: float = 10.0, **asked: Any) -> dict[str, Any]:
        telling = Telling(minutes_per_alert=minutes, lists_now=self.lists.asked)
        return members(self.run(*given, **asked), telling)


def spree(frauds: Iterable[int] = ()) -> list[Transaction]:
    """A payment of 10.00 an hour by ann, those named of 1,000.00."""
    return [
        transaction(number, number * HOUR, 100_000 if number in frauds else 1000, customer_id="ann")
        for number in range(72)
    ]


# The same again


@pytest.mark.parametrize("document", [DOCUMENT, DEFAULT])
def test_the_policy_in_force_decides_all_of_history_as_it_was_decided(document: str) -> None:
    pipeline = ran(document)
    bench = Bench(pipeline)
    told = bench.told(bench.stored(), bench.again(document))
    assert told["differences"] == {"transactions": 0, "in": {}, "outcomes": [], "first": []}
    assert told["transactions"] == 600
    assert told["against"]["outcomes"] == told["policy"]["outcomes"]
    assert told["against"]["rules"] == told["policy"]["rules"]
    assert told["against"]["alerts"] == told["policy"]["alerts"]
    assert told["policy"]["alerts"] > 10
    assert not any("list" in note or "read" in note for note in told["notes"])


def test_alerts_are_counted_as_they_were_raised() -> None:
    pipeline = ran()
    bench = Bench(pipeline)
    found = bench.run(bench.stored(), bench.again(DOCUMENT))
    raised = pipeline.store.ledger.totals()["alerts"]
    assert found.against.tally.alerts() == found.policy.tally.alerts() == raised


@pytest.mark.parametrize(
    ("member", "value", "aspect"),
    [("score", 0.123, "score"), ("outcome", "challenge", "outcome"), ("reasons", (), "reasons")],
)
def test_a_stored_decision_that_was_tampered_with_is_a_difference(
    member: str, value: object, aspect: str
) -> None:
    pipeline = ran()
    victim = next(each for each in pipeline.decisions() if each.outcome == "decline" and each.reasons)
    records = pipeline.store.ledger._shelves.records
    record = records[victim.transaction_id]
    changed = replace(record.decision, **{member: value})
    records[victim.transaction_id] = replace(record, decision=changed)
    bench = Bench(pipeline)
    found = bench.run(bench.stored(), bench.again(DOCUMENT)).differences
    assert [(each.record.transaction.transaction_id, each.aspects) for each in found.first()] == [
        (victim.transaction_id, (aspect,))
    ]


def test_a_feature_that_was_tampered_with_is_a_difference() -> None:
    pipeline = ran()
    records = pipeline.store.ledger._shelves.records
    record = records["t150"]
    snapshot = b"\0" * 8 + record.decision.snapshot[8:]
    assert snapshot != record.decision.snapshot
    records["t150"] = replace(record, decision=replace(record.decision, snapshot=snapshot))
    bench = Bench(pipeline)
    found = bench.run(bench.stored(), bench.again(DOCUMENT)).differences
    assert [each.aspects for each in found.first()] == [("features",)]


def test_a_span_within_history_is_decided_from_all_that_came_before_it() -> None:
    bench = Bench(ran())
    found = bench.run(
        bench.stored(), bench.again(DOCUMENT), start=START + 3 * DAY + 8 * HOUR, end=START + 4 * DAY
    )
    assert found.differences.total == 0
    assert 100 < found.seen.transactions < 600


def test_a_span_without_transactions_comes_to_nothing() -> None:
    bench = Bench(ran())
    told = bench.told(bench.stored(), bench.again(DOCUMENT), end=1)
    assert (told["transactions"], told["days"], told["from"], told["labels"]) == (0, 0, None, None)


class Learning(Pipeline):
    """The pipeline with a worker that learns labels on the way."""

    def detect(self, messages: Sequence[Message]) -> Work:
        return detect(
            messages, policy=self.policy, state=self.state, fates=self.store.ledger.fates,
            lists=self.store.lists, now=next(self.clock), labels=self.store.labels,
        )  # fmt: skip

    def work(self, batch: int = 1_000) -> None:
        while messages := self.queue.read(self.store.ledger.position(), batch):
            self.store.ledger.commit(replace(self.detect(messages), position=messages[-1].seq))


@pytest.mark.parametrize("batch", [1, 7, 1_000])
def test_features_over_labels_see_again_what_had_been_learned(batch: int) -> None:
    labelled = DOCUMENT.replace('"count_5m", ', '"count_5m", "fraud_count_7d", ')
    labelled = labelled.replace("customer.count_5m >= 3", "customer.fraud_count_7d >= 2")
    pipeline = Learning(labelled)
    pipeline.clock = count(NOW)
    pipeline.store.labels.add(
        [
            Label(
                transaction_id=f"t{number}", fraud=number % 3 == 0, source="analyst",
                known_at=START + (number + 9) * HOUR, received_at=NOW,
            )
            for number in range(0, 60, 2)
        ]
    )  # fmt: skip
    pipeline.run(spree(), batch=batch)
    bench = Bench(pipeline)
    told = bench.told(bench.stored(), bench.again(labelled))
    assert told["differences"]["transactions"] == 0
    assert told["policy"]["rules"]["fast"]["hits"] > 20
    told = bench.told(bench.again(DOCUMENT), bench.again(labelled))
    assert told["policy"]["rules"]["fast"]["hits"] > 20


def test_decisions_by_models_are_made_again_and_another_models_are_set_beside_them() -> None:
    first = stump("first", {"amount": (500.0, -3.0, 5.0)})
    second = stump("second", {"amount": (2000.0, -3.0, 5.0)})
    pipeline = Pipeline()
    models = pipeline.store.models
    for model in (first, second):
        register(models, model_document(model), 0)
    by_first, by_second = (
        with_plan(DOCUMENT, each.version, []) + "[model.thresholds]\nreview = 0.9\n"
        for each in (first, second)
    )
    known = KnownModels(models)
    pipeline.policy, _ = publish(pipeline.store.policies, by_first, 1, known)
    pipeline.run(spree([50, 60]), batch=7)
    bench = Bench(pipeline)

    def again(document: str) -> Side:
        return MadeAgain(name="new", policy=with_models(policy(document), known), lists=bench.lists)

    assert bench.told(bench.stored(), again(by_first))["differences"]["transactions"] == 0
    told = bench.told(again(by_first), again(by_second))
    assert (told["against"]["rules"]["model"]["hits"], told["policy"]["rules"].get("model")) == (2, None)
    assert told["differences"]["transactions"] > 0


# Another policy


def test_another_policy_decides_as_it_would_have_had_it_been_in_force() -> None:
    rows = disordered(2)
    bench, elsewhere = Bench(ran(DOCUMENT, rows)), ran(STRICT, rows)
    told = bench.told(bench.again(DOCUMENT), bench.again(STRICT))
    totals = elsewhere.store.ledger.totals()
    outcomes = {name: each["transactions"] for name, each in told["policy"]["outcomes"].items()}
    assert outcomes == {name: totals[f"outcome.{name}"] for name in outcomes}
    assert told["policy"]["alerts"] == totals["alerts"]
    decided = [
        [(e.outcome, e.score, e.reasons) for e in each.decisions()] for each in (bench.pipeline, elsewhere)
    ]
    differing = sum(one != other for one, other in zip(*decided, strict=True))
    assert told["differences"]["transactions"] == differing > 0


def test_a_policy_with_other_windows_has_its_own_features() -> None:
    bench = Bench(ran(rows=spree()))
    wider = DOCUMENT.replace("count_5m", "count_2h")
    told = bench.told(bench.again(DOCUMENT), bench.again(wider))
    assert told["policy"]["rules"]["fast"]["hits"] == 0
    widest = DOCUMENT.replace("count_5m", "count_6h")
    told = bench.told(bench.again(DOCUMENT), bench.again(widest))
    assert told["policy"]["rules"]["fast"]["hits"] == 69
    assert told["differences"]["outcomes"] == [
        {"against": "approve", "policy": "challenge", "transactions": 69}
    ]


def test_a_difference_says_what_each_decided_and_why_and_nothing_of_cards() -> None:
    written: list[dict[str, Any]] = []
    rows = [replace(each, card_id="4111") for each in spree()]
    bench = Bench(ran(rows=rows))
    widest = DOCUMENT.replace("count_5m", "count_6h")
    told = bench.told(bench.again(DOCUMENT), bench.again(widest), write=written.append, shown=2)
    assert len(written) == told["differences"]["transactions"] == 69
    assert told["differences"]["first"] == written[:2]
    first = written[0]
    assert (first["transaction_id"], first["amount"], first["customer_id"]) == ("t3", "10.00", "ann")
    assert (first["against"]["outcome"], first["policy"]["outcome"]) == ("approve", "challenge")
    assert [each["reason"] for each in first["policy"]["reasons"]] == ["3 payments in 5 minutes, 10 now"]
    assert "4111" not in str(written)


def test_differences_of_the_outcome_are_shown_before_others() -> None:
    bench = Bench(ran(rows=spree([50])))
    milder = DOCUMENT.replace("score = 0.4", "score = 0.35").replace("count_5m", "count_5h")
    found = bench.run(
        bench.again(DOCUMENT),
        bench.again(milder.replace('"challenge"\nscore = 0.3', '"approve"\nscore = 0.3')),
        shown=3,
    )
    assert found.differences.total > 3
    moved = sum(found.differences.moves.values())
    assert ["outcome" in each.aspects for each in found.differences.first()] == [n < moved for n in range(3)]


# Lists


def test_lists_are_as_they_were_when_it_was_decided() -> None:
    pipeline = ran()
    pipeline.store.lists.remove("blocked", ["bob"])
    bench = Bench(pipeline)
    told = bench.told(bench.stored(), bench.again(DOCUMENT))
    assert told["differences"]["transactions"] == 0
    assert not any("list" in note for note in told["notes"])


def test_a_list_that_no_decision_knew_is_looked_up_as_it_is_now_and_that_is_said() -> None:
    pipeline = ran()
    pipeline.store.lists.add("odd_cards", [("c1", None)])
    bench = Bench(pipeline)
    more = '[lists.odd_cards]\nfield = "card_id"\n'
    more += '[[rules]]\nname = "odd"\nwhen = "list.odd_cards"\noutcome = "review"\n'
    told = bench.told(
        bench.again(DOCUMENT), bench.again(DOCUMENT.replace("[thresholds]", more + "[thresholds]"))
    )
    cards = [each.card_id for each in disordered(1)]
    assert told["policy"]["rules"]["odd"]["hits"] == cards.count("c1")
    assert (
        "Who was on the list odd_cards was not stored with 600 of the transactions: "
        "it was looked up as it is now"
    ) in told["notes"]


def test_a_list_of_another_member_is_not_taken_from_what_was_stored() -> None:
    bench = Bench(ran())
    other = DOCUMENT.replace('[lists.blocked]\nfield = "customer_id"', '[lists.blocked]\nfield = "card_id"')
    told = bench.told(bench.again(DOCUMENT), bench.again(other))
    on_it = [
        each for each in disordered(1) if each.card_id == "c2" and not (each.attributes or {}).get("vip")
    ]
    assert told["policy"]["rules"]["listed"]["hits"] == len(on_it)
    assert any("list blocked was not stored" in note for note in told["notes"])


def test_what_was_decided_by_several_policies_has_each_ones_lists_and_alerts() -> None:
    pipeline = ran(rows=disordered(1)[:300])
    listless = DOCUMENT.replace('[lists.blocked]\nfield = "customer_id"\n', "").replace(
        "list.blocked", "amount > 1500"
    )
    pipeline.policy, _ = publish(pipeline.store.policies, listless, 1)
    state = pipeline.policy.empty_state()
    assert state.layouts == pipeline.state.layouts
    pipeline.run(disordered(1)[300:], batch=41)
    bench = Bench(pipeline)
    told = bench.told(bench.stored(), bench.again(DOCUMENT))
    assert len(told["against"]["policy_versions"]) == 2
    assert told["against"]["alerts"] == pipeline.store.ledger.totals()["alerts"]
    assert any("with 300 of the transactions" in note for note in told["notes"])


def test_the_alerts_of_a_policy_that_cannot_be_read_are_left_out_and_that_is_said() -> None:
    pipeline = ran(rows=spree([50]))
    records = pipeline.store.ledger._shelves.records
    for name, record in records.items():
        records[name] = replace(record, decision=replace(record.decision, policy_version="gone"))
    bench = Bench(pipeline)
    told = bench.told(bench.stored(), bench.again(DOCUMENT))
    assert told["against"]["alerts"] == 0 < told["policy"]["alerts"]
    assert any("The policy gone of 72 stored decisions cannot be read" in note for note in told["notes"])
    assert told["differences"]["transactions"] == 0


# Labels


def test_without_labels_what_needs_them_is_left_out_and_that_is_said() -> None:
    bench = Bench(ran(rows=spree([50])))
    told = bench.told(bench.again(DOCUMENT), bench.again(STRICT))
    assert told["labels"] is told["against"]["quality"] is told["policy"]["quality"] is None
    assert set(told["change"]) == {"alerts_per_day"}
    assert told["policy"]["rules"]["high"] == {"hits": 1}
    (note,) = told["notes"]
    assert note == (
        "No labels were known by 2024-12-18T22:13:20.000Z: "
        "precision, recall, money caught and friction are left out"
    )


def test_what_was_caught_and_missed_is_told_in_numbers_and_money() -> None:
    # Of four large payments three are fraud, and so is one of the small ones.
    bench = Bench(ran(rows=spree([30, 50, 60, 70])))
    words = [Said(f"t{n}", n in {30, 50, 60, 12}) for n in range(72)]
    told = bench.told(bench.again(DOCUMENT), bench.again(DOCUMENT), words)
    quality = told["policy"]["quality"]
    # The first payments of a customer have no habit to be above of.
    assert (quality["fraud_caught"], quality["fraud_missed"]) == (3, 1)
    assert (quality["value_caught"], quality["value_missed"]) == ("3000.00", "10.00")
    assert quality["recall"]["value"] == 0.75
    assert quality["value_detection_rate"]["value"] == round(3000 / 3010, 6)
    stopped = {name: each["transactions"] for name, each in quality["friction"].items()}
    outcomes = {name: each["transactions"] for name, each in told["policy"]["outcomes"].items()}
    assert sum(stopped.values()) == sum(outcomes.values()) - outcomes["approve"] - 3
    assert told["labels"] == {
        "fraud": 4, "legitimate": 68, "presumed_legitimate": 0, "unknown": 0, "not_yet_known": 0,
    }  # fmt: skip


def test_a_label_that_became_known_later_is_not_known_yet() -> None:
    bench = Bench(ran(rows=spree([50, 60])))
    words = [Said("t50", fraud=True, known_at=NOW), Said("t60", fraud=True, known_at=NOW + 1)]
    told = bench.told(bench.again(DOCUMENT), bench.again(DOCUMENT), words)
    assert (told["labels"]["fraud"], told["labels"]["not_yet_known"], told["labels"]["unknown"]) == (1, 1, 71)
    later = [Said(each.transaction_id, fraud=each.fraud, known_at=NOW + 1) for each in words]
    told = bench.told(bench.again(DOCUMENT), bench.again(DOCUMENT), later)
    assert told["labels"] is None
    assert told["notes"][0].startswith("No labels were known by 2024-12-18T22:13:20.000Z; 2 are of later:")


@pytest.mark.parametrize("order", [1, -1])
def test_the_last_word_by_the_moment_of_the_question_counts(order: int) -> None:
    bench = Bench(ran(rows=spree([50])))
    words = [
        Said("t50", fraud=True, known_at=NOW - 2),
        Said("t50", fraud=False, known_at=NOW - 1),
        Said("t50", fraud=True, known_at=NOW + 1),
    ][::order]
    for as_of, frauds in ((NOW - 2, 1), (NOW - 1, 0), (NOW, 0), (NOW + 1, 1)):
        assert bench.run(bench.stored(), bench.stored(), words, as_of=as_of).seen.frauds == frauds


def test_of_two_words_of_one_moment_the_one_that_came_last_counts() -> None:
    bench = Bench(ran(rows=spree([50])))
    words = [Said("t50", fraud=True), Said("t50", fraud=False)]
    assert bench.run(bench.stored(), bench.stored(), words).seen.legitimate == 1


def test_after_the_delay_what_has_no_label_counts_as_legitimate() -> None:
    bench = Bench(ran(rows=spree([50])))
    as_of = START + 80 * HOUR
    found = bench.run(
        bench.stored(), bench.stored(), [Said("t50", fraud=True)], as_of=as_of, mature=20 * HOUR
    )
    assert (found.seen.frauds, found.seen.legitimate, found.seen.presumed) == (1, 60, 60)
    nothing = bench.run(bench.stored(), bench.stored(), [], as_of=as_of, mature=20 * HOUR)
    assert not nothing.seen.labelled, "silence about everything says nothing"


def test_a_rule_is_told_with_the_fraud_among_its_hits() -> None:
    bench = Bench(ran(rows=spree([30, 50])))
    words = [Said("t30", fraud=True), Said("t50", fraud=False)]
    rule = bench.told(bench.again(DOCUMENT), bench.again(DOCUMENT), words)["policy"]["rules"]["high"]
    assert (rule["hits"], rule["fraud"], rule["precision"]["value"]) == (2, 1, 0.5)


# Work and bounds


def test_analyst_hours_are_alerts_times_minutes() -> None:
    bench = Bench(ran())
    told = bench.told(bench.again(DOCUMENT), bench.again(DOCUMENT), minutes=30)["policy"]
    assert told["analyst_hours"] == told["alerts"] / 2
    assert told["analyst_hours_per_day"]["value"] == pytest.approx(told["alerts_per_day"]["value"] / 2)


def test_an_amount_without_a_rate_is_counted_and_in_no_sum() -> None:
    rows = [replace(each, currency="XAF") if n % 2 else each for n, each in enumerate(spree())]
    bench = Bench(ran(rows=rows))
    told = bench.told(bench.again(DOCUMENT), bench.again(DOCUMENT))
    assert sum(float(each["value"]) for each in told["policy"]["outcomes"].values()) == 360
    assert "36 transactions are in a currency without a rate, and in no sum of money" in told["notes"]


@dataclass(frozen=True)
class Endless:
    """A ledger whose history is the same record over and over, under other ids."""

    record: Record
    parts: int

    def history(self, after: int = 0) -> Iterator[list[Record]]:
        for part in range(self.parts):
            yield [
                replace(
                    self.record,
                    transaction=replace(self.record.transaction, transaction_id=f"{part}-{n}"),
                )
                for n in range(200)
            ]


def test_memory_does_not_grow_with_history() -> None:
    bench = Bench(ran(rows=spree()))
    record = bench.store.ledger.find("t50")
    assert record is not None

    def peak(parts: int) -> int:
        tracemalloc.start()
        ledger: Any = Endless(record, parts)
        question = Question(start=0, end=2**62, as_of=NOW)
        found = backtest(
            question, History(ledger=ledger), against=bench.stored(), policy=bench.again(DOCUMENT)
        )
        assert found.seen.transactions == 200 * parts
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    peak(5)
    assert peak(60) < 1.3 * peak(10)


def test_many_alerts_are_forgotten_once_nothing_can_hit_them_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shroff.flows.backtest.run._MANY", 0)
    often = DOCUMENT.replace("amount > 3 * customer.amount_mean_1d", "amount > 1")
    pipeline = ran(often, [transaction(n, n * 6 * HOUR, customer_id="ann") for n in range(80)])
    bench = Bench(pipeline)
    found = bench.run(bench.stored(), bench.again(often))
    assert found.policy.tally.alerts() == pipeline.store.ledger.totals()["alerts"] == 80
    assert len(found.policy._raised) < 80
