"""Drills by the panel's own services on the lab's model of AWS, in virtual time: each outcome as the lab brings it on.

Nothing is told to the controller: capacity is missing because the lab places no task, an alarm fires because the lab's
CloudWatch evaluates what its traffic did.
"""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from panel.drills import services
from panel.drills.models import Drill
from panel.fleet import connections
from panel.operations.answers import Refused
from panel.operations.models import JournalEntry, Operation
from tests.panel.drills.on_lab import CALM, LabStage

ON_LAMBDA, ON_ECS = (100, 0), (0, 100)
NEIGHBOUR, NEIGHBOURS_ALARM = "payments", "payments-lambda-throttles"
blocking = pytest.mark.parametrize("stage", [{"blocking_alarms": [NEIGHBOURS_ALARM]}], indirect=True)
aborting = pytest.mark.parametrize("stage", [{"aborting_alarms": [NEIGHBOURS_ALARM]}], indirect=True)


@pytest.fixture
def stage(db: None, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[LabStage]:
    """A test's parameter has what its `[drills]` table says besides."""
    drills: dict[str, Any] = getattr(request, "param", {})
    made = LabStage(**drills)
    monkeypatch.setattr(time, "time", lambda: made.lab.now)
    monkeypatch.setattr(timezone, "now", made.now)
    monkeypatch.setattr(connections, "connect", made.connect)
    monkeypatch.setattr(connections, "fleet", made.fleet)
    made.imported()
    return made


def drilled(stage: LabStage, kind: str = "drill") -> Drill:
    return services.start_drill(stage.application, kind, reason="before Black Friday")


def calls(drill: Drill) -> str:
    said = JournalEntry.objects.filter(operation__in=[drill.forward, drill.back], kind="call")
    return " ".join(said.values_list("message", flat=True))


# ---- succeeded ----


def test_a_drill_succeeds(stage: LabStage) -> None:
    drill = stage.reached(drilled(stage), "staying")
    assert stage.split == ON_ECS
    stage.played(drill)
    assert (drill.outcome, drill.told, stage.split, stage.desired) == ("succeeded", "", ON_LAMBDA, 0)
    assert 6 < drill.recovery < 90, "tasks take six seconds to run, and two health checks"
    assert not drill.over_target
    assert stage.lost == 0, "nobody noticed"


def test_a_rehearsal_succeeds_and_writes_no_weight(stage: LabStage) -> None:
    rehearsal = stage.played(drilled(stage, "rehearsal"))
    assert (rehearsal.outcome, rehearsal.told, stage.desired) == ("succeeded", "", 0)
    assert "UpdateService" in calls(rehearsal)
    assert "Listener" not in calls(rehearsal)


@pytest.mark.parametrize("stage", [{"rehearsal_schedule": "5 8 * * *"}], indirect=True)
def test_a_rehearsal_that_is_due_begins_by_itself(stage: LabStage) -> None:
    assert stage.now().strftime("%H:%M:%S") == "08:00:15"
    stage.until(Drill.objects.exists, 300, "The nightly rehearsal")
    rehearsal = stage.played(Drill.objects.get())
    assert (rehearsal.due_at.minute, rehearsal.outcome) == (5, "succeeded")


# ---- failed, and not enough capacity ----


@pytest.mark.parametrize("kind", ["drill", "rehearsal"])
def test_fargate_without_capacity(stage: LabStage, kind: str) -> None:
    stage.lab.faults.set("fargate_capacity", 1.0, "checkout")
    drill = stage.played(drilled(stage, kind))
    assert drill.outcome == "not_enough_capacity"
    assert "ECS says: Fargate has no capacity" in drill.told
    assert (stage.split, stage.desired, drill.recovery) == (ON_LAMBDA, 0, None), "the one task that ran is stopped too"
    assert stage.lost == 0


@pytest.mark.parametrize(("kind", "fault"), [("drill", "tasks_never_healthy"), ("rehearsal", "tasks_do_not_start")])
def test_tasks_that_never_serve_fail_it_and_no_request_meets_them(stage: LabStage, kind: str, fault: str) -> None:
    stage.lab.faults.set(fault, True, "checkout")
    drill = stage.played(drilled(stage, kind))
    assert (drill.outcome, stage.split, stage.desired) == ("failed", ON_LAMBDA, 0)
    assert drill.told
    assert stage.lost == 0


def test_a_lambda_that_broke_meanwhile_fails_the_way_back_and_traffic_stays_where_it_is_served(stage: LabStage) -> None:
    drill = stage.reached(drilled(stage), "staying")
    stage.lab.faults.set("function_errors", 100.0, "checkout")
    stage.played(drill)
    assert (drill.outcome, stage.split, stage.desired) == ("failed", ON_ECS, 2)


# ---- interrupted ----


def test_a_real_alarm_takes_over_a_drill_under_way_and_automation_brings_it_home(stage: LabStage) -> None:
    stage.lab.faults.set("tasks_start_slowly", 30.0, "checkout")
    drill = stage.reached(drilled(stage), "forward")
    stage.surge()
    stage.played(drill)
    assert (drill.outcome, drill.rule) == ("interrupted", "real_alarm")
    assert "Alarm checkout-lambda" in drill.told
    assert drill.forward.status in Operation.ACTIVE, "the failover goes on: it is the real one now"
    stage.until(lambda: stage.split == ON_ECS, 120, "the failover")
    assert stage.desired == 2
    stage.traffic(CALM)
    stage.until(lambda: (stage.split, stage.desired) == (ON_LAMBDA, 0), 400, "the way home")
    home = Operation.objects.first()
    assert (home.goal, home.trigger, drill.back) == ("failback", "automatic", None)


def test_a_real_alarm_on_the_way_back_turns_it_round(stage: LabStage) -> None:
    drill = stage.reached(drilled(stage), "back")
    for _ in range(10):
        stage.alarm("checkout-lambda-throttles")
        stage.advance(1)
    drill.refresh_from_db()
    assert (drill.outcome, drill.rule) == ("interrupted", "real_alarm")
    stage.advance(20)
    assert stage.split == ON_ECS


def test_a_surge_on_the_way_back_that_no_alarm_told_yet_leaves_traffic_on_ecs(stage: LabStage) -> None:
    """The failback's own guard is faster than CloudWatch: the way back failed, and the drill says why."""
    drill = stage.reached(drilled(stage), "back")
    stage.surge()
    stage.played(drill)
    assert drill.outcome == "failed"
    assert "Lambda would be at its limit again" in drill.told
    assert (stage.split, stage.desired) == (ON_ECS, 2)


def test_a_rehearsal_makes_way_for_the_real_failover_which_finds_its_tasks(stage: LabStage) -> None:
    stage.lab.faults.set("tasks_start_slowly", 30.0, "checkout")
    rehearsal = stage.reached(drilled(stage, "rehearsal"), "forward")
    stage.surge()
    stage.played(rehearsal)
    assert (rehearsal.outcome, rehearsal.rule) == ("interrupted", "real_alarm")
    stage.until(lambda: stage.split == ON_ECS, 120, "the failover")
    real = Operation.objects.first()
    assert (real.goal, real.trigger) == ("failover", "automatic")
    asked_for = JournalEntry.objects.filter(operation=real, kind="call", message__contains="UpdateService")
    assert not asked_for.exists(), "its tasks were asked for already"


@aborting
@pytest.mark.parametrize("state", ["forward", "staying"])
def test_an_alarm_that_aborts_brings_a_drill_home(stage: LabStage, state: str) -> None:
    drill = stage.reached(drilled(stage), state)
    stage.surge(NEIGHBOUR)
    stage.played(drill)
    assert (drill.outcome, stage.split, stage.desired) == ("interrupted", ON_LAMBDA, 0)
    assert f"Alarm {NEIGHBOURS_ALARM} is in ALARM" in drill.told
    assert stage.lost == 0


def test_a_person_aborts_a_drill_on_ecs(stage: LabStage, django_user_model: type[User]) -> None:
    drill = stage.reached(drilled(stage), "staying")
    services.abort_drill(drill, reason="the database is busy", user=django_user_model.objects.create_user("ana"))
    stage.played(drill)
    assert (drill.outcome, stage.split, stage.desired) == ("interrupted", ON_LAMBDA, 0)


# ---- not started ----


@blocking
@pytest.mark.parametrize("kind", ["drill", "rehearsal"])
def test_an_alarm_that_blocks_is_read_right_before_the_start(stage: LabStage, kind: str) -> None:
    stage.surge(NEIGHBOUR)
    stage.advance(20)
    drill = stage.played(drilled(stage, kind))
    assert (drill.state, drill.rule, stage.desired) == ("not_started", "blocking_alarm", 0)
    stage.traffic(0, NEIGHBOUR)
    stage.advance(60)
    assert stage.played(drilled(stage, kind)).outcome == "succeeded", "once it is OK"


@pytest.mark.parametrize(
    "stage", [{"blocked": ["daily 08:03-09:00"], "schedule": "5 8 * * *", "time_zone": "UTC"}], indirect=True
)
def test_nothing_is_drilled_in_a_blocked_window_or_into_one(stage: LabStage) -> None:
    stage.advance(120)
    with pytest.raises(Refused, match="would run into") as refused:
        drilled(stage)
    assert refused.value.rule == "blocked_window"
    stage.until(Drill.objects.exists, 300, "The scheduled drill")
    skipped = Drill.objects.get()
    assert (skipped.state, skipped.rule) == ("not_started", "blocked_window")
    assert not Operation.objects.exists()


def test_nothing_is_drilled_while_lambda_is_at_its_limit(stage: LabStage) -> None:
    stage.surge()
    stage.lab.run(30)  # the panel has not looked since
    drill = stage.played(drilled(stage))
    assert (drill.state, drill.rule) == ("not_started", "real_alarm")
    assert not Operation.objects.filter(trigger="drill").exists()
