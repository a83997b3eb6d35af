"""For each kind what makes it happen, by the services that make it happen in the product."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from unittest.mock import patch

from django.contrib.auth.models import User
from django.utils import timezone

from failover.codec import encode
from failover.model import AlarmState, Memory, Split, Watch
from panel.drills import services as drills
from panel.drills.advancing import advance
from panel.drills.models import Drill
from panel.fleet.models import Application
from panel.fleet.observation import observe
from panel.notify import health, targets
from panel.notify.models import Target
from panel.operations import automatic, services, stepping
from panel.operations.models import Hold, Operation
from panel.operations.stepping import step_operation
from tests.panel.fake_aws import FakeAws


@dataclass
class World:
    application: Application
    aws: FakeAws
    ada: User
    target: Target


def start(world: World, goal: str = "failover", **more: object) -> Operation:
    return services.request_operation(
        world.application, goal, trigger="manual", reason="Lambda throttles", user=world.ada, **more
    )


def run(world: World, operation: Operation) -> None:
    for _ in range(40):
        Operation.objects.filter(pk=operation.pk, status__in=Operation.ACTIVE).update(next_step_at=timezone.now())
        step_operation(operation.pk)
        operation.refresh_from_db()
        if operation.status not in Operation.ACTIVE:
            return
    raise AssertionError(operation.headline)


def fail(world: World, operation: Operation) -> None:
    """The panel's own error, for longer than it may last."""
    with (
        patch.object(stepping, "MOST_FAILED_STEPS", 0),
        patch.object(world.aws, "observe", side_effect=RuntimeError("!")),
    ):
        step_operation(operation.pk)


def consider(world: World) -> None:
    snapshot = observe(world.application)
    assert snapshot is not None
    automatic.consider(world.application, snapshot, counts=True)


def done(goal: str) -> Callable[[World], None]:
    def act(world: World) -> None:
        weights = {"weights": (100, 0)} if goal == "set_weights" else {}
        if goal == "failback":
            world.aws.split, world.aws.desired = Split(0, 100), 2
        run(world, start(world, goal, **weights))

    return act


def failed(goal: str) -> Callable[[World], None]:
    def act(world: World) -> None:
        fail(world, start(world, goal, **({"weights": (50, 50)} if goal == "set_weights" else {})))

    return act


def started(goal: str) -> Callable[[World], None]:
    return lambda world: start(world, goal, **({"weights": (50, 50)} if goal == "set_weights" else {})) and None


def cancelled(world: World) -> None:
    operation = start(world)
    services.cancel_operation(operation, reason="wrong one", user=world.ada)
    run(world, operation)


def superseded(world: World) -> None:
    services.supersede_operation(start(world), "failback", reason="the other way", user=world.ada)


def refused(world: World) -> None:
    world.aws.alarm = AlarmState.ALARM
    services.set_mode(world.application, "observe", by="ada", reason="a migration")
    consider(world)


def waits(world: World) -> None:
    services.record_refusal(world.application, "failback", "dwell", "OK for 5 s of 300 s.", "Wait.", counts=True)


def hold(world: World) -> Hold:
    return services.place_hold(world.application, owner="ada", reason="deploying", minutes=5)


def expired(world: World) -> None:
    placed = hold(world)
    long_ago = timezone.now() - timedelta(hours=1)
    Hold.objects.filter(pk=placed.pk).update(created_at=long_ago, expires_at=long_ago + timedelta(minutes=5))
    services.expire_holds()


def switch(*, on: bool) -> Callable[[World], None]:
    return lambda _: services.set_kill_switch(on=on, by="ada", reason="a region is down") and None


def drift(world: World) -> None:
    run(world, start(world))
    world.aws.split = Split(30, 70)
    consider(world)


def no_data(world: World) -> None:
    world.aws.alarm = AlarmState.INSUFFICIENT_DATA
    consider(world)


def paged(world: World) -> None:
    """ECS failed its traffic a moment ago, and Lambda is at its limit again."""
    watch = Watch(deserted_at=timezone.now().timestamp(), desertions=1)
    Application.objects.filter(pk=world.application.pk).update(memory=encode(Memory(watch=watch)))
    world.aws.alarm = AlarmState.ALARM
    consider(world)


def made_way(world: World) -> None:
    observe(world.application)
    drill = drills.start_drill(world.application, "rehearsal", reason="nightly", user=world.ada)
    advance(drill.pk)
    drill.refresh_from_db()
    assert drill.forward is not None
    world.aws.alarm = AlarmState.ALARM
    run(world, drill.forward)


def drilled(kind: str, outcome: str, said: str, **measured: float) -> Callable[[World], None]:
    def act(world: World) -> None:
        drill = Drill.objects.create(
            application=world.application, kind=kind, requested_by=world.ada, reason="nightly", measured=measured
        )
        drills.end(drill, outcome, said)

    return act


def sick(_: World) -> None:
    now = timezone.now()
    health.judge({"broker": False}, now - timedelta(seconds=61))
    health.judge({"broker": False}, now)


def well(world: World) -> None:
    sick(world)
    health.judge({"broker": True}, timezone.now())


ACTS: dict[str, Callable[[World], object]] = {
    **{f"{goal}.started": started(goal) for goal in ("failover", "failback", "set_weights")},
    **{f"{goal}.done": done(goal) for goal in ("failover", "failback", "set_weights")},
    **{f"{goal}.failed": failed(goal) for goal in ("failover", "failback", "set_weights")},
    "operation.cancelled": cancelled,
    "operation.superseded": superseded,
    "refused": refused,
    "refused.waits": waits,
    "hold.placed": hold,
    "hold.released": expired,
    "kill_switch.on": switch(on=True),
    "kill_switch.off": switch(on=False),
    "drift": drift,
    "no_data": no_data,
    "people.paged": paged,
    "drill.result": drilled("drill", "succeeded", "", recovery=48.2),
    "rehearsal.made_way": made_way,
    "rehearsal.failed": drilled("rehearsal", "failed", "Tasks can't be started: no capacity."),
    "panel.sick": sick,
    "panel.well": well,
    "test": lambda world: targets.test(world.target, by="ada"),
}
