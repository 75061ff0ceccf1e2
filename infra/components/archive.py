"""The bucket: reports for people, chunks of sealed windows for the report and for training."""

from __future__ import annotations

import pulumi
from pulumi_aws import s3

from infra.components.ground import Ground
from infra.components.roles import document
from infra.settings import Settings

PREFIXES = ("reports/", "chunks/")


class Archive(pulumi.ComponentResource):
    """Versioned, encrypted, closed to the public and to what is not TLS; old objects in Glacier."""

    def __init__(self, ground: Ground) -> None:
        super().__init__("shroff:infra:Archive", "archive")
        self._opts = pulumi.ResourceOptions(parent=self)
        self.bucket = s3.Bucket(
            "bucket", bucket=ground.place.bucket, force_destroy=ground.settings.force_destroy, opts=self._opts
        )
        self._close()
        versioning = s3.BucketVersioning(
            "versioning",
            bucket=self.bucket.id,
            versioning_configuration={"status": "Enabled"},
            opts=self._opts,
        )
        s3.BucketServerSideEncryptionConfiguration(
            "encryption",
            bucket=self.bucket.id,
            rules=[{
                "apply_server_side_encryption_by_default": {
                    "sse_algorithm": "aws:kms",
                    "kms_master_key_id": ground.key.arn,
                },
                "bucket_key_enabled": True,  # a key a bucket for a while, not a request to KMS an object
            }],
            opts=self._opts,
        )  # fmt: skip
        s3.BucketLifecycleConfiguration(
            "lifecycle",
            bucket=self.bucket.id,
            rules=[*(_ageing(each, ground.settings) for each in PREFIXES), _LEFT_OVER],
            # Its rules on versions mean nothing before there are any.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[versioning]),
        )
        self.register_outputs({})

    def _close(self) -> None:
        block = s3.BucketPublicAccessBlock(
            "private",
            bucket=self.bucket.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self._opts,
        )
        # S3 refuses two changes of a bucket's access at once: one after the other.
        ownership = s3.BucketOwnershipControls(
            "ownership",
            bucket=self.bucket.id,
            rule={"object_ownership": "BucketOwnerEnforced"},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[block]),
        )
        # Everybody is refused without TLS: a refusal is to name all principals and all actions.
        refuse = {
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [self.bucket.arn, pulumi.Output.concat(self.bucket.arn, "/*")],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
        s3.BucketPolicy(
            "tls",
            bucket=self.bucket.id,
            policy=pulumi.Output.json_dumps(document([refuse])),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[block, ownership]),
        )


def _ageing(prefix: str, settings: Settings) -> s3.BucketLifecycleConfigurationRuleArgsDict:
    return {
        "id": f"{prefix.rstrip('/')}-to-glacier",
        "status": "Enabled",
        "filter": {"prefix": prefix},
        "transitions": [{"days": settings.glacier_days, "storage_class": settings.glacier_class}],
        "noncurrent_version_expiration": {"noncurrent_days": settings.noncurrent_days},
    }


_LEFT_OVER: s3.BucketLifecycleConfigurationRuleArgsDict = {
    "id": "left-over",
    "status": "Enabled",
    "filter": {"prefix": ""},
    # What says that an object was deleted, once none of its versions is left: the parts of each day's report.
    "expiration": {"expired_object_delete_marker": True},
    "abort_incomplete_multipart_upload": {"days_after_initiation": 3},
}
