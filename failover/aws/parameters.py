"""Configuration text from the Systems Manager Parameter Store."""

from __future__ import annotations

import boto3

from failover.aws.clients import READS
from failover.aws.errors import translated


def read_parameter(name: str) -> str:
    """The parameter's text, decrypted where it is a SecureString. Raises AwsError."""
    with translated("ssm:GetParameter", name):
        answer = boto3.client("ssm", config=READS).get_parameter(Name=name, WithDecryption=True)
        return str(answer["Parameter"]["Value"])
