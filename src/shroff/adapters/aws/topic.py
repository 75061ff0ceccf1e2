"""Alerts as messages to an SNS topic."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from shroff.codec import alert_members, encode
from shroff.core.alert import Alert
from shroff.core.errors import Fault, Rejected, Retryable

_REFUSED = frozenset({"InvalidParameter", "InvalidParameterValue", "ParameterValueInvalid"})
"""The message itself is wrong. A topic that is missing or forbidden will be mended, and then takes it."""


class AlertsTopic:
    """Publishes each alert as JSON; subscribers may choose by the attributes rule, outcome and entity."""

    name = "topic"

    def __init__(self, client: Any, topic_arn: str) -> None:
        self._client, self._topic_arn = client, topic_arn

    def send(self, alert: Alert) -> None:
        """Publish it. Raises Retryable where another attempt may help, Rejected where none will."""
        chosen_by = {"rule": alert.rule, "outcome": alert.outcome, "entity": alert.entity}
        try:
            self._client.publish(
                TopicArn=self._topic_arn,
                Message=encode(alert_members(alert)).decode(),
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value} for name, value in chosen_by.items()
                },
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _REFUSED:
                raise Rejected(
                    [Fault("alert", f"the topic refused alert {alert.alert_id}: {code}")]
                ) from None
            raise Retryable(f"the topic answered {code}") from error
        except BotoCoreError as error:
            raise Retryable(f"the topic cannot be reached: {type(error).__name__}") from error
