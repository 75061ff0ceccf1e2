"""A stratified random split, row for row that of scikit-learn, which published figures are made with.

After `StratifiedShuffleSplit` of scikit-learn (BSD 3-Clause), as `train_test_split(stratify=…)` calls it.
"""

from __future__ import annotations

import numpy as np

from shroff.core.compiled import Array


def stratified(classes: Array, tested: int, seed: int) -> tuple[Array, Array]:
    """Row numbers that train and that test, of rows of these classes [n] int from 0 on; shuffled."""
    chance = np.random.RandomState(seed)
    found, codes, counts = np.unique(classes, return_inverse=True, return_counts=True)
    members = np.split(np.argsort(codes, kind="stable"), np.cumsum(counts)[:-1])
    training = _shared(counts, len(classes) - tested, chance)
    testing = _shared(counts - training, tested, chance)
    train, test = [], []
    for at in range(len(found)):
        order = members[at][chance.permutation(counts[at])]
        train.append(order[: training[at]])
        test.append(order[training[at] : training[at] + testing[at]])
    return chance.permutation(np.concatenate(train)), chance.permutation(np.concatenate(test))


def _shared(counts: Array, draws: int, chance: np.random.RandomState) -> Array:
    """How many of each class make up so many draws; of equal remainders chance picks."""
    exact = counts / counts.sum() * draws
    whole = np.floor(exact)
    missing = int(draws - whole.sum())
    for remainder in np.unique(exact - whole)[::-1]:
        if missing <= 0:
            break
        (those,) = np.nonzero(exact - np.floor(exact) == remainder)
        more = min(len(those), missing)
        whole[chance.choice(those, size=more, replace=False)] += 1
        missing -= more
    found: Array = whole.astype(np.int64)
    return found


def in_turn(classes: Array, parts: int, seed: int) -> Array:
    """Which of so many parts each row is of [n], at random; each part has its share of each class [n]."""
    chance = np.random.default_rng(seed)
    found = np.empty(len(classes), np.int64)
    for each in np.unique(classes):
        places = chance.permutation(np.flatnonzero(classes == each))
        found[places] = np.arange(len(places)) % parts
    return found
