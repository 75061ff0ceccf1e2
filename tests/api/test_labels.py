"""POST /labels against a real server."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any, cast

import httpx
import pytest

from shroff.api.gateway.answers import Refused
from shroff.api.gateway.request import Request
from shroff.api.gateway.routes.labels import Labelling
from shroff.api.gateway.settings import GatewaySettings
from shroff.core.errors import Retryable
from shroff.ports import Labels
from tests.api.served import Served

LABEL = {"transaction_id": "l-1", "label": "fraud", "source": "chargeback", "known_at": 1700000000}


def post(served: Served, body: Any = None, **members: Any) -> httpx.Response:
    content = json.dumps(LABEL | members).encode() if body is None else body
    return served.client.post("/labels", content=content, headers={"content-type": "application/json"})


def test_a_label_is_accepted_before_its_transaction_and_kept_once(served: Served) -> None:
    first, again = (post(served, transaction_id="l-first") for _ in range(2))
    assert (first.status_code, first.json()) == (
        202,
        {"message": "Label accepted", "transaction_id": "l-first", "status": "accepted"},
    )
    assert (again.status_code, again.json()["status"]) == (202, "repeated")
    (kept,) = served.store.labels.of(["l-first"])
    assert (kept.fraud, kept.source, kept.known_at) == (True, "chargeback", 1_700_000_000_000)


def test_without_known_at_a_label_is_known_now_and_sent_again_it_is_the_same(served: Served) -> None:
    before = time.time_ns() // 1_000_000
    answers = [post(served, transaction_id="l-now", known_at=None) for _ in range(2)]
    assert [each.json()["status"] for each in answers] == ["accepted", "repeated"]
    (kept,) = served.store.labels.of(["l-now"])
    assert before <= kept.known_at == kept.received_at <= time.time_ns() // 1_000_000


def test_a_correction_is_another_label_and_all_are_kept(served: Served) -> None:
    post(served, transaction_id="l-both")
    post(served, transaction_id="l-both", label="legitimate", source="analyst", known_at=1700000500.25)
    kept = served.store.labels.of(["l-both"])
    assert [(each.fraud, each.known_at) for each in kept] == [
        (True, 1_700_000_000_000), (False, 1_700_000_500_250)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ({"transaction_id": None}, "Missing required field: transaction_id"),
        ({"label": "maybe"}, "label must be one of fraud, legitimate"),
        ({"label": None}, "Missing required field: label"),
        ({"label": ["fraud"]}, "label must be one of fraud, legitimate"),
        ({"source": "rumour"}, "source must be one of chargeback, analyst, customer"),
        ({"known_at": "today"}, "known_at must be a number of seconds since 1970"),
        ({"known_at": 1_700_000_000_000}, "known_at looks like milliseconds; give seconds since 1970"),
        ({"known_at": 99_000_000_000}, "known_at is in the future: a label counts from when it is known"),
        ({"amount": 3}, "a label has the members transaction_id, label, source, known_at, and no other"),
    ],
)
def test_what_is_no_label_is_refused_with_its_fault(
    served: Served, members: dict[str, Any], problem: str
) -> None:
    answer = post(served, **members)
    assert (answer.status_code, answer.json()["error"]) == (400, problem)


def test_all_faults_are_told_at_once(served: Served) -> None:
    answer = post(served, b"{}")
    assert [each["field"] for each in answer.json()["faults"]] == ["transaction_id", "label", "source"]
    assert post(served, b"[1]").json() == {"error": "Invalid JSON in request body"}
    twice = b'{"transaction_id": "a", "label": "fraud", "label": "legitimate", "source": "analyst"}'
    assert post(served, twice).json()["error"] == "label is there more than once"


def test_lines_of_labels_are_answered_line_by_line(served: Served) -> None:
    lines = [LABEL | {"transaction_id": "l-line"}, {"label": "fraud"}, LABEL | {"transaction_id": "l-line"}]
    body = b"\n".join(json.dumps(each).encode() for each in lines) + b"\n"
    answer = served.client.post("/labels", content=body, headers={"content-type": "application/x-ndjson"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson")
    found = [json.loads(line) for line in answer.text.splitlines()]
    assert [each["status"] for each in found] == [202, 400, 202]
    assert [each.get("message") for each in found] == ["Label accepted", None, "Label was accepted before"]
    empty = served.client.post("/labels", content=b"\n", headers={"content-type": "application/x-ndjson"})
    assert (empty.status_code, empty.json()) == (400, {"error": "The batch has no lines"})


def test_where_the_store_refuses_nothing_is_accepted_and_the_answer_says_try_again() -> None:
    class Full:
        def add(self, labels: object) -> list[str]:
            raise Retryable("the disk is full")

    async def read(_: int) -> bytes:
        return json.dumps(LABEL).encode()

    async def ask(act: Callable[[], Any]) -> Any:
        return act()

    labelling = Labelling(cast("Labels", Full()), ask, lambda: 1_800_000_000_000, GatewaySettings())
    with pytest.raises(Refused) as refused:
        asyncio.run(labelling.accept(Request({}, "/labels", read)))
    assert (refused.value.answer.status, refused.value.answer.headers[-1]) == (503, ("retry-after", "1"))
    assert b"none was accepted" in refused.value.answer.body


def test_metrics_count_labels_and_those_that_wait(served: Served) -> None:
    counts = served.store.labels.counts()
    post(served, transaction_id="l-metrics", label="legitimate")
    text = served.client.get("/metrics").text
    assert f'shroff_labels_total{{label="legitimate"}} {counts["legitimate"] + 1}.0' in text
    assert f"shroff_labels_waiting {counts['fraud'] + counts['legitimate'] + 1}.0" in text
