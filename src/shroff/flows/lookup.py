"""Finding a transaction wherever it is."""

from __future__ import annotations

from typing import Any

from shroff.codec import decision_members, wire_members
from shroff.core.policy_document import read_policy
from shroff.flows.dead_letters import content_members, failure_members
from shroff.ports import DeadLetters, Ledger, Policies, Queue


def lookup(
    transaction_id: str, queue: Queue, ledger: Ledger, dead_letters: DeadLetters, names: SnapshotNames
) -> dict[str, Any] | None:
    """A transaction's status, members and decision; None where it was never accepted."""
    record = ledger.find(transaction_id)
    if record is not None:
        return {
            "transaction_id": transaction_id,
            "status": "decided",
            "transaction": wire_members(record.transaction),
            "decision": decision_members(record.decision, names.of(record.decision.policy_version)),
        }
    letter = dead_letters.get(transaction_id)
    if letter is not None:
        return {
            "transaction_id": transaction_id,
            "status": "dead_lettered",
            **content_members(letter.message),
            "failures": failure_members(letter.message),
        }
    message = queue.find(transaction_id)
    if message is None:
        return None
    return {"transaction_id": transaction_id, "status": "accepted", **content_members(message)}


class SnapshotNames:
    """What the columns of a snapshot mean, by policy version; each policy is read once."""

    def __init__(self, policies: Policies) -> None:
        self._policies = policies
        self._known: dict[str, tuple[str, ...]] = {}

    def of(self, version: str) -> tuple[str, ...]:
        """The names in the order of the snapshot's values. A version in use is always on record."""
        names = self._known.get(version)
        if names is None:
            published = self._policies.get(version)
            if published is None:
                raise LookupError(f"policy {version} is not on record")
            names = self._known[version] = read_policy(published.document).snapshot_names
        return names

    def known(self, version: str) -> tuple[str, ...] | None:
        """The same of a policy that was read before, None for another; asks nobody."""
        return self._known.get(version)
