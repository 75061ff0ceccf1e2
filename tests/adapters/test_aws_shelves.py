"""What the shelves on AWS do beyond their contracts: pages, batches, races, names in the bucket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from shroff.adapters.aws import attributes
from shroff.adapters.aws.alerts import AwsAlerts
from shroff.adapters.aws.days import day_of
from shroff.adapters.aws.lists import AwsLists
from shroff.adapters.aws.policies import AwsPolicies
from shroff.adapters.aws.schedule import AwsSchedule
from shroff.adapters.aws.shelf import Shelf
from shroff.adapters.aws.topic import AlertsTopic
from shroff.codec import alert_members
from shroff.core.errors import Rejected, Retryable
from tests.adapters.shelves import TABLE, client, state_table
from tests.contracts.samples import alert

DAY = 86_400_000
START = 1_700_000_100_000


@pytest.fixture
def state() -> Iterator[Any]:
    with mock_aws():
        yield state_table()


class Intercepted:
    """A client of which one method does something first, once."""

    def __init__(self, real: Any, method: str, first: Any) -> None:
        self._real, self._method, self._first = real, method, first

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._real, name)
        if name != self._method or self._first is None:
            return real
        first, self._first = self._first, None
        return lambda **request: first(real, request)


def test_two_that_publish_at_once_have_two_numbers(state: Any) -> None:
    def somebody_else(put: Any, request: Any) -> Any:
        AwsPolicies(state, TABLE).publish("v1", "theirs", 5)
        return put(**request)

    mine = AwsPolicies(Intercepted(state, "put_item", somebody_else), TABLE).publish("v2", "mine", 6)
    assert mine.number == 2
    assert [each.document for each in AwsPolicies(state, TABLE).history()] == ["theirs", "mine"]


def test_every_publication_is_found_over_many_pages(state: Any) -> None:
    noise = "".join(chr(0x4E00 + n * 7919 % 20_000) for n in range(120_000))
    policies = AwsPolicies(state, TABLE)
    for number in range(5):  # each of some hundreds of KB, however well it is compressed
        policies.publish(f"v{number}", f"{number}{noise}", number)
    assert [each.version for each in policies.history()] == [f"v{number}" for number in range(5)]
    first = policies.get("v0")
    assert first is not None
    assert first.document == f"0{noise}"
    active = policies.active()
    assert active is not None
    assert active.version == "v4"


def test_a_policy_that_no_item_can_hold_is_refused(state: Any) -> None:
    noise = "".join(chr(0x4E00 + n * n * 7919 % 20_001) for n in range(400_000))
    with pytest.raises(Rejected, match="too many"):
        AwsPolicies(state, TABLE).publish("v1", noise, 1)


def test_what_a_busy_table_left_undone_is_asked_for_again(state: Any) -> None:
    def half(real: Any, request: Any) -> Any:
        """A throttled batch: half of it is done, the rest handed back."""
        ((table, wanted),) = request["RequestItems"].items()
        keys = wanted["Keys"] if isinstance(wanted, dict) else wanted
        now, later = keys[::2], keys[1::2]
        parts = [{**wanted, "Keys": each} if isinstance(wanted, dict) else each for each in (now, later)]
        answer = real(RequestItems={table: parts[0]})
        return answer | {"UnprocessedKeys": {table: parts[1]}, "UnprocessedItems": {table: parts[1]}}

    values = [(f"v{number:02}", None) for number in range(20)]
    AwsLists(Intercepted(state, "batch_write_item", None), TABLE).add("blocked", values[:1])
    AwsLists(_SecondTime(state, "batch_write_item", half), TABLE).add("blocked", values)
    assert list(AwsLists(state, TABLE).entries("blocked")) == values
    throttled = AwsLists(Intercepted(state, "batch_get_item", half), TABLE)
    assert throttled.members("blocked", [value for value, _ in values], 0) == {value for value, _ in values}


class _SecondTime(Intercepted):
    """The first call is left alone: it notes the list's name."""

    def __init__(self, real: Any, method: str, first: Any) -> None:
        super().__init__(real, method, first)
        self._calls = 0

    def __getattr__(self, name: str) -> Any:
        if name == self._method:
            self._calls += 1
            if self._calls == 1:
                return getattr(self._real, name)
        return super().__getattr__(name)


def test_a_table_that_stays_busy_is_retryable(state: Any) -> None:
    class Busy:
        def batch_write_item(self, **request: Any) -> Any:
            return {"UnprocessedItems": request["RequestItems"]}

    pauses: list[float] = []
    with pytest.raises(Retryable, match="too busy"):
        Shelf(Busy(), TABLE, pauses.append).write([{"DeleteRequest": {"Key": {}}}])
    assert pauses == sorted(pauses)
    assert len(pauses) == 8


def test_a_value_longer_than_any_of_a_transaction_is_refused(state: Any) -> None:
    lists = AwsLists(state, TABLE)
    longest = "\U0001f600" * 256
    assert lists.add("blocked", [(longest, None)]) == 1
    assert lists.members("blocked", [longest, longest + "x"], 0) == {longest}
    with pytest.raises(Rejected, match="longer than any value"):
        lists.add("blocked", [(longest + "x", None)])


def test_a_schedule_never_goes_back(state: Any) -> None:
    schedule = AwsSchedule(state, TABLE)
    schedule.done("sweep", 600)
    schedule.done("sweep", 300)
    assert schedule.last("sweep") == 600


def test_an_alert_is_untold_until_somebody_was_told(state: Any) -> None:
    alerts = AwsAlerts(state, TABLE)
    alerts.add([alert(name, occurred_at=at) for name, at in (("c", 30), ("a", 10), ("b", 20))])
    assert [each.alert_id for each in alerts.untold(2)] == ["a", "b"]
    assert [each.alert_id for each in alerts.untold(9, before=31)] == ["a", "b"]
    assert alerts.last() == 31
    assert [(at, each.alert_id) for at, each in alerts.after(11, 9)] == [(21, "b"), (31, "c")]
    alerts.told(["a", "c", "nobody"])
    alerts.told(["a"])
    assert [each.alert_id for each in alerts.untold(9)] == ["b"]
    assert [each.alert_id for each in alerts.between(0, 99)] == ["a", "b", "c"], "and no alert of nobody"


def test_a_further_hit_makes_no_alert_untold_again(state: Any) -> None:
    alerts = AwsAlerts(state, TABLE)
    alerts.add([alert("a", score=0.5)])
    alerts.told(["a"])
    assert alerts.add([alert("a", score=0.9, hits=2)]) == 0
    assert alerts.add([alert("a", score=0.1)]) == 0
    assert alerts.untold(9) == []
    assert alerts.between(0, 9_999) == [alert("a", score=0.9, hits=4)]


def test_alerts_of_a_span_are_found_on_every_day_of_it(state: Any) -> None:
    alerts = AwsAlerts(state, TABLE)
    alerts.add([alert(f"a{day}", occurred_at=day * DAY + 5) for day in range(5)])
    assert [each.alert_id for each in alerts.between(DAY + 5, 3 * DAY + 6)] == ["a1", "a2", "a3"]
    assert [each.alert_id for each in alerts.between(DAY + 6, 3 * DAY + 5)] == ["a2"]
    assert alerts.between(DAY, DAY) == []


def test_a_long_span_is_looked_at_on_the_days_that_have_something(state: Any) -> None:
    alerts, days = AwsAlerts(state, TABLE), (3, 400, 20_000)
    alerts.add([alert(f"a{day}", occurred_at=day * DAY + 5) for day in days])
    for day in days:
        state.put_item(TableName=TABLE, Item={"pk": {"S": "days#occurred"}, "sk": {"S": day_of(day * DAY)}})
    assert [each.alert_id for each in alerts.between(0, 2**62)] == ["a3", "a400", "a20000"]
    assert [each.alert_id for each in alerts.between(4 * DAY, 20_000 * DAY + 5)] == ["a400"]


def test_an_alert_is_published_with_what_subscribers_choose_by() -> None:
    with mock_aws():
        sns, sqs = client("sns"), client("sqs")
        topic = sns.create_topic(Name="alerts-test")["TopicArn"]
        url = sqs.create_queue(QueueName="listener")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sns.subscribe(
            TopicArn=topic,
            Protocol="sqs",
            Endpoint=arn,
            Attributes={"FilterPolicy": '{"outcome": ["review"], "entity": ["customer"]}'},
        )
        AlertsTopic(sns, topic).send(alert("a"))
        (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    told = json.loads(message["Body"])
    assert json.loads(told["Message"]) == alert_members(alert("a"))
    assert told["MessageAttributes"]["rule"]["Value"] == "many_payments"


def test_a_topic_that_is_missing_may_be_there_later_and_a_bad_alert_may_not() -> None:
    with mock_aws():
        sns = client("sns")
        topic = sns.create_topic(Name="alerts-test")["TopicArn"]
        with pytest.raises(Retryable, match="NotFound"):
            AlertsTopic(sns, topic + "-not").send(alert("a"))
        with pytest.raises(Rejected, match="refused"):
            AlertsTopic(sns, topic).send(alert("a" * 300_000))


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (0.1, "0.1"),
        (-0.5, "-0.5"),
        (0, "0"),
        (1e-131, "0.0"),
        (-1e200, "-9.99e+125"),
        (10**14, "1" + "0" * 14),
    ],
)
def test_a_number_that_dynamodb_does_not_have_is_the_nearest_that_it_has(value: float, kept: str) -> None:
    assert attributes.number(value) == {"N": kept}
