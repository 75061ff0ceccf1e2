"""What a day amounts to: counts and exact sums of its transactions, gathered one by one."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import Any

from shroff.core.alert import Alert, alert_id
from shroff.core.decision import Decision
from shroff.core.money import DECIMALS
from shroff.core.policy import OUTCOMES, Policy
from shroff.core.transaction import Transaction

MEAN_DECIMALS = 6
_HOUR = 3_600_000


@dataclass(slots=True)
class Amounts:
    """A count of transactions with the sum of those that have a price.

    >>> total = Amounts()
    >>> for minor in (1000, 999, None):
    ...     total.add(minor)
    >>> total.count, total.sum("USD"), total.mean("USD")
    (3, Decimal('19.99'), Decimal('9.995000'))
    """

    count: int = 0
    priced: int = 0
    """How many of them had an amount to add; the mean is over these."""
    minor: int = 0

    def add(self, minor: int | None) -> None:
        """Count a transaction; `minor` is its amount in minor units, None without a rate."""
        self.count += 1
        if minor is not None:
            self.priced += 1
            self.minor += minor

    def plus(self, other: Amounts) -> Amounts:
        """Both as one."""
        return Amounts(self.count + other.count, self.priced + other.priced, self.minor + other.minor)

    def numbers(self) -> tuple[int, int, int]:
        """All of it, in the order of the members."""
        return self.count, self.priced, self.minor

    def sum(self, currency: str) -> Decimal:
        """The exact sum in whole units, with all decimals of the currency."""
        return in_units(self.minor, currency)

    def mean(self, currency: str) -> Decimal | None:
        """Sum by count, half rounded to even at six decimals; None without any amount."""
        if self.priced == 0:
            return None
        with localcontext(prec=60):
            mean = self.sum(currency) / self.priced
            return mean.quantize(Decimal(1).scaleb(-MEAN_DECIMALS), ROUND_HALF_EVEN)


def in_units(minor: int, currency: str) -> Decimal:
    """Minor units as an exact number of whole units: any size, all decimals kept."""
    sign, digits, _ = Decimal(minor).as_tuple()
    return Decimal((sign, digits, -DECIMALS[currency]))


@dataclass(slots=True)
class Activity:
    """What one customer or merchant did: all of it, and the part that was not simply approved."""

    all: Amounts = field(default_factory=Amounts)
    flagged: Amounts = field(default_factory=Amounts)


@dataclass(slots=True)
class Hits:
    """What one rule found."""

    amounts: Amounts = field(default_factory=Amounts)
    outcome: str = OUTCOMES[0]
    """The most severe that it asked for."""
    example: str = ""
    """Its reason on the first transaction that it hit."""


class Exchange:
    """Brings amounts into one base currency, each at the rate of the policy that decided it.

    These are the amounts that the rules saw. The base currency is that of the first policy met; a transaction
    decided under another base, or under a policy that is not known, goes by the rates of that first one.
    """

    def __init__(self, policy_of: Callable[[str], Policy | None]) -> None:
        self._policy_of = policy_of
        self._first: Policy | None = None
        self._factors: dict[tuple[str, str], float | None] = {}
        self.base: str | None = None
        """None until the first transaction."""

    def in_base(self, transaction: Transaction, policy_version: str) -> int | None:
        """The amount in minor units of the base currency, half rounded to even; None without a rate."""
        factor = self.factor(policy_version, transaction.currency)
        return None if factor is None else round(transaction.amount_minor * factor)

    def factor(self, policy_version: str, currency: str) -> float | None:
        """What minor units of a currency are multiplied by; the same ever after it was first asked."""
        key = (policy_version, currency)
        if key not in self._factors:
            self._factors[key] = self._factor(policy_version, currency)
        return self._factors[key]

    def members(self) -> dict[str, Any]:
        """All that was met so far as plain JSON values, to go on from."""
        first = None if self._first is None else self._first.version
        return {"base": self.base, "first": first, "factors": [[*k, f] for k, f in self._factors.items()]}

    @classmethod
    def of(cls, members: Mapping[str, Any], policy_of: Callable[[str], Policy | None]) -> Exchange:
        """The exchange that gave these members."""
        exchange = cls(policy_of)
        exchange.base = members["base"]
        exchange._first = None if members["first"] is None else policy_of(members["first"])
        exchange._factors = {(version, currency): factor for version, currency, factor in members["factors"]}
        return exchange

    def agrees(self, members: Mapping[str, Any]) -> bool:
        """Whether the exchange of these members counted as this one does; asks as counting would have."""
        same = [self.factor(version, currency) == factor for version, currency, factor in members["factors"]]
        return all(same) and (self.base == members["base"] or not same)

    def _factor(self, policy_version: str, currency: str) -> float | None:
        policy = self._policy_of(policy_version)
        self._first = self._first or policy
        if self.base is None:
            self.base = currency if policy is None else policy.base_currency
        if currency == self.base:
            return 1.0
        if policy is None or policy.base_currency != self.base:
            policy = self._first
        if policy is None or policy.base_currency != self.base or currency not in policy.rates:
            return None
        # The same arithmetic as Batch.in_base, so that the report adds up what the rules compared.
        return float(policy.rates[currency].scaleb(DECIMALS[self.base] - DECIMALS[currency]))


class Tally:
    """Everything that is counted of a day's transactions. Sums are in the exchange's base currency."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.cells: dict[tuple[int, str], Amounts] = defaultdict(Amounts)
        """(hour in UTC, outcome) → what happened there."""
        self.currencies: dict[str, Amounts] = defaultdict(Amounts)
        """Currency → what was paid in it, in its own units."""
        self.rules: dict[str, Hits] = defaultdict(Hits)
        self.customers: dict[str | None, Activity] = defaultdict(Activity)
        self.merchants: dict[str | None, Activity] = defaultdict(Activity)
        self.policies: Counter[str] = Counter()

    def add(self, transaction: Transaction, decision: Decision) -> None:
        """Count one decided transaction."""
        minor = self._exchange.in_base(transaction, decision.policy_version)
        self.cells[transaction.occurred_at // _HOUR % 24, decision.outcome].add(minor)
        self.currencies[transaction.currency].add(transaction.amount_minor)
        self.policies[decision.policy_version] += 1
        customer, merchant = self.customers[transaction.customer_id], self.merchants[transaction.merchant]
        customer.all.add(minor)
        merchant.all.add(minor)
        if decision.outcome != OUTCOMES[0]:
            customer.flagged.add(minor)
            merchant.flagged.add(minor)
        for reason in decision.reasons:
            hits = self.rules[reason.rule]
            hits.amounts.add(minor)
            hits.outcome = max(hits.outcome, reason.outcome, key=OUTCOMES.index)
            hits.example = hits.example or reason.reason

    def members(self) -> dict[str, Any]:
        """All that was counted as plain JSON values, in the order in which it was met."""
        return {
            "cells": [[*key, *each.numbers()] for key, each in self.cells.items()],
            "currencies": [[name, *each.numbers()] for name, each in self.currencies.items()],
            "rules": [
                [name, each.outcome, each.example, *each.amounts.numbers()]
                for name, each in self.rules.items()
            ],
            "customers": _columns(self.customers),
            "merchants": _columns(self.merchants),
            "policies": [list(each) for each in self.policies.items()],
        }

    @classmethod
    def of(cls, members: Mapping[str, Any], exchange: Exchange) -> Tally:
        """The tally that gave these members, to be counted on with."""
        tally = cls(exchange)
        for hour, outcome, *numbers in members["cells"]:
            tally.cells[hour, outcome] = Amounts(*numbers)
        for currency, *numbers in members["currencies"]:
            tally.currencies[currency] = Amounts(*numbers)
        for rule, outcome, example, *numbers in members["rules"]:
            tally.rules[rule] = Hits(Amounts(*numbers), outcome, example)
        tally.customers.update(_activities(members["customers"]))
        tally.merchants.update(_activities(members["merchants"]))
        tally.policies.update(dict(members["policies"]))
        return tally

    @property
    def total(self) -> Amounts:
        """All of the day."""
        return together(self.cells)

    @property
    def flagged(self) -> Amounts:
        """All that was not simply approved."""
        return together({key: cell for key, cell in self.cells.items() if key[1] != OUTCOMES[0]})

    def outcome(self, outcome: str) -> Amounts:
        """All that ended so."""
        return together({key: cell for key, cell in self.cells.items() if key[1] == outcome})

    def hour(self, hour: int) -> Amounts:
        """All of one hour of the day, 0 to 23."""
        return together({key: cell for key, cell in self.cells.items() if key[0] == hour})


def _columns(activities: Mapping[str | None, Activity]) -> list[list[Any]]:
    """Names and their six numbers as columns: of millions, a list for each would weigh much."""
    columns = [
        [getattr(getattr(each, part), name) for each in activities.values()]
        for part in ("all", "flagged") for name in ("count", "priced", "minor")
    ]  # fmt: skip
    return [list(activities), *columns]


def _activities(columns: Iterable[list[Any]]) -> dict[str | None, Activity]:
    rows = zip(*columns, strict=True)
    return {name: Activity(Amounts(a, b, c), Amounts(d, e, f)) for name, a, b, c, d, e, f in rows}


def together(cells: Mapping[tuple[int, str], Amounts]) -> Amounts:
    """The cells as one."""
    total = Amounts()
    for cell in cells.values():
        total = total.plus(cell)
    return total


def from_sweep(alert: Alert) -> bool:
    """Whether a sweep raised this alert, and not a rule on a single transaction."""
    return alert.alert_id == alert_id(alert.reason, "transaction", alert.transaction_id, "sweep")
