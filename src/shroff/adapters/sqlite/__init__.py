"""SQLite: the queue and the store of one machine, two files in one folder."""

from __future__ import annotations

from pathlib import Path

from shroff.adapters.sqlite.alerts import SqliteAlerts
from shroff.adapters.sqlite.database import Database
from shroff.adapters.sqlite.dead_letters import SqliteDeadLetters
from shroff.adapters.sqlite.deliveries import SqliteDeliveries
from shroff.adapters.sqlite.keys import SqliteKeys
from shroff.adapters.sqlite.labels import SqliteLabels
from shroff.adapters.sqlite.ledger import SqliteLedger
from shroff.adapters.sqlite.lists import SqliteLists
from shroff.adapters.sqlite.models import SqliteModels
from shroff.adapters.sqlite.policies import SqlitePolicies
from shroff.adapters.sqlite.queue import SqliteQueue
from shroff.adapters.sqlite.schedule import SqliteSchedule

__all__ = ["SqliteQueue", "SqliteStore"]


class SqliteStore:
    """All but the queue, over one connection: for one thread at a time, open one store a thread.

    Raises as Database does: Rejected for a file that cannot be used, Retryable for a disk that will not now.
    """

    def __init__(self, path: Path | str) -> None:
        self._database = Database(path, "store")
        self.ledger = SqliteLedger(self._database)
        self.labels = SqliteLabels(self._database)
        self.dead_letters = SqliteDeadLetters(self._database)
        self.policies = SqlitePolicies(self._database)
        self.models = SqliteModels(self._database)
        self.lists = SqliteLists(self._database)
        self.alerts = SqliteAlerts(self._database)
        self.deliveries = SqliteDeliveries(self._database)
        self.keys = SqliteKeys(self._database)
        self.schedule = SqliteSchedule(self._database)

    def data_version(self) -> int:
        """A number that changes when another connection has committed; cheap to poll."""
        return self._database.data_version()

    def close(self) -> None:
        """Close the connection; open transactions are rolled back."""
        self._database.close()
