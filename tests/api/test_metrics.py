"""GET /metrics against a real server."""

from __future__ import annotations

import json

from prometheus_client.parser import text_string_to_metric_families

from shroff.adapters.files.reports import FileReports
from shroff.flows.figures import FORMAT, WATCH
from tests.api.served import Served

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scrape(served: Served) -> Samples:
    answer = served.client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = text_string_to_metric_families(answer.text)
    return {
        (each.name, frozenset(each.labels.items())): each.value
        for family in families
        for each in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, frozenset(labels.items())]


def test_transactions_are_counted_wherever_they_are(served: Served):
    for number in range(5):
        served.post(transaction_id=f"t-{number}", amount=5000 if number == 0 else 1)
    served.decide()
    served.post(transaction_id="dead")
    served.bury("cannot be decided")
    served.post(transaction_id="waiting")
    served.post(transaction_id="waiting", amount=7)
    samples = scrape(served)
    counted = {
        "shroff_accepted_total": 7,
        "shroff_decided_total": 5,
        "shroff_dead_lettered": 1,
        "shroff_in_flight": 1,
        "shroff_retrying": 0,
        "shroff_alerts_total": 1,
        "shroff_audit_gap": 0,
    }
    assert {name: value(samples, name) for name in counted} == counted
    assert value(samples, "shroff_decisions_total", outcome="review") == 1
    assert value(samples, "shroff_decisions_total", outcome="approve") == 4
    assert 0 <= value(samples, "shroff_worker_lag_seconds") < 60
    assert value(samples, "shroff_requests_total", route="/transactions", status="202") == 7
    assert value(samples, "shroff_requests_total", route="/transactions", status="409") == 1
    assert value(samples, "shroff_request_seconds_count", route="/transactions") == 8
    assert value(samples, "shroff_append_group_size_count") == 8
    assert value(samples, "shroff_append_group_size_sum") == 8


def test_addresses_that_clients_make_up_are_counted_as_one(served: Served):
    for number in range(20):
        served.client.get(f"/made/up/{number}")
        served.client.get(f"/transactions/made-up-{number}")
    routes = {dict(labels).get("route") for name, labels in scrape(served) if name == "shroff_requests_total"}
    assert routes <= {"/transactions", "/transactions/{id}", "/health", "/metrics", "other"}


def test_nothing_waiting_is_no_lag(served: Served):
    served.decide()
    assert value(scrape(served), "shroff_worker_lag_seconds") == 0


def test_what_the_newest_report_found_is_told(served: Served):
    reports = FileReports(served.data / "reports")
    before = scrape(served)
    assert not [name for name, _ in before if name.startswith(("shroff_drift", "shroff_report"))]
    figures = {
        "psi": {"amount": 0.31}, "drift": {"stable": 7, "moving": 2, "shifted": 1},
        "rules": {"silent": 1, "spiking": 0, "never": 3}, "strange_rules": [["early", "silent"]],
        "agreement": {"abc": 0.97}, "calibration": {"abc": 1.25},
    }  # fmt: skip
    for day, psi in (("2025-03-05", 0.31), ("2025-03-04", 9.0)):
        kept = {"format": FORMAT, "date": day, "figures": figures | {"psi": {"amount": psi}}}
        reports.write(day, {WATCH: [json.dumps(kept).encode()]})
    samples = scrape(served)
    assert value(samples, "shroff_report_day_seconds") == 1_741_132_800
    assert value(samples, "shroff_drift_psi", column="amount") == 0.31
    assert value(samples, "shroff_drift_columns", state="shifted") == 1
    assert value(samples, "shroff_rule_habits", state="never") == 3
    assert value(samples, "shroff_rule_strange", rule="early", state="silent") == 1
    assert value(samples, "shroff_model_agreement", model="abc") == 0.97
    assert value(samples, "shroff_calibration_ratio", model="abc") == 1.25
    reports.write("2025-03-05", {WATCH: [b'{"format": 0, "date": "2025-03-05"}']})
    assert "shroff_drift_psi" not in {name for name, _ in scrape(served)}
