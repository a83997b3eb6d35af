"""The AWS adapter: boto3 is named in this package and nowhere else."""

from __future__ import annotations

from failover.aws import clients
from failover.aws.adapter import Adapter
from failover.aws.checking import checked
from failover.aws.clients import lease_client
from failover.model import Application


def connect(application: Application) -> Adapter:
    """Build the clients for one application; about 200 ms the first time, so keep what it answers."""
    return Adapter(application, clients.build(application))


__all__ = ["checked", "connect", "lease_client"]
