"""A backtest as tables, for people."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from shroff.cli.options import print_table
from shroff.core.backtest import SHARES

_FRICTION = {"challenge": "challenged", "review": "reviewed", "decline": "declined"}

Told = Mapping[str, Any]


def print_backtest(told: Told) -> None:
    """All of it: figures side by side, hits per rule, differences, what one has to know."""
    if not told["transactions"]:
        print("No transaction is stored of that time.")
        return
    print(
        f"{told['transactions']} transactions of {told['days']} days, {told['from']} to {told['to']}; "
        f"95 % intervals in brackets"
    )
    sides = told["against"], told["policy"]
    names = [side["name"] for side in sides]
    print()
    print_table(("", *names, "change"), [*_workload(told, *sides), *_quality(told, *sides)], "")
    print()
    print_table(("rule", *_rule_headings(told, names)), _rules(told, *sides), "No rule hit.")
    print()
    _print_differences(told["differences"], names)
    for note in told["notes"]:
        print(f"note: {note}")


def _workload(told: Told, one: Told, other: Told) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [
        (
            outcome,
            *_counts(one["outcomes"][outcome]["transactions"], other["outcomes"][outcome]["transactions"]),
        )
        for outcome in one["outcomes"]
    ]
    rows.append(("alerts", *_counts(one["alerts"], other["alerts"])))
    rows.append((
        "alerts a day",
        _estimate(one["alerts_per_day"], 1), _estimate(other["alerts_per_day"], 1),
        _estimate(told["change"]["alerts_per_day"], 1, sign="+"),
    ))  # fmt: skip
    hours = one["analyst_hours"], other["analyst_hours"]
    days = [_estimate(side["analyst_hours_per_day"], 1) for side in (one, other)]
    rows.append(("analyst hours a day", *days, ""))
    rows.append(
        ("analyst hours in all", f"{hours[0]:,.1f}", f"{hours[1]:,.1f}", f"{hours[1] - hours[0]:+,.1f}")
    )
    return rows


def _quality(told: Told, one: Told, other: Told) -> list[tuple[str, ...]]:
    before, after = one["quality"], other["quality"]
    if before is None or after is None:
        return []
    money, change = f"  in {told['currency']}", told["change"]
    rows: list[tuple[str, ...]] = []
    for word in ("caught", "missed"):
        rows.append((f"fraud {word}", *_counts(before[f"fraud_{word}"], after[f"fraud_{word}"])))
        rows.append((money, *_money(before[f"value_{word}"], after[f"value_{word}"])))
    rows += [
        (
            name.replace("_", " "),
            _percent(before[name]),
            _percent(after[name]),
            _percent(change[name], sign="+"),
        )
        for name in SHARES
    ]
    for outcome, word in _FRICTION.items():
        was, now = before["friction"][outcome], after["friction"][outcome]
        rows.append((f"legitimate {word}", *_counts(was["transactions"], now["transactions"])))
        rows.append((money, *_money(was["value"], now["value"])))
    return rows


def _rule_headings(told: Told, names: list[str]) -> list[str]:
    headings = [f"hits {name}" for name in names] + ["change"]
    return headings if told["labels"] is None else [*headings, *(f"fraud {name}" for name in names)]


def _rules(told: Told, one: Told, other: Told) -> list[tuple[str, ...]]:
    rows = []
    for rule in dict.fromkeys([*other["rules"], *one["rules"]]):
        pair = [side["rules"].get(rule) for side in (one, other)]
        hits = [None if each is None else each["hits"] for each in pair]
        cells = ["-" if each is None else f"{each:,}" for each in hits]
        row = (rule, *cells, f"{(hits[1] or 0) - (hits[0] or 0):+,}")
        if told["labels"] is not None:
            row += tuple("-" if each is None else _percent(each["precision"]) for each in pair)
        rows.append(row)
    return rows


def _print_differences(differences: Told, names: list[str]) -> None:
    if not differences["transactions"]:
        print(f"{names[1]} and {names[0]} differ on 0 transactions.")
        return
    aspects = ", ".join(f"{many} in {aspect}" for aspect, many in differences["in"].items())
    print(f"They differ on {differences['transactions']} transactions: {aspects}")
    for each in differences["outcomes"]:
        print(f"  {each['transactions']:,} from {each['against']} to {each['policy']}")
    rows = [_difference(each) for each in differences["first"]]
    if rows:
        print()
        print_table(("transaction", "amount", "label", *names, "reasons"), rows, "")


def _difference(found: Told) -> tuple[str, ...]:
    one, other = found["against"], found["policy"]
    return (
        found["transaction_id"],
        f"{found['amount']} {found['currency']}",
        found["label"] or "",
        f"{one['outcome']} {one['score']:.2f}",
        f"{other['outcome']} {other['score']:.2f}",
        _reasons(one, other),
    )


def _reasons(one: Told, other: Told) -> str:
    """What either says that the other does not."""
    before, after = ([each["reason"] for each in side["reasons"]] for side in (one, other))
    gone = [f"- {each}" for each in before if each not in after]
    come = [f"+ {each}" for each in after if each not in before]
    return "\n".join([*gone, *come])


def _counts(before: int, after: int) -> tuple[str, str, str]:
    return f"{before:,}", f"{after:,}", f"{after - before:+,}"


def _money(before: str, after: str) -> tuple[str, str, str]:
    return f"{Decimal(before):,}", f"{Decimal(after):,}", f"{Decimal(after) - Decimal(before):+,}"


def _percent(estimate: Told, sign: str = "") -> str:
    scaled = {name: None if value is None else 100 * value for name, value in estimate.items()}
    return _estimate(scaled, 1, sign=sign, unit="%")


def _estimate(estimate: Told, decimals: int, *, sign: str = "", unit: str = "") -> str:
    if estimate["value"] is None:
        return "-"
    said = f"{estimate['value']:{sign},.{decimals}f}{unit}"
    if estimate["low"] is None:
        return said
    return f"{said} [{estimate['low']:{sign},.{decimals}f}, {estimate['high']:{sign},.{decimals}f}]"
