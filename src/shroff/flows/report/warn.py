"""What somebody should look at, in sentences: at most a handful of each kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shroff.flows.report.words import counted, figure, whole

MOST = 5
"""Sentences of one kind; the tables have the rest."""


def warnings(found: Mapping[str, Any]) -> list[str]:
    """The sentences on drift, rules and calibration; none on a day like any other."""
    shifted = [each for each in found["drift"]["columns"] if each["state"] == "shifted"]
    strange = [each for each in found["rules"] if each["state"] in {"silent", "spiking"}]
    off = [each for each in found["calibration"]["weeks"] or () if each["verdict"]]
    return [
        *_some([_shifted(each) for each in shifted], "column"),
        *_some([_strange(each) for each in strange], "rule"),
        *_some([_off(each) for each in reversed(off)], "week"),
    ]


def _some(sentences: Sequence[str], noun: str) -> Iterator[str]:
    yield from sentences[:MOST]
    if len(sentences) > MOST:
        yield f"And {counted(len(sentences) - MOST, 'further ' + noun)} like that."


def _shifted(column: Mapping[str, Any]) -> str:
    now, before = column["today"], column["before"]
    said = f"{column['name']} has shifted (PSI {column['psi']:.2f})"
    if abs(now["missing"] - before["missing"]) >= 0.05:  # a twentieth more or less shows
        return f"{said}: {_share(now['missing'])} of it is missing, {_share(before['missing'])} before."
    for name, told in (("median", "median"), ("p90", "ninetieth percentile")):
        if now[name] != before[name]:
            return f"{said}: its {told} is {figure(now[name])}, {figure(before[name])} before."
    return f"{said} around the same median of {figure(now['median'])}."


def _strange(rule: Mapping[str, Any]) -> str:
    usual = f"{whole(round(rule['expected']))} were to be expected"
    if rule["state"] == "silent":
        return f"Rule {rule['rule']} has gone silent: no hit, where {usual}."
    return f"Rule {rule['rule']} is spiking: {counted(rule['hits'], 'hit')}, where {usual}."


def _off(week: Mapping[str, Any]) -> str:
    return (
        f"Model {week['model']} scored {week['verdict']} in the week of {week['from']}: it expected"
        f" {whole(round(week['expected']))} frauds of {whole(week['transactions'])},"
        f" and {whole(week['frauds'])} came."
    )


def _share(value: float) -> str:
    return f"{100 * value:.0f}%"
