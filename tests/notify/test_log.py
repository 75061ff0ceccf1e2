from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from shroff.adapters.notify import LogChannel
from shroff.adapters.notify.masking import without_people
from tests.notify.conftest import alert


def test_an_alert_is_one_event_with_its_ids():
    with capture_logs() as events:
        LogChannel().send(alert())
    assert events == [
        {
            "event": "alert_raised", "log_level": "info", "alert_id": "alert-0001", "rule": "velocity",
            "entity": "customer", "key": "cust-001", "outcome": "decline", "score": 0.9,
            "reason": "Many payments in a short time", "transaction_id": "txn-1",
            "occurred_at": "2023-11-14T22:13:20.001Z",
        }
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("4111111111111", "************1111"),
        ("4111-1111-1111-1234", "************1234"),
        ("4111111111111111234", "************1234"),
        ("4111111111111234, Shop", "************1234, Shop"),
        ("jane.doe+x@example.com", "***@example.com"),
        ("4222 2222 2222 2", "************2222"),
        ("cust-001", "cust-001"),
        ("123456789012", "123456789012"),
        ("12345678901234567890", "12345678901234567890"),
        ("10.96.1.12", "10.96.1.12"),
    ],
)
def test_cards_and_addresses_are_not_logged_and_ids_are(key, shown):
    with capture_logs() as (events):
        LogChannel().send(alert(key=key, reason=f"seen {key} often"))
    assert (events[0]["key"], events[0]["reason"]) == (shown, f"seen {shown} often")


def test_a_long_hostile_text_is_masked_in_a_moment():
    assert len(without_people("1 " * 50_000 + "a" * 50_000)) > 50_000
