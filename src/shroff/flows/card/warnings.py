"""What a reader of a card should be told first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shroff.flows.card.slices import FEW
from shroff.flows.card.words import share

_FEW_FRAUDS = 100
_WORSE = 0.75
_AWAY = 1.5
_MOST_SLICES = 5


def warnings(found: Mapping[str, Any]) -> list[dict[str, str]]:
    """Of a card's other members: too few frauds, scores that are no probabilities, slices much worse."""
    told = [*_few(found["data"]), *_uncalibrated(found["calibration"]), *_unstopped(found["thresholds"])]
    told += list(_weak(found["slices"], found["recall_threshold"]))
    if found["data"]["without_rate"]:
        count = found["data"]["without_rate"]
        told.append(("amounts", f"{count} of the validated amounts have no rate to the base currency."))
    return [{"kind": kind, "sentence": sentence} for kind, sentence in told]


def _few(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for side, what in (("training", "trained on"), ("validation", "validated on")):
        count = data[side]["frauds"]
        if count < _FEW_FRAUDS:
            yield "few_frauds", f"It was {what} {count} frauds only: every figure here may be far off."


def _uncalibrated(bins: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Bins whose interval of what came true is far from what was predicted, one way or the other."""
    for each in bins:
        if each["frauds"] < FEW:
            continue
        predicted, low, high = each["predicted"], each["observed_low"], each["observed_high"]
        if predicted > _AWAY * high or predicted * _AWAY < low:
            said = (
                f"Scores from {each['from']:g} to {each['to']:g} say {share(predicted)} on average, and "
                f"{share(each['observed'])} were frauds: they are not probabilities there."
            )
            yield "calibration", said


def _unstopped(thresholds: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    if thresholds is not None and not thresholds["scores"]:
        yield (
            "thresholds",
            "No threshold is worth it, or within the capacity: by the score alone nothing is stopped.",
        )


def _weak(kinds: Sequence[Mapping[str, Any]], whole: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Slices of which much less is found than of all, for certain."""
    recall = whole["recall"] or 0.0
    found = [
        (each["recall"], kind["by"], each)
        for kind in kinds
        for each in kind["slices"]
        if each["frauds"] >= FEW and each["recall_high"] < recall and each["recall"] < _WORSE * recall
    ]
    for _, by, each in sorted(found, key=lambda one: (one[0], one[1], one[2]["name"]))[:_MOST_SLICES]:
        name = each["name"]
        caught = share(each["recall"])
        said = f"{by}: {name}: {caught} of {each['frauds']} frauds are found, of all {share(recall)}."
        yield "slice", said[:1].upper() + said[1:]
