"""The card as one HTML page that needs nothing but itself: no script, font or picture from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, Template

from shroff.flows.card import charts, words
from shroff.flows.report.words import visible

SHOWN = 20
"""How many features the page has at most; the JSON file has them all."""

MEASURES = {
    "average_precision": ("Average precision", "of what ranks high, the share that is fraud"),
    "roc_auc": ("AUC", "how often a fraud outranks a legitimate one"),
    "recall_at_1_percent_false_positives": (
        "Recall at 1 %",
        "of the frauds, where 1 % of the others are stopped",
    ),
    "brier_score": ("Brier score", "squared distance from the truth; less is better"),
}


def as_page(found: Mapping[str, Any]) -> bytes:
    """The page of a card's document."""
    validation = found["data"]["validation"]
    rate = validation["frauds"] / validation["transactions"]
    page = _template().render(
        **found,
        card=found,
        shown=SHOWN,
        rate=rate,
        titles=MEASURES,
        curve=charts.precision_recall(found["precision_recall"], rate, found["recall_threshold"]["score"]),
        reliability=charts.calibration(found["calibration"]),
    )
    return page.encode("utf-8", "replace")


@cache
def _template() -> Template:
    environment = Environment(
        # The report's page and the card look alike: they share its style.
        loader=ChoiceLoader([PackageLoader("shroff.flows.card"), PackageLoader("shroff.flows.report")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "share": words.share,
        "figure": words.figure,
        "count": words.count,
        "visible": visible,
    }
    environment.globals["between"] = words.between
    return environment.get_template("card.html")
