"""The alarms of CloudWatch, from their rules, each to the topic."""

from __future__ import annotations

import re

import pulumi
from pulumi_aws import cloudwatch

from infra.components.place import Place
from infra.components.rules import Rule, Series, rules
from infra.components.topics import Topics
from infra.settings import Settings


class Alarms(pulumi.ComponentResource):
    """Every alarm tells the topic when it rings and when it is over."""

    def __init__(self, place: Place, settings: Settings, topics: Topics) -> None:
        super().__init__("shroff:infra:Alarms", "alarms")
        self._place, self._topic = place, topics.alarms.arn
        self.rules = rules(place, settings)
        for rule in self.rules:
            self._alarm(rule)
        self.register_outputs({})

    def _alarm(self, rule: Rule) -> None:
        single = None if rule.expression else next(iter(rule.series.values()))
        cloudwatch.MetricAlarm(
            rule.name,
            name=self._place.name(rule.name),
            alarm_description=rule.says,
            comparison_operator="LessThanThreshold" if rule.below else "GreaterThanThreshold",
            threshold=rule.over,
            evaluation_periods=rule.times,
            treat_missing_data=rule.silent,
            alarm_actions=[self._topic],
            ok_actions=[self._topic],
            metric_queries=_queries(rule) if rule.expression else None,
            namespace=single.namespace if single else None,
            metric_name=single.metric if single else None,
            dimensions=single.dimensions if single else None,
            period=single.period if single else None,
            statistic=single.stat if single and not _percentile(single) else None,
            extended_statistic=single.stat if single and _percentile(single) else None,
            # A percentile of a handful of requests is one request.
            evaluate_low_sample_count_percentiles="ignore" if single and _percentile(single) else None,
            opts=pulumi.ResourceOptions(parent=self),
        )


def _percentile(series: Series) -> bool:
    return re.fullmatch(r"p\d+", series.stat) is not None


def _queries(rule: Rule) -> list[cloudwatch.MetricAlarmMetricQueryArgsDict]:
    measured: list[cloudwatch.MetricAlarmMetricQueryArgsDict] = [
        {
            "id": name,
            "metric": {
                "namespace": each.namespace,
                "metric_name": each.metric,
                "dimensions": each.dimensions,
                "stat": each.stat,
                "period": each.period,
            },
            "return_data": False,
        }
        for name, each in rule.series.items()
    ]
    return [
        *measured,
        {"id": "value", "expression": rule.expression or "", "label": rule.name, "return_data": True},
    ]
