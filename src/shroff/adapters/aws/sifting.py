"""Going through a dead-letter queue: everything in it is looked at, some of it is taken off."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from shroff.adapters.aws.backlog import backlog
from shroff.adapters.aws.clients import Clients, translate
from shroff.adapters.aws.messages import Delivery, delivery_of

_MOST = 10
_HIDDEN = 300
"""Seconds for which what was looked at stays hidden, unless we are done before."""


class Sieve:
    """One SQS queue that is looked through by people and by nobody else."""

    def __init__(self, clients: Clients, url: str) -> None:
        self._clients = clients
        self._url = url

    def sift(
        self, judge: Callable[[Sequence[Delivery]], Sequence[Delivery]], most: int | None = None
    ) -> None:
        """Show every message, or about `most`, some at a time to `judge`; delete those that it returns."""
        kept: list[Delivery] = []
        shown = 0
        try:
            for found in self._received():
                away = {each.delivery_id for each in judge(found)}
                self._delete([each for each in found if each.delivery_id in away])
                kept += [each for each in found if each.delivery_id not in away]
                shown += len(found)
                if most is not None and shown >= most:
                    break
        finally:
            self._show(kept)

    def _received(self) -> Iterator[list[Delivery]]:
        """All that can be seen, each once."""
        if not backlog(self._clients, self._url):
            return
        seen: set[str] = set()
        while found := [each for each in self._receive() if each.delivery_id not in seen]:
            seen |= {each.delivery_id for each in found}
            yield found

    def _receive(self) -> list[Delivery]:
        with translate("looking through the dead-letter queue"):
            answer = self._clients.sqs.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=_MOST,
                VisibilityTimeout=_HIDDEN,
                WaitTimeSeconds=1,  # without waiting, an answer may be empty though the queue is not
                MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
                MessageAttributeNames=["All"],
            )
        return [delivery_of(each) for each in answer.get("Messages", [])]

    def _delete(self, deliveries: Sequence[Delivery]) -> None:
        if deliveries:
            with translate("taking messages off the dead-letter queue"):
                self._clients.sqs.delete_message_batch(QueueUrl=self._url, Entries=_entries(deliveries))

    def _show(self, deliveries: Sequence[Delivery]) -> None:
        """Let them be seen again."""
        for start in range(0, len(deliveries), _MOST):
            some = deliveries[start : start + _MOST]
            with translate("putting messages back"):
                self._clients.sqs.change_message_visibility_batch(
                    QueueUrl=self._url,
                    Entries=[each | {"VisibilityTimeout": 0} for each in _entries(some)],
                )


def _entries(deliveries: Sequence[Delivery]) -> list[dict[str, Any]]:
    return [{"Id": str(at), "ReceiptHandle": each.handle} for at, each in enumerate(deliveries)]
