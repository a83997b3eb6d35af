"""boto3 clients with short time-outs: reads are retried, writes are sent once.

Clients are thread-safe, sessions are not; build them after a fork and keep them. Source: boto3 guides "Session" and
"Retries".
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from failover.aws import calls
from failover.aws.errors import refuse_page
from failover.aws.roles import session_for
from failover.config import ConfigError
from failover.model import Application

_TIMEOUTS: dict[str, Any] = {"connect_timeout": 2, "read_timeout": 5, "tcp_keepalive": True}
READS = Config(retries={"mode": "standard", "total_max_attempts": 4}, **_TIMEOUTS)
SWEEPS = Config(retries={"mode": "standard", "total_max_attempts": 2}, **_TIMEOUTS)  # what fails is read again soon
ONCE = Config(retries={"mode": "standard", "total_max_attempts": 1}, **_TIMEOUTS)
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


@dataclass(frozen=True)
class Readers:
    """The clients that read, alone: what observing many applications takes."""

    alarms: Any
    functions: Any
    ecs: Any
    elbv2: Any
    scaling: Any


@contextmanager
def _configured() -> Iterator[None]:
    """Raises ConfigError where the SDK's own variables and files (profile, endpoint) can't be used."""
    try:
        yield
    except (BotoCoreError, ValueError) as error:
        raise ConfigError([f"The AWS SDK can't start: {error}. Correct its AWS_… variables or files."]) from error


@_configured()
def lease_client(application: Application) -> Any:
    """DynamoDB, each request sent once: a lost answer to a conditional write must not be repeated blindly."""
    return _session(application).client("dynamodb", config=WRITES)


@_configured()
def once(application: Application, service: str) -> Any:
    """A client that asks once and does not wait long, for whoever looks on."""
    session: Any = _session(application)
    return session.client(service, config=ONCE)


@_configured()
def build(application: Application) -> Clients:
    session = _session(application)
    return Clients(
        **_reading(session, READS),
        ecs_write=session.client("ecs", config=WRITES),
        elbv2_write=session.client("elbv2", config=WRITES),
        scaling_write=session.client("application-autoscaling", config=WRITES),
    )


@_configured()
def readers(application: Application) -> Readers:
    """Clients that sweep through the account and region of `application`, with its role."""
    return Readers(**_reading(_session(application), SWEEPS))


def _reading(session: boto3.Session, config: Config) -> dict[str, Any]:
    return {
        "alarms": session.client("cloudwatch", config=config),
        "functions": session.client("lambda", config=config),
        "ecs": session.client("ecs", config=config),
        "elbv2": session.client("elbv2", config=config),
        "scaling": session.client("application-autoscaling", config=config),
    }


def _session(application: Application) -> boto3.Session:
    core = session_for(application, READS)
    calls.watch(core)
    core.register("after-call", refuse_page)
    return boto3.Session(botocore_session=core, region_name=application.region)
