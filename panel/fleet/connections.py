"""Connections to AWS, one per application and process, made when first needed: boto3's clients don't survive a fork."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import failover.model
from failover import aws
from failover.aws import clients
from failover.aws.adapter import Adapter
from failover.aws.fleet import Fleet, Pace


@dataclass(frozen=True)
class Scope:
    """What is read together: an account and region, through one role."""

    account: str
    region: str
    role_arn: str
    external_id: str

    @classmethod
    def of(cls, application: failover.model.Application) -> Scope:
        return cls(application.account, application.region, application.role_arn, application.external_id)


_fleets: dict[Scope, Fleet] = {}


@lru_cache(maxsize=256)
def connect(application: failover.model.Application) -> Adapter:
    """The application's AWS. Safe to share between threads."""
    return aws.connect(application)


@lru_cache(maxsize=256)
def lease_client(application: failover.model.Application) -> Any:
    """DynamoDB with the application's role, for its `lease_table`. Safe to share between threads."""
    return aws.lease_client(application)


def fleet(application: failover.model.Application) -> Fleet:
    """Everything in the application's scope: all of them share its clients and its pace."""
    scope = Scope.of(application)
    if scope not in _fleets:
        # Of two threads that come at once one's is kept: a scope has one pace.
        _fleets.setdefault(scope, Fleet(clients.readers(replace(application, slug="panel")), Pace()))
    return _fleets[scope]
