"""What runs by the clock: the sweep every five minutes, the report every day."""

from __future__ import annotations

import json

import pulumi
from pulumi_aws import iam, scheduler

from infra.components.functions import Function
from infra.components.ground import Ground
from infra.components.ingest import Ingest
from infra.components.roles import document, trust

EVERY_FIVE_MINUTES = "cron(1/5 * * * ? *)"
"""At minutes 1, 6, 11 ...: a minute after the end of each window."""


class Schedules(pulumi.ComponentResource):
    """Two schedules in UTC, with a role that may start just their two functions."""

    def __init__(self, ground: Ground, ingest: Ingest, sweep: Function, report: Function) -> None:
        super().__init__("shroff:infra:Schedules", "schedules")
        place, settings = ground.place, ground.settings
        self._place, self._key, self._ingest = place, ground.key, ingest
        self._opts = pulumi.ResourceOptions(parent=self)
        self.group = scheduler.ScheduleGroup("group", name=place.name("shroff"), opts=self._opts)
        self.role = self._role([sweep, report])
        self._schedule("sweep", EVERY_FIVE_MINUTES, sweep, patience=600)
        self._schedule("report", f"cron(0 {settings.report_hour} * * ? *)", report, patience=3_600)
        self.register_outputs({})

    def _role(self, targets: list[Function]) -> iam.Role:
        place = self._place
        role = iam.Role(
            "scheduler",
            name=place.name("scheduler"),
            description="Starts the sweep and the report",
            assume_role_policy=trust("scheduler.amazonaws.com", {
                "StringEquals": {
                    "aws:SourceAccount": place.account,
                    "aws:SourceArn": place.arn("scheduler", f"schedule-group/{place.name('shroff')}"),
                },
            }),
            opts=self._opts,
        )  # fmt: skip
        may = {
            "lambda:InvokeFunction": [each.arn for each in targets],
            "sqs:SendMessage": self._ingest.invocation_dlq.arn,
            "kms:Decrypt kms:GenerateDataKey": self._key.arn,
        }
        self.policy = iam.RolePolicy(
            "scheduler",
            name=place.name("scheduler"),
            role=role.name,
            policy=pulumi.Output.json_dumps(
                document(
                    {"Effect": "Allow", "Action": actions.split(), "Resource": on}
                    for actions, on in may.items()
                )
            ),
            opts=self._opts,
        )
        return role

    def _schedule(self, name: str, when: str, target: Function, *, patience: int) -> None:
        scheduler.Schedule(
            name,
            name=self._place.name(name),
            group_name=self.group.name,
            description=target.shape.what,
            schedule_expression=when,
            schedule_expression_timezone="UTC",
            flexible_time_window={"mode": "OFF"},
            # Its payload is this moment and no more: the key of AWS's own that schedules have will do.
            target={
                "arn": target.arn,
                "role_arn": self.role.arn,
                # The moment it was meant for, however late it comes.
                "input": json.dumps({"time": "<aws.scheduler.scheduled-time>"}),
                "retry_policy": {"maximum_event_age_in_seconds": patience, "maximum_retry_attempts": 3},
                "dead_letter_config": {"arn": self._ingest.invocation_dlq.arn},
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self.policy]),
        )
