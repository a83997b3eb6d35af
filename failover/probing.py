"""What users of an application see: requests to its probe URL, each with the pool that answered.

A redirect is not followed, a body is read no further than it takes to find the pool, and a probe ends at its deadline
whatever the other side does. Where it connects to is up to `get`; `guarded_get` is the one for a command line.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from failover.model import Application, Pool, Probed, Reading

MOST_BODY = 4096  # bytes: the pool's name is at the beginning or nowhere
GRACE_SECONDS = 0.5  # that a probe may take beyond its time-out before it is given up
IN_CYCLE, IN_CYCLE_SECONDS = 4, 2.0  # probes in one cycle without the panel, and the longest that each may take
REMEMBERED_SECONDS = 900.0
SERVER = "server"  # what the API service's /env says where it is no Lambda function
NAMES = {"lambda": Pool.LAMBDA, "ecs": Pool.ECS, SERVER: Pool.ECS}

OK, FAILED, TIMEOUT, UNREACHABLE, FORBIDDEN = "ok", "failed", "timeout", "unreachable", "forbidden"


class ForbiddenError(Exception):
    """The address must not be asked: the message says which and why. Nothing was sent."""


@dataclass(frozen=True)
class Answer:
    """Header names in lower case; `body` may be cut after `MOST_BODY` bytes."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


# (url, seconds) -> answer. Raises TimeoutError, OSError or http.client's errors where none came; ForbiddenError.
Get = Callable[[str, float], Answer]


@dataclass(frozen=True)
class Tick:
    """One probe: sent at `at`, answered after so many milliseconds, by `pool` ("" where nothing says which).

    `outcome` is ok, failed (5xx), timeout, unreachable or forbidden (not sent); `error` is a word where no answer came.
    """

    at: float
    pool: str
    outcome: str
    status: int
    milliseconds: int
    error: str = ""

    @property
    def sent(self) -> bool:
        return self.outcome != FORBIDDEN

    @property
    def failed(self) -> bool:
        return self.sent and self.outcome != OK


def pool_of(answer: Answer, header: str) -> str:
    """Which pool says that it answered, by the header or by the body of the API service's /env; "" where none does."""
    named = answer.headers.get(header.lower(), "").strip().lower()
    if named in NAMES:
        return NAMES[named].value
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        return ""
    message = said.get("message") if isinstance(said, dict) else None
    return NAMES[message].value if isinstance(message, str) and message in NAMES else ""


def probe(url: str, header: str, seconds: float, get: Get, clock: Callable[[], float] = time.time) -> Tick:
    """Send one request and wait for its answer, so many seconds at most. Never raises."""
    at, began = clock(), time.monotonic()

    def tick(outcome: str, status: int = 0, pool: str = "", error: str = "") -> Tick:
        return Tick(at, pool, outcome, status, round(1000 * (time.monotonic() - began)), error)

    try:
        answer = get(url, seconds)
    except ForbiddenError as problem:
        return tick(FORBIDDEN, error=str(problem))
    except TimeoutError:
        return tick(TIMEOUT, error="TimeoutError")
    except Exception as problem:  # noqa: BLE001 - whatever keeps a probe from its answer is its result
        late = time.monotonic() - began >= seconds
        return tick(TIMEOUT if late else UNREACHABLE, error=type(problem).__name__)
    failed = answer.status >= 500
    return tick(FAILED if failed else OK, answer.status, pool_of(answer, header))


def burst(count: int, every: float, seconds: float, send: Callable[[], Tick]) -> list[Tick]:
    """Send so many probes, one each `every` seconds whatever became of those before, and wait for all of them.

    One that does not end in time is a time-out, and its thread is left to end by itself.
    """
    ticks: list[Tick | None] = [None] * count
    starts, threads = [0.0] * count, []
    began = time.monotonic()

    def run(number: int) -> None:
        ticks[number] = send()

    for number in range(count):
        time.sleep(max(0.0, began + number * every - time.monotonic()))
        starts[number] = time.time()
        threads.append(threading.Thread(target=run, args=(number,), name="probe", daemon=True))
        threads[-1].start()
    end = time.monotonic() + seconds + GRACE_SECONDS
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    late = round(1000 * seconds)
    return [tick or Tick(at, "", TIMEOUT, 0, late, "late") for at, tick in zip(starts, ticks, strict=True)]


def counted(at: float, ticks: Iterable[Tick]) -> tuple[Probed, ...]:
    """The ticks of a burst that began at `at`, by pool."""
    sent = [tick for tick in ticks if tick.sent]
    return tuple(
        Probed(at, pool, len(own), sum(tick.failed for tick in own))
        for pool in sorted({tick.pool for tick in sent})
        if (own := [tick for tick in sent if tick.pool == pool])
    )


class InCycle:
    """`failover.ports.Probe` for a controller without the panel: a handful of requests whenever it is asked."""

    def __init__(self, application: Application, get: Get, clock: Callable[[], float] = time.time) -> None:
        self._application, self._get, self._clock = application, get, clock
        self._known: tuple[Probed, ...] = ()

    def __call__(self) -> Reading[tuple[Probed, ...]]:
        application, policy = self._application, self._application.policy
        if not application.probe_url or not policy.probe_per_second:
            return Reading(problem="the application has no probe_url, or no probe_per_second")
        at, seconds = self._clock(), min(policy.probe_timeout_seconds, IN_CYCLE_SECONDS)
        every = min(1 / policy.probe_per_second, IN_CYCLE_SECONDS / IN_CYCLE)

        def send() -> Tick:
            return probe(application.probe_url, application.probe_header, seconds, self._get, self._clock)

        ticks = burst(IN_CYCLE, every, seconds, send)
        forbidden = next((tick.error for tick in ticks if not tick.sent), "")
        if forbidden:
            return Reading(problem=forbidden)
        kept = tuple(each for each in self._known if each.at > at - REMEMBERED_SECONDS)
        self._known = (*kept, *counted(at, ticks))
        return Reading.of(self._known, at)
