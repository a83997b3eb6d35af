"""A scenario of the lab's in virtual time, with the controller running alone beside it as a Lambda function does."""

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
from failover.aws.lease import LEASE_SECONDS
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


class Alone:
    """The lease of a controller that nobody competes with."""

    def seconds_left(self) -> float:
        return LEASE_SECONDS


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


def play(scenario: Scenario, seed: int = 1) -> Played:
    """The scenario to its end, judged as its file says."""
    return _Theatre(scenario, seed).play()


class _Theatre:
    def __init__(self, scenario: Scenario, seed: int) -> None:
        self._lab = VirtualLab(worldfile.load(DEMO), seed)
        self._began = self._lab.now
        self._director = Director(scenario, self._lab.cloud, self._set_load, self._began)
        self._played = Played([], self._director)
        self._events: deque[dict[str, Any]] = deque()
        self._application = application_of(self._lab, scenario.application)
        self._adapter = Adapter(self._application, clients(self._lab, self._application.region, Unwatched()), self._now)
        self._state = State()
        self._lab.http.receiver = self._receive
        for world in self._lab.cloud.worlds.values():
            world.bus.destination = Destination("https://lambda.invalid", "X-Api-Key", "none")
        self._direct()

    def play(self) -> Played:
        scheduled = self._now() + SCHEDULE_SECONDS
        while not self._director.ended:
            self._lab.run(LOOK_SECONDS)
            if self._now() >= scheduled:
                scheduled = self._now() + SCHEDULE_SECONDS
                self._events.append({"detail-type": wake.SCHEDULED})
            if self._events and not wake.ignored(self._events.popleft(), self._application, self._now()):
                self._invoke()
        end = self._director.scenario.end
        found = judge_world(end, self._director.application, self._director.positions, missed=self._director.missed)
        self._played.findings = [*found, *judge_losses(end.may_lose, self._lost())]
        return self._played

    def _now(self) -> float:
        return self._lab.now

    def _direct(self) -> None:
        """The director looks on while the controller sleeps as well."""
        self._director.advance(self._now())
        if not self._director.ended:
            self._lab.at(self._now() + LOOK_SECONDS, self._direct)

    def _set_load(self, slug: str, load: LoadTable) -> None:
        slow = load.slow_percent / 100
        mix = [(path, share * (1 - slow) / len(MIX)) for path, share in MIX]
        self._lab.flow(slug, load.rate, [*mix, ("/sleep", slow)])

    def _receive(self, _headers: Mapping[str, str], body: bytes, at: float) -> Answer:
        self._events.append(json.loads(body))
        return Answer(202, at)

    def _invoke(self) -> Result:
        until = self._now() + INVOCATION_SECONDS

        def keep(state: State) -> None:
            self._state = state

        solo = Solo(
            self._application,
            self._adapter,
            Alone(),
            self._now,
            self._sleep,
            lambda: 0.0 if self._director.ended else until - self._now(),
            keep,
            self._tell,
            self._state,
        )
        return solo.run()

    def _sleep(self, seconds: float) -> None:
        self._lab.run(seconds)

    def _tell(self, kind: str, message: str) -> None:
        self._played.told.append(f"{self._now() - self._began:7.1f} s  {kind:<9} {message}")

    def _lost(self) -> Counter[str]:
        lost: Counter[str] = Counter()
        for each in self._lab.flows[self._director.scenario.application].losses:
            lost[each.pool or "none"] += each.count
        return lost
