"""AWS: DynamoDB, SQS, S3 and SNS, by way of boto3. Nothing is made or asked at import."""
