"""How fast a fleet may be read: a token bucket per service, far below the account's own limits.

An account's limits are shared with everything else in it (ELBv2: about 10 Describe* calls a second; CloudWatch
DescribeAlarms: 9; ECS service reads: 20), so a fifth of them is ours. Where AWS throttles all the same, each call costs
twice as many tokens as before, and half as many again after a minute of calm.

Source: Elastic Load Balancing, "API request throttling"; CloudWatch quotas; ECS API reference, "Request throttling".
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from pyrate_limiter import Duration, Limiter, Rate, StateBucket, TokenBucket

from failover.aws.clients import Readers
from failover.aws.errors import THROTTLED
from failover.ports import Clock

WINDOW = Duration.SECOND * 5
CALLS_A_WINDOW: Mapping[str, int] = {"alarms": 10, "functions": 10, "ecs": 20, "elbv2": 10, "scaling": 10}
MOST_STRETCH = 8
CALM_SECONDS = 60.0
PATIENCE_SECONDS = 5.0  # the longest that the calls of a sweep wait for their turns, together


class PacedOutError(Exception):
    """There was no token in time. Nothing was asked of AWS, so what is known stays known."""


class Pace:
    """Attach it to an account's clients: it counts their calls (`made`) and holds them back.

    A page is a call. Safe to share between threads, not between processes.
    """

    def __init__(
        self,
        calls: Mapping[str, int] = CALLS_A_WINDOW,
        patience: float = PATIENCE_SECONDS,
        clock: Clock = time.monotonic,
    ) -> None:
        self.made = 0
        self.by_action: dict[str, int] = {}
        self._patience = self._left = patience
        self._clock = clock
        self._limiters = {
            name: Limiter(StateBucket([Rate(limit, WINDOW)], TokenBucket())) for name, limit in calls.items()
        }
        self._stretch = dict.fromkeys(calls, 1)
        self._throttled_at = dict.fromkeys(calls, 0.0)

    def attach(self, readers: Readers) -> None:
        for field in fields(readers):
            events = getattr(readers, field.name).meta.events
            events.register("before-parameter-build", _Gate(self, field.name).enter)
            events.register("after-call", _Gate(self, field.name).leave)

    def begin(self) -> None:
        """A new sweep begins, with all its patience."""
        self._left = self._patience

    def take(self, service: str, action: str) -> None:
        """Wait for a turn. Raises PacedOutError."""
        self._relax(service)
        if not self._acquired(service):
            raise PacedOutError(f"{service} is read as fast as it may be; {action} waits for the next sweep.")
        self.made += 1
        self.by_action[action] = self.by_action.get(action, 0) + 1

    def _acquired(self, service: str) -> bool:
        limiter, weight = self._limiters[service], self._stretch[service]
        if limiter.try_acquire(service, weight, blocking=False):
            return True
        if self._left <= 0:
            return False
        asked = self._clock()
        acquired = bool(limiter.try_acquire(service, weight, timeout=self._left))
        self._left -= self._clock() - asked
        return acquired

    def throttled(self, service: str) -> None:
        self._stretch[service] = min(MOST_STRETCH, 2 * self._stretch[service])
        self._throttled_at[service] = self._clock()

    def _relax(self, service: str) -> None:
        if self._stretch[service] > 1 and self._clock() - self._throttled_at[service] > CALM_SECONDS:
            self._stretch[service] //= 2
            self._throttled_at[service] = self._clock()


class _Gate:
    """One client's place in the pace, as botocore's event handlers."""

    def __init__(self, pace: Pace, service: str) -> None:
        self._pace = pace
        self._service = service

    def enter(self, model: Any, **_: object) -> None:
        self._pace.take(self._service, model.name)

    def leave(self, parsed: Mapping[str, Any], **_: object) -> None:
        if parsed.get("Error", {}).get("Code") in THROTTLED:
            self._pace.throttled(self._service)
