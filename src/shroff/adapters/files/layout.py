"""Which column of a file is which member of a transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from shroff.adapters.files.plain import fault
from shroff.core.errors import Fault, Rejected
from shroff.core.transaction import KNOWN, REQUIRED

_ATTRIBUTE = "attributes."
_LABEL = frozenset(("transaction_id", "label", "source", "known_at", "timestamp"))
_NAMED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Pairs of member and column, each member once."""

    columns: Mapping[str, str]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.columns.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What the rows of a file are to be."""

    known: Collection[str]
    required: Sequence[str]
    attributes: bool = False
    """Whether further members are kept."""


TRANSACTION = Contract(known=KNOWN, required=REQUIRED, attributes=True)
LABEL = Contract(known=_LABEL, required=("transaction_id", "label"))


def lay_out(
    path: Path,
    mapping: Mapping[str, str],
    columns: Sequence[str],
    *,
    complete: bool = True,
    contract: Contract = TRANSACTION,
) -> Layout:
    """Find the members of a transaction among a file's columns.

    `mapping` is member → column; `attributes.NAME`, or any name that is not a member of the contract, keeps a
    column as an attribute. Columns that are not mapped count where they have a member's name, others do not.
    `complete` says that the file can have no further columns. Raises Rejected with all that does not fit.
    """
    faults = [*_twice_in_header(path, columns), *_unknown_columns(path, mapping, columns)]
    members: dict[str, str] = {}
    for target, column in mapping.items():
        member = target.removeprefix(_ATTRIBUTE)
        if target.startswith(_ATTRIBUTE) and member in KNOWN:
            faults.append(Fault(target, f"{member} cannot be an attribute: it is a member of its own"))
        elif not contract.attributes and member not in contract.known:
            faults.append(
                Fault(target, f"{target} is no member: they are {', '.join(sorted(contract.known))}")
            )
        elif not member:
            faults.append(Fault(target, f"column {column} is mapped to no name"))
        elif member in members:
            faults.append(
                Fault(target, f"{member} is mapped twice, from {members[member]} and from {column}")
            )
        members[member] = column
    taken = {*members, *mapping.values()}
    left = {*contract.known} - taken
    found = members | {name: name for name in (columns if complete else sorted(left)) if name in left}
    if complete and not faults:
        faults = _missing(path, found, columns, contract.required)
    if faults:
        raise Rejected(faults)
    return Layout(columns=found)


def _twice_in_header(path: Path, columns: Sequence[str]) -> list[Fault]:
    counts = Counter(columns)
    return [
        Fault(name, f"{path}: column {name} is there twice") for name, count in counts.items() if count > 1
    ]


def _unknown_columns(path: Path, mapping: Mapping[str, str], columns: Sequence[str]) -> list[Fault]:
    return [
        Fault(target, f"{path}: there is no column {column}; {_hint(column, columns)}")
        for target, column in mapping.items()
        if column not in columns
    ]


def _missing(
    path: Path, found: Collection[str], columns: Sequence[str], required: Sequence[str]
) -> list[Fault]:
    missing = [name for name in required if name not in found]
    if not missing:
        return []
    maps = " ".join(f"--map {name}=COLUMN" for name in missing)
    return list(
        fault(path, f"no column is the {' or the '.join(missing)}: say {maps}; {_listed(columns)}").faults
    )


def _hint(name: str, columns: Sequence[str]) -> str:
    lower = {column.lower(): column for column in columns}
    near = get_close_matches(name.lower(), lower, n=1)
    return f"did you mean {lower[near[0]]}? {_listed(columns)}" if near else _listed(columns)


def _listed(columns: Sequence[str]) -> str:
    more = ", …" if len(columns) > _NAMED else ""
    return f"its columns are {', '.join(columns[:_NAMED])}{more}"
