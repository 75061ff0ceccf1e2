"""Choosing settings: on the windows alone, the same with the same seed, of a sample as of all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shroff.adapters.lightgbm import search as searching
from shroff.adapters.lightgbm.search import Found, sampled, search
from shroff.adapters.lightgbm.train import Parameters
from shroff.core.compiled import Array

pytest.importorskip("lightgbm")

ROWS = 6_000
WINDOWS = [(np.arange(4_000), np.arange(4_000, 5_000)), (np.arange(3_000), np.arange(3_000, 4_000))]


def history(seed: int = 1) -> tuple[Array, Array]:
    """One in eight is a fraud, which two columns together tell better than either."""
    dice = np.random.default_rng(seed)
    x = dice.normal(size=(ROWS, 6))
    odds = 3 * x[:, 0] * x[:, 1] + x[:, 2] - 3
    return x, dice.random(ROWS) < 1 / (1 + np.exp(-odds))


def searched(x: Array, y: Array, *, tries: int = 4, seed: int = 3) -> Found:
    return search(x, y, WINDOWS, seed=seed, tries=tries, show=lambda _done, _rows: None)


def test_the_same_seed_tries_the_same_and_finds_the_same() -> None:
    one, again = (searched(*history()) for _ in range(2))
    assert (one.parameters, one.told) == (again.parameters, again.told)
    assert searched(*history(), seed=4).told["best"] != one.told["best"]


def test_what_is_taken_did_best_and_the_defaults_are_always_tried() -> None:
    found = searched(*history())
    best = found.told["best"]
    values = [each["average_precision"] for each in best]
    assert values == sorted(values, reverse=True)
    assert all(
        getattr(found.parameters, name) == best[0][name] for name in best[0].keys() - {"average_precision"}
    )
    assert searched(*history(), tries=1).parameters == replace(Parameters(), trees=300)


def test_rows_outside_of_the_windows_change_nothing() -> None:
    x, y = history()
    before = searched(x, y).told
    x[5_000:], y[5_000:] = 0.0, ~y[5_000:]
    assert searched(x, y).told == before


def test_a_sample_of_the_legitimate_stands_for_all_and_every_fraud_for_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    x, y = history()
    rows = np.arange(500, 4_500)
    monkeypatch.setattr(searching, "MOST_ROWS", 1_000)
    found = sampled(x, y, rows, seed=1)
    assert len(found.y) == 1_000 + y[rows].sum()
    assert (found.weights[found.y] == 1).all()
    assert found.weights.sum() == pytest.approx(len(rows))
    assert searched(x, y, tries=1).told["sampled"]
    monkeypatch.setattr(searching, "MOST_ROWS", ROWS)
    assert (sampled(x, y, rows, seed=1).x == x[rows]).all()
    assert not searched(x, y, tries=1).told["sampled"]


def test_it_says_how_far_it_is() -> None:
    told: list[tuple[int, int]] = []
    search(*history(), WINDOWS, seed=1, tries=2, show=lambda done, rows: told.append((done, rows)))
    assert [done for done, _ in told] == [1, 2, 3, 4]
    assert told[-1][1] == 2 * 4_000 + 2 * 3_000
