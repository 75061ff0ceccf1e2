"""A transaction, and how one is read from the members of a JSON object."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from msgspec import Struct

from shroff.core.errors import Fault, Rejected
from shroff.core.money import DECIMALS, to_minor

Scalar = str | float | int | bool

TEXTS = (
    "customer_id",
    "merchant",
    "card_id",
    "device_id",
    "ip",
    "email",
    "country",
    "merchant_category",
    "channel",
)
"""Optional text members, each at most 256 characters; an empty one counts as absent."""

REQUIRED = ("transaction_id", "amount", "timestamp")
KNOWN = frozenset((*REQUIRED, "currency", *TEXTS, "latitude", "longitude"))

JOINT = "\x1f"
"""Joins the fields that identify an entity; no field may hold it, or one pair could pass for another."""

MOST_ATTRIBUTES = 64
_LONGEST_ID, _LONGEST_TEXT, _LONGEST_ATTRIBUTE, _LONGEST_NAME = 128, 256, 1024, 64
_MILLISECONDS_FROM = 10**11  # as seconds this is the year 5138, as milliseconds it is 1973
_LIMITS = {"latitude": 90, "longitude": 180}


class Transaction(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One payment as it was accepted; every value is exact and normalised."""

    transaction_id: str
    amount_minor: int
    """In minor units of `currency`, always positive."""
    currency: str
    occurred_at: int
    """Milliseconds since 1970, UTC."""
    customer_id: str | None = None
    merchant: str | None = None
    card_id: str | None = None
    device_id: str | None = None
    ip: str | None = None
    email: str | None = None
    country: str | None = None
    merchant_category: str | None = None
    channel: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    attributes: dict[str, Scalar] | None = None
    """Every further scalar member, in the order of their names."""


def parse(members: Mapping[str, Any], *, currency: str = "USD") -> Transaction:
    """Read a transaction from decoded JSON, numbers as int or Decimal.

    `currency` stands in where the object names none. Raises Rejected with all faults at once,
    in the order of the contract: required members first.
    """
    reader = _Reader(members)
    own = reader.currency(currency)
    values: dict[str, Any] = {
        "transaction_id": reader.transaction_id(),
        "currency": own,
        "amount_minor": reader.amount(own),
        "occurred_at": reader.moment("timestamp"),
    }
    for name in TEXTS:
        if name in members:
            values[name] = reader.text(name)
    for name, limit in _LIMITS.items():
        if name in members:
            values[name] = reader.coordinate(name, limit)
    if len(members) > len(KNOWN & members.keys()):
        values["attributes"] = reader.attributes()
    if reader.faults:
        raise Rejected(sorted(reader.faults, key=_contract_order))
    return Transaction(**values)


def read_id(members: Mapping[str, Any], faults: list[Fault]) -> str:
    """The transaction_id of other objects than transactions; what is wrong with it goes to the faults."""
    reader = _Reader(members)
    found = reader.transaction_id()
    faults += reader.faults
    return found


def read_moment(members: Mapping[str, Any], name: str, faults: list[Fault]) -> int:
    """A moment in seconds since 1970 as milliseconds; what is wrong with it goes to the faults."""
    reader = _Reader(members)
    found = reader.moment(name)
    faults += reader.faults
    return found


def _contract_order(fault: Fault) -> int:
    return REQUIRED.index(fault.field) if fault.field in REQUIRED else len(REQUIRED)


class _Reader:
    """Reads member after member and collects what is wrong with them."""

    def __init__(self, members: Mapping[str, Any]) -> None:
        self.members = members
        self.faults: list[Fault] = []

    def fault(self, field: str, problem: str) -> None:
        self.faults.append(Fault(field, problem))

    def required(self, field: str) -> Any:
        value = self.members.get(field)
        if value is None:
            self.fault(field, f"Missing required field: {field}")
        return value

    def transaction_id(self) -> str:
        value = self.required("transaction_id")
        if _is_text(value, _LONGEST_ID) and value.strip():
            return str(value)
        if value is not None:
            kind = f"a non-empty string of at most {_LONGEST_ID} characters"
            self.fault("transaction_id", f"transaction_id must be {kind}")
        return ""

    def currency(self, default: str) -> str | None:
        value = self.members.get("currency")
        if value is None:
            return default
        if isinstance(value, str) and value in DECIMALS:
            return value
        self.fault("currency", "currency must be an ISO 4217 code in capitals, for example EUR")
        return None

    def amount(self, currency: str | None) -> int:
        """Minor units; without a known currency nobody can say how many decimals are too many."""
        value = self.required("amount")
        if value is None:
            return 0
        number = _decimal(value, text=True)
        if number is None:
            self.fault("amount", "Amount must be a number or a decimal string")
        elif number <= 0:
            self.fault("amount", "Amount must be positive")
        elif currency is not None:
            try:
                return to_minor(number, currency)
            except ValueError as problem:
                self.fault("amount", str(problem))
        return 0

    def moment(self, field: str) -> int:
        value = self.required(field)
        if value is None:
            return 0
        seconds = _decimal(value, text=False)
        if seconds is None:
            self.fault(field, f"{field} must be a number of seconds since 1970")
        elif seconds < 0:
            self.fault(field, f"{field} must not be before 1970")
        elif seconds >= _MILLISECONDS_FROM:
            self.fault(field, f"{field} looks like milliseconds; give seconds since 1970")
        else:
            return int(seconds * 1000)
        return 0

    def text(self, field: str) -> str | None:
        value = self.members[field]
        if value is None or value == "":
            return None
        if _is_text(value, _LONGEST_TEXT) and JOINT not in str(value):
            return str(value)
        kept = ", without the separator U+001F" if isinstance(value, str) and JOINT in value else ""
        self.fault(field, f"{field} must be a string of at most {_LONGEST_TEXT} characters{kept}")
        return None

    def coordinate(self, field: str, limit: int) -> float | None:
        value = self.members[field]
        if value is None:
            return None
        number = _decimal(value, text=False)
        if number is not None and -limit <= number <= limit:
            return float(number)
        self.fault(field, f"{field} must be a number from -{limit} to {limit}")
        return None

    def attributes(self) -> dict[str, Scalar] | None:
        names = sorted(name for name in self.members if name not in KNOWN)
        if len(names) > MOST_ATTRIBUTES:
            sentence = f"at most {MOST_ATTRIBUTES} further members are kept; this has {len(names)}"
            self.fault("attributes", sentence)
            return None
        found = {name: self.attribute(name) for name in names if self.members[name] is not None}
        return {name: value for name, value in found.items() if value is not None} or None

    def attribute(self, name: str) -> Scalar | None:
        value = self.members[name]
        if not _is_text(name, _LONGEST_NAME):
            self.fault(name[:_LONGEST_NAME], f"a member's name must have at most {_LONGEST_NAME} characters")
            return None
        if isinstance(value, bool):
            return value
        if _is_text(value, _LONGEST_ATTRIBUTE):
            return str(value)
        number = _decimal(value, text=False)
        if number is not None and number.adjusted() < 300:
            whole = int(number) if number.adjusted() < 15 and number == number.to_integral_value() else None
            return float(number) if whole is None else whole
        kinds = f"a string of at most {_LONGEST_ATTRIBUTE} characters, a number or a boolean"
        self.fault(name, f"{name} must be {kinds}")
        return None


def _is_text(value: object, longest: int) -> bool:
    """Whether this is a string that is short enough and has a UTF-8 form."""
    if not isinstance(value, str) or len(value) > longest:
        return False
    try:
        return value.isascii() or bool(value.encode())
    except UnicodeEncodeError:
        return False


def _decimal(value: object, *, text: bool) -> Decimal | None:
    """A finite Decimal with the value's own decimal digits, or None where it is no number."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, float):
        return Decimal(repr(value)) if math.isfinite(value) else None
    if isinstance(value, str) and text and len(value) <= 64:
        return _decimal_text(value)
    return value if isinstance(value, Decimal) and value.is_finite() else None


def _decimal_text(value: str) -> Decimal | None:
    if not value.isascii() or "_" in value or value != value.strip():
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
