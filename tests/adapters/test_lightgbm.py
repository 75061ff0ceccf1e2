"""Training with LightGBM: what it says, the model says, without it."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shroff.adapters.lightgbm.export import trees_of
from shroff.adapters.lightgbm.train import Parameters, train
from shroff.core.calibration import Isotonic, Platt
from shroff.core.compiled import Array
from shroff.core.errors import Rejected
from shroff.core.model import Model
from shroff.core.model_document import model_document, read_model

lightgbm = pytest.importorskip("lightgbm")

NAMES = ("amount", "hour", "customer.count_1d", "merchant.fraud_rate_7d", "merchant.since_fraud")


def history(seed: int, rows: int = 1_500) -> tuple[Array, Array]:
    """Rows of which some values are missing or often the same; fraud depends on three of the columns."""
    dice = np.random.default_rng(seed)
    x = np.column_stack([
        dice.lognormal(3, 1, rows),
        dice.integers(0, 24, rows).astype(float),
        dice.poisson(1, rows).astype(float),
        np.where(dice.random(rows) < 0.4, np.nan, dice.random(rows)),
        np.where(dice.random(rows) < 0.9, np.nan, dice.exponential(1e6, rows)),
    ])  # fmt: skip
    odds = 0.04 * x[:, 0] - 4 + 3 * np.nan_to_num(x[:, 3]) + np.isnan(x[:, 4])
    return x, dice.random(rows) < 1 / (1 + np.exp(-odds))


def hostile(x: Array, seed: int) -> Array:
    """The rows again, with values missing where none were, and values that training has not seen."""
    dice = np.random.default_rng(seed)
    values = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-36, -5.0, 1e12])
    return np.where(dice.random(x.shape) < 0.3, dice.choice(values, x.shape), x)


_ENDLESS_THRESHOLD = {
    "num_leaves": 31,
    "min_data_in_leaf": 20,
    "use_missing": True,
    "bagging_freq": 1,
    "boost_from_average": False,
    "max_bin": 15,
}


@example(seed=0, grown=_ENDLESS_THRESHOLD)
@settings(max_examples=12)
@given(
    seed=st.integers(0, 1_000),
    grown=st.fixed_dictionaries({
        "num_leaves": st.sampled_from([2, 8, 31, 127]),
        "min_data_in_leaf": st.sampled_from([1, 20]),
        "use_missing": st.booleans(),
        "bagging_freq": st.sampled_from([0, 1]),
        "boost_from_average": st.booleans(),
        "max_bin": st.sampled_from([15, 255]),
    }),
)  # fmt: skip
def test_the_exported_trees_say_what_lightgbm_says(seed: int, grown: dict[str, object]) -> None:
    x, y = history(seed)
    settled = {
        "objective": "binary",
        "verbosity": -1,
        "num_threads": 1,
        "bagging_fraction": 0.7,
        "seed": seed,
    }
    booster = lightgbm.train(settled | grown, lightgbm.Dataset(x, y.astype(float)), 25)
    model = Model(name="m", features=NAMES, trees=trees_of(booster.dump_model()))
    assert model.trees.problem(len(NAMES)) is None
    asked = np.concatenate([x[:200], hostile(x[:200], seed)])
    np.testing.assert_allclose(
        model.raw(asked), booster.predict(asked, raw_score=True, num_threads=1), rtol=0, atol=1e-9
    )
    theirs = booster.predict(asked[::20], pred_contrib=True, num_threads=1)
    np.testing.assert_allclose(model.contributions(asked[::20]), theirs, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("settled", "categories", "sentence"),
    [
        ({"objective": "binary"}, [1], "splits by category"),
        ({"objective": "binary", "zero_as_missing": True}, "auto", "zeros taken for missing"),
        ({"objective": "regression", "linear_tree": True}, "auto", "linear leaves"),
        ({"objective": "multiclass", "num_class": 2}, "auto", "more than two classes"),
    ],
)
def test_what_plain_trees_cannot_say_is_refused(
    settled: dict[str, object], categories: object, sentence: str
) -> None:
    x, y = history(1)
    x[:, 1] %= 3
    y = y ^ (x[:, 1] == 1)
    data = lightgbm.Dataset(x, y.astype(float), categorical_feature=categories)
    booster = lightgbm.train(settled | {"verbosity": -1, "num_threads": 1}, data, 3)
    with pytest.raises(Rejected, match=f"a LightGBM model with {sentence} cannot be served"):
        trees_of(booster.dump_model())


def test_the_same_rows_and_seed_give_the_same_model() -> None:
    x, y = history(2)
    one, again = (train(x[:1000], y[:1000], NAMES, valid=(x[1000:], y[1000:]), seed=5) for _ in range(2))
    assert model_document(one) == model_document(again)
    assert train(x[:1000], y[:1000], NAMES, valid=(x[1000:], y[1000:]), seed=6).version != one.version


def test_a_trained_model_knows_fraud_it_has_not_seen_and_how_likely_it_is() -> None:
    (x, y), (later, fraud), (test, truth) = (history(seed, 4_000) for seed in (3, 4, 5))
    model = read_model(model_document(train(x, y, NAMES, valid=(later, fraud))))
    score = model.score(test)
    assert score[truth].mean() > 2 * score[~truth].mean()
    assert score.mean() == pytest.approx(truth.mean(), rel=0.1)
    assert np.mean((score - truth) ** 2) < 0.8 * truth.mean() * (1 - truth.mean())


def test_training_stops_where_later_transactions_are_no_longer_told_better() -> None:
    x, y = history(6)
    quick = Parameters(trees=400, learning_rate=0.5, num_leaves=31, patience=5)
    model = train(x[:1000], y[:1000], NAMES, valid=(x[1000:], y[1000:]), parameters=quick)
    assert 1 <= len(model.trees.roots) < 100
    assert model.trained["trees"] == len(model.trees.roots)


@pytest.mark.parametrize(("kind", "made"), [("platt", Platt), ("isotonic", Isotonic)])
def test_probabilities_are_calibrated_as_asked(kind, made) -> None:
    x, y = history(7)
    model = train(x[:1000], y[:1000], NAMES, valid=(x[1000:], y[1000:]), calibration=kind)
    assert isinstance(model.calibration, made)
    assert model.score(x[1000:]).mean() == pytest.approx(y[1000:].mean(), rel=0.05)


def test_a_model_says_how_it_came_about() -> None:
    x, y = history(8)
    model = train(x, y, NAMES, parameters=Parameters(trees=20), seed=9, name="first")
    said = model.trained
    assert (model.name, said["seed"], said["trees"], said["validation"]) == ("first", 9, 20, 0)
    assert (said["transactions"], said["frauds"]) == (1_500, int(y.sum()))
    assert said["usual"]["hour"] == np.median(x[:, 1])
    assert list(said["gain"].values()) == sorted(said["gain"].values(), reverse=True)
    assert model.calibration == Platt()


def test_a_feature_that_is_never_there_is_no_fault() -> None:
    x, y = history(9)
    x[:, 4] = np.nan
    model = train(x, y, NAMES, parameters=Parameters(trees=5))
    assert "merchant.since_fraud" not in model.trained["usual"]
    assert np.isfinite(model.score(x)).all()


@pytest.mark.parametrize("fraud", [True, False])
def test_without_both_fraud_and_legitimate_there_is_nothing_to_learn(fraud: bool) -> None:
    x, _ = history(10, 50)
    with pytest.raises(
        Rejected, match="training needs transactions known to be fraud and others known not to be"
    ):
        train(x, np.full(50, fraud), NAMES)


def test_few_rows_make_a_model_that_expects_what_it_saw() -> None:
    x, y = history(11, 30)
    model = train(x, y, NAMES)
    assert model.score(x).mean() == pytest.approx(y.mean(), abs=0.05)


def test_rows_that_do_not_fit_their_names_are_a_bug() -> None:
    x, y = history(12, 50)
    with pytest.raises(ValueError, match=r"50 labels and 4 names do not fit rows of shape \(50, 5\)"):
        train(x, y, NAMES[:4])
    with pytest.raises(ValueError, match=r"validation rows of shape \(50, 5\) do not fit"):
        train(x, y, NAMES, valid=(x, y[:49]))


def test_without_lightgbm_training_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(Rejected, match="training needs LightGBM, which is not installed: pip install"):
        train(*history(13, 50), NAMES)
