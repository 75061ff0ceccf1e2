"""Sending to an SQS queue: in batches, and what a batch failed to take again."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from shroff.adapters.aws.clients import Clients, translate
from shroff.adapters.aws.messages import size_of_entry, sqs_entry
from shroff.core.errors import Retryable
from shroff.ports import Message

_MOST, _LARGEST = 10, 256 * 1024
_ATTEMPTS = 4


class Line:
    """One SQS queue, to be sent to."""

    def __init__(self, clients: Clients, url: str, pool: ThreadPoolExecutor) -> None:
        self._clients = clients
        self._url = url
        self._pool = pool

    def send(self, messages: Sequence[Message], *, delay: int = 0, cause: str | None = None) -> None:
        """Put messages on the queue, all of them; raises Retryable where some may not be on it."""
        entries = (sqs_entry(each, at, delay=delay, cause=cause) for at, each in enumerate(messages))
        batches = list(_batches(entries))
        if len(batches) < 2:
            for batch in batches:
                self._send(batch)
            return
        for _ in self._pool.map(self._send, batches):
            pass

    def _send(self, batch: list[dict[str, Any]]) -> None:
        failed: list[dict[str, Any]] = []
        for attempt in range(_ATTEMPTS):
            with translate("sending to the queue"):
                answer = self._clients.sqs.send_message_batch(QueueUrl=self._url, Entries=batch)
            failed = answer.get("Failed", [])
            if not failed:
                return
            _refuse_faults(failed)
            again = {each["Id"] for each in failed}
            batch = [entry for entry in batch if entry["Id"] in again]
            time.sleep(random.uniform(0, 0.05 * 2**attempt))  # noqa: S311 - no secret
        raise Retryable(f"the queue did not take {len(failed)} messages: {failed[0].get('Code')}")


def _batches(entries: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    size = 0
    for entry in entries:
        more = size_of_entry(entry)
        if batch and (len(batch) == _MOST or size + more > _LARGEST):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += more
    if batch:
        yield batch


def _refuse_faults(failed: Sequence[dict[str, Any]]) -> None:
    """A message that SQS will never take is a bug of ours: what it does not take is left in the table."""
    faults = [each for each in failed if each.get("SenderFault") and "hrottl" not in each.get("Code", "")]
    if faults:
        raise ValueError(f"the queue refuses a message: {faults[0].get('Code')}: {faults[0].get('Message')}")
