"""Creates keys, tables and buckets."""

from __future__ import annotations

from typing import Any

from tests.cloud.creating.registry import Created, Inputs, creates, pascal, taken
from tests.cloud.process import ACCOUNT, REGION, Moto


@creates("aws:kms/key:Key")
def key(moto: Moto, inputs: Inputs) -> Created:
    client = moto.client("kms")
    made = client.create_key(**taken(inputs, "description", "policy"))["KeyMetadata"]
    if inputs.get("enableKeyRotation"):
        client.enable_key_rotation(KeyId=made["KeyId"])
    return made["KeyId"], {"arn": made["Arn"], "keyId": made["KeyId"]}


@creates("aws:kms/alias:Alias")
def alias(moto: Moto, inputs: Inputs) -> Created:
    target = inputs["targetKeyId"].rsplit("/", 1)[-1]
    moto.client("kms").create_alias(AliasName=inputs["name"], TargetKeyId=target)
    return inputs["name"], {"arn": f"arn:aws:kms:{REGION}:{ACCOUNT}:{inputs['name']}"}


@creates("aws:dynamodb/table:Table")
def table(moto: Moto, inputs: Inputs) -> Created:
    client, name = moto.client("dynamodb"), inputs["name"]
    made = client.create_table(
        TableName=name,
        KeySchema=keys(inputs),
        AttributeDefinitions=[
            {"AttributeName": each["name"], "AttributeType": each["type"]} for each in inputs["attributes"]
        ],
        BillingMode=inputs["billingMode"],
        DeletionProtectionEnabled=bool(inputs.get("deletionProtectionEnabled")),
        **indexes(inputs),
        **encryption(inputs),
    )["TableDescription"]
    if (inputs.get("pointInTimeRecovery") or {}).get("enabled"):
        client.update_continuous_backups(
            TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
    if lives := inputs.get("ttl"):
        client.update_time_to_live(
            TableName=name,
            TimeToLiveSpecification={
                "Enabled": lives.get("enabled", True),
                "AttributeName": lives["attributeName"],
            },
        )
    return name, {"arn": made["TableArn"]}


def keys(inputs: Inputs) -> list[dict[str, str]]:
    """The key schema of a table or an index, in either way that the provider lets it be written."""
    if schema := inputs.get("keySchemas"):
        return [{"AttributeName": each["attributeName"], "KeyType": each["keyType"]} for each in schema]
    found = [{"AttributeName": inputs["hashKey"], "KeyType": "HASH"}]
    if inputs.get("rangeKey"):
        found.append({"AttributeName": inputs["rangeKey"], "KeyType": "RANGE"})
    return found


def indexes(inputs: Inputs) -> dict[str, Any]:
    found = []
    for each in inputs.get("globalSecondaryIndexes") or []:
        projection: dict[str, Any] = {"ProjectionType": each["projectionType"]}
        if each.get("nonKeyAttributes"):
            projection["NonKeyAttributes"] = each["nonKeyAttributes"]
        found.append({"IndexName": each["name"], "KeySchema": keys(each), "Projection": projection})
    return {"GlobalSecondaryIndexes": found} if found else {}


def encryption(inputs: Inputs) -> dict[str, Any]:
    declared = inputs.get("serverSideEncryption") or {}
    if not declared.get("enabled"):
        return {}
    key_arn = declared.get("kmsKeyArn")
    own = {"KMSMasterKeyId": key_arn} if key_arn else {}
    return {"SSESpecification": {"Enabled": True, "SSEType": "KMS", **own}}


@creates("aws:s3/bucket:Bucket")
def bucket(moto: Moto, inputs: Inputs) -> Created:
    name = inputs["bucket"]
    moto.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return name, {
        "arn": f"arn:aws:s3:::{name}",
        "bucketRegionalDomainName": f"{name}.s3.{REGION}.amazonaws.com",
        "bucketDomainName": f"{name}.s3.amazonaws.com",
    }


@creates("aws:s3/bucketVersioning:BucketVersioning")
def versioning(moto: Moto, inputs: Inputs) -> Created:
    status = {"Status": inputs["versioningConfiguration"]["status"]}
    moto.client("s3").put_bucket_versioning(Bucket=inputs["bucket"], VersioningConfiguration=status)
    return inputs["bucket"], {}


@creates("aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration")
def bucket_encryption(moto: Moto, inputs: Inputs) -> Created:
    rules = []
    for rule in inputs["rules"]:
        default = rule["applyServerSideEncryptionByDefault"]
        own = {"KMSMasterKeyID": default["kmsMasterKeyId"]} if default.get("kmsMasterKeyId") else {}
        rules.append(
            {
                "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": default["sseAlgorithm"], **own},
                "BucketKeyEnabled": bool(rule.get("bucketKeyEnabled")),
            }
        )
    moto.client("s3").put_bucket_encryption(
        Bucket=inputs["bucket"], ServerSideEncryptionConfiguration={"Rules": rules}
    )
    return inputs["bucket"], {}


@creates("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock")
def public_access(moto: Moto, inputs: Inputs) -> Created:
    blocked = taken(
        inputs, "blockPublicAcls", "ignorePublicAcls", "blockPublicPolicy", "restrictPublicBuckets"
    )
    moto.client("s3").put_public_access_block(Bucket=inputs["bucket"], PublicAccessBlockConfiguration=blocked)
    return inputs["bucket"], {}


@creates("aws:s3/bucketOwnershipControls:BucketOwnershipControls")
def ownership(moto: Moto, inputs: Inputs) -> Created:
    moto.client("s3").put_bucket_ownership_controls(
        Bucket=inputs["bucket"], OwnershipControls={"Rules": [pascal(inputs["rule"])]}
    )
    return inputs["bucket"], {}


@creates("aws:s3/bucketPolicy:BucketPolicy")
def bucket_policy(moto: Moto, inputs: Inputs) -> Created:
    moto.client("s3").put_bucket_policy(Bucket=inputs["bucket"], Policy=inputs["policy"])
    return inputs["bucket"], {}


@creates("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration")
def lifecycle(moto: Moto, inputs: Inputs) -> Created:
    moto.client("s3").put_bucket_lifecycle_configuration(
        Bucket=inputs["bucket"],
        LifecycleConfiguration={"Rules": [lifecycle_rule(rule) for rule in inputs["rules"]]},
    )
    return inputs["bucket"], {}


def lifecycle_rule(rule: Inputs) -> dict[str, Any]:
    renamed = {"id": "ID", "noncurrentVersionExpiration": "NoncurrentVersionExpiration"}
    made = {
        renamed.get(name, name[:1].upper() + name[1:]): pascal(value)
        for name, value in rule.items()
        if value is not None
    }
    made.setdefault("Filter", {"Prefix": ""})
    made["Filter"] = made["Filter"] or {"Prefix": ""}
    return made
