"""The naive controller in virtual time: it does what the eleven points of the benchmarks' page say, and no more."""

from pathlib import Path

import pytest

from bench.naive import Naive
from bench.simulate.clients import clients
from bench.simulate.play import application_of
from lab.conditions import position
from lab.virtual import VirtualLab
from lab.worldfile import load

WORLD = Path(__file__).parents[2] / "lab" / "worlds" / "demo.toml"


class Log:
    """Keeps every call."""

    def __init__(self) -> None:
        self.made = []

    def before(self, operation, given) -> None:
        self.made.append((operation, given))

    def after(self, operation, given, output) -> None: ...


class Stage:
    """A demonstration's world with the naive controller, which has so many seconds."""

    def __init__(self, seconds: float = 60.0) -> None:
        self.lab = VirtualLab(load(WORLD))
        log = Log()
        self.made = log.made
        aws = clients(self.lab, "eu-west-1", log)
        until = self.lab.now + seconds
        controller = application_of(self.lab, "checkout")
        self.naive = Naive(controller, aws.ecs, aws.elbv2, self.lab.run, lambda: self.lab.now >= until)
        self.application = self.lab.cloud.applications["checkout"]

    def event(self, value: str, previous: str = "OK") -> None:
        self.naive.handle({"detail": {"state": {"value": value}, "previousState": {"value": previous}}})

    @property
    def weights(self) -> str:
        return position(self.application)

    def scale(self, slug: str, count: int) -> None:
        self.lab.call("ecs", "UpdateService", cluster="apis", service=slug, desiredCount=count)


@pytest.fixture
def stage():
    return Stage()


def test_an_alarm_moves_all_traffic_to_one_task(stage):
    stage.event("ALARM")
    assert (stage.weights, stage.application.service.desired) == ("ecs", 1)


def test_it_moves_traffic_as_soon_as_the_task_runs_before_it_is_healthy(stage):
    stage.event("ALARM")
    [target] = stage.application.ecs_group.targets.values()
    assert target.state == "initial"


def test_any_running_task_of_the_cluster_will_do(stage):
    stage.scale("search", 1)
    stage.lab.run(10)
    began = stage.lab.now
    stage.event("ALARM")
    assert stage.lab.now == began
    assert (stage.weights, list(stage.application.ecs_group.targets)) == ("ecs", [])


def test_a_service_that_runs_ten_is_shrunk_to_one(stage):
    stage.scale("checkout", 10)
    stage.event("ALARM")
    assert stage.application.service.desired == 1


def test_an_old_event_is_believed(stage):
    stage.event("ALARM")
    assert {alarm.state.value for alarm in stage.application.alarms} == {"OK"}
    assert stage.weights == "ecs"


@pytest.mark.parametrize("previous", ["ALARM", "INSUFFICIENT_DATA"])
def test_an_ok_brings_traffic_home_and_stops_the_tasks_at_once(stage, previous):
    stage.event("ALARM")
    stage.made.clear()
    stage.event("OK", previous)
    assert [operation for operation, _ in stage.made] == ["ModifyListener", "UpdateService"]
    assert (stage.weights, stage.application.service.desired) == ("lambda", 0)


def test_an_ok_that_was_ok_before_changes_nothing(stage):
    stage.event("OK", "OK")
    assert stage.made == []


def test_it_overwrites_the_listeners_whole_action_list(stage):
    stage.event("ALARM")
    [(_, written)] = [each for each in stage.made if each[0] == "ModifyListener"]
    [action] = written["DefaultActions"]
    assert "TargetGroupStickinessConfig" not in action["ForwardConfig"]


def test_without_a_task_that_starts_it_looks_on_until_its_time_is_up():
    stage = Stage(seconds=30)
    stage.lab.faults.set("fargate_capacity", 0, "checkout")
    began = stage.lab.now
    stage.event("ALARM")
    assert stage.lab.now - began == pytest.approx(30, abs=1)
    assert stage.weights == "lambda"
    assert len([each for each in stage.made if each[0] == "ListTasks"]) > 100
