"""Files of an allowlist or blocklist: one value a line, or a value and when it expires."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

from shroff.adapters.files.plain import fault
from shroff.adapters.files.stream import opened, size_of, text_of
from shroff.adapters.files.values import instant, number
from shroff.core.features import milliseconds

_LONGEST = 256
_MILLISECONDS_FROM = 10**11
_HEADERS = (["value"], ["value", "expires"], ["value", "expires_at"])
_HOW = "give an ISO 8601 time, seconds since 1970, or a duration such as 30d"


def read_list(path: Path, *, now: int, bad: Callable[[int, str], None]) -> Iterator[tuple[str, int | None]]:
    """Yield (value, expires_at or None), in milliseconds; durations count from `now`.

    Lines are `value` or `value,expires`. Blank lines, lines that begin with # and a header `value,expires`
    are skipped. `bad` is told the number of a line that cannot be read, and what is wrong with it.
    Raises Rejected where the file itself cannot be read.
    """
    size_of(path)
    expires = lru_cache(maxsize=4096)(lambda text: expiry(text, now))
    with opened(path) as (binary, _):
        reader = csv.reader(text_of(binary))
        try:
            for cells in reader:
                if not cells or cells[0].startswith("#") or (reader.line_num == 1 and _is_header(cells)):
                    continue
                value = cells[0].strip()
                problem = _problem(value, len(cells))
                if problem is None:
                    try:
                        yield value, expires(cells[1]) if len(cells) == 2 else None
                        continue
                    except ValueError as error:
                        problem = str(error)
                bad(reader.line_num, problem)
        except csv.Error as error:
            raise fault(path, f"line {reader.line_num} cannot be read: {error}") from None


def expiry(text: str, now: int) -> int | None:
    """Milliseconds since 1970 of an instant or a duration from now; None for no text. Raises ValueError."""
    text = text.strip()
    if not text:
        return None
    exact = number(text)
    if exact is not None:
        if not 0 <= exact < _MILLISECONDS_FROM:
            raise ValueError(f"{text} is not a number of seconds since 1970; {_HOW}")
        return int(exact * 1000)
    moment = instant(text)
    if moment is not None:
        return moment
    try:
        return now + milliseconds(text)
    except ValueError:
        raise ValueError(f'"{text[:40]}" is no time; {_HOW}') from None


def _problem(value: str, cells: int) -> str | None:
    if not value:
        return "there is no value"
    if len(value) > _LONGEST:
        return f"a value has at most {_LONGEST} characters; this one has {len(value)}"
    if cells > 2:
        return (
            f'there are {cells} columns: give value,expires, and put a value with a comma in quotes ("a, b")'
        )
    return None if value.isascii() or _is_unicode(value) else "the value is not UTF-8"


def _is_header(cells: list[str]) -> bool:
    return [cell.strip().lower() for cell in cells] in _HEADERS


def _is_unicode(value: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in value)
