"""What may fail once it is needed is told with its figure and a way out; what is fine or unknown is not."""

from dataclasses import replace

import pytest

from failover import cautions
from failover.model import Alarm, AlarmState, Bounds, Code, Limits, Part, Reading, Versions
from tests.failover.world import SAME_CODE, World, application


def told(world: World, **policy) -> tuple[str, ...]:
    return cautions.found(application(**policy), world.observe(), world.now)


def with_alarm(threshold: float | None, limits: Limits, metric: str = "ConcurrentExecutions") -> tuple[str, ...]:
    """What is told of one alarm, as an alarm that calls for a failover and as one that calls for tasks."""
    world = World()
    alarm = Reading.of((Alarm("busy", AlarmState.OK, 0.0, threshold=threshold, metric=metric),), world.now)
    snapshot = replace(world.observe(), limits=Reading.of(limits, world.now))
    none = Reading.of((), world.now)
    first = cautions.found(application(), replace(snapshot, alarms=alarm, prewarm=none), world.now)
    second = cautions.found(application(), replace(snapshot, alarms=none, prewarm=alarm), world.now)
    assert first == second
    return first


def test_nothing_is_told_of_a_world_in_order():
    assert told(World(bounds=Bounds(0, 2))) == ()


def test_what_can_not_be_read_is_no_caution():
    assert told(World(unreadable=set(Part), bounds=Bounds(0, 0))) == ()


def test_other_code_behind_ecs():
    [sentence] = told(World(versions=Versions(Code(version="1.4"), Code(version="1.3"))))
    assert sentence.startswith("Lambda runs version 1.4, ECS would run version 1.3.")
    assert sentence.endswith("deploy the same release to both.")


@pytest.mark.parametrize(
    ("threshold", "limits", "says"),
    [
        (13, Limits(14, 900), ""),
        (14, Limits(14, 900), "The alarm busy goes off at 14 concurrent executions, but Lambda throttles at 14, the"),
        (15, Limits(14, 5), "throttles at 14, the function's reservation: lower the threshold, or reserve more."),
        (99, Limits(None, 100), ""),
        (100, Limits(None, 100), "throttles at 100, which all functions without a reservation share"),
        (100, Limits(None, 100), "reserve some for checkout, or have the quota L-B99A9384"),
        (100, Limits(None, None), ""),
        (None, Limits(14, 900), ""),
    ],
)
def test_an_alarm_that_can_only_go_off_once_lambda_throttles(threshold, limits, says):
    sentences = with_alarm(threshold, limits)
    assert says in "".join(sentences)
    assert len(sentences) == bool(says)


def test_a_threshold_of_another_metric_is_no_concurrency():
    assert with_alarm(1000, Limits(14, 900), metric="Duration") == ()


def test_a_failover_that_leaves_autoscaling_no_room():
    assert told(World(bounds=Bounds(0, 4)), failover_count=4) == ()
    [sentence] = told(World(bounds=Bounds(0, 3)), failover_count=4)
    assert "would start 4 tasks, and autoscaling has a maximum of 3: it is raised to 4" in sentence
    assert "Set the maximum above 4." in sentence


def test_demand_asks_for_tasks_too():
    world = World(bounds=Bounds(0, 4), rate=60)
    world.pass_time(30)
    assert told(world, failover_count=2) == ()
    assert "would start 6 tasks" in told(world, failover_count=2, requests_per_task=10)[0]


def test_more_vcpus_than_a_new_account_may_run():
    quarter, four = replace(SAME_CODE, cpu_units=256), replace(SAME_CODE, cpu_units=4096)
    assert told(World(versions=quarter), failover_count=24) == ()
    assert "25 tasks of 0.25 vCPU need 6.25" in told(World(versions=quarter), failover_count=25)[0]
    [sentence] = told(World(versions=four), failover_count=2)
    assert "2 tasks of 4 vCPU need 8, and a new account may run 6 on Fargate: check the quota L-3032A538" in sentence
    assert told(World(), failover_count=1000) == (), "no Fargate task, or its size is unknown"
