"""Opening a file of transactions by its suffix."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from shroff.adapters.files.chunks import Rows, Source
from shroff.adapters.files.delimited import Delimited
from shroff.adapters.files.layout import LABEL, TRANSACTION, Contract
from shroff.adapters.files.ndjson import Ndjson
from shroff.adapters.files.parquet import Parquet
from shroff.adapters.files.plain import fault

_FORMATS: dict[str, Callable[[Path, Mapping[str, str], Contract], Source]] = {
    ".csv": Delimited,
    ".tsv": Delimited,
    ".ndjson": Ndjson,
    ".jsonl": Ndjson,
    ".parquet": Parquet,
}
SUFFIXES = tuple(_FORMATS)
"""What can be read; text may be packed, as in .csv.gz."""


def open_rows(path: Path, mapping: Mapping[str, str]) -> Rows:
    """Open a file of transactions; `mapping` is member → column, for columns that have other names.

    Raises Rejected in plain sentences: no such file, damaged, no such column, a member without a column.
    """
    return Rows(_source(path, mapping, TRANSACTION))


def open_labels(path: Path, mapping: Mapping[str, str]) -> Rows:
    """Open a file of labels: transaction_id and label, and if there source, known_at and timestamp."""
    return Rows(_source(path, mapping, LABEL))


def _source(path: Path, mapping: Mapping[str, str], contract: Contract) -> Source:
    name = path.name.lower()
    packed = name.endswith(".gz")
    suffix = Path(name.removesuffix(".gz")).suffix
    source = _FORMATS.get(suffix)
    if source is None or (packed and suffix == ".parquet"):
        raise fault(
            path, f"the name must end in one of {', '.join(SUFFIXES)}; all but .parquet also with .gz"
        )
    return source(path, mapping, contract)
