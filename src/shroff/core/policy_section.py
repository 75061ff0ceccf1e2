"""One table of a policy's document: its values, each read with its place and a hint where it is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, TypeVar

from shroff.core.errors import Fault
from shroff.core.expression import Expression, ExpressionError, Kind, check
from shroff.core.features import milliseconds
from shroff.core.policy import OUTCOMES

Value = TypeVar("Value")

MOST_TABLES = 2_000
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


class Section:
    """A table at its place in the document; all sections of one document share their faults."""

    def __init__(self, content: Mapping[str, Any], place: str, faults: list[Fault]) -> None:
        self.content = content
        self.place = place
        self.faults = faults

    def __iter__(self) -> Iterator[str]:
        """The keys in alphabetical order: the order in which a document has them means nothing."""
        return iter(sorted(self.content))

    def fault(self, key: str, problem: str) -> None:
        """Note what is wrong with the value under a key."""
        place = self._at(key)
        self.faults.append(Fault(place, f"{place}: {problem}"))

    def unknown(self, key: str, kind: str, name: object, known: Iterable[str]) -> None:
        """The fault of a name that nobody knows, with the nearest that somebody does."""
        self.fault(key, f'unknown {kind} "{name}"{hint(str(name), known)}')

    def only(self, *keys: str) -> None:
        """Find fault with every other key."""
        for key in self:
            if key not in keys:
                self.unknown(key, "key", key, keys)

    def named(self, key: str, name: str) -> bool:
        """Whether this is a name as policies use them; else a fault."""
        if not _NAME.fullmatch(name):
            self.fault(key, "a name must be lower case letters, digits and _, starting with a letter")
            return False
        return True

    def table(self, key: str) -> Section:
        """The table under a key; an empty one where there is none."""
        value = self.content.get(key, {})
        if not isinstance(value, Mapping):
            self.fault(key, "must be a table")
            value = {}
        return Section(value, self._at(key), self.faults)

    def tables(self, key: str) -> list[Section]:
        """The tables of `[[key]]`, each at the place that its own name gives it."""
        value = self.content.get(key, [])
        place = self._at(key)
        if not isinstance(value, list) or not all(isinstance(each, Mapping) for each in value):
            self.fault(key, f"must be written as [[{place}]] sections")
            return []
        if len(value) > MOST_TABLES:
            self.fault(key, f"at most {MOST_TABLES} of them; this has {len(value)}")
            return []
        names = [each.get("name") for each in value]
        for name in sorted({str(name) for name in names if names.count(name) > 1 and name is not None}):
            self.fault(key, f'the name "{name}" is used more than once')
        return [
            Section(
                each, f"{place}.{name}" if isinstance(name, str) and name else f"{place}[{at}]", self.faults
            )
            for at, (each, name) in enumerate(zip(value, names, strict=True))
        ]

    def name(self) -> str | None:
        """The section's own name; None with a fault where it has no proper one."""
        name = self.text("name")
        return name if name and self.named("name", name) else None

    def text(self, key: str, default: str | None = None) -> str:
        """A non-empty string; empty with a fault where there is none."""
        value = self.content.get(key, default)
        if isinstance(value, str) and value.strip():
            return value
        self.fault(key, "must be a non-empty string")
        return ""

    def choice(self, key: str, kind: str, known: Iterable[str], default: str) -> str:
        """One of the known names."""
        value, known = self.content.get(key, default), list(known)
        if value not in known:
            self.unknown(key, kind, value, known)
            return default
        return str(value)

    def duration(self, key: str, default: str) -> int:
        """Milliseconds."""
        return self.tried(key, lambda: milliseconds(str(self.content.get(key, default)))) or 0

    def outcome(self, key: str, default: str = "") -> int:
        """A position in OUTCOMES."""
        value = self.content.get(key, default)
        if value in OUTCOMES:
            return OUTCOMES.index(value)
        self.fault(key, f"must be one of {', '.join(OUTCOMES)}")
        return 0

    def number(self, key: str, least: Decimal, most: Decimal, default: int | None = None) -> Decimal | None:
        """A number from `least` to `most`, exactly as it is written; None with a fault for anything else."""
        number = _decimal(self.content.get(key, default))
        if number is None or not least <= number <= most:
            self.fault(key, f"must be a number from {least} to {most}")
            return None
        return number

    def expression(self, key: str, names: Mapping[str, Kind], kind: Kind) -> Expression | None:
        """A checked expression of the kind that is wanted; None with a fault where it is not."""
        found = self.tried(key, lambda: check(self.content.get(key, ""), names))
        if found is not None and found.kind is not kind:
            self.fault(key, f"must be a {kind.value}, and is a {found.kind.value}")
            return None
        return found

    def tried(self, key: str, read: Callable[[], Value]) -> Value | None:
        """What `read` returns; its ValueError becomes a fault."""
        try:
            return read()
        except (ValueError, ExpressionError) as error:
            self.fault(key, str(error))
            return None

    def _at(self, key: str) -> str:
        return f"{self.place}.{key}" if self.place else key


def hint(name: str, known: Iterable[str]) -> str:
    """What to write instead of an unknown name."""
    known = list(known)
    close = get_close_matches(name[:100], known, 1)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; known are {', '.join(known[:12])}" if known else ""


def _decimal(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    number = Decimal(value)
    return number if number.is_finite() else None
