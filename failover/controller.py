"""One cycle of the loop: observe, decide, act, record."""

from __future__ import annotations

from failover.model import Application, Progress, Request
from failover.ports import Aws, Clock, Journal, Lease, Outcome


def step(  # noqa: PLR0913 - everything a cycle needs from outside, by name
    application: Application,
    request: Request,
    progress: Progress,
    *,
    aws: Aws,
    journal: Journal,
    lease: Lease,
    clock: Clock,
    cancel: str = "",
) -> Outcome:
    """Run one cycle of an operation and answer with what it came to.

    `cancel` is a person's reason to end at a safe split. The caller stores the outcome: kind act or wait means
    "step again in `decision.wait` seconds", done succeeded, stop failed (or cancelled), refuse ended before any write.
    """
    raise NotImplementedError
