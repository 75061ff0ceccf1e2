"""Taking labels in from whoever knows; each is kept, whether or not its transaction is known yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, get_args

from shroff.core.errors import Fault, Rejected
from shroff.core.transaction import read_id, read_moment
from shroff.flows.load import Rows
from shroff.ports import Label, Labels, Source

SOURCES: tuple[Source, ...] = get_args(Source)
WORDS = {"fraud": True, "legitimate": False}
FAR = 300_000
"""Milliseconds by which known_at may be ahead: clocks differ, the future is not known."""

_SPELLINGS = {
    **dict.fromkeys(("fraud", "1", "1.0", "true", "yes"), "fraud"),
    **dict.fromkeys(("legitimate", "0", "0.0", "false", "no"), "legitimate"),
}
"""How files write what a label says."""
_MEMBERS = ("transaction_id", "label", "source", "known_at")


def label_of_members(members: Mapping[str, Any], now: int) -> Label:
    """Read a label from decoded JSON. Raises Rejected with all faults at once."""
    faults: list[Fault] = []
    transaction_id = read_id(members, faults)
    word = _one_of(members, "label", tuple(WORDS), faults)
    source = _one_of(members, "source", SOURCES, faults)
    stated = members.get("known_at") is not None
    known_at = read_moment(members, "known_at", faults) if stated else now
    if known_at > now + FAR:
        faults.append(Fault("known_at", "known_at is in the future: a label counts from when it is known"))
    faults += [
        Fault(name[:64], f"a label has the members {', '.join(_MEMBERS)}, and no other")
        for name in sorted(members.keys() - set(_MEMBERS))[:1]
    ]
    if faults:
        raise Rejected(faults)
    return Label(
        transaction_id=transaction_id,
        fraud=WORDS[word],
        source=source,  # type: ignore[arg-type]  # one of SOURCES
        known_at=known_at,
        received_at=now,
        stated=stated,
    )


def _one_of(members: Mapping[str, Any], name: str, known: Sequence[str], faults: list[Fault]) -> str:
    value = members.get(name)
    if value is None:
        faults.append(Fault(name, f"Missing required field: {name}"))
    elif value not in known:
        faults.append(Fault(name, f"{name} must be one of {', '.join(known)}"))
    return str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What has become of the rows of a file so far."""

    accepted: int = 0
    repeated: int = 0
    rejected: tuple[str, ...] = ()
    """A sentence for each row that is no label, with its line."""
    consumed: int = 0

    @property
    def rows(self) -> int:
        """How many rows were read."""
        return self.accepted + self.repeated + len(self.rejected)


def import_labels(
    rows: Rows, labels: Labels, *, source: Source, delay: int | None, now: int
) -> Iterator[Imported]:
    """Keep a file's labels, chunk by chunk; yields after each what has become of the rows so far.

    `source` stands in where a row names none. Where a row has no known_at, it is `delay` milliseconds after
    the row's timestamp, without a delay it is now. Doing it again changes nothing.
    """
    done = Imported()
    for chunk in rows.chunks(0):
        found, rejected = list[Label](), list[str]()
        for line, row in zip(chunk.lines, chunk.rows, strict=True):
            try:
                if isinstance(row, Rejected):
                    raise row
                found.append(label_of_members(_completed(row, source, delay), now))
            except Rejected as problem:
                rejected.append(f"line {line}: {problem}")
        statuses = labels.add(found) if found else []
        done = Imported(
            accepted=done.accepted + statuses.count("accepted"),
            repeated=done.repeated + statuses.count("repeated"),
            rejected=(*done.rejected, *rejected),
            consumed=chunk.consumed,
        )
        yield done


def _completed(row: Mapping[str, Any], source: Source, delay: int | None) -> dict[str, Any]:
    """A row of a file as the members of a label."""
    members = {name: value for name, value in row.items() if name != "timestamp"}
    word = members.get("label")
    members["label"] = _SPELLINGS.get(str(word).strip().lower(), word)
    members["source"] = members.get("source") or source
    if members.get("known_at") is None and delay is not None:
        faults: list[Fault] = []
        moment = read_moment(row, "timestamp", faults)
        if faults:
            raise Rejected(faults)
        members["known_at"] = Decimal(moment + delay) / 1000
    return members
