"""Creates schedules, topics, alarms and the dashboard."""

from __future__ import annotations

from typing import Any

from tests.cloud.creating.registry import Created, Inputs, creates, strings, taken
from tests.cloud.process import ACCOUNT, REGION, Moto


@creates("aws:scheduler/scheduleGroup:ScheduleGroup")
def schedule_group(moto: Moto, inputs: Inputs) -> Created:
    made = moto.client("scheduler").create_schedule_group(Name=inputs["name"])
    return inputs["name"], {"arn": made["ScheduleGroupArn"], "name": inputs["name"]}


@creates("aws:scheduler/schedule:Schedule")
def schedule(moto: Moto, inputs: Inputs) -> Created:
    made = moto.client("scheduler").create_schedule(
        **taken(
            inputs, "name", "groupName", "description", "scheduleExpression", "scheduleExpressionTimezone",
            "flexibleTimeWindow", "state", "target",
        )
    )  # fmt: skip
    return f"{inputs['groupName']}/{inputs['name']}", {"arn": made["ScheduleArn"]}


@creates("aws:sns/topic:Topic")
def topic(moto: Moto, inputs: Inputs) -> Created:
    attributes = strings(taken(inputs, "kmsMasterKeyId", "policy"))
    made = moto.client("sns").create_topic(Name=inputs["name"], Attributes=attributes)
    return made["TopicArn"], {"arn": made["TopicArn"]}


@creates("aws:sns/topicPolicy:TopicPolicy")
def topic_policy(moto: Moto, inputs: Inputs) -> Created:
    moto.client("sns").set_topic_attributes(
        TopicArn=inputs["arn"], AttributeName="Policy", AttributeValue=inputs["policy"]
    )
    return inputs["arn"], {}


@creates("aws:sns/topicSubscription:TopicSubscription")
def subscription(moto: Moto, inputs: Inputs) -> Created:
    made = moto.client("sns").subscribe(
        TopicArn=inputs["topic"], Protocol=inputs["protocol"], Endpoint=inputs["endpoint"]
    )
    return made["SubscriptionArn"], {"arn": made["SubscriptionArn"]}


_ALARM = (
    "comparisonOperator", "evaluationPeriods", "threshold", "treatMissingData", "alarmDescription",
    "namespace",    "metricName", "dimensions", "statistic", "extendedStatistic", "period",
    "datapointsToAlarm", "actionsEnabled",
)  # fmt: skip


@creates("aws:cloudwatch/metricAlarm:MetricAlarm")
def alarm(moto: Moto, inputs: Inputs) -> Created:
    chosen = {name[:1].upper() + name[1:]: inputs[name] for name in _ALARM if inputs.get(name) is not None}
    for name in ("EvaluationPeriods", "Period", "DatapointsToAlarm"):
        if name in chosen:
            chosen[name] = int(chosen[name])
    if inputs.get("evaluateLowSampleCountPercentiles"):
        chosen["EvaluateLowSampleCountPercentile"] = inputs["evaluateLowSampleCountPercentiles"]
    if "Dimensions" in chosen:
        chosen["Dimensions"] = dimensions(chosen["Dimensions"])
    if inputs.get("metricQueries"):
        chosen["Metrics"] = [query(each) for each in inputs["metricQueries"]]
    actions = {"AlarmActions": inputs.get("alarmActions") or [], "OKActions": inputs.get("okActions") or []}
    moto.client("cloudwatch").put_metric_alarm(AlarmName=inputs["name"], **chosen, **actions)
    return inputs["name"], {"arn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{inputs['name']}"}


def dimensions(values: Inputs) -> list[dict[str, str]]:
    return [{"Name": name, "Value": str(value)} for name, value in values.items()]


def query(declared: Inputs) -> dict[str, Any]:
    """One term of an alarm's arithmetic."""
    made: dict[str, Any] = {"Id": declared["id"]}
    made |= {
        name[:1].upper() + name[1:]: declared[name]
        for name in ("expression", "label", "returnData")
        if declared.get(name) is not None
    }
    if metric := declared.get("metric"):
        what = {"Namespace": metric["namespace"], "MetricName": metric["metricName"]}
        what["Dimensions"] = dimensions(metric.get("dimensions") or {})
        made["MetricStat"] = {"Metric": what, "Period": int(metric["period"]), "Stat": metric["stat"]}
    return made


@creates("aws:cloudwatch/dashboard:Dashboard")
def dashboard(moto: Moto, inputs: Inputs) -> Created:
    name = inputs["dashboardName"]
    moto.client("cloudwatch").put_dashboard(DashboardName=name, DashboardBody=inputs["dashboardBody"])
    return name, {"dashboardArn": f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/{name}"}
