"""The report as one HTML page that needs nothing but itself: no script, font or picture from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from shroff.core.policy import OUTCOMES
from shroff.flows.report import words
from shroff.flows.report.charts import hourly

SHOWN = 10
"""How many rows a table of the page has at most; the JSON file has them all."""


def page(document: Mapping[str, Any]) -> str:
    """The page of one report's document."""
    hours = document["by_hour"]
    return _template().render(
        **document,
        document=document,
        shown=SHOWN,
        outcomes=OUTCOMES,
        all_hours=hourly(hours, OUTCOMES, before=True),
        flagged_hours=hourly(hours, OUTCOMES[1:], before=False),
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("shroff.flows.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "whole": words.whole,
        "figure": words.figure,
        "share": words.share,
        "version_of": words.version_of,
        "column_of": words.column_of,
        "money": words.money,
        "percent": words.percent,
        "since": words.since,
        "visible": words.visible,
        "long_date": words.long_date,
    }
    environment.globals["counted"] = words.counted
    return environment.get_template("report.html")
