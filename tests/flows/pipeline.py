"""The pipeline over the memory twins: accept, decide, commit, as the runtimes do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import count

import numpy as np

from shroff.adapters.memory import MemoryQueue, MemoryStore
from shroff.codec import encode_transaction
from shroff.core.compiled import Array
from shroff.core.decision import Decision
from shroff.core.policy import Policy
from shroff.core.state import State
from shroff.core.transaction import Transaction
from shroff.flows.detect import detect
from shroff.ports import Entry, Message, Work
from tests.core.samples import DOCUMENT, policy


class Snapshots:
    """One snapshot in memory, as a file would keep it: a copy."""

    def __init__(self) -> None:
        self.kept: tuple[str, int, dict[str, Array]] | None = None

    def save(self, key: str, seq: int, arrays: Mapping[str, Array]) -> None:
        self.kept = (key, seq, {name: np.array(array) for name, array in arrays.items()})

    def load(self, key: str) -> tuple[int, dict[str, Array]] | None:
        return None if self.kept is None or self.kept[0] != key else self.kept[1:]


class Pipeline:
    def __init__(self, document: str = DOCUMENT) -> None:
        self.queue = MemoryQueue()
        self.store = MemoryStore()
        self.snapshots = Snapshots()
        self.policy: Policy = policy(document)
        self.store.policies.publish(self.policy.version, document, 0)
        self.state: State = self.policy.empty_state()
        self.clock = count(1_700_000_000_000)

    def accept(self, transactions: Iterable[Transaction]) -> None:
        self.queue.append([entry(each) for each in transactions])

    def spoil(self, transaction_id: str, body: bytes = b"{") -> None:
        """Accept what nobody can read."""
        self.queue.append([Entry(transaction_id=transaction_id, body=body, received_at=5)])

    def detect(self, messages: Sequence[Message]) -> Work:
        return detect(
            messages,
            policy=self.policy,
            state=self.state,
            fates=self.store.ledger.fates,
            lists=self.store.lists,
            now=next(self.clock),
        )

    def work(self, batch: int = 1_000) -> None:
        """Decide and commit all that waits."""
        while messages := self.queue.read(self.store.ledger.position(), batch):
            work = self.detect(messages)
            self.store.ledger.commit(
                Work(
                    position=messages[-1].seq,
                    decided=work.decided,
                    unsettled=work.unsettled,
                    settled=work.settled,
                    alerts=work.alerts,
                )
            )

    def run(self, transactions: Iterable[Transaction], batch: int = 1_000) -> None:
        self.accept(transactions)
        self.work(batch)

    def decisions(self) -> list[Decision]:
        return [record.decision for records in self.store.ledger.history() for record in records]


def entry(transaction: Transaction) -> Entry:
    return Entry(
        transaction_id=transaction.transaction_id, body=encode_transaction(transaction), received_at=5
    )
