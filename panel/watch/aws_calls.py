"""Every call to AWS is counted; one that was made for an operation is a line in the log, beside its ids."""

from __future__ import annotations

import structlog

from failover.aws.calls import Heard
from panel.watch import tally

CALLS, RETRIES = "aws_calls", "aws_retries"
log = structlog.get_logger(__name__)


def heard(call: Heard) -> None:
    tally.count(CALLS, action=call.action, outcome=call.outcome)
    if call.attempts > 1:
        tally.count(RETRIES, call.attempts - 1, action=call.action)
    if "operation" not in structlog.contextvars.get_contextvars():
        return
    told = {"seconds": call.seconds, "attempts": call.attempts, "aws_request_id": call.request_id, "code": call.code}
    log.info(
        "aws_call", action=call.action, outcome=call.outcome, **{key: value for key, value in told.items() if value}
    )
