"""The same world in virtual time: no process, no socket, no waiting."""
# ruff: noqa: ARG002 - the fakes have the signatures of the ports, whatever they need of them

import heapq
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any
from urllib.parse import urlsplit

from lab.alb import Exchange
from lab.calls import Calls, NoAnswerError
from lab.cloud import Cloud
from lab.errors import AwsError
from lab.lambda_ import FunctionSettings
from lab.load import DEFAULT_MIX, Record, interleave
from lab.ports import Answer
from lab.world import NODE_NAMES, Application, Outside
from lab.worldfile import WorldTable

STEP_SECONDS = 0.1
START = 1_800_000_000.0
FAST_SECONDS = 0.01
PATIENCE_SECONDS = 5.0  # what clients of AWS wait for an answer, as ours are configured

Receiver = Callable[[Mapping[str, str], bytes, float], Answer | None]


@dataclass
class VirtualContainers:
    """Containers that answer health checks as soon as they run, unless they are ``broken``; they end when told to."""

    addresses: dict[str, str] = field(default_factory=dict)
    ended: dict[str, int] = field(default_factory=dict)
    killed: set[str] = field(default_factory=set)
    broken: bool = False
    deaf: bool = False

    def start(self, task_id: str, address: str, environment: Mapping[str, str]) -> None:
        self.addresses[task_id] = address

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
        running = (each for task_id, each in self.addresses.items() if task_id not in self.ended)
        return not self.broken and address in running


@dataclass
class VirtualEnvironments:
    """Environments that start at once; ``dead`` ones have crashed."""

    running: set[str] = field(default_factory=set)
    dead: set[str] = field(default_factory=set)

    def start(self, environment_id: str, function: FunctionSettings) -> None:
        self.running.add(environment_id)

    def alive(self, environment_id: str) -> bool:
        return environment_id in self.running and environment_id not in self.dead

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
        reached = self._containers.answers(urlsplit(url).hostname or "")
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
        self.environments = VirtualEnvironments()
        self.http = VirtualHttp(self.containers, lambda: self.now)
        self.addresses = VirtualAddresses()
        outside = Outside(self.containers, self.environments, self.http, self.addresses)
        self.cloud = Cloud(table, outside, self.now, Random(seed))
        self.world = self.cloud.world_of(table.account, table.region)
        self.faults = self.cloud.faults
        self.records: list[Record] = []
        self._calls = Calls(self.cloud)
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
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
            self._at(began + number / rate, partial(self.send, slug, path, taking))
        for number in range(1, round(seconds / STEP_SECONDS) + 1):
            self._at(began + number * STEP_SECONDS, lambda: self.cloud.advance(self.now))
        while self._agenda and self._agenda[0][0] <= until:
            self.now, _, happen = heapq.heappop(self._agenda)
            happen()
        self.now = until

    def send(self, slug: str, path: str, seconds: float) -> None:
        """One request to the nodes in turn, which takes ``seconds`` where it is answered."""
        application = self.cloud.applications[slug]
        exchange = application.load_balancer.dispatch(next(self._nodes), path, self.now)
        if exchange.target is None or exchange.group is None:
            self._record(application, exchange, path, exchange.status, by_target=False)
        elif exchange.group.kind == "lambda":
            self._invoke(application, exchange, path, seconds)
        elif self.containers.answers(exchange.target.id):
            self._at(self.now + seconds, lambda: self._end_on_task(application, exchange, path))
        else:
            self._record(application, exchange, path, 502, by_target=False)

    def _invoke(self, application: Application, exchange: Exchange, path: str, seconds: float) -> None:
        function, started = application.function, self.now
        environment = self.cloud.home(application.slug).functions.begin(function, started)
        if environment is None:
            self._record(application, exchange, path, 502, by_target=False)
            return

        def end() -> None:
            function.end(environment, started, self.now, failed=False)
            self._record(application, exchange, path, 200, by_target=True)

        self._at(self.now + seconds, end)

    def _end_on_task(self, application: Application, exchange: Exchange, path: str) -> None:
        """A request whose container ended meanwhile was cut."""
        lives = exchange.target is not None and self.containers.answers(exchange.target.id)
        self._record(application, exchange, path, 200 if lives else 502, by_target=lives)

    def _record(self, application: Application, exchange: Exchange, path: str, status: int, *, by_target: bool) -> None:
        fault = "LambdaUserError" if exchange.group and exchange.group.kind == "lambda" and not by_target else ""
        application.load_balancer.finish(exchange, status, self.now, by_target=by_target, fault=fault)
        pool = {"lambda": "lambda", "ip": "ecs"}[exchange.group.kind] if exchange.group else ""
        self.records.append(Record(exchange.started, self.now, path, status, pool, exchange.node, ""))

    def _at(self, time: float, happen: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (round(time, 6), next(self._order), happen))
