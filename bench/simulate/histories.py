"""Random histories: a world, a policy, a load and what breaks, all from one number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from random import Random

from bench.simulate.checker import Breach
from bench.simulate.play import QUICK
from bench.simulate.theatre import SLUG, TABLE, Click, Controller, Theatre
from failover.model import Goal, Policy, Split
from lab import accidents
from lab.accidents import AccidentError, Broken, StateName
from lab.alarm_tables import AlarmTable
from lab.worldfile import (
    ApplicationTable,
    DynamoTable,
    FunctionTable,
    RuleTable,
    ScalableTargetTable,
    TaskTable,
    ThirdGroupTable,
    WeightsTable,
    WorldTable,
)

CHAOS_SECONDS = 240.0
# Long enough for every wait of the policy, and for a lease that was not given back.
CALM_SECONDS = 300.0
LIMIT = 14
SLOW = (("/bang", 0.98), ("/sleep", 0.02))
SERVICES = ("ecs", "elbv2", "cloudwatch", "lambda", "application-autoscaling", "dynamodb", "all")
WRITE_ACTIONS = (
    "ecs:UpdateService",
    "elasticloadbalancing:ModifyListener",
    "elasticloadbalancing:ModifyRule",
    "application-autoscaling:RegisterScalableTarget",
    "dynamodb:PutItem",
)
RELEASES: tuple[Broken, ...] = ("", "", "exits", "unhealthy")
STATES: tuple[StateName, ...] = ("OK", "ALARM", "INSUFFICIENT_DATA")


@dataclass(frozen=True)
class History:
    """What came of one: its breaches, and a journal that a person can read."""

    seed: int
    breaches: list[Breach]
    journal: list[str]
    operations: int
    writes: int


def play(seed: int) -> History:
    """The same for the same seed, on any machine."""
    chance = Random(seed)  # noqa: S311 - a history, not a secret
    theatre = Theatre(world(chance), policy(chance), chance)
    _Stage(theatre, chance).set()
    theatre.play(CHAOS_SECONDS)
    _mend(theatre)
    theatre.play(CALM_SECONDS)
    theatre.end()
    started = sum(" start " in line for line in theatre.journal)
    writes = sum(theatre.checker.writes.values())
    return History(seed, theatre.checker.breaches, theatre.journal, started, writes)


def world(chance: Random) -> WorldTable:
    """One application: with or without rules, a third group, bounds, and health checks of its function."""
    weights = WeightsTable(100, 0)
    third = ThirdGroupTable(weight=chance.choice((0, 0, 25))) if chance.random() < 0.2 else None
    application = ApplicationTable(
        function=FunctionTable(
            reserved_concurrency=LIMIT,
            health_check=chance.random() < 0.6,
            health_check_interval_seconds=5.0,
            health_check_timeout_seconds=2.0,
            healthy_threshold=2,
        ),
        task=TaskTable(desired_count=chance.choice((0, 0, 0, 1, 4)), circuit_breaker=chance.random() < 0.7),
        weights=weights,
        third_group=third,
        scalable_target=ScalableTargetTable(0, chance.choice((2, 6))) if chance.random() < 0.4 else None,
        rules=(RuleTable(10, "/api/*", weights),) if chance.random() < 0.4 else (),
        alarms=(
            _alarm("checkout-concurrency", "ConcurrentExecutions", "Maximum", 11, chance),
            _alarm("checkout-throttles", "Throttles", "Sum", 1, chance),
        ),
    )
    return WorldTable({SLUG: application}, node_delays_seconds=(0.5, 3.0), tables=(DynamoTable(TABLE, "application"),))


def _alarm(name: str, metric: str, statistic: str, threshold: float, chance: Random) -> AlarmTable:
    missing = chance.choice(("notBreaching", "notBreaching", "notBreaching", "missing", "ignore"))
    return AlarmTable(name, metric, statistic, threshold, missing_data=missing)


def policy(chance: Random) -> Policy:
    return replace(
        QUICK,
        shift_steps=chance.choice(((100,), (100,), (10, 50, 100), (50, 100))),
        failback_steps=chance.choice(((90, 50, 0), (90, 0), (0,))),
        requests_per_task=chance.choice((0, 0, 60)),
        on_inconclusive=chance.choice(("hold", "continue")),
        scale_deadline_seconds=chance.choice((40.0, 120.0)),
        healthy_checks=chance.choice((1, 2, 3)),
    )


class _Stage:
    """Puts a history on the agenda."""

    def __init__(self, theatre: Theatre, chance: Random) -> None:
        self._theatre = theatre
        self._chance = chance

    def set(self) -> None:
        self._load()
        troubles: list[Callable[[], None]] = [
            self._tasks,
            self._function,
            self._api,
            self._events,
            self._foreign_change,
            self._deployment,
            self._click,
            self._crash,
            self._stall,
            self._killed_task,
            self._bounds,
            self._alarm_by_hand,
        ]
        for trouble in self._chance.sample(troubles, self._chance.choice((0, 1, 2, 2, 3, 3, 4, 5))):
            trouble()

    def _load(self) -> None:
        """Calm, a surge that ends or does not, and sometimes a second one or nothing at all."""
        at = 0.0
        rate = self._chance.choice((0, 20, 52, 80))
        while at < CHAOS_SECONDS:
            self._theatre.at(at, f"{rate} requests a second", self._loading(rate))
            at += self._chance.uniform(20, 90)
            rate = self._chance.choice((0, 20, 52, 120, 150, 200, 200))

    def _loading(self, rate: float) -> Callable[[], object]:
        return lambda: self._theatre.lab.flow(SLUG, rate, SLOW)

    def _switch(self, name: str, value: object, at: float, seconds: float) -> None:
        faults, slug = self._theatre.lab.faults, SLUG if not name.startswith(("api", "events")) else ""
        self._theatre.at(at, f"{name} = {value}", lambda: faults.set(name, value, slug))
        self._theatre.at(at + seconds, f"{name} off", lambda: faults.set(name, None, slug))

    def _when(self) -> tuple[float, float]:
        return self._chance.uniform(0, CHAOS_SECONDS * 0.8), self._chance.uniform(5, 120)

    def _tasks(self) -> None:
        name, value = self._chance.choice(
            (
                ("fargate_capacity", self._chance.choice((0, 1, 2))),
                ("tasks_start_slowly", self._chance.choice((5, 30))),
                ("tasks_never_healthy", True),
                ("tasks_do_not_start", True),
                ("tasks_die_on_traffic", self._chance.choice((5, 300))),
            )
        )
        self._switch(name, value, *self._when())

    def _function(self) -> None:
        name, value = self._chance.choice(
            (("function_errors", 100), ("function_errors", 30), ("metrics_missing", True))
        )
        self._switch(name, value, *self._when())

    def _api(self) -> None:
        services = [self._chance.choice(SERVICES)]
        actions = self._chance.sample(WRITE_ACTIONS, self._chance.choice((1, 2, 5)))
        name, value = self._chance.choice(
            (
                ("api_throttled", True),
                ("api_outage", services),
                ("api_silent", services),
                ("api_denied", actions),
                ("api_answer_lost", actions),
            )
        )
        at, seconds = self._when()
        self._switch(name, value, at, seconds)
        if name in {"api_outage", "api_silent"} and {"dynamodb", "all"} & set(services):
            checker = self._theatre.checker
            self._theatre.at(
                at, "the lease can't be read", lambda: setattr(checker, "lease_down_since", checker.truth.now)
            )
            self._theatre.at(at + seconds, "it can", lambda: setattr(checker, "lease_down_since", None))

    def _events(self) -> None:
        name, value = self._chance.choice(
            (("events_duplicated", 3), ("events_late", 60), ("events_late", 10), ("events_reordered", True))
        )
        self._switch(name, value, *self._when())

    def _foreign_change(self) -> None:
        at, _ = self._when()
        weights = self._chance.choice(((100, 0), (0, 100), (60, 40), (50, 50)))
        self._theatre.at(at, f"somebody sets {weights}", lambda: self._set_by_hand(*weights))

    def _set_by_hand(self, on_lambda: int, on_ecs: int) -> None:
        """The listener's default action alone: whoever does such things by hand forgets the rules."""
        checker, world = self._theatre.checker, self._theatre.lab.world
        listener = checker.truth.application.listener
        before = listener.default.actions
        self._happen(lambda: accidents.set_weights(world, SLUG, self._theatre.now, lambda_=on_lambda, ecs=on_ecs))
        if listener.default.actions != before:
            checker.foreign(listener.arn)

    def _deployment(self) -> None:
        at, _ = self._when()
        broken = self._chance.choice(RELEASES)
        what = f"a deployment {broken}".rstrip()
        self._theatre.at(at, what, lambda: self._happen(
            lambda: accidents.deploy(self._theatre.lab.world, SLUG, self._theatre.now, broken=broken)
        ))  # fmt: skip

    def _killed_task(self) -> None:
        at, _ = self._when()
        self._theatre.at(at, "a task is killed", lambda: self._happen(
            lambda: accidents.kill_task(self._theatre.lab.world, SLUG, self._theatre.now)
        ))  # fmt: skip

    def _bounds(self) -> None:
        at, _ = self._when()
        least, most = self._chance.choice(((0, 3), (1, 1), (0, 10)))
        self._theatre.at(at, f"bounds become {least} to {most}", lambda: self._happen(
            lambda: accidents.set_bounds(self._theatre.lab.world, SLUG, self._theatre.now, minimum=least, maximum=most)
        ))  # fmt: skip

    def _alarm_by_hand(self) -> None:
        at, _ = self._when()
        state = self._chance.choice(STATES)
        self._theatre.at(at, f"an alarm is set to {state}", lambda: self._happen(
            lambda: accidents.set_alarm_state(
                self._theatre.lab.world, SLUG, self._theatre.now, alarm="checkout-throttles", state=state
            )
        ))  # fmt: skip

    def _click(self) -> None:
        at, _ = self._when()
        split = Split(*self._chance.choice(((90, 10), (50, 50), (0, 100))))
        click = self._chance.choice((Click(Goal.FAILOVER), Click(Goal.FAILBACK), Click(Goal.SET_WEIGHTS, split)))
        self._theatre.at(
            at, f"a person clicks {click.goal} {click.split or ''}".rstrip(), lambda: self._theatre.click(click)
        )

    def _crash(self) -> None:
        for _ in range(self._chance.choice((1, 2, 4))):
            at, _ = self._when()
            controller, calls = self._chance.choice(self._theatre.controllers), self._chance.randrange(1, 150)
            self._theatre.at(at, f"{controller.name} dies in {calls} calls",
                             partial(_die, controller, calls))  # fmt: skip

    def _stall(self) -> None:
        for _ in range(self._chance.choice((1, 2, 4))):
            at, _ = self._when()
            controller, calls = self._chance.choice(self._theatre.controllers), self._chance.randrange(1, 150)
            seconds = self._chance.choice((3.0, 12.0, 25.0, 60.0))
            self._theatre.at(at, f"{controller.name} hangs in {calls} calls, {seconds:.0f} s",
                             partial(_hang, controller, calls, seconds))  # fmt: skip

    def _happen(self, accident: Callable[[], object]) -> None:
        """What AWS refuses does not happen."""
        try:
            accident()
        except AccidentError as error:
            self._theatre.tell(None, "world", str(error))


def _die(controller: Controller, calls: int) -> None:
    controller.dies_in = calls


def _hang(controller: Controller, calls: int, seconds: float) -> None:
    controller.stalls_in, controller.stalls_for = calls, seconds


def _mend(theatre: Theatre) -> None:
    """Everything works again, and traffic is calm."""
    theatre.tell(None, "world", "everything is mended; 20 requests a second")
    theatre.lab.faults.clear()
    theatre.lab.flow(SLUG, 20, SLOW)
    theatre.checker.lease_down_since = None
    for controller in theatre.controllers:
        controller.dies_in = controller.stalls_in = None
