"""The two tables: what was accepted and decided, and what is remembered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pulumi
from pulumi_aws import dynamodb

from infra.components.ground import Ground

Kind = Literal["S", "N"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """A way to read a table that is not by its own key; sparse where its attributes may be absent."""

    name: str
    hash: tuple[str, Kind]
    range: tuple[str, Kind]
    only: tuple[str, ...] = ()
    """The attributes that it holds besides the keys; all of them where empty."""


TRANSACTIONS = (
    # The audit: accepted ids by the moment of acceptance.
    Index(
        name="by-accepted",
        hash=("accepted_in", "S"),
        range=("received_at", "N"),
        only=("occurred_at", "dead"),
    ),
    # Sweep, seal and report: decided transactions by when they occurred.
    Index(name="by-time", hash=("occurred_in", "S"), range=("occurred_at", "N")),
    Index(name="by-death", hash=("dead", "S"), range=("died_at", "N")),
)
STATE = (
    Index(name="by-day", hash=("day", "S"), range=("occurred_at", "N")),
    Index(name="untold", hash=("untold", "S"), range=("raised_at", "N")),
    # Labels that are not learned yet, by from when on each is looked for.
    Index(name="pending", hash=("pending", "S"), range=("look_at", "N"), only=("about",)),
)


class Store(pulumi.ComponentResource):
    """On demand, recoverable to any second of 35 days, encrypted; expiring by `expires_at`."""

    def __init__(self, ground: Ground) -> None:
        super().__init__("shroff:infra:Store", "store")
        self._ground = ground
        self.transactions = self._table(
            "transactions", ("transaction_id", "S"), ("timestamp", "N"), TRANSACTIONS
        )
        self.state = self._table("state", ("pk", "S"), ("sk", "S"), STATE)
        self.register_outputs({})

    def _table(
        self, name: str, hash_key: tuple[str, Kind], range_key: tuple[str, Kind], indexes: tuple[Index, ...]
    ) -> dynamodb.Table:
        kinds = dict([hash_key, range_key, *(pair for each in indexes for pair in (each.hash, each.range))])
        return dynamodb.Table(
            name,
            name=self._ground.place.name(name),
            billing_mode="PAY_PER_REQUEST",
            table_class="STANDARD",
            hash_key=hash_key[0],
            range_key=range_key[0],
            attributes=[{"name": each, "type": kind} for each, kind in sorted(kinds.items())],
            global_secondary_indexes=[_index(each) for each in indexes],
            ttl={"attribute_name": "expires_at", "enabled": True},
            point_in_time_recovery={"enabled": True},
            server_side_encryption={"enabled": True, "kms_key_arn": self._ground.key.arn},
            deletion_protection_enabled=self._ground.settings.protected,
            opts=pulumi.ResourceOptions(parent=self),
        )


def _index(index: Index) -> dynamodb.TableGlobalSecondaryIndexArgs:
    return dynamodb.TableGlobalSecondaryIndexArgs(
        name=index.name,
        key_schemas=[
            dynamodb.TableGlobalSecondaryIndexKeySchemaArgs(attribute_name=index.hash[0], key_type="HASH"),
            dynamodb.TableGlobalSecondaryIndexKeySchemaArgs(attribute_name=index.range[0], key_type="RANGE"),
        ],
        projection_type="INCLUDE" if index.only else "ALL",
        non_key_attributes=list(index.only) or None,
    )
