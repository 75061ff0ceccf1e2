"""The key that encrypts everything, and who may use it for what."""

from __future__ import annotations

import json

import pulumi
from pulumi_aws import kms

from infra.components.place import Place
from infra.components.roles import Document, document
from infra.components.shapes import SHAPES

_ADMINISTER = """
CancelKeyDeletion CreateAlias DeleteAlias DescribeKey DisableKey DisableKeyRotation EnableKey
EnableKeyRotation GetKeyPolicy GetKeyRotationStatus ListGrants ListKeyPolicies ListKeyRotations
ListResourceTags PutKeyPolicy RevokeGrant RotateKeyOnDemand ScheduleKeyDeletion TagResource
UntagResource UpdateAlias UpdateKeyDescription
"""
_USE = "Decrypt DescribeKey Encrypt GenerateDataKey GenerateDataKeyWithoutPlaintext ReEncryptFrom ReEncryptTo"
_THROUGH = ("dynamodb", "lambda", "s3", "sns", "sqs")


class Key(pulumi.ComponentResource):
    """A customer-managed key that rotates every year, under an alias."""

    def __init__(self, place: Place) -> None:
        super().__init__("shroff:infra:Key", "key")
        child = pulumi.ResourceOptions(parent=self)
        self.key = kms.Key(
            "key",
            description=f"Everything that {place.name('shroff')} keeps",
            enable_key_rotation=True,
            deletion_window_in_days=30,
            policy=json.dumps(key_policy(place)),
            opts=child,
        )
        self.arn = self.key.arn
        self.alias = kms.Alias(
            "alias", name=f"alias/{place.name('shroff')}", target_key_id=self.key.key_id, opts=child
        )
        self.register_outputs({})


def key_policy(place: Place) -> Document:
    """Who may do what with the key. In a key's own policy the resource `*` is this key and no other."""
    account = {"AWS": place.root}
    return document(
        [
            _allow("Administration", account, _ADMINISTER),
            # Whom IAM lets use the key, but through the services that hold the data only: nobody can
            # decrypt by hand what was copied out of a table or bucket.
            _allow("UseThroughServices", account, _USE, {
                "StringEquals": {"kms:ViaService": _through(place)},
            }),
            # DynamoDB and Lambda hold on to the key by grants while the table or the function is there.
            _allow("GrantsOfServices", account, "CreateGrant", {
                "Bool": {"kms:GrantIsForAWSResource": "true"},
            }),
            _allow("Logs", {"Service": f"logs.{place.region}.{place.domain}"}, _USE, {
                "ArnLike": {"kms:EncryptionContext:aws:logs:arn": _log_groups(place)},
            }),
            _allow("AlarmsToTopic", {"Service": "cloudwatch.amazonaws.com"}, "Decrypt GenerateDataKey", {
                "StringEquals": {"aws:SourceAccount": place.account},
            }),
        ]
    )  # fmt: skip


def _allow(sid: str, principal: Document, actions: str, condition: Document | None = None) -> Document:
    made = {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": principal,
        "Action": [f"kms:{each}" for each in actions.split()],
        "Resource": "*",
    }
    return made | ({"Condition": condition} if condition else {})


def _through(place: Place) -> list[str]:
    return [f"{each}.{place.region}.{place.domain}" for each in _THROUGH]


def _log_groups(place: Place) -> list[str]:
    """The groups whose lines are encrypted; API Gateway's own has the API's id in its name, known later."""
    names = [place.log_group(each.name) for each in SHAPES]
    named = [*names, place.access_log, "API-Gateway-Execution-Logs_*"]
    return [place.arn("logs", f"log-group:{each}") for each in named]
