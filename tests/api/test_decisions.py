"""POST /decisions and the decision of GET /transactions/{id}, against a real server."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.api.served import Served


def test_a_decision_is_waited_for_and_stored_as_for_the_queued_path(served: Served):
    with served.worker():
        answer = served.post("/decisions", transaction_id="d-1", customer_id="d-1", amount=5000)
    assert answer.status_code == 200
    decision = answer.json()
    assert decision.pop("decided_at").endswith("Z")
    assert decision == {
        "transaction_id": "d-1",
        "outcome": "review",
        "score": 0.5,
        "reasons": [
            {
                "rule": "large",
                "outcome": "review",
                "score": 0.5,
                "reason": "A large amount",
                "values": {"amount": 5000.0},
            }
        ],
        "features": {"customer.count_1h": 0.0, "customer.amount_mean_1h": None, "list.blocked": False},
        "policy_version": served.policy.version,
    }
    shown = served.client.get("/transactions/d-1").json()
    assert (shown["status"], shown["decision"]) == ("decided", answer.json())
    assert shown["transaction"]["amount"] == "5000.00"


def test_a_repeated_id_is_answered_its_stored_decision(served: Served):
    with served.worker():
        first = served.post("/decisions", transaction_id="d-again")
    assert served.post("/decisions", transaction_id="d-again").text == first.text
    assert served.post("/decisions", transaction_id="d-again", amount=1).status_code == 409


def test_a_decision_that_takes_too_long_is_accepted_and_says_where_to_ask(served: Served):
    answer = served.post("/decisions", transaction_id="d-late")
    members = answer.json()
    assert answer.status_code == 202
    assert members["status"] == "accepted"
    assert "GET /transactions/" in members["message"]
    assert served.client.get("/transactions/d-late").json()["status"] == "accepted"
    with served.worker():
        assert served.post("/decisions", transaction_id="d-late").status_code == 200


def test_what_is_given_up_is_422_with_its_cause(served: Served):
    with served.worker():
        served.post("/decisions", transaction_id="d-before")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(served.post, "/decisions", transaction_id="d-dead")
        while not served.undecided():
            pass
        served.bury("no rate for this currency")
        answer = waiting.result()
    assert answer.status_code == 422
    assert answer.json()["cause"] == "no rate for this currency"
    shown = served.client.get("/transactions/d-dead").json()
    assert (shown["status"], shown["failures"][0]["cause"]) == ("dead_lettered", "no rate for this currency")


def test_many_who_wait_each_get_their_own_decision(served: Served):
    with served.worker(), ThreadPoolExecutor(30) as pool:
        waiting = [
            pool.submit(served.post, "/decisions", transaction_id=f"d-many-{at % 50}") for at in range(100)
        ]
        answers = [each.result() for each in waiting]
    assert {each.status_code for each in answers} == {200}
    assert [each.json()["transaction_id"] for each in answers] == [f"d-many-{at % 50}" for at in range(100)]
    assert len({each.text for each in answers}) == 50


def test_what_is_wrong_is_told_as_for_the_queued_path(served: Served):
    assert served.client.post("/decisions", content=b"[]").json() == {"error": "Invalid JSON in request body"}
    answer = served.post("/decisions", transaction_id="d-faulty", amount=0)
    assert (answer.status_code, answer.json()["error"]) == (400, "Amount must be positive")
