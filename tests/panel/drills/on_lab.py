"""The panel's drills on the lab, both in virtual time: the lab's model behind the real adapter, the panel's own sweeps.

A minute of it costs a tenth of one. What is not here is in tests/stack/test_drill.py: processes, HTTP, real requests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from bench.simulate.clients import Unwatched, clients
from bench.simulate.play import DEMO, MIX
from failover.aws.adapter import Adapter
from failover.model import Application as Wanted
from failover.model import Snapshot, Split
from lab import accidents, worldfile
from lab.alb import forward_weights
from lab.virtual import VirtualLab
from panel.drills import schedules
from panel.drills.advancing import advance
from panel.drills.models import Drill
from panel.fleet import tasks
from panel.fleet.applications import import_document
from panel.fleet.models import Application
from panel.operations.models import Operation
from panel.operations.stepping import step_operation

SLUG = "checkout"
CALM, SURGE = 52.0, 150.0  # requests a second; Lambda takes 14 at once
# As in the demonstration: minutes become seconds.
POLICY = {
    "failover_count": 2,
    "min_healthy": 2,
    "shift_steps": [50, 100],
    "failback_steps": [50, 0],
    "step_seconds": 5,
    "settle_seconds": 5,
    "drain_seconds": 15,
    "bake_seconds": 10,
    "scale_deadline_seconds": 60,
    "dwell_seconds": 15,
    "cooldown_seconds": 20,
    "metric_period_seconds": 5,
}


class LabStage:
    """`advance` lets time pass for AWS and for the panel's workers alike: what beat would wake is looked at in turn."""

    def __init__(self, **drills: Any) -> None:
        self.lab = VirtualLab(worldfile.load(DEMO))
        self.traffic(CALM)
        self.clients = clients(self.lab, self.lab.world.region, Unwatched())
        self._drills = {"stay_seconds": 15, "target_seconds": 120, **drills}
        self._adapters: dict[str, Adapter] = {}
        self.application: Application

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.lab.now, UTC)

    def imported(self) -> None:
        """The application as an operator's TOML names it, and what AWS says of it, over a quarter of a minute."""
        self.application = import_document(self.document(), "checkout.toml").application
        self.advance(15)

    def document(self) -> dict[str, Any]:
        there = self.lab.cloud.applications[SLUG]
        alarms = [alarm.settings.name for alarm in there.alarms]
        return {
            "application": {"slug": SLUG, "name": there.name, "region": self.lab.world.region, "alarms": alarms},
            "lambda": {
                "function_name": there.function.settings.name,
                "target_group_arn": there.lambda_group.arn,
            },
            "ecs": {
                "cluster": there.service.cluster,
                "service": there.service.name,
                "target_group_arn": there.ecs_group.arn,
            },
            "routes": [{"listener_arn": there.listener.arn}],
            "policy": POLICY,
            "drills": self._drills,
        }

    # ---- what panel.fleet.connections gives out ----

    def connect(self, wanted: Wanted) -> Adapter:
        if wanted.slug not in self._adapters:
            self._adapters[wanted.slug] = Adapter(wanted, self.clients, lambda: self.lab.now)
        return self._adapters[wanted.slug]

    def fleet(self, _wanted: Wanted) -> _Swept:
        return _Swept(self)

    # ---- time, and what happens in it ----

    def traffic(self, rate: float, slug: str = SLUG, slow: float = 0.01) -> None:
        """So many requests a second from now on, a share of which takes five seconds."""
        mix = [(path, share * (1 - slow) / len(MIX)) for path, share in MIX]
        self.lab.flow(slug, rate, [*mix, ("/sleep", slow)])

    def surge(self, slug: str = SLUG) -> None:
        self.traffic(SURGE, slug, slow=0.024)

    def alarm(self, name: str) -> None:
        """It is in ALARM until CloudWatch evaluates it again, within five seconds."""
        accidents.set_alarm_state(self.lab.world, SLUG, self.lab.now, alarm=name, state="ALARM")

    def advance(self, seconds: float) -> None:
        end = self.lab.now + seconds
        while self.lab.now < end:
            self.lab.run(1.0)
            self._work()

    def _work(self) -> None:
        """Beat's ticks; a wake-up that is lost costs no more than that."""
        for pk in self._due():
            step_operation(pk)
        if int(self.lab.now) % 3 == 0:
            for pk in Drill.objects.filter(state__in=Drill.ACTIVE).values_list("pk", flat=True):
                advance(pk)
            schedules.follow(self.now())
        if int(self.lab.now) % 5 == 0:
            tasks.sweep(self.application.pk)

    def _due(self) -> list[int]:
        due = Operation.objects.filter(status__in=Operation.ACTIVE, next_step_at__lte=self.now())
        return list(due.values_list("pk", flat=True))

    def until(self, reached: Callable[[], bool], seconds: float, what: str) -> None:
        for _ in range(round(seconds)):
            if reached():
                return
            self.advance(1)
        raise AssertionError(f"{what} did not come within {seconds:.0f} s: {self.told()}")

    def played(self, drill: Drill, seconds: float = 400) -> Drill:
        """The drill at its end."""
        self.until(partial(self._over, drill), seconds, f"The end of {drill}")
        return drill

    def reached(self, drill: Drill, state: str) -> Drill:
        self.until(lambda: self._again(drill).state == state, 120, f"{drill} as {state}")
        return drill

    def _over(self, drill: Drill) -> bool:
        return not self._again(drill).active

    def _again(self, drill: Drill) -> Drill:
        drill.refresh_from_db()
        return drill

    def told(self) -> str:
        drills = [f"{each} {each.state} {each.outcome} {each.told}" for each in Drill.objects.all()]
        operations = [f"{each} {each.status} {each.headline} {each.error}" for each in Operation.objects.all()]
        return "; ".join(drills + operations)

    # ---- the truth, as the lab has it ----

    @property
    def split(self) -> tuple[float, float]:
        """The weights of Lambda and ECS, in percent."""
        there = self.lab.cloud.applications[SLUG]
        weights = forward_weights(there.listener.rules[0].actions)
        ecs = Split(weights[there.lambda_group.arn], weights[there.ecs_group.arn]).ecs_percent
        return 100 - ecs, ecs

    @property
    def desired(self) -> int:
        return self.lab.cloud.applications[SLUG].service.desired

    @property
    def lost(self) -> int:
        """Requests that were answered by an error."""
        return sum(each.count for each in self.lab.flows[SLUG].losses)


class _Swept:
    """failover.aws.fleet.Fleet on this stage: its pace has no boto3 to hold back."""

    def __init__(self, stage: LabStage) -> None:
        self._stage = stage

    def observe(self, applications: Sequence[Wanted], _known: Any, _busy: Any) -> dict[str, Snapshot]:
        return {each.slug: self._stage.connect(each).observe() for each in applications}
