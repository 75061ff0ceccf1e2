"""How the tables are asked: what is not wanted is not read, and no call takes longer than there is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from infra.components.shapes import API_TIMEOUT
from shroff.adapters.aws.clients import Clients
from shroff.adapters.aws.store import AwsStore
from shroff.runtimes.lambdas import api, consumer, deciding
from tests.adapters.aws_cloud import cloud, session_clients
from tests.contracts.samples import alert, entry


@pytest.fixture
def store() -> Iterator[AwsStore]:
    with cloud() as environment:
        yield environment(shards=1)


@pytest.fixture
def queries(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    asked: list[dict[str, Any]] = []
    client = session_clients().dynamodb
    query = client.query

    def counting(**request: Any) -> Any:
        asked.append(request)
        return query(**request)

    monkeypatch.setattr(client, "query", counting)
    return asked


def test_of_an_empty_span_nothing_is_asked(store: AwsStore, queries: list[dict[str, Any]]) -> None:
    """AWS refuses to look between a later moment and an earlier one; the stand-in does not."""
    store.alerts.add([alert("x")])
    queries.clear()
    for moment in (0, 5, 86_400_000):
        assert store.alerts.between(moment, moment) == store.alerts.between(moment + 1, moment) == []
        assert store.alerts.untold(5, before=0) == []
        assert list(store.ledger.between(moment, moment)) == []
    assert not [each for each in queries if ":last" in each["ExpressionAttributeValues"]]


def test_where_few_will_do_no_page_is_read_that_nobody_wants(
    store: AwsStore, queries: list[dict[str, Any]]
) -> None:
    store.queue.append([entry(f"t-{number}") for number in range(20)])
    queries.clear()
    pages = store.cloud.transactions.query(
        ahead=True,
        IndexName="by-accepted",
        KeyConditionExpression="accepted_in = :partition",
        ExpressionAttributeValues={":partition": {"S": "1970-01-01#00"}},
        Limit=5,
    )
    assert len(next(pages)) == 5
    store.cloud.pool.submit(int).result()
    assert len(queries) == 1
    assert [len(page) for page in pages] == [5, 5, 5]


def test_a_slow_call_ends_within_what_a_decider_keeps_in_reserve() -> None:
    session = session_clients()._session
    assert longest(Clients(session, read_timeout=consumer._READ_TIMEOUT)) * 1_000 < deciding._RESERVE
    assert longest(Clients(session, read_timeout=api._READ_TIMEOUT)) * 2 < API_TIMEOUT
    assert longest(Clients(session)) == 24


def longest(clients: Clients) -> int:
    """Seconds; botocore waits up to one before the second attempt, up to two before the third."""
    config = clients.dynamodb.meta.config
    attempts = config.retries["total_max_attempts"]
    return int(attempts * (config.connect_timeout + config.read_timeout) + 2 ** (attempts - 1) - 1)
