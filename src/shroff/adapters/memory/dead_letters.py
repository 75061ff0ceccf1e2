"""The dead letters in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from shroff.adapters.memory.shelves import Shelves
from shroff.ports import DeadLetter


class MemoryDeadLetters:
    """What could not be processed, kept until a person decides. What was discarded stays, unchanged."""

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves

    def all(self) -> Iterator[DeadLetter]:
        """Oldest first."""
        with self._shelves.lock:
            letters = list(self._shelves.letters.values())
        yield from letters

    def get(self, transaction_id: str) -> DeadLetter | None:
        """The letter of a transaction, discarded or not."""
        return self._shelves.letters.get(transaction_id)

    def edit(self, transaction_id: str, body: bytes) -> bool:
        """Replace the body; False where there is no such letter, or it was discarded."""
        with self._shelves.changing():
            letter = self._open(transaction_id)
            if letter is None:
                return False
            edited = replace(letter.message, body=body)
            self._shelves.letters[transaction_id] = replace(letter, message=edited)
            return True

    def redrive(self, transaction_ids: Iterable[str], now: int) -> int:
        """Hand them over again from a first attempt; returns how many were there to hand over."""
        ids = list(transaction_ids)
        with self._shelves.changing():
            return sum(self._redrive(each, now) for each in ids)

    def discard(self, transaction_ids: Iterable[str]) -> int:
        """Give them up for good; returns how many were not discarded before."""
        ids = list(transaction_ids)
        with self._shelves.changing():
            return sum(self._discard(each) for each in ids)

    def _open(self, transaction_id: str) -> DeadLetter | None:
        letter = self._shelves.letters.get(transaction_id)
        return None if letter is None or letter.discarded else letter

    def _redrive(self, transaction_id: str, now: int) -> bool:
        letter = self._open(transaction_id)
        if letter is None:
            return False
        del self._shelves.letters[transaction_id]
        self._shelves.retries[transaction_id] = (now, replace(letter.message, failures=()))
        return True

    def _discard(self, transaction_id: str) -> bool:
        letter = self._open(transaction_id)
        if letter is None:
            return False
        self._shelves.letters[transaction_id] = replace(letter, discarded=True)
        return True
