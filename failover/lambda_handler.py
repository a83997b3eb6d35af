"""The controller as a Lambda function: woken by alarm events, ECS events or a schedule. Works with boto3 alone.

With a lease table it goes on where the last invocation stopped and never writes beside another controller. Without one
the function needs reserved concurrency 1, a time-out longer than `bake_seconds` and `drain_seconds` together, and the
panel's automation off; then what AWS shows is all that it knows.

    from failover.lambda_handler import handler      # the function's handler: failover.lambda_handler.handler
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from failover import aws, environment, wake
from failover.aws.lease import LeaseHeldError, TableLease
from failover.aws.parameters import read_parameter
from failover.codec import encode
from failover.config import ConfigError
from failover.guarded import guarded_get
from failover.leases import Unshared
from failover.model import Application
from failover.ports import Aws, AwsError, Lease
from failover.probing import InCycle
from failover.solo import Result, Solo
from failover.state import State, inferred, stored_state


def handler(event: Any, context: Any) -> dict[str, Any]:
    """Answers {"application", "outcome", "reason", "split", "desired_count"}; `outcome` is done, waiting, refused,
    failed or ignored. Safe to be invoked again, at any time and as often as one likes. Without a context there is no
    deadline to stop before.
    """
    try:
        application = environment.application(os.environ, read_parameter)
    except ConfigError as error:
        return _answered("", Result("failed", str(error)))
    except AwsError as error:
        return _answered("", Result("failed", f"{error} {error.remedy}".strip()))
    slug = application.slug
    ignored = wake.ignored(event, application, time.time())
    if ignored:
        return _answered(slug, Result("ignored", ignored))
    try:
        return _answered(slug, _run(application, _seconds_left(context)))
    except LeaseHeldError as error:
        return _answered(slug, Result("refused", f"single_writer: {error}"))
    except AwsError as error:
        return _answered(slug, Result("failed", f"{error} {error.remedy}".strip()))
    except (ConfigError, ValueError) as error:
        return _answered(slug, Result("failed", str(error)))


def _seconds_left(context: Any) -> Callable[[], float]:
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    return (lambda: math.inf) if remaining is None else (lambda: remaining() / 1000)


@lru_cache(maxsize=4)
def _connected(application: Application) -> Aws:
    """Kept while the execution environment lives: building the clients takes 200 ms."""
    return aws.connect(application)


def _run(application: Application, seconds_left: Callable[[], float]) -> Result:
    adapter = _connected(application)
    if not application.lease_table:
        state = inferred(application, adapter.observe(), time.time())
        return _solo(application, adapter, Unshared(), state, seconds_left, lambda _: None).run()
    lease = TableLease(aws.lease_client(application), application.lease_table, application.slug, time.time)
    lease.claim()
    try:
        state = stored_state(lease.state)
        return _solo(application, adapter, lease, state, seconds_left, _saving(lease)).run()
    finally:
        _give_back(lease)


def _saving(lease: TableLease) -> Callable[[State], None]:
    def save(state: State) -> None:
        lease.state = encode(state)
        lease.renew()

    return save


def _give_back(lease: TableLease) -> None:
    """A lease that was lost is somebody else's; one that can't be given back runs out by itself."""
    try:
        if lease.seconds_left():
            lease.release()
    except (LeaseHeldError, AwsError) as error:
        _log(lease.application, "lease", str(error))


def _solo(
    application: Application,
    adapter: Aws,
    lease: Lease,
    state: State,
    seconds_left: Callable[[], float],
    save: Callable[[State], None],
) -> Solo:
    def tell(kind: str, message: str) -> None:
        _log(application.slug, kind, message)

    probe = InCycle(application, guarded_get)
    return Solo(application, adapter, lease, time.time, time.sleep, seconds_left, save, tell, state, probe)


def _answered(slug: str, result: Result) -> dict[str, Any]:
    snapshot = result.snapshot
    split = snapshot.split if snapshot else None
    service = snapshot.service.value if snapshot else None
    answer = {
        "application": slug,
        "outcome": result.outcome,
        "reason": result.reason,
        "split": {"lambda": split.lambda_, "ecs": split.ecs} if split else None,
        "desired_count": service.desired if service else None,
    }
    _log(slug, result.outcome, result.reason)
    return answer


def _log(slug: str, kind: str, message: str) -> None:
    """One JSON object a line: what CloudWatch Logs Insights reads without a parser."""
    line = {"application": slug, "kind": kind, "message": message}
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
