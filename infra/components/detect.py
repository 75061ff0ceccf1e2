"""The event source: from the queue to the consumer."""

from __future__ import annotations

import pulumi
from pulumi_aws import lambda_

from infra.components.functions import Function
from infra.components.ingest import Ingest
from infra.settings import Settings


class Detect(pulumi.ComponentResource):
    """Hands batches to the consumer, and takes back just what it could not do."""

    def __init__(self, settings: Settings, ingest: Ingest, consumer: Function) -> None:
        super().__init__("shroff:infra:Detect", "detect")
        self.source = lambda_.EventSourceMapping(
            "transactions",
            event_source_arn=ingest.queue.arn,
            function_name=consumer.function.name,
            batch_size=settings.batch_size,
            maximum_batching_window_in_seconds=settings.batch_window,
            # Without it one poison message would send back its whole batch.
            function_response_types=["ReportBatchItemFailures"],
            # Here rather than by the function's reserved concurrency: a poller that is throttled there
            # counts a receive, and three of them would bury a sound message.
            scaling_config={"maximum_concurrency": settings.maximum_concurrency},
            enabled=True,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[consumer.policy],
                # Publishing a policy with other entities pauses the source for a while, by command.
                ignore_changes=["enabled"],
            ),
        )
        self.register_outputs({})
