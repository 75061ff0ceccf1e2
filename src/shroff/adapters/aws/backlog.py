"""How much is on an SQS queue, by its own account, which lags a little."""

from __future__ import annotations

from shroff.adapters.aws.clients import Clients, translate

_COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


def backlog(clients: Clients, queue_url: str) -> int:
    """Messages that are visible, in flight or delayed."""
    with translate("asking how long the queue is"):
        answer = clients.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=list(_COUNTS))
    return sum(int(answer["Attributes"].get(name, 0)) for name in _COUNTS)
