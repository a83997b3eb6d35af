"""Many applications of one account and region observed in few calls: the panel's way to look at its fleet.

Nothing else of `failover` imports this package: it needs a library beside boto3.
"""

from failover.aws.fleet.observing import Fleet
from failover.aws.fleet.pace import Pace

__all__ = ["Fleet", "Pace"]
