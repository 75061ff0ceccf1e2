"""The writes that a commit's work comes to, and what has to be written before them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from shroff.adapters.aws.alert_items import alert_key, alert_updates, known_scores
from shroff.adapters.aws.clients import translate
from shroff.adapters.aws.cloud import Cloud
from shroff.adapters.aws.commit import Write
from shroff.adapters.aws.days import day_of
from shroff.adapters.aws.letters import marked
from shroff.core.alert import Alert, merge
from shroff.ports import SEALED, Work


def work_writes(cloud: Cloud, work: Work, first: int) -> tuple[list[Write], list[Alert]]:
    """The writes of a commit, its records numbered on from `first`; and those of its alerts that are new."""
    refuse_twice(work)
    alerts = merge(work.alerts)
    known = _known(cloud, alerts)
    writes = [*_records(cloud, work, first), *_alerts(cloud, alerts, known), *_failed(cloud, work)]
    return writes, [alert for alert in alerts if alert.alert_id not in known]


def write_before(cloud: Cloud, work: Work) -> None:
    """What must be there before any record of the work is: its days, and the marks of what comes late."""
    cloud.days.note("occurred", {day_of(transaction.occurred_at) for _, transaction, _ in work.decided})
    cloud.days.note("accepted", {day_of(each.message.received_at) for each in work.unsettled})
    late: dict[int, int] = {}
    for _, transaction, decision in work.decided:
        start = transaction.occurred_at // SEALED * SEALED
        if decision.decided_at >= start + SEALED:
            late[start] = max(late.get(start, 0), decision.decided_at)
    _in_turn(cloud, late.items())


def refuse_twice(work: Work) -> None:
    """Raises ValueError for an id that has two fates in one work."""
    ids = [decision.transaction_id for _, _, decision in work.decided]
    ids += [each.message.transaction_id for each in work.unsettled]
    twice = sorted(name for name, times in Counter(ids).items() if times > 1)
    if twice:
        raise ValueError(f"decided before: {', '.join(twice)}")


def _in_turn(cloud: Cloud, late: Iterable[tuple[int, int]]) -> None:
    def mark(each: tuple[int, int]) -> None:
        with translate("marking a late window"):
            cloud.marks.mark(*each)

    for _ in cloud.pool.map(mark, late):
        pass


def _known(cloud: Cloud, alerts: Iterable[Alert]) -> dict[str, float]:
    """The alerts that were raised before, with their scores."""
    keys = [alert_key(alert.alert_id) for alert in alerts]
    return known_scores(cloud.state.get_many(keys, ["pk", "score"])) if keys else {}


def _records(cloud: Cloud, work: Work, first: int) -> list[Write]:
    return [
        Write(
            kind="record",
            about=decision.transaction_id,
            request={
                "Put": {
                    "TableName": cloud.names.transactions,
                    "Item": cloud.forms.decided(seq, message, transaction, decision),
                    "ConditionExpression": "attribute_not_exists(transaction_id)",
                }
            },
        )
        for seq, (message, transaction, decision) in enumerate(work.decided, first)
    ]


def _alerts(cloud: Cloud, alerts: list[Alert], known: dict[str, float]) -> list[Write]:
    updates = alert_updates(alerts, known, cloud.names.state)
    return [
        Write(kind="alert", about=alert.alert_id, request=update)
        for alert, update in zip(alerts, updates, strict=True)
    ]


def _failed(cloud: Cloud, work: Work) -> list[Write]:
    return [
        Write(
            kind="message",
            about=each.message.transaction_id,
            request={
                "Update": {
                    "TableName": cloud.names.transactions,
                    **marked(cloud.forms, each.message, each.message.failures, dead=each.due_at is None),
                }
            },
        )
        for each in work.unsettled
    ]
