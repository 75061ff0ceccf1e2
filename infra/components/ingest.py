"""The queue between the API and the consumer, and where what cannot be done ends."""

from __future__ import annotations

import json

import pulumi
from pulumi_aws import sqs

from infra.components.ground import Ground
from infra.components.shapes import CONSUMER_TIMEOUT

_DAY = 86_400


class Ingest(pulumi.ComponentResource):
    """The main queue, its dead-letter queue, and the one of schedules and asynchronous runs."""

    def __init__(self, ground: Ground) -> None:
        super().__init__("shroff:infra:Ingest", "ingest")
        place, settings = ground.place, ground.settings
        self._ground = ground
        dead = settings.dlq_retention_days * _DAY
        self.dlq = self._queue("transaction-dlq", retention=dead)
        self.invocation_dlq = self._queue("invocation-dlq", retention=dead)
        self.queue = self._queue(
            "transaction-queue",
            retention=settings.queue_retention_days * _DAY,
            # Six times the timeout, and the wait for a batch: a message that a slow or throttled consumer
            # still holds is not handed to another.
            visibility=6 * CONSUMER_TIMEOUT + settings.batch_window,
            redrive=pulumi.Output.json_dumps(
                {"deadLetterTargetArn": self.dlq.arn, "maxReceiveCount": settings.max_receives}
            ),
        )
        self._allow("transaction-dlq", self.dlq, {
            "redrivePermission": "byQueue",
            "sourceQueueArns": [place.arn("sqs", place.name("transaction-queue"))],
        })  # fmt: skip
        # Functions and schedules send to it themselves; no queue redrives into it.
        self._allow("invocation-dlq", self.invocation_dlq, {"redrivePermission": "denyAll"})
        self.register_outputs({})

    def _queue(
        self, name: str, *, retention: int, visibility: int = 60, redrive: pulumi.Input[str] | None = None
    ) -> sqs.Queue:
        return sqs.Queue(
            name,
            name=self._ground.place.name(name),
            message_retention_seconds=retention,
            visibility_timeout_seconds=visibility,
            receive_wait_time_seconds=20,
            max_message_size=262_144,
            kms_master_key_id=self._ground.key.arn,
            # One data key an hour for each sender, rather than one every five minutes.
            kms_data_key_reuse_period_seconds=3_600,
            redrive_policy=redrive,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _allow(self, name: str, queue: sqs.Queue, policy: dict[str, object]) -> None:
        sqs.RedriveAllowPolicy(
            name,
            queue_url=queue.url,
            redrive_allow_policy=json.dumps(policy),
            opts=pulumi.ResourceOptions(parent=self),
        )
