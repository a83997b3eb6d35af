"""Connections to AWS, one per application and process, made when first needed: boto3's clients don't survive a fork."""

from __future__ import annotations

from functools import lru_cache

import failover.model
from failover import aws
from failover.ports import Aws


@lru_cache(maxsize=256)
def connect(application: failover.model.Application) -> Aws:
    """The application's AWS. Safe to share between threads."""
    return aws.connect(application)
