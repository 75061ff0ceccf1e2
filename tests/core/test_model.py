"""Models as plain data: the same answers compiled and interpreted, alone and in a batch; explained."""

from __future__ import annotations

import itertools
import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shroff.core import trees as trees_module
from shroff.core.calibration import Isotonic, Platt, fit, fit_isotonic
from shroff.core.compiled import Array
from shroff.core.errors import Damaged
from shroff.core.model import Model, canonical, content_hash, members
from shroff.core.model_document import model_document, read_model
from shroff.core.trees import Trees
from tests.core.forests import FEATURES, forests, grown, some_rows

NAMES = ("amount", "hour", "customer.count_1d", "merchant.fraud_rate_7d")
assert len(NAMES) == FEATURES


def a_model(trees: Trees, **changed) -> Model:
    return Model(name="a model", features=NAMES, trees=trees, base=-1.25, **changed)


def some_model(seed: int = 3, **changed) -> Model:
    return a_model(grown(np.random.default_rng(seed), 5, 12), **changed)


def walked(trees: Trees, row: Array, base: float) -> float:
    """The definition: every tree from its root, one after the other."""
    total = base
    for root in trees.roots:
        at = root
        while at >= 0:
            found = row[trees.feature[at]]
            left = trees.missing_left[at] if math.isnan(found) else found <= trees.threshold[at]
            at = trees.left[at] if left else trees.right[at]
        total += trees.value[~at]
    return total


@given(forests())
def test_a_sum_is_what_a_walk_down_every_tree_comes_to_to_the_bit(made: tuple[Trees, Array]) -> None:
    trees, rows = made
    assert trees.problem(FEATURES) is None
    expected = [walked(trees, row, -1.25) for row in rows]
    assert trees.sums(rows, -1.25).tolist() == expected


@given(forests())
def test_without_a_compiler_the_sums_are_the_same_to_the_bit(made: tuple[Trees, Array]) -> None:
    trees, rows = made
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trees_module, "runs_compiled", lambda kernel: False)
        interpreted = trees.sums(rows, -1.25)
    assert interpreted.tobytes() == trees.sums(rows, -1.25).tobytes()


@given(forests(), st.integers(1, 40))
def test_a_row_is_scored_and_explained_alike_in_any_batch(made: tuple[Trees, Array], size: int) -> None:
    model, rows = a_model(made[0]), made[1][:20]
    for answer in (model.raw, model.score, model.contributions):
        parts = [answer(rows[at : at + size]) for at in range(0, len(rows), size)]
        assert b"".join(part.tobytes() for part in parts) == answer(rows).tobytes()


@given(forests())
def test_contributions_add_up_to_the_sum_of_the_trees(made: tuple[Trees, Array]) -> None:
    model, rows = a_model(made[0]), made[1][:10]
    np.testing.assert_allclose(model.contributions(rows).sum(axis=1), model.raw(rows), rtol=0, atol=1e-9)


def expected_with(trees: Trees, cover: dict[int, float], row: Array, known: set[int]) -> float:
    """What the trees come to on average where only some features are known, by their definition."""

    def below(at: int) -> float:
        if at < 0:
            return float(trees.value[~at])
        sides = int(trees.left[at]), int(trees.right[at])
        found = row[trees.feature[at]]
        if int(trees.feature[at]) in known:
            left = trees.missing_left[at] if math.isnan(found) else found <= trees.threshold[at]
            return below(sides[0] if left else sides[1])
        return sum(below(side) * cover[side] for side in sides) / cover[at]

    return sum(below(int(root)) for root in trees.roots)


@given(forests())
def test_contributions_are_the_shapley_values_of_their_definition(made: tuple[Trees, Array]) -> None:
    trees, rows = made
    cover = {~leaf: float(weight) for leaf, weight in enumerate(trees.cover)}
    for split in reversed(range(len(trees.feature))):
        cover[split] = cover[int(trees.left[split])] + cover[int(trees.right[split])]
    for row in rows[:2]:
        shapley = np.zeros(FEATURES + 1)
        for order in itertools.permutations(range(FEATURES)):
            worths = [expected_with(trees, cover, row, set(order[:many])) for many in range(FEATURES + 1)]
            shapley[list(order)] += np.diff(worths) / math.factorial(FEATURES)
        shapley[-1] = -1.25 + expected_with(trees, cover, row, set())
        found = a_model(trees).contributions(row[None, :])[0]
        np.testing.assert_allclose(found, shapley, rtol=0, atol=1e-10)


def test_rows_of_another_width_are_refused() -> None:
    with pytest.raises(ValueError, match=r"rows of 4 features expected, not an array of shape \(2, 3\)"):
        some_model().raw(np.zeros((2, 3)))


@given(forests(), st.sampled_from([Platt(1.5, -0.25), Isotonic((-1.0, 0.5), (0.0, 0.75))]))
def test_a_document_is_read_as_the_model_that_it_was_made_of(made, calibration) -> None:
    trees, rows = made
    model = a_model(
        trees, calibration=calibration, thresholds={"review": 0.5}, trained={"seed": 7, "by": "ü"}
    )
    document = model_document(model)
    read = read_model(document)
    assert (read.version, model_document(read)) == (model.version, document)
    assert read.score(rows).tobytes() == model.score(rows).tobytes()
    assert read.contributions(rows[:3]).tobytes() == model.contributions(rows[:3]).tobytes()


def test_spacing_and_order_of_a_document_do_not_count() -> None:
    model = some_model()
    pairs = reversed(json.loads(model_document(model)).items())
    assert read_model(json.dumps(dict(pairs), indent=2).encode()).version == model.version


@given(st.integers(0, 10**6), st.integers(1, 255))
def test_a_damaged_document_is_refused(place: int, flipped: int) -> None:
    document = bytearray(model_document(some_model()))
    document[place % len(document)] ^= flipped
    try:
        read = read_model(bytes(document))
    except Damaged as error:
        assert str(error).startswith("the model's document cannot be used: ")  # noqa: PT017
    else:  # spaces, or 1e-1 for 0.1
        assert read.version == some_model().version


@pytest.mark.parametrize("document", [b"", b"[]", b"{}", b"\xff", b"[" * 100_000, b'{"version":NaN}'])
def test_what_is_no_document_is_refused(document: bytes) -> None:
    with pytest.raises(Damaged, match="the model's document cannot be used: it is not"):
        read_model(document)


@pytest.mark.parametrize(
    ("place", "value", "sentence"),
    [
        (("form",), 2, "it is of form 2, and this is read: 1"),
        (("features",), ["amount"], "a split asks for a feature that is not named"),
        (("features",), ["amount"] * 4, "a feature is named twice"),
        (("features", 0), 5, "a member is missing or of another kind"),
        (("base",), "0", "a member is missing or of another kind"),
        (("trees", "left", 0), 0, "a split or a leaf is not in exactly one place"),
        (("trees", "roots"), [], "splits, leaves and roots do not make trees"),
        (("trees", "threshold"), [1.0], "columns of splits differ in length"),
        (("trees", "threshold", 0), None, "a member is missing or of another kind"),
        (("trees", "missing_left", 0), 1, "a member is missing or of another kind"),
        (("trees", "feature", 0), 2**40, "a member is missing or of another kind"),
        (("trees", "feature", 0), -1, "a split asks for a feature that is not named"),
        (("trees", "cover", 0), 0, "a leaf's cover is not above zero"),
        (("calibration", "kind"), "magic", "a member is missing or of another kind"),
        (
            ("calibration",),
            {"kind": "isotonic", "x": [1, 0], "y": [0, 1]},
            "a member is missing or of another",
        ),
        (("thresholds",), [1], "a member is missing or of another kind"),
    ],
)
def test_a_document_that_is_whole_but_wrong_is_refused(
    place: tuple[str | int, ...], value: object, sentence: str
) -> None:
    content = members(some_model())
    at: Any = content
    for step in place[:-1]:
        at = at[step]
    at[place[-1]] = value
    with pytest.raises(Damaged, match=sentence):
        read_model(canonical({**content, "version": content_hash(content)}))


def test_trees_in_a_ring_are_refused_and_not_walked() -> None:
    trees = some_model().trees
    left, right = trees.left.copy(), trees.right.copy()
    split = int(np.flatnonzero(left >= 0)[0])
    left[split], trees.roots[0] = trees.roots[0], left[split]
    ring = Trees(
        **{name: getattr(trees, name) for name in Trees.__dataclass_fields__} | {"left": left, "right": right}
    )
    assert ring.problem(FEATURES) == "a split lies before the one above it"


def test_a_line_is_found_that_the_labels_were_drawn_by() -> None:
    dice = np.random.default_rng(1)
    raw = dice.normal(0, 3, 40_000)
    fraud = dice.random(40_000) < 1 / (1 + np.exp(-(0.7 * raw - 1.5)))
    found = fit("platt", raw, fraud)
    assert isinstance(found, Platt)
    assert (found.slope, found.offset) == pytest.approx((0.7, -1.5), abs=0.05)


@given(st.lists(st.tuples(st.floats(-50, 50), st.booleans()), min_size=1, max_size=60))
def test_a_fitted_probability_never_falls_and_lies_between_none_and_one(
    known: list[tuple[float, bool]],
) -> None:
    raw, fraud = np.array([odds for odds, _ in known]), np.array([hit for _, hit in known])
    found = fit("isotonic", raw, fraud).probability(np.linspace(-60, 60, 50))
    assert (np.diff(found) >= 0).all()
    assert ((found >= 0) & (found <= 1)).all()
    straight = fit("platt", raw, fraud).probability(raw)
    assert ((straight >= 0) & (straight <= 1)).all()


def test_neighbours_that_fall_are_pooled() -> None:
    raw, fraud = np.array([4.0, 1.0, 2.0, 3.0]), np.array([True, False, True, False])
    assert fit_isotonic(raw, fraud) == Isotonic((1.0, 2.5, 4.0), (0.0, 0.5, 1.0))


@pytest.mark.parametrize("fraud", [[True, True], [False, False], []])
def test_where_all_were_alike_log_odds_are_taken_at_their_word(fraud: list[bool]) -> None:
    assert fit("isotonic", np.zeros(len(fraud)), np.array(fraud, bool)) == Platt(1.0, 0.0)
    assert Platt().probability(np.array([0.0, -1e9, 1e9])).tolist() == [0.5, 0.0, 1.0]


def test_rows_without_trees_have_the_base() -> None:
    dice = np.random.default_rng(0)
    model = a_model(grown(dice, 0, 1))
    assert model.raw(some_rows(dice, 2)).tolist() == [-1.25, -1.25]
    assert model.contributions(some_rows(dice, 1)).tolist() == [[0, 0, 0, 0, -1.25]]
