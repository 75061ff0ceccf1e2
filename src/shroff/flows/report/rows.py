"""The day's transactions as CSV: one line each, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator

from shroff.codec import instant, seconds
from shroff.core.money import to_text
from shroff.ports import Record

COLUMNS = (
    "transaction_id", "timestamp", "amount", "customer_id", "merchant", "outcome", "score", "reasons",
    "currency", "occurred_at", "rules", "card_id", "country", "policy_version",
)  # fmt: skip
"""`amount` is in `currency`, exact; `timestamp` is as posted, and `occurred_at` the same as ISO 8601 UTC."""

JOINT = "; "
_HARMLESS = re.compile(r"[A-Za-z0-9][ -~]*")
_FORMULA = frozenset("=+-@")
_INVISIBLE = frozenset(("Zs", "Zl", "Zp", "Cc", "Cf"))


def table(chunks: Iterable[Iterable[Record]]) -> Iterator[bytes]:
    """UTF-8 CSV in parts, the header first; memory follows the largest chunk and not the day."""
    yield header()
    for chunk in chunks:
        yield lines(chunk)


def header() -> bytes:
    """The line that names the columns."""
    return _lines([COLUMNS])


def lines(records: Iterable[Record]) -> bytes:
    """A line for each record."""
    return _lines(map(_row, records))


def safe(text: str | None) -> str:
    r"""A foreign text as a cell: on one line, and with an apostrophe before what could be a formula.

    >>> safe("Coffee & Co"), safe("=1+1"), safe(" \t@SUM(A1)"), safe("two\r\nlines")
    ('Coffee & Co', "'=1+1", "'  @SUM(A1)", 'two  lines')
    """
    if not text or _HARMLESS.fullmatch(text):
        return text or ""
    flat = "".join(" " if unicodedata.category(each) in {"Cc", "Zl", "Zp"} else each for each in text)
    return f"'{flat}" if _may_run(text) else flat


def _may_run(text: str) -> bool:
    """Whether a spreadsheet may take it for a formula, once it has dropped what cannot be seen."""
    if text[0] in "\t\r\n":
        return True
    first = next((each for each in text if unicodedata.category(each) not in _INVISIBLE), "")
    return unicodedata.normalize("NFKC", first)[:1] in _FORMULA if first else False


def _row(record: Record) -> tuple[str | int | float, ...]:
    transaction, decision = record.transaction, record.decision
    return (
        safe(transaction.transaction_id),
        seconds(transaction.occurred_at),
        to_text(transaction.amount_minor, transaction.currency),
        safe(transaction.customer_id),
        safe(transaction.merchant),
        decision.outcome,
        decision.score,
        safe(JOINT.join(reason.reason for reason in decision.reasons)),
        transaction.currency,
        instant(transaction.occurred_at),
        JOINT.join(reason.rule for reason in decision.reasons),
        safe(transaction.card_id),
        safe(transaction.country),
        decision.policy_version,
    )


def _lines(rows: Iterable[Iterable[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode("utf-8", "replace")
