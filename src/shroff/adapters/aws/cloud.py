"""What the classes over the two tables share."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

from shroff.adapters.aws.clients import Clients
from shroff.adapters.aws.days import Days
from shroff.adapters.aws.marks import AwsLateMarks
from shroff.adapters.aws.names import Names
from shroff.adapters.aws.table import Table
from shroff.adapters.aws.timeline import BY_ACCEPTED, BY_TIME, Timeline
from shroff.adapters.aws.transactions import Forms
from shroff.ports import Clock

_THREADS = 16


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """Clients, names and settings of one environment, and its tables, each made once."""

    clients: Clients
    names: Names
    clock: Clock
    forms: Forms

    @cached_property
    def pool(self) -> ThreadPoolExecutor:
        """For what takes many calls; nothing that runs in it waits for it."""
        return ThreadPoolExecutor(_THREADS, thread_name_prefix="aws")

    @cached_property
    def transactions(self) -> Table:
        """What was accepted and what was decided."""
        return Table(self.clients, self.names.transactions, self.pool)

    @cached_property
    def state(self) -> Table:
        """Entities, alerts and what else is small."""
        return Table(self.clients, self.names.state, self.pool)

    @cached_property
    def days(self) -> Days:
        """The days that have anything."""
        return Days(self.state)

    @cached_property
    def by_accepted(self) -> Timeline:
        """What was accepted, in the order of acceptance."""
        return Timeline(self.transactions, BY_ACCEPTED, self.days, self.forms.shards)

    @cached_property
    def by_time(self) -> Timeline:
        """What was decided, in the order of time."""
        return Timeline(self.transactions, BY_TIME, self.days, self.forms.shards)

    @cached_property
    def marks(self) -> AwsLateMarks:
        """Sealed windows into which something came late."""
        return AwsLateMarks(self.clients.dynamodb, self.names.state)
