"""What Shroff's resources are called in an account: all follows from the environment's suffix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shroff.adapters.aws.clients import Clients, translate


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Where everything is; empty for what a function does not use."""

    transactions: str = ""
    """The table of accepted and decided transactions."""
    state: str = ""
    """The table of entities, alerts, policies, lists and what else is small."""
    queue_url: str = ""
    dlq_url: str = ""
    bucket: str = ""
    alerts_topic: str = ""
    """Its ARN."""


def names_in(environment: Mapping[str, str]) -> Names:
    """The names that a function's environment states."""
    return Names(
        transactions=environment.get("SHROFF_TRANSACTIONS_TABLE", ""),
        state=environment.get("SHROFF_STATE_TABLE", ""),
        queue_url=environment.get("SHROFF_QUEUE_URL", ""),
        dlq_url=environment.get("SHROFF_DLQ_URL", ""),
        bucket=environment.get("SHROFF_BUCKET", ""),
        alerts_topic=environment.get("SHROFF_ALERTS_TOPIC", ""),
    )


def names_of(clients: Clients, suffix: str) -> Names:
    """The names in the caller's account and region, by the suffix alone."""
    with translate(f"looking for the resources of {suffix}"):
        account = clients.sts.get_caller_identity()["Account"]
        queue_url = clients.sqs.get_queue_url(QueueName=f"transaction-queue-{suffix}")["QueueUrl"]
        dlq_url = clients.sqs.get_queue_url(QueueName=f"transaction-dlq-{suffix}")["QueueUrl"]
    region = clients.sqs.meta.region_name
    partition = clients.sqs.meta.partition
    return Names(
        transactions=f"transactions-{suffix}",
        state=f"state-{suffix}",
        queue_url=queue_url,
        dlq_url=dlq_url,
        bucket=f"shroff-reports-{suffix}-{account}",
        alerts_topic=f"arn:{partition}:sns:{region}:{account}:alerts-{suffix}",
    )
