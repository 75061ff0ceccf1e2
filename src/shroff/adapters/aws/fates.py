"""What became of transactions, by their ids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from shroff.adapters.aws.attributes import Item, integer, text
from shroff.adapters.aws.table import Table
from shroff.adapters.aws.transactions import ACCEPTED, accepted_key, decided_key
from shroff.ports import Fate

_LOOKED_AT = ("transaction_id", "occurred_at", "dead", "failures", "edited")


def fates(table: Table, transaction_ids: Sequence[str]) -> dict[str, Fate]:
    """What became of each; an id without a fate is left out. A decision is the last fate."""
    unique = dict.fromkeys(transaction_ids)
    found = table.get_many(map(accepted_key, unique), _LOOKED_AT, consistent=False)
    accepted = {item["transaction_id"]["S"]: item for item in found}
    decided = _decided(table, unique, accepted)
    every: dict[str, Fate] = {name: fate for name, item in accepted.items() if (fate := _fate(item))}
    every |= dict.fromkeys(decided, "decided")
    return {name: every[name] for name in unique if name in every}


def accepted_and_decided(table: Table, transaction_id: str) -> tuple[Item | None, Item | None]:
    """What was accepted under an id, and what was decided of it, as they are now."""
    pages = table.query(
        KeyConditionExpression="transaction_id = :id",
        ExpressionAttributeValues={":id": text(transaction_id)},
        ConsistentRead=True,
    )
    items = [item for page in pages for item in page]
    accepted = next((item for item in items if integer(item, "timestamp") == ACCEPTED), None)
    decided = next((item for item in items if integer(item, "timestamp") != ACCEPTED), None)
    return accepted, decided


def _decided(table: Table, ids: Iterable[str], accepted: dict[str, Item]) -> set[str]:
    """Those that are decided: by their keys where it is known when they occurred, else one by one."""
    known = {name for name, item in accepted.items() if "edited" not in item}
    keys = [decided_key(name, integer(accepted[name], "occurred_at")) for name in known]
    items: list[Item] = table.get_many(keys, ["transaction_id"], consistent=False)
    found = {item["transaction_id"]["S"] for item in items}

    def is_decided(name: str) -> bool:
        return accepted_and_decided(table, name)[1] is not None

    rest = [name for name in ids if name not in known]
    return found | {name for name, there in zip(rest, table.pool.map(is_decided, rest), strict=True) if there}


def _fate(item: Item) -> Fate | None:
    if "dead" in item:
        return "dead_lettered"
    return "retrying" if "failures" in item else None
