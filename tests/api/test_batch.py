"""POST /transactions/batch against a real server."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.api.served import Served, example


def post(served: Served, *lines: dict[str, Any] | bytes, **headers: str) -> httpx.Response:
    body = b"\n".join(each if isinstance(each, bytes) else json.dumps(each).encode() for each in lines)
    return served.client.post("/transactions/batch", content=body, headers=headers)


def results(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


def test_each_line_has_its_result_in_its_place(served: Served):
    served.post(transaction_id="b-taken", amount=1)
    found = results(
        post(
            served,
            example(transaction_id="b-1"),
            b"not json",
            example(transaction_id="b-taken", amount=2),
            b"",
            example(transaction_id="b-2", amount=-1),
            b" " * (256 * 1024 + 1),
            example(transaction_id="b-1"),
            example(transaction_id="b-1", amount=5),
            example(transaction_id="b-3"),
        )
    )
    assert [each["status"] for each in found] == [202, 400, 409, 400, 400, 413, 202, 409, 202]
    assert [found[at]["transaction_id"] for at in (0, 2, 6, 7, 8)] == ["b-1", "b-taken", "b-1", "b-1", "b-3"]
    assert found[0]["message_id"] == found[6]["message_id"] != found[8]["message_id"]
    assert found[1] == found[3] == {"status": 400, "error": "Invalid JSON in request body"}
    assert found[4]["error"] == "Amount must be positive"
    assert [each["field"] for each in found[4]["faults"]] == ["amount"]
    assert [each.transaction_id for each in served.queue.read(served.queue.last() - 2, 10)] == ["b-1", "b-3"]


def test_blank_lines_at_the_end_and_carriage_returns_do_not_count(served: Served):
    answer = served.client.post(
        "/transactions/batch", content=json.dumps(example(transaction_id="b-crlf")).encode() + b"\r\n\r\n\n"
    )
    assert [each["status"] for each in results(answer)] == [202]


def test_ten_thousand_lines_are_taken_and_one_more_is_not(served: Served):
    lines = [example(transaction_id=f"many-{number}") for number in range(10_001)]
    assert post(served, *lines).status_code == 413
    assert served.queue.find("many-0") is None
    found = results(post(served, *lines[:-1]))
    assert [each["transaction_id"] for each in found] == [f"many-{number}" for number in range(10_000)]
    assert {each["status"] for each in found} == {202}


def test_a_batch_without_lines_is_refused(served: Served):
    answer = post(served, b"\n \n")
    assert (answer.status_code, answer.json()) == (400, {"error": "The batch has no lines"})


def test_a_batch_of_only_bad_lines_is_answered_line_by_line(served: Served):
    assert [each["status"] for each in results(post(served, b"1", b"2"))] == [400, 400]


def test_a_full_disk_refuses_the_whole_batch(served: Served):
    served.trouble("full")
    answer = post(served, example(transaction_id="b-disk"), b"not json")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert served.queue.find("b-disk") is None


@pytest.mark.parametrize("kind", ["application/x-ndjson", "application/ndjson", "application/jsonlines; a=b"])
def test_lines_of_json_have_several_names(served: Served, kind: str):
    line = example(transaction_id="b-kind")
    assert results(post(served, line, **{"content-type": kind}))[0]["status"] == 202


def test_what_says_it_is_a_form_is_refused_with_a_hint(served: Served):
    answer = post(served, example(), **{"content-type": "application/x-www-form-urlencoded"})
    assert answer.status_code == 415
    assert "application/x-ndjson" in answer.json()["error"]


def test_of_a_line_eight_faults_are_told_and_how_many_more_there_are(served: Served):
    wrong: dict[str, Any] = {f"a{number}": [] for number in range(7)}
    wrong |= dict.fromkeys(("amount", "timestamp", "latitude", "longitude"), "?")
    (found,) = results(post(served, {"transaction_id": "x", **wrong}))
    assert (len(found["faults"]), found["more_faults"]) == (8, 3)
    (found,) = results(post(served, {"transaction_id": "x", "amount": "?", "timestamp": 1}))
    assert [len(found["faults"]), "more_faults" in found] == [1, False]
    alone = served.client.post("/transactions", json={"transaction_id": "x", **wrong})
    assert len(alone.json()["faults"]) == 11


def test_the_answer_to_many_faulty_lines_is_one_that_a_function_can_give(served: Served):
    wrong: dict[str, Any] = {f"a{number}": [] for number in range(11)}
    lines = [example(transaction_id=f"faulty-{number}", **wrong) for number in range(9_900)]
    good = [example(transaction_id=f"good-{number}") for number in range(100)]
    answer = post(served, *lines, *good)
    found = results(answer)
    assert len(json.dumps(answer.text)) < 5_000_000
    assert [each["status"] for each in found] == [400] * 9_900 + [202] * 100
    assert len(found[0]["faults"]) == 8
    assert "faults" not in found[9_899]
    assert "post it by itself" in found[9_899]["error"]
