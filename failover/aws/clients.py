"""boto3 clients with short time-outs: reads are retried, writes are sent once.

Clients are thread-safe, sessions are not; build them after a fork and keep them. Source: boto3 guides "Session" and
"Retries".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import boto3
from botocore.config import Config
from botocore.credentials import AssumeRoleCredentialFetcher, CredentialProvider, DeferredRefreshableCredentials
from botocore.session import Session as CoreSession
from botocore.session import get_session

from failover.model import Application

_TIMEOUTS: dict[str, Any] = {"connect_timeout": 2, "read_timeout": 5, "tcp_keepalive": True}
READS = Config(retries={"mode": "standard", "total_max_attempts": 4}, **_TIMEOUTS)
WRITES = Config(retries={"mode": "standard", "total_max_attempts": 1}, **_TIMEOUTS)


@dataclass(frozen=True)
class Clients:
    """One client per service; `elbv2_write` and the like send each request once."""

    alarms: Any
    functions: Any
    ecs: Any
    elbv2: Any
    scaling: Any
    ecs_write: Any
    elbv2_write: Any
    scaling_write: Any


def lease_client(application: Application) -> Any:
    """DynamoDB, each request sent once: a lost answer to a conditional write must not be repeated blindly."""
    return _session(application).client("dynamodb", config=WRITES)


def _session(application: Application) -> boto3.Session:
    return boto3.Session(botocore_session=_core_session(application), region_name=application.region)


def build(application: Application) -> Clients:
    session = _session(application)
    return Clients(
        alarms=session.client("cloudwatch", config=READS),
        functions=session.client("lambda", config=READS),
        ecs=session.client("ecs", config=READS),
        elbv2=session.client("elbv2", config=READS),
        scaling=session.client("application-autoscaling", config=READS),
        ecs_write=session.client("ecs", config=WRITES),
        elbv2_write=session.client("elbv2", config=WRITES),
        scaling_write=session.client("application-autoscaling", config=WRITES),
    )


def _core_session(application: Application) -> CoreSession:
    """The environment's own credentials, or a role that is assumed anew before each hour of it ends."""
    core = get_session()
    if not application.role_arn:
        return core
    assumed = get_session()
    assumed.get_component("credential_provider").insert_before("env", _AssumedRole(application, core))
    return assumed


class _AssumedRole(CredentialProvider):
    METHOD = "application-role"

    def __init__(self, application: Application, source: CoreSession) -> None:
        super().__init__()
        self._application = application
        self._source = source

    def load(self) -> DeferredRefreshableCredentials:
        extra = {"RoleSessionName": f"failover-{self._application.slug}"}
        if self._application.external_id:
            extra["ExternalId"] = self._application.external_id
        fetcher = AssumeRoleCredentialFetcher(
            client_creator=partial(self._source.create_client, region_name=self._application.region, config=READS),
            source_credentials=self._source.get_credentials(),
            role_arn=self._application.role_arn,
            extra_args=extra,
        )
        return DeferredRefreshableCredentials(method="assume-role", refresh_using=fetcher.fetch_credentials)
