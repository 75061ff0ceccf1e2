"""The adapters of AWS: what a function asks of its stack, each made when it is first asked for."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from shroff.adapters.aws.archive import ArchivedLedger
from shroff.adapters.aws.backlog import backlog
from shroff.adapters.aws.clients import Clients, translate
from shroff.adapters.aws.drafts import S3Drafts
from shroff.adapters.aws.intermission import lasts
from shroff.adapters.aws.names import Names
from shroff.adapters.aws.store import AwsStore
from shroff.codec import encode
from shroff.flows.audit import Audit, audit_between
from shroff.ports import Chunks, Clock, LateMarks, Ledger, Message
from shroff.runtimes.lambdas.deciding import Decider, DeciderPorts
from shroff.runtimes.lambdas.invocation import begin_logs
from shroff.runtimes.lambdas.meter import Meter
from shroff.runtimes.lambdas.settings import CloudSettings, read_cloud_settings
from shroff.runtimes.lambdas.telling import Teller
from shroff.runtimes.wiring import default_policy, wall_clock

if TYPE_CHECKING:
    from shroff.runtimes.lambdas.answering import Api
    from shroff.runtimes.lambdas.deliveries import Consumer
    from shroff.runtimes.lambdas.looking_back import LookBack
    from shroff.runtimes.lambdas.reporting import Reporter

_PUT_BACK = (1, 5)
"""Seconds, between which a message that met others is put back for a while of its own."""
_DAY = 86_400_000


class Deployed:
    """What one function of a stack asks of the world."""

    def __init__(self, settings: CloudSettings, clients: Clients, clock: Clock = wall_clock) -> None:
        self.settings = settings
        self.clock = clock
        self.meter = Meter(settings.suffix, clock)
        self._clients = clients
        self._names = _names(settings)
        self._store = AwsStore(
            clients,
            self._names,
            shards=settings.shards,
            retention_days=settings.retention_days,
            max_receives=settings.max_receives,
            clock=clock,
        )

    def api(self) -> Api:
        """The desk behind API Gateway."""
        from shroff.api.gateway.settings import DeskPorts, GatewaySettings  # noqa: PLC0415  # its function's only
        from shroff.runtimes.lambdas.answering import Api, Counter, Inline, ask  # noqa: PLC0415

        store = self._store
        ports = DeskPorts(
            reader=store.queue,
            ledger=store.ledger,
            dead_letters=store.dead_letters,
            policies=store.policies,
            in_flight=self._in_flight,
            ask=ask,
        )
        settings = GatewaySettings(
            currency=self.settings.currency, high_water=self.settings.high_water, require_key=False
        )
        intake, deciding = (
            Counter(settings, self.clock, append, self.meter)
            for append in (store.queue.append, store.queue.keep)
        )
        inline = Inline(ports, self._decider, store.queue.send, self.clock, lambda: lasts(store.schedule))
        return Api(ports, intake, deciding, inline, self.clock)

    def consumer(self) -> Consumer:
        """What decides the queue's messages."""
        from shroff.runtimes.lambdas.deliveries import Consumer, ConsumerPorts  # noqa: PLC0415

        store = self._store
        ports = ConsumerPorts(
            read=store.queue.deliveries,
            failing=store.dead_letters,
            put_back=self._put_back,
            clock=self.clock,
        )
        return Consumer(self._decider, ports, max_receives=self.settings.max_receives, meter=self.meter)

    def look_back(self) -> LookBack:
        """What runs every five minutes."""
        from shroff.runtimes.lambdas.looking_back import LookBack, LookingPorts  # noqa: PLC0415

        store = self._store
        ports = LookingPorts(
            queue=store.queue,
            ledger=store.ledger,
            archive=store.archive,
            chunks=store.chunks,
            marks=store.marks,
            alerts=store.alerts,
            untold=store.alerts.untold,
            tell=self._teller.tell,
            send=self._send_again,
            policy=self._decider.policy,
            schedule=store.schedule,
            clock=self.clock,
        )
        return LookBack(ports, sweep_delay=self.settings.sweep_delay * 1_000, meter=self.meter)

    def reporter(self) -> Reporter:
        """What writes the daily report."""
        from shroff.runtimes.lambdas.reporting import Reporter  # noqa: PLC0415

        store = self._store
        return Reporter(
            archive=store.archive,
            alerts=store.alerts,
            dead_letters=store.dead_letters,
            policies=store.policies,
            reports=store.reports,
            drafts=S3Drafts(self._clients.s3, self._names.bucket),
            audit=self._audit_of,
        )

    def invoke(self, function: str, event: Mapping[str, Any]) -> None:
        """Have a function run, later and on its own."""
        with translate("invoking the next run"):
            self._clients.functions.invoke(
                FunctionName=function, InvocationType="Event", Payload=encode(event)
            )

    @cached_property
    def _decider(self) -> Decider:
        store = self._store
        ports = DeciderPorts(
            entities=store.entities,
            lists=store.lists,
            policies=store.policies,
            tell=self._teller.tell,
            default_policy=default_policy,
            clock=self.clock,
            sleep=time.sleep,
        )
        return Decider(ports, self.meter)

    @cached_property
    def _teller(self) -> Teller:
        return Teller(self._store.topic, self._store.alerts.told)

    def _in_flight(self) -> int:
        return backlog(self._clients, self._names.queue_url)

    def _put_back(self, messages: Sequence[Message]) -> None:
        self._store.queue.send(messages, delay=random.randint(*_PUT_BACK))  # noqa: S311  # no secret

    def _send_again(self, transaction_ids: Sequence[str]) -> None:
        store = self._store
        found = store.cloud.pool.map(store.queue.find, transaction_ids)
        store.queue.send([message for message in found if message is not None])

    def _audit_of(self, day: date, decided: int) -> Audit:
        from shroff.runtimes.lambdas.looking_back import AUDITED  # noqa: PLC0415

        store = self._store
        followed = store.schedule.last(AUDITED) or 0
        start = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000
        return audit_between(
            store.queue,
            _Followed(store.ledger, store.chunks, store.marks, followed),
            store.dead_letters,
            start=start,
            end=start + _DAY,
            after=followed,
            decided=decided,
        )


class _Followed(ArchivedLedger):
    """The ledger of a report, which does not ask the queue: done is what the sweep's audit has followed."""

    def __init__(self, ledger: Ledger, chunks: Chunks, marks: LateMarks, followed: int) -> None:
        super().__init__(ledger, chunks, marks)
        self._until = followed

    def position(self) -> int:
        """Everything that was accepted up to here has its fate."""
        return self._until


def open_deployed(*needs: str) -> Deployed:
    """What this function's environment names. Raises Rejected where it lacks something that is needed."""
    settings = read_cloud_settings()
    settings.require(*needs)
    begin_logs(settings.log_level)
    return Deployed(settings, Clients())


def _names(settings: CloudSettings) -> Names:
    return Names(
        transactions=settings.transactions_table or "",
        state=settings.state_table or "",
        queue_url=settings.queue_url or "",
        dlq_url=settings.dlq_url or "",
        bucket=settings.bucket or "",
        alerts_topic=settings.alerts_topic or "",
    )
