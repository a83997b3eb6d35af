"""The same world in virtual time: no process, no socket, no waiting."""
# ruff: noqa: ARG002 - the fakes have the signatures of the ports, whatever they need of them

import heapq
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any
from urllib.parse import urlsplit

from lab import causes
from lab.alb import Exchange
from lab.calls import Calls, NoAnswerError
from lab.cloud import Cloud
from lab.due import in_motion, next_due
from lab.errors import AwsError
from lab.flow import FAST_SECONDS, Flow, Surroundings
from lab.lambda_ import FunctionSettings
from lab.load import DEFAULT_MIX, Record, interleave
from lab.ports import Answer
from lab.tasks import EXITING_IMAGE
from lab.world import NODE_NAMES, Application, Outside
from lab.worldfile import WorldTable

STEP_SECONDS = 0.1
LONGEST_SECONDS = 60.0
START = 1_800_000_000.0
PATIENCE_SECONDS = 5.0  # what clients of AWS wait for an answer, as ours are configured

Receiver = Callable[[Mapping[str, str], bytes, float], Answer | None]


@dataclass
class VirtualContainers:
    """Containers that answer health checks as soon as they run, unless they are ``broken``; they end when told to.

    As the sample API does, one with ROOT_DELAY_SECONDS answers that much later; EXITING_IMAGE ends at once.
    """

    addresses: dict[str, str] = field(default_factory=dict)
    delays: dict[str, float] = field(default_factory=dict)
    ended: dict[str, int] = field(default_factory=dict)
    killed: set[str] = field(default_factory=set)
    broken: bool = False
    deaf: bool = False

    def start(self, task_id: str, address: str, image: str, environment: Mapping[str, str]) -> None:
        self.addresses[task_id] = address
        self.delays[task_id] = float(environment.get("ROOT_DELAY_SECONDS", 0))
        if image == EXITING_IMAGE:
            self.ended[task_id] = 1

    def exit_status(self, task_id: str) -> int | None:
        return self.ended.get(task_id)

    def terminate(self, task_id: str) -> None:
        """A ``deaf`` container ignores SIGTERM."""
        if not self.deaf:
            self.ended[task_id] = 0

    def kill(self, task_id: str) -> None:
        self.killed.add(task_id)
        self.ended[task_id] = 137

    def answers(self, address: str) -> bool:
        return not self.broken and self._runner(address) is not None

    def root_delay(self, address: str) -> float:
        """How long a health check at this address waits for its answer."""
        return self.delays.get(self._runner(address) or "", 0.0)

    def _runner(self, address: str) -> str | None:
        """The task whose container runs at this address."""
        return next((t for t, each in self.addresses.items() if each == address and t not in self.ended), None)


@dataclass
class VirtualEnvironments:
    """Environments that start at once; ``dead`` ones have crashed."""

    clock: Callable[[], float]
    running: set[str] = field(default_factory=set)
    dead: set[str] = field(default_factory=set)

    def start(self, environment_id: str, function: FunctionSettings) -> None:
        self.running.add(environment_id)

    def alive(self, environment_id: str) -> bool:
        return environment_id in self.running and environment_id not in self.dead

    def call(
        self, environment_id: str, event: bytes, seconds: float, done: Callable[[bytes | None, float], None]
    ) -> None:
        """Answers at once; a ``dead`` environment fails."""
        done(b'{"statusCode": 200, "headers": {}}' if self.alive(environment_id) else None, self.clock())

    def stop(self, environment_id: str) -> None:
        self.running.discard(environment_id)


class VirtualHttp:
    """Answers at once: health checks by the containers, deliveries by ``receiver``, whose None is a time-out."""

    def __init__(self, containers: VirtualContainers, clock: Callable[[], float]) -> None:
        self.receiver: Receiver = lambda _headers, _body, at: Answer(202, at)
        self._containers = containers
        self._clock = clock

    def get(self, url: str, headers: Mapping[str, str], timeout: float, done: Callable[[Answer], None]) -> None:
        now = self._clock()
        address = urlsplit(url).hostname or ""
        reached = self._containers.answers(address) and self._containers.root_delay(address) < timeout
        done(Answer(200, now) if reached else Answer(None, now, "Request timed out"))

    def post(
        self, url: str, headers: Mapping[str, str], body: bytes, timeout: float, done: Callable[[Answer], None]
    ) -> None:
        now = self._clock()
        done(self.receiver(headers, body, now) or Answer(None, now + timeout, "Request timed out"))


class VirtualAddresses:
    """10.0.0.1 and up; ``left`` says how many more there are."""

    def __init__(self) -> None:
        self.left = 250
        self._numbers = itertools.count(1)

    def take(self) -> str | None:
        if self.left == 0:
            return None
        self.left -= 1
        return f"10.0.0.{next(self._numbers)}"

    def give_back(self, address: str) -> None:
        self.left += 1


class VirtualLab:
    """A cloud with its clock: ``run`` moves both, ``call`` is an AWS call, ``records`` is what clients saw.

    ``world`` is the one of the file's own account and region.
    """

    def __init__(self, table: WorldTable, seed: int = 1) -> None:
        self.now = START
        self.containers = VirtualContainers()
        self.environments = VirtualEnvironments(lambda: self.now)
        self.http = VirtualHttp(self.containers, lambda: self.now)
        self.addresses = VirtualAddresses()
        outside = Outside(self.containers, self.environments, self.http, self.addresses)
        self.cloud = Cloud(table, outside, self.now, Random(seed))
        self.world = self.cloud.world_of(table.account, table.region)
        self.faults = self.cloud.faults
        self.records: list[Record] = []
        self._calls = Calls(self.cloud)
        self.flows: dict[str, Flow] = {}
        self._ticked = self.now
        self._in_motion = True
        self._next_tick = 0.0
        self._agenda: list[tuple[float, int, Callable[[], None], bool]] = []
        self._order = itertools.count()
        self._nodes = itertools.cycle(NODE_NAMES)

    def call(
        self, service: str, operation: str, /, *, access_key: str = "lab", region: str = "", **given: Any
    ) -> dict[str, Any]:
        """An AWS call's output. Raises AwsError, or NoAnswerError where the client would hear nothing in time.

        No time passes meanwhile, however slow the API is.
        """
        late = (self.faults.number("api_latency") or 0) >= PATIENCE_SECONDS
        place = region or self.cloud.region
        try:
            who = self._calls.admit(service, operation, access_key, None, place, self.now)
            output = self._calls.perform(who, place, service, operation, given, self.now)
        except AwsError as error:
            raise (NoAnswerError(str(error), took_effect=False) if late else error) from error
        if late:
            raise NoAnswerError(f"{service}:{operation} is answered too late", took_effect=True)
        return output

    def run(
        self,
        seconds: float,
        slug: str = "",
        rate: float = 0.0,
        mix: Sequence[tuple[str, float]] = DEFAULT_MIX,
        slow: float = 5.0,
    ) -> None:
        """Passes time with ``rate`` requests a second to an application; ``/sleep`` takes ``slow`` seconds."""
        paths, began, until = interleave(mix), self.now, round(self.now + seconds, 6)
        for number in range(round(rate * seconds)):
            path = next(paths)
            taking = slow if path == "/sleep" else FAST_SECONDS
            self.at(began + number / rate, partial(self.send, slug, path, taking))
        self._tick(self.now)
        while self.now < until:
            self._next_tick = self._next_tick or self._find_next_tick()
            self._in_motion = self._in_motion or until <= self._next_tick  # whoever looks then sees all that came
            self._step(min(self._next_tick, until))

    def at(self, time: float, happen: Callable[[], None], *, quiet: bool = False) -> None:
        """Let something happen then, while the lab runs; ``quiet``: nothing of the world gets due by it."""
        heapq.heappush(self._agenda, (round(time, 6), next(self._order), happen, quiet))

    def flow(self, slug: str, rate: float, mix: Sequence[tuple[str, float]] = DEFAULT_MIX, slow: float = 5.0) -> Flow:
        """From now on ``rate`` requests a second, counted instead of carried; 0 ends them."""
        flow = self.flows.get(slug)
        if flow is None:
            around = Surroundings(self.containers.answers, partial(self.at, quiet=True))
            home = self.cloud.home(slug)
            flow = self.flows[slug] = Flow(home.applications[slug], home.functions, around, self.now)
        flow.advance(self.now)
        flow.set(rate, mix, {"/sleep": slow})
        return flow

    def _step(self, tick: float) -> None:
        """To the first thing on the agenda or, where nothing comes before, to the tick that moves the world."""
        if self._agenda and self._agenda[0][0] <= tick:
            at, _, happen, quiet = heapq.heappop(self._agenda)
            self.now = max(at, self.now)
            happen()
            self._next_tick = self._next_tick if quiet else self._soonest_tick()
            return
        self._tick(tick)

    def _tick(self, at: float) -> None:
        self.now = self._ticked = at
        period = self.world.metrics.period
        for flow in self.flows.values():  # by what the nodes knew until now; in quiet times by whole periods
            flow.advance(at if self._in_motion else at // period * period)
        self.cloud.advance(at)
        self._next_tick = 0.0

    def _find_next_tick(self) -> float:
        """Moments in which nothing is due are passed over."""
        worlds = self.cloud.worlds.values()
        due = min(next_due(world, self.now) for world in worlds)
        self._in_motion = due <= self.now or any(map(in_motion, worlds))
        for flow in self.flows.values():
            if flow.rate:
                due = min(due, self.now + self.world.metrics.period)
        wanted = math.ceil(round(due / STEP_SECONDS, 3)) * STEP_SECONDS if due < math.inf else math.inf
        return max(self._soonest_tick(), round(min(wanted, self._ticked + LONGEST_SECONDS), 6))

    def _soonest_tick(self) -> float:
        """On a grid of its own: requests that come more often than it ticks must not push the tick away."""
        return round((round(self._ticked / STEP_SECONDS) + 1) * STEP_SECONDS, 6)

    def send(self, slug: str, path: str, seconds: float) -> None:
        """One request to the nodes in turn, which takes ``seconds`` where it is answered."""
        application = self.cloud.applications[slug]
        exchange = application.load_balancer.dispatch(next(self._nodes), path, self.now)
        if exchange.target is None or exchange.group is None:
            self._record(application, exchange, path, exchange.status, by_target=False)
        elif exchange.group.kind == "lambda":
            self._invoke(application, exchange, path, seconds)
        elif self.containers.answers(exchange.target.id):
            self.at(self.now + seconds, lambda: self._end_on_task(application, exchange, path))
        else:
            self._record(application, exchange, path, 502, by_target=False, cause=causes.TASK_SILENT)

    def _invoke(self, application: Application, exchange: Exchange, path: str, seconds: float) -> None:
        function, started = application.function, self.now
        environment = self.cloud.home(application.slug).functions.begin(function, started)
        if environment is None:
            self._record(application, exchange, path, 502, by_target=False, cause=causes.THROTTLED)
            return

        fails = function.fails()

        def end() -> None:
            function.end(environment, started, self.now, failed=fails)
            cause = causes.FUNCTION_FAILED if fails else ""
            self._record(application, exchange, path, 502 if fails else 200, by_target=not fails, cause=cause)

        self.at(self.now + seconds, end)

    def _end_on_task(self, application: Application, exchange: Exchange, path: str) -> None:
        """A request whose container ended meanwhile was cut."""
        lives = exchange.target is not None and self.containers.answers(exchange.target.id)
        cause = "" if lives else causes.TASK_CUT
        self._record(application, exchange, path, 200 if lives else 502, by_target=lives, cause=cause)

    def _record(
        self,
        application: Application,
        exchange: Exchange,
        path: str,
        status: int,
        *,
        by_target: bool,
        cause: str = "",
    ) -> None:
        fault = "LambdaUserError" if exchange.group and exchange.group.kind == "lambda" and not by_target else ""
        application.load_balancer.finish(exchange, status, self.now, by_target=by_target, fault=fault, cause=cause)
        pool = exchange.group.pool if exchange.group else ""
        self.records.append(Record(exchange.started, self.now, path, status, pool, exchange.node, ""))
