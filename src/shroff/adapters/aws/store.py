"""Everything of one environment on AWS, each part made when it is first asked for."""

from __future__ import annotations

import time
from functools import cached_property

from shroff.adapters.aws.alerts import AwsAlerts
from shroff.adapters.aws.archive import ArchivedLedger
from shroff.adapters.aws.chunks import S3Chunks
from shroff.adapters.aws.clients import Clients
from shroff.adapters.aws.cloud import Cloud
from shroff.adapters.aws.dead_letters import AwsDeadLetters
from shroff.adapters.aws.entities import AwsEntities
from shroff.adapters.aws.labels import AwsLabels
from shroff.adapters.aws.ledger import AwsLedger
from shroff.adapters.aws.lists import AwsLists
from shroff.adapters.aws.marks import AwsLateMarks
from shroff.adapters.aws.models import AwsModels
from shroff.adapters.aws.names import Names
from shroff.adapters.aws.policies import AwsPolicies
from shroff.adapters.aws.queue import AwsQueue
from shroff.adapters.aws.reports import S3Reports
from shroff.adapters.aws.schedule import AwsSchedule
from shroff.adapters.aws.topic import AlertsTopic
from shroff.adapters.aws.transactions import Forms
from shroff.ports import Clock


def wall_clock() -> int:
    """Milliseconds since 1970, now."""
    return time.time_ns() // 1_000_000


class AwsStore:
    """The queue and all that is kept, for any number of threads; nothing is made before it is used."""

    def __init__(
        self,
        clients: Clients,
        names: Names,
        *,
        shards: int = 16,
        retention_days: int | None = None,
        max_receives: int = 3,
        clock: Clock = wall_clock,
    ) -> None:
        forms = Forms(shards=shards, retention_days=retention_days)
        self.cloud = Cloud(clients=clients, names=names, clock=clock, forms=forms)
        self._clients = clients
        self._names = names
        self._max_receives = max_receives

    @cached_property
    def queue(self) -> AwsQueue:
        """What was accepted, and the line to the consumer."""
        return AwsQueue(self.cloud)

    @cached_property
    def ledger(self) -> AwsLedger:
        """What became of it."""
        return AwsLedger(self.cloud)

    @cached_property
    def entities(self) -> AwsEntities:
        """What is remembered of entities."""
        return AwsEntities(self.cloud)

    @cached_property
    def dead_letters(self) -> AwsDeadLetters:
        """What was given up."""
        return AwsDeadLetters(self.cloud, self._max_receives)

    @cached_property
    def policies(self) -> AwsPolicies:
        """Every policy that ever was in force."""
        return AwsPolicies(self._clients.dynamodb, self._names.state)

    @cached_property
    def models(self) -> AwsModels:
        """The models that policies may name."""
        return AwsModels(self._clients.dynamodb, self._names.state)

    @cached_property
    def lists(self) -> AwsLists:
        """Allowlists and blocklists."""
        return AwsLists(self._clients.dynamodb, self._names.state)

    @cached_property
    def labels(self) -> AwsLabels:
        """What transactions turned out to be."""
        return AwsLabels(self.cloud)

    @cached_property
    def alerts(self) -> AwsAlerts:
        """The alert log."""
        return AwsAlerts(self._clients.dynamodb, self._names.state)

    @cached_property
    def schedule(self) -> AwsSchedule:
        """When each periodic job last ran to its end."""
        return AwsSchedule(self._clients.dynamodb, self._names.state)

    @cached_property
    def marks(self) -> AwsLateMarks:
        """Sealed windows into which something came late."""
        return self.cloud.marks

    @cached_property
    def chunks(self) -> S3Chunks:
        """Sealed windows of history."""
        return S3Chunks(self._clients.s3, self._names.bucket)

    @cached_property
    def archive(self) -> ArchivedLedger:
        """The ledger, looking back by way of the chunks."""
        return ArchivedLedger(self.ledger, self.chunks, self.marks)

    @cached_property
    def reports(self) -> S3Reports:
        """Daily reports."""
        return S3Reports(self._clients.s3, self._names.bucket)

    @cached_property
    def topic(self) -> AlertsTopic:
        """Where alerts are told."""
        return AlertsTopic(self._clients.sns, self._names.alerts_topic)

    def close(self) -> None:
        """Let go of the threads."""
        self.cloud.pool.shutdown(wait=False, cancel_futures=True)
