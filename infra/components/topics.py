"""Who is told: alerts of fraud, and alarms of the stack itself."""

from __future__ import annotations

import json

import pulumi
from pulumi_aws import sns

from infra.components.ground import Ground
from infra.components.place import Place
from infra.components.roles import document


class Topics(pulumi.ComponentResource):
    """Two encrypted topics, each with mail subscriptions where they are asked for."""

    def __init__(self, ground: Ground) -> None:
        super().__init__("shroff:infra:Topics", "topics")
        place, settings = ground.place, ground.settings
        self._ground = ground
        self.alerts = self._topic("alerts", settings.alert_emails)
        self.alarms = self._topic("alarms", settings.alarm_emails)
        sns.TopicPolicy(
            "alarms",
            arn=self.alarms.arn,
            policy=json.dumps(document([_alarms_of(place)])),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})

    def _topic(self, name: str, emails: list[str]) -> sns.Topic:
        child = pulumi.ResourceOptions(parent=self)
        topic = sns.Topic(
            name, name=self._ground.place.name(name), kms_master_key_id=self._ground.key.arn, opts=child
        )
        for email in emails:
            sns.TopicSubscription(
                f"{name}-{email}", topic=topic.arn, protocol="email", endpoint=email, opts=child
            )
        return topic


def _alarms_of(place: Place) -> dict[str, object]:
    """This stack's alarms may ring, and nobody else's."""
    return {
        "Sid": "AlarmsOfThisStack",
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": place.arn("sns", place.name("alarms")),
        "Condition": {
            "StringEquals": {"aws:SourceAccount": place.account},
            "ArnLike": {"aws:SourceArn": place.arn("cloudwatch", f"alarm:*-{place.suffix}")},
        },
    }
