"""Configuration text from the Systems Manager Parameter Store."""

from __future__ import annotations

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from failover.aws.clients import READS
from failover.aws.errors import translate


def read_parameter(name: str) -> str:
    """The parameter's text, decrypted where it is a SecureString. Raises AwsError."""
    try:
        answer = boto3.client("ssm", config=READS).get_parameter(Name=name, WithDecryption=True)
    except (ClientError, BotoCoreError) as error:
        raise translate(error, "ssm:GetParameter", name) from error
    return str(answer["Parameter"]["Value"])
