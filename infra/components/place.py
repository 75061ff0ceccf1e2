"""Where the stack is, and what everything in it is called."""

from __future__ import annotations

from dataclasses import dataclass

from pulumi_aws.get_caller_identity import get_caller_identity
from pulumi_aws.get_partition import get_partition
from pulumi_aws.get_region import get_region


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One stack's account, region and suffix; the first two are the provider's word."""

    suffix: str
    account: str
    region: str
    partition: str
    domain: str
    """What the names of AWS's services end in."""

    def name(self, what: str) -> str:
        """The name of something in this stack."""
        return f"{what}-{self.suffix}"

    def arn(self, service: str, rest: str) -> str:
        """The ARN of something in this account and region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{rest}"

    @property
    def root(self) -> str:
        """The account itself, which hands on to those whom its IAM policies name."""
        return f"arn:{self.partition}:iam::{self.account}:root"

    @property
    def bucket(self) -> str:
        """The bucket's name; buckets share one namespace with all accounts, hence the account in it."""
        return f"shroff-reports-{self.suffix}-{self.account}"

    def log_group(self, function: str) -> str:
        """The log group of a function."""
        return f"/aws/lambda/{self.name(function)}"

    @property
    def access_log(self) -> str:
        """The log group of the API's requests."""
        return f"/aws/apigateway/{self.name('shroff')}"


def find_place(suffix: str) -> Place:
    """The place that the provider is configured for."""
    partition = get_partition()
    return Place(
        suffix=suffix,
        account=get_caller_identity().account_id,
        region=get_region().region,
        partition=partition.partition,
        domain=partition.dns_suffix,
    )
