"""The card as plain JSON values: what was measured, and nothing else."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from shroff.codec import instant
from shroff.core.intervals import DRAWS, estimates
from shroff.core.metrics import recall_at, threshold_at
from shroff.core.model import Model
from shroff.core.phrases import phrase, plain_phrase
from shroff.core.policy import Policy, main_entity
from shroff.core.thresholds import DECLINE, REVIEW
from shroff.flows.card.curves import calibration, precisions
from shroff.flows.card.judged import Judged
from shroff.flows.card.slices import slices
from shroff.flows.card.warnings import warnings

FORM = 1


def card(model: Model, policy: Policy, judged: Judged, *, seed: int) -> dict[str, Any]:
    """Data, measures with intervals, calibration, features, slices, thresholds and warnings of a model.

    The same model, history and seed give the same card.
    """
    cards = judged.cards[judged.rows]
    at, why = _threshold(model, judged)
    caught = judged.fraud & (judged.scores >= at)
    found: dict[str, Any] = {
        "form": FORM,
        "model": _model(model),
        "policy": {"name": policy.name, "version": policy.version, "currency": policy.base_currency},
        "data": _data(judged),
        "measures": {
            name: asdict(each)
            for name, each in estimates(judged.fraud, judged.scores, cards, seed=seed).items()
        },
        "intervals": {
            "level": 0.95,
            "draws": DRAWS,
            "by": main_entity(policy.entities),
            "cards": len(np.unique(cards)),
            "seed": seed,
        },
        "calibration": calibration(judged.fraud, judged.scores),
        "precision_recall": precisions(judged.fraud, judged.scores),
        "features": _features(model, policy),
        "thresholds": model.trained.get("thresholds"),
        "recall_threshold": {
            "score": None if math.isinf(at) else at,
            "why": why,
            "recall": round(float(caught.sum() / judged.fraud.sum()), 6),
        },
        "slices": slices(judged, policy, at),
        "search": model.trained.get("search"),
    }
    return {**found, "warnings": warnings(found)}


def as_json(found: Mapping[str, Any]) -> bytes:
    """The card as a file for programs: equal cards give equal bytes."""
    return json.dumps(found, indent=2, ensure_ascii=False, allow_nan=False).encode() + b"\n"


def _model(model: Model) -> dict[str, Any]:
    return {
        "name": model.name,
        "version": model.version,
        "by": model.trained.get("by"),
        "trees": len(model.trees.roots),
        "features": len(model.features),
        "seed": model.trained.get("seed"),
        "parameters": model.trained.get("parameters"),
    }


def _data(judged: Judged) -> dict[str, Any]:
    """Which days, and how many transactions of what kind."""
    history = judged.history
    when, fraud = history.batch.occurred_at, history.fraud
    train, valid = judged.train_rows, judged.rows
    return {
        "from": instant(int(when[0])),
        "to": instant(int(when[-1])),
        "transactions": len(history),
        "labelled": int(np.count_nonzero(history.labelled)),
        "frauds": int(np.count_nonzero(fraud)),
        "label_delay_days": judged.delay_days,
        "labels_say_when_known": judged.told,
        "training": {
            "from": instant(int(when[train[0]])),
            "to": instant(int(when[train[-1]])),
            "transactions": len(train),
            "frauds": int(np.count_nonzero(fraud[train])),
        },
        "validation": {
            "from": instant(judged.valid_from),
            "to": instant(judged.valid_to),
            "days": judged.days,
            "transactions": len(valid),
            "frauds": int(np.count_nonzero(judged.fraud)),
            "fraud_value": round(float(np.nansum(judged.values[valid][judged.fraud])), 2),
        },
        "without_rate": int(np.count_nonzero(np.isnan(judged.values[valid]))),
    }


def _threshold(model: Model, judged: Judged) -> tuple[float, str]:
    """The score from which a transaction counts as found, and why that one."""
    for outcome in (REVIEW, DECLINE):
        if outcome in model.thresholds:
            return model.thresholds[outcome], f"the threshold of {outcome}"
    at = threshold_at(judged.fraud, judged.scores)
    found = recall_at(judged.fraud, judged.scores)
    return (
        at,
        "1 % of the legitimate reach it" if found else "1 % of the legitimate would reach any lower one",
    )


def _features(model: Model, policy: Policy) -> list[dict[str, Any]]:
    """Each feature that any tree asks for, by what it gained, with what is usual of it in words."""
    gains, usual = model.trained.get("gain", {}), model.trained.get("usual", {})
    known = {each.name: each for layout in policy.layouts for each in layout.features}
    whole = math.fsum(gains.values()) or 1.0
    return [
        {
            "name": name,
            "gain": round(gain / whole, 6),
            "usual": usual.get(name),
            "usually": (
                phrase(known[name], usual.get(name)) if name in known else plain_phrase(name, usual.get(name))
            ),
        }
        for name, gain in sorted(gains.items(), key=lambda pair: (-pair[1], pair[0]))
    ]
