"""A day looked at beside the days before it: what the report says of models, drift, rules and calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from shroff.flows.compare import PolicyOf
from shroff.flows.figures import FORMAT
from shroff.flows.report import sections
from shroff.flows.report.ripen import Ripe, written
from shroff.flows.report.warn import warnings
from shroff.flows.report.watch import Watch, encoded, remembered
from shroff.ports import Reports

MOST_NAMED = 20
"""Features, rules and models that metrics name: what is more is in the report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was found of a day."""

    day: date
    watch: Watch
    label_days: int | None
    labels_seen: int
    """The number of the newest label that was there."""
    ripe: Mapping[str, Any]
    """Ripe days as they are kept."""
    models: Sequence[Mapping[str, Any]]
    drift: Mapping[str, Any]
    rules: Sequence[Mapping[str, Any]]
    calibration: Sequence[Mapping[str, Any]] | None

    def members(self) -> dict[str, Any]:
        """Members of the report's document."""
        found = {
            "models": self.models,
            "drift": self.drift,
            "rules": self.rules,
            "calibration": {"label_days": self.label_days, "weeks": self.calibration},
        }
        return {"warnings": warnings(found), **found}

    def figures(self) -> dict[str, Any]:
        """The few figures that metrics tell."""
        states = [each["state"] for each in self.rules]
        weeks = self.calibration or ()
        newest = {each["model"]: each for each in weeks}
        return {
            "psi": {each["name"]: each["psi"] for each in self.drift["columns"][:MOST_NAMED]
                    if each["psi"] is not None},
            "drift": {state: self.drift[state] for state in ("stable", "moving", "shifted")},
            "rules": {state: states.count(state) for state in ("silent", "spiking", "never")},
            "strange_rules": [[each["rule"], each["state"]] for each in self.rules
                              if each["state"] in {"silent", "spiking"}][:MOST_NAMED],
            "agreement": {each["version"]: each["agreement"] for each in self.models
                          if each["role"] == "challenger"},
            "calibration": {model: each["ratio"] for model, each in newest.items()
                            if each["ratio"] is not None},
        }  # fmt: skip

    def kept(self) -> bytes:
        """What later reports go by."""
        members = {
            "format": FORMAT,
            "date": self.day.isoformat(),
            **self.watch.members(),
            "label_days": self.label_days,
            "labels_seen": self.labels_seen,
            "ripe": self.ripe,
            "figures": self.figures(),
        }
        return encoded(members)


def look(day: date, watch: Watch, reports: Reports, policy_of: PolicyOf, ripe: Ripe | None) -> Look:
    """Look at a counted day beside the days whose reports are there; without `ripe`, not at labels."""
    kept = remembered(reports, day)
    judged = None
    if ripe is not None and watch.models.found:
        judged = ripe.of(day, policy_of, next(reversed(kept.values()), None))
    return Look(
        day=day,
        watch=watch,
        label_days=None if ripe is None else ripe.days,
        labels_seen=0 if judged is None else judged.seen,
        ripe=written({} if judged is None else judged.days),
        models=sections.models(watch, policy_of, None if judged is None else judged.days),
        drift=sections.drift(watch, kept, sections.kinds(watch)),
        rules=sections.rules(watch, kept),
        calibration=None if ripe is None else sections.calibration({} if judged is None else judged.days),
    )
