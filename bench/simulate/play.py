"""A scenario of the lab's in virtual time, and the controller running alone beside it, as a Lambda function does."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.simulate.clients import Unwatched, clients
from failover import wake
from failover.aws.adapter import Adapter
from failover.leases import Unshared
from failover.model import Application, Policy, Route
from failover.solo import Result, Solo
from failover.state import State
from lab import worldfile
from lab.director import Director
from lab.ending import Finding, judge_losses, judge_world
from lab.eventbridge import Destination
from lab.ports import Answer
from lab.scenario import LoadTable, Scenario
from lab.virtual import VirtualLab

DEMO = Path(worldfile.__file__).parent / "worlds" / "demo.toml"
LOOK_SECONDS = 0.5
INVOCATION_SECONDS = 120.0
SCHEDULE_SECONDS = 10.0
# Minutes become seconds, as everywhere in the lab: it publishes metrics every 5 s.
QUICK = Policy(
    failover_count=3,
    min_healthy=2,
    step_seconds=5,
    settle_seconds=5,
    drain_seconds=20,
    bake_seconds=15,
    scale_deadline_seconds=120,
    dwell_seconds=15,
    cooldown_seconds=20,
    metric_period_seconds=5,
)
MIX = (("/bang", 1.0), ("/pong", 1.0), ("/env", 1.0))


@dataclass
class Played:
    """What came of it; ``told`` is the controller's log with times since the start."""

    findings: list[Finding]
    director: Director
    told: list[str] = field(default_factory=list)

    @property
    def ended_well(self) -> bool:
        return all(finding.holds for finding in self.findings)


def application_of(lab: VirtualLab, slug: str, policy: Policy = QUICK) -> Application:
    """The controller's view of one of the lab's applications."""
    found, home = lab.cloud.applications[slug], lab.cloud.home(slug)
    rules = [rule.arn for rule in found.listener.rules if not rule.is_default]
    return Application(
        slug=slug,
        name=found.name,
        region=home.region,
        alarms=tuple(alarm.settings.name for alarm in found.alarms),
        function_name=found.function.settings.name,
        lambda_target_group_arn=found.lambda_group.arn,
        cluster=found.service.cluster,
        service=found.service.name,
        ecs_target_group_arn=found.ecs_group.arn,
        routes=tuple(Route(arn) for arn in [found.listener.arn, *rules]),
        policy=policy,
    )


class Performance:
    """A scenario being played. Whoever acts in it lets time pass with ``run``, and stops when it has ``ended``."""

    def __init__(self, scenario: Scenario, seed: int = 1) -> None:
        self.lab = VirtualLab(worldfile.load(DEMO), seed)
        self.began = self.lab.now
        self.director = Director(scenario, self.lab.cloud, self._set_load, self.began)
        self.application = application_of(self.lab, scenario.application)
        self.adapter = Adapter(self.application, clients(self.lab, self.application.region, Unwatched()), self.now)
        self._direct()

    @property
    def ended(self) -> bool:
        return self.director.ended

    def now(self) -> float:
        return self.lab.now

    def run(self, seconds: float) -> None:
        self.lab.run(seconds)

    def findings(self) -> list[Finding]:
        """The end, judged as the scenario's file says."""
        end, director = self.director.scenario.end, self.director
        found = judge_world(end, director.application, director.positions, missed=director.missed)
        return [*found, *judge_losses(end.may_lose, self._lost())]

    def _direct(self) -> None:
        """The director looks on whatever else goes on."""
        self.director.advance(self.now())
        if not self.ended:
            self.lab.at(self.now() + LOOK_SECONDS, self._direct)

    def _set_load(self, slug: str, load: LoadTable) -> None:
        slow = load.slow_percent / 100
        mix = [(path, share * (1 - slow) / len(MIX)) for path, share in MIX]
        self.lab.flow(slug, load.rate, [*mix, ("/sleep", slow)])

    def _lost(self) -> Counter[str]:
        lost: Counter[str] = Counter()
        for each in self.lab.flows[self.director.scenario.application].losses:
            lost[each.pool or "none"] += each.count
        return lost


def play(scenario: Scenario, seed: int = 1) -> Played:
    """The scenario to its end, with a controller that is woken by events and a schedule."""
    performance = Performance(scenario, seed)
    controller = _Controller(performance)
    while not performance.ended:
        performance.run(LOOK_SECONDS)
        controller.work()
    return Played(performance.findings(), performance.director, controller.told)


class _Controller:
    """Invoked once for each event that it is woken by, one after the other."""

    def __init__(self, performance: Performance) -> None:
        self.told: list[str] = []
        self._performance = performance
        self._state = State()
        self._events: deque[dict[str, Any]] = deque()
        self._scheduled = performance.now() + SCHEDULE_SECONDS
        performance.lab.http.receiver = self._receive
        for world in performance.lab.cloud.worlds.values():
            world.bus.destination = Destination("https://lambda.invalid", "X-Api-Key", "none")

    def work(self) -> None:
        """The next invocation, if there is anything to wake for."""
        now = self._performance.now()
        if now >= self._scheduled:
            self._scheduled = now + SCHEDULE_SECONDS
            self._events.append({"detail-type": wake.SCHEDULED})
        if self._events and not wake.ignored(self._events.popleft(), self._performance.application, now):
            self._invoke()

    def _receive(self, _headers: Mapping[str, str], body: bytes, at: float) -> Answer:
        self._events.append(json.loads(body))
        return Answer(202, at)

    def _invoke(self) -> Result:
        performance = self._performance
        until = performance.now() + INVOCATION_SECONDS

        def keep(state: State) -> None:
            self._state = state

        solo = Solo(
            performance.application,
            performance.adapter,
            Unshared(),
            performance.now,
            performance.run,
            lambda: 0.0 if performance.ended else until - performance.now(),
            keep,
            self._tell,
            self._state,
        )
        return solo.run()

    def _tell(self, kind: str, message: str) -> None:
        performance = self._performance
        self.told.append(f"{performance.now() - performance.began:7.1f} s  {kind:<9} {message}")
