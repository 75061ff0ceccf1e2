"""Memory: the reference twin, which says what the other adapters have to do."""

from __future__ import annotations

from shroff.adapters.memory.alerts import MemoryAlerts
from shroff.adapters.memory.dead_letters import MemoryDeadLetters
from shroff.adapters.memory.deliveries import MemoryDeliveries
from shroff.adapters.memory.entities import MemoryEntities
from shroff.adapters.memory.keys import MemoryKeys
from shroff.adapters.memory.labels import MemoryLabels
from shroff.adapters.memory.ledger import MemoryLedger
from shroff.adapters.memory.lists import MemoryLists
from shroff.adapters.memory.marks import MemoryLateMarks
from shroff.adapters.memory.models import MemoryModels
from shroff.adapters.memory.policies import MemoryPolicies
from shroff.adapters.memory.queue import MemoryQueue
from shroff.adapters.memory.schedule import MemorySchedule
from shroff.adapters.memory.shelves import Shelves
from shroff.adapters.memory.snapshots import MemorySnapshots

__all__ = ["MemoryQueue", "MemorySnapshots", "MemoryStore"]


class MemoryStore:
    """All but the queue, for any number of threads."""

    def __init__(self) -> None:
        self._shelves = Shelves()
        self.ledger = MemoryLedger(self._shelves)
        self.labels = MemoryLabels(self._shelves)
        self.marks = MemoryLateMarks()
        self.entities = MemoryEntities(self._shelves, self.ledger, self.marks)
        self.dead_letters = MemoryDeadLetters(self._shelves)
        self.policies = MemoryPolicies(self._shelves)
        self.models = MemoryModels(self._shelves)
        self.lists = MemoryLists(self._shelves)
        self.alerts = MemoryAlerts(self._shelves)
        self.deliveries = MemoryDeliveries(self._shelves)
        self.keys = MemoryKeys(self._shelves)
        self.schedule = MemorySchedule(self._shelves)

    def data_version(self) -> int:
        """A number that changes when anything did."""
        return self._shelves.changes

    def close(self) -> None:
        """Nothing to close."""
