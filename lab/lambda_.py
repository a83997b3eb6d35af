"""AWS Lambda: functions, their execution environments and concurrency.

An environment handles one invocation at a time; when the function's reserved concurrency (or what the account has
left) is in use, an invocation is throttled. Sources: Lambda Developer Guide, "Understanding Lambda function scaling"
and "Types of metrics for Lambda functions".
"""

import math
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Protocol

from lab.cloudwatch import Metric, Metrics, Series
from lab.errors import AwsError
from lab.faults import Faults

UNRESERVED_MINIMUM = 100
SAMPLING_SECONDS = 1.0
UNRESERVED = Metric("AWS/Lambda", "UnreservedConcurrentExecutions")
CLAIMED = Metric("AWS/Lambda", "ClaimedAccountConcurrency")


@dataclass
class Environment:
    """One execution environment; ``idle_since`` is None while it handles an invocation."""

    id: str
    idle_since: float | None


@dataclass(frozen=True)
class FunctionSettings:
    name: str
    arn: str
    timeout: float
    idle_seconds: float
    variables: Mapping[str, str]
    tags: Mapping[str, str] = field(default_factory=dict)


class Environments(Protocol):
    """Runs execution environments."""

    def start(self, environment_id: str, function: FunctionSettings) -> None: ...

    def call(
        self, environment_id: str, event: bytes, seconds: float, done: Callable[[bytes | None, float], None]
    ) -> None:
        """Hands it one event; ``done`` gets the answer, None where it failed or took longer, and the time."""

    def alive(self, environment_id: str) -> bool: ...

    def stop(self, environment_id: str) -> None: ...


class Function:
    """One function and its environments."""

    def __init__(
        self,
        settings: FunctionSettings,
        reserved: int | None,
        environments: Environments,
        metrics: Metrics,
        faults: Faults,
    ) -> None:
        self.settings = settings
        self.reserved = reserved
        self.invokers: set[tuple[str, str]] = set()  # services that a call lets invoke it, for which resource
        self.environments: dict[str, Environment] = {}
        self.in_flight = 0
        self.counted = 0  # of those in flight, the ones without an environment
        self.throttles = 0
        self.invocations = 0
        self._runs = environments
        self._metrics = metrics
        self._series: dict[str, Series] = {}
        self._faults = faults
        self._sampled = 0.0
        self._kept_until = 0.0
        self._broken_share = 0.0

    def warm(self, count: int, now: float) -> None:
        """Starts idle environments, so that a lab's first second is not all cold starts."""
        for _ in range(count):
            self._start(idle_since=now)

    def begin(self, limit: int, now: float) -> Environment | None:
        """Takes an environment for one invocation, starting one when none is idle; None: throttled."""
        if self.in_flight >= limit:
            self.throttles += 1
            self._put("Throttles", 1, now)
            return None
        self.in_flight += 1
        self.invocations += 1
        self._put("Throttles", 0, now)
        self._put("Invocations", 1, now)
        self._put("ConcurrentExecutions", self.in_flight, now)
        return self._reuse() or self._start(idle_since=None)

    def count_begun(self, admitted: int, throttled: int, concurrency: float, now: float) -> None:
        """Invocations of a load that is counted instead of carried: no environment is started for them."""
        self.invocations += admitted
        self.throttles += throttled
        if admitted:
            self._put("Throttles", 0, now, admitted)
            self._put("Invocations", 1, now, admitted)
            self._put("ConcurrentExecutions", math.ceil(concurrency), now)
        if throttled:
            self._put("Throttles", 1, now, throttled)

    def count_in_flight(self, more: int) -> None:
        """Counted invocations that last for a while, or (less than 0) that ended."""
        self.in_flight += more
        self.counted += more

    def count_ended(self, count: int, seconds: float, now: float, *, failed: bool) -> None:
        """Counted invocations that took so long each."""
        if count:
            self._put("Errors", int(failed), now, count)
            self._put("Duration", seconds * 1000, now, count)

    def fails(self) -> bool:
        """Whether a switch makes this invocation fail: evenly spread, so that 25 percent is every fourth."""
        self._broken_share += self._faults.number("function_errors", self.settings.name) or 0.0
        if self._broken_share < 100:
            return False
        self._broken_share %= 100
        return True

    def failures_among(self, count: int) -> int:
        """How many of so many counted invocations a switch makes fail."""
        return (
            sum(self.fails() for _ in range(count)) if self._faults.number("function_errors", self.settings.name) else 0
        )

    def call(self, environment: Environment, event: bytes, done: Callable[[bytes | None, float], None]) -> None:
        """Hands an environment taken with ``begin`` one event; it is given back when ``done`` is called."""
        self._runs.call(environment.id, event, self.settings.timeout, done)

    def is_usable(self, environment: Environment) -> bool:
        return self._runs.alive(environment.id)

    def end(self, environment: Environment, started: float, now: float, *, failed: bool, usable: bool = True) -> None:
        """Gives the environment back; ``usable`` is false when its process is gone or was cut off."""
        self.in_flight -= 1
        environment.idle_since = now
        self._put("Errors", int(failed), now)
        self._put("Duration", (now - started) * 1000, now)
        if not usable:
            self._stop(environment)

    def due(self, now: float) -> float:
        """When there is next something to publish or an idle environment to stop, or sooner."""
        if self.in_flight > self.counted:
            return now + SAMPLING_SECONDS
        if now >= self._kept_until:  # whatever happens until then, none gets idle for longer than one is now
            idle = (each.idle_since for each in self.environments.values() if each.idle_since is not None)
            self._kept_until = min(idle, default=now) + self.settings.idle_seconds
        return self._kept_until if self.environments else inf

    def advance(self, now: float) -> None:
        if self.in_flight and now - self._sampled >= SAMPLING_SECONDS:
            self._sampled = now
            self._put("ConcurrentExecutions", self.in_flight, now)
        for environment in list(self.environments.values()):
            if environment.idle_since is not None and not self._is_kept(environment, environment.idle_since, now):
                self._stop(environment)

    def _is_kept(self, environment: Environment, idle_since: float, now: float) -> bool:
        return now - idle_since < self.settings.idle_seconds and self._runs.alive(environment.id)

    def _reuse(self) -> Environment | None:
        """The one used last, so that a falling load leaves the others to be reaped."""
        last: Environment | None = None
        since = -inf
        for each in self.environments.values():
            if each.idle_since is not None and each.idle_since > since:
                last, since = each, each.idle_since
        if last is not None:
            last.idle_since = None
        return last

    def _start(self, *, idle_since: float | None) -> Environment:
        environment = Environment(uuid.uuid4().hex, idle_since)
        self.environments[environment.id] = environment
        self._runs.start(environment.id, self.settings)
        return environment

    def _stop(self, environment: Environment) -> None:
        del self.environments[environment.id]
        self._runs.stop(environment.id)

    def _put(self, name: str, value: float, now: float, count: int = 1) -> None:
        if not self._faults.flag("metrics_missing", self.settings.name):
            series = self._series.get(name) or self._begin_series(name)
            series.put(value, now, count)

    def _begin_series(self, name: str) -> Series:
        metric = Metric("AWS/Lambda", name, (("FunctionName", self.settings.name),))
        self._series[name] = self._metrics.series(metric)
        return self._series[name]


class Functions:
    """All functions of the account, which share its unreserved concurrency."""

    def __init__(self, account_limit: int, metrics: Metrics) -> None:
        self.account_limit = account_limit
        self._metrics = metrics
        self._published = 0.0
        self.by_name: dict[str, Function] = {}

    @property
    def unreserved(self) -> int:
        return self.account_limit - sum(f.reserved or 0 for f in self.by_name.values())

    def find(self, name_or_arn: str) -> Function:
        """By name, partial or full ARN. Raises ResourceNotFoundException."""
        name = name_or_arn.rpartition(":function:")[2].partition(":")[0]
        if name not in self.by_name:
            raise AwsError("ResourceNotFoundException", f"Function not found: {name_or_arn}", 404)
        return self.by_name[name]

    def limit(self, function: Function) -> int:
        """How many invocations the function may run at once."""
        if function.reserved is not None:
            return function.reserved
        return self.unreserved - (self._unreserved_in_flight() - function.in_flight)

    def begin(self, function: Function, now: float) -> Environment | None:
        return function.begin(self.limit(function), now)

    def reserve(self, function: Function, reserved: int) -> None:
        left = self.unreserved + (function.reserved or 0) - reserved
        if left < UNRESERVED_MINIMUM:
            raise AwsError(
                "InvalidParameterValueException",
                "Specified ReservedConcurrentExecutions for function decreases account's "
                f"UnreservedConcurrentExecution below its minimum value of [{UNRESERVED_MINIMUM}].",
            )
        function.reserved = reserved

    def advance(self, now: float) -> None:
        for function in self.by_name.values():
            function.advance(now)
        if now - self._published >= self._metrics.period:
            self._published = now
            self._publish(now)

    def _unreserved_in_flight(self) -> int:
        return sum(f.in_flight for f in self.by_name.values() if f.reserved is None)

    def _publish(self, now: float) -> None:
        """The region's metrics. Claimed is what no other function can use: reserved, or in use without reservation."""
        in_use = self._unreserved_in_flight()
        claimed = in_use + self.account_limit - self.unreserved
        self._metrics.put(UNRESERVED, in_use, now)
        self._metrics.put(CLAIMED, claimed, now)
