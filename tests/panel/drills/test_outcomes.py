"""Each outcome of a drill and of a rehearsal, by the real services and the real controller on a fake AWS."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from failover.codec import decode
from failover.model import AlarmState, Memory, SetDesiredCount, SetSplit, Split
from panel.audit.models import Entry
from panel.drills import services
from panel.drills.models import Drill
from panel.fleet import snapshots
from panel.fleet.applications import configuration, import_document
from panel.fleet.models import Application
from panel.notify.kinds import kinds
from panel.notify.models import Notice, Target
from panel.operations import automatic
from panel.operations import services as operations
from panel.operations.models import Hold, JournalEntry, Operation
from panel.operations.stepping import step_operation
from tests.panel.drills.conftest import look, play, play_until
from tests.panel.fake_aws import FakeAws

ON_LAMBDA, ON_ECS = Split(100, 0), Split(0, 100)


def notes(operation: Operation | None) -> str:
    return " ".join(JournalEntry.objects.filter(operation=operation, kind="note").values_list("message", flat=True))


# ---- succeeded ----


def test_a_drill_goes_to_ecs_and_back_and_measures_how_long_it_took(drill: Drill, aws: FakeAws, ana: User) -> None:
    play_until(drill, Drill.State.STAYING)
    assert aws.split == ON_ECS
    play(drill)
    assert (drill.state, drill.outcome, drill.told) == ("ended", "succeeded", "")
    assert (aws.split, aws.desired) == (ON_LAMBDA, 0)
    assert set(drill.measured) == {
        "decision_to_healthy", "healthy_to_weights", "weights_to_verified", "recovery", "failback", "stopped",
    }  # fmt: skip
    assert 0 < drill.recovery < 60
    assert not drill.over_target
    legs = Operation.objects.order_by("pk")
    assert [(each.goal, each.trigger, each.requested_by) for each in legs] == [
        ("failover", "drill", ana),
        ("failback", "drill", ana),
    ]
    assert "Drill #" in legs[0].reason
    told = Entry.objects.filter(action__startswith="drill.").order_by("pk").values_list("action", "actor", "reason")
    assert list(told) == [("drill.start", "ana", "before Black Friday"), ("drill.end", "panel", "")]


def test_what_took_longer_than_its_target_says_so(drill: Drill) -> None:
    Drill.objects.filter(pk=drill.pk).update(target_seconds=1e-6)
    assert play(drill).over_target


def test_a_drill_stays_on_ecs_as_long_as_it_should(drill: Drill, aws: FakeAws) -> None:
    play_until(drill, Drill.State.STAYING)
    for _ in range(3):
        look(drill)
    assert (drill.state, aws.split) == ("staying", ON_ECS)
    assert drill.stay_until - timezone.now() > timedelta(seconds=50)


def test_a_rehearsal_starts_tasks_stops_them_and_touches_no_weight(rehearsal: Drill, aws: FakeAws) -> None:
    play(rehearsal)
    assert (rehearsal.outcome, rehearsal.told) == ("succeeded", "")
    assert [write.count for write in aws.writes] == [2, 0]
    assert not any(isinstance(write, SetSplit) for write in aws.writes)
    assert {"decision_to_healthy", "recovery", "stopped"} <= set(rehearsal.measured)


def test_a_rehearsal_stops_no_task_that_ran_before(rehearsal: Drill, aws: FakeAws) -> None:
    aws.desired = 1
    play(rehearsal)
    assert [write.count for write in aws.writes] == [2, 1]


# ---- failed, and not enough capacity ----


def expire(drill: Drill) -> None:
    """The wait for healthy targets is over."""
    play_until(drill, Drill.State.FORWARD)
    while drill.forward.progress.get("phase") != "healthy":
        look(drill)
        drill.forward.refresh_from_db()
    progress = drill.forward.progress | {"phase_since": 1.0}
    Operation.objects.filter(pk=drill.forward_id).update(progress=progress)


@pytest.mark.parametrize("kind", ["drill", "rehearsal"])
@pytest.mark.parametrize(
    ("why", "outcome"),
    [
        ("Fargate has no capacity in sa-east-1a", "not_enough_capacity"),
        ("ECS can't place a task: You've reached the limit on the number of vCPUs", "not_enough_capacity"),
        ("The image can't be pulled: not found", "failed"),
    ],
)
def test_tasks_that_never_start(
    application: Application, aws: FakeAws, document: dict[str, Any], kind: str, why: str, outcome: str
) -> None:
    started = services.start_drill(application, kind, reason="is there room?")
    aws.unplaced = why
    expire(started)
    play(started)
    assert started.outcome == outcome
    assert why in started.told
    assert aws.split == ON_LAMBDA
    assert aws.desired == 0, "what was asked for in vain is not left behind"
    assert started.recovery is None


def test_a_way_back_that_fails_is_a_failed_drill_and_says_where_traffic_is(
    application: Application, document: dict[str, Any], drill: Drill, aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    play_until(drill, Drill.State.STAYING)
    healthy = FakeAws.observe

    def lambda_is_sick(self: FakeAws, *parts: Any) -> Any:
        from dataclasses import replace  # noqa: PLC0415

        seen = healthy(self, *parts)
        sick = seen.targets.value and replace(seen.targets.value, lambda_states=(("unhealthy", 1),))
        return replace(seen, targets=replace(seen.targets, value=sick))

    monkeypatch.setattr(FakeAws, "observe", lambda_is_sick)
    play(drill)
    assert drill.outcome == "failed"
    assert "Lambda fails the requests that it gets" in drill.told
    assert (aws.split, drill.rule) == (ON_ECS, "lambda_ready")


# ---- interrupted ----


@pytest.mark.parametrize("state", ["forward", "staying", "back"])
def test_a_real_alarm_ends_a_drill_and_traffic_is_not_brought_back_by_it(
    application: Application, drill: Drill, aws: FakeAws, state: str
) -> None:
    play_until(drill, state)
    aws.alarm = AlarmState.ALARM
    look(drill)
    assert (drill.state, drill.outcome, drill.rule) == ("ended", "interrupted", "real_alarm")
    assert "this is real" in drill.told
    began = Operation.objects.count()
    for _ in range(20):
        look(drill)
        automatic.consider(application, snapshots.store(application, aws.observe()), counts=False)
    assert aws.split == ON_ECS
    assert Operation.objects.count() <= began + (state == "back"), "only automation goes on from there"
    assert ("is over" in notes(drill.forward)) == (state == "forward"), "an operation under way is told what it is now"
    application.refresh_from_db()
    assert decode(Memory, application.memory).failover_automatic, "automation brings it home when the alarm is OK"


def test_what_a_real_alarm_found_on_ecs_comes_home_by_itself_once_the_alarm_is_ok(
    application: Application, drill: Drill, aws: FakeAws
) -> None:
    play_until(drill, "staying")
    aws.alarm = AlarmState.ALARM
    look(drill)
    aws.alarm = AlarmState.OK
    said = automatic.consider(application, snapshots.store(application, aws.observe()), counts=False)
    assert said.startswith("Started failback")
    assert Operation.objects.first().trigger == "automatic"


def test_a_real_alarm_in_a_rehearsal_leaves_its_tasks_for_the_failover_that_follows(
    application: Application, rehearsal: Drill, aws: FakeAws
) -> None:
    aws.unplaced = "slow"
    play_until(rehearsal, "forward")
    look(rehearsal)
    aws.alarm, aws.unplaced = AlarmState.ALARM, ""
    look(rehearsal)
    assert (rehearsal.outcome, rehearsal.rule) == ("interrupted", "real_alarm")
    assert rehearsal.forward.status in ("running", "waiting", "failed")
    assert not Operation.objects.filter(status__in=Operation.ACTIVE).exists(), "it has made way"
    said = automatic.consider(application, snapshots.store(application, aws.observe()), counts=False)
    assert said.startswith("Started failover")
    assert aws.desired == 2
    assert SetDesiredCount(0) not in aws.writes


def test_tasks_of_a_rehearsal_that_made_way_are_retired_where_no_failover_came(
    application: Application, rehearsal: Drill, aws: FakeAws
) -> None:
    Target.objects.create(
        name="on call", way="console", kinds=[name for name in kinds() if name != "set_weights.started"]
    )
    aws.unplaced = "slow"
    play_until(rehearsal, "forward")
    while aws.desired == 0:
        look(rehearsal)
    aws.alarm = AlarmState.ALARM
    look(rehearsal)
    assert (rehearsal.rule, aws.desired) == ("real_alarm", 2)
    told = set(Notice.objects.values_list("kind", flat=True))
    assert told == {"drill.result", "rehearsal.made_way"}, "nobody is woken because something failed"
    aws.alarm, aws.unplaced = AlarmState.OK, ""
    said = automatic.consider(application, snapshots.store(application, aws.observe()), counts=False)
    assert said.startswith("Started failback"), said
    retires = Operation.objects.first()
    while retires.status in Operation.ACTIVE:
        look(rehearsal)
        retires.refresh_from_db()
    assert (retires.status, aws.desired, aws.split) == ("succeeded", 0, ON_LAMBDA)


@pytest.fixture
def prewarming(application: Application, aws: FakeAws, document: dict[str, Any]) -> Application:
    document["application"]["prewarm_alarms"] = ["warming"]
    wanted = import_document(document, "checkout.toml").application
    aws.application = configuration(wanted)
    snapshots.store(wanted, aws.observe())
    return wanted


@pytest.mark.parametrize("state", ["forward", "back"])
def test_tasks_that_a_prewarm_alarm_calls_for_are_not_stopped_by_a_rehearsal(
    prewarming: Application, aws: FakeAws, state: str
) -> None:
    rehearsal = services.start_drill(prewarming, "rehearsal", reason="nightly")
    play_until(rehearsal, state)
    aws.prewarm = AlarmState.ALARM
    play(rehearsal)
    assert (rehearsal.outcome, aws.desired) == ("interrupted", 2)
    assert "Prewarm alarm warming is in ALARM: the tasks stay" in rehearsal.told
    assert not Hold.objects.exists()
    aws.prewarm = AlarmState.OK
    said = automatic.consider(prewarming, snapshots.store(prewarming, aws.observe()), counts=False)
    assert said.startswith("Started failback"), "once nothing calls for them they are retired"


@pytest.mark.parametrize("kind", ["drill", "rehearsal"])
def test_nothing_is_drilled_while_a_prewarm_alarm_calls_for_tasks(
    prewarming: Application, aws: FakeAws, kind: str
) -> None:
    asked = services.start_drill(prewarming, kind, reason="nightly")
    aws.prewarm = AlarmState.ALARM
    look(asked)
    assert (asked.state, asked.rule, aws.writes) == ("not_started", "prewarmed", [])


def test_a_failover_that_began_by_itself_is_not_brought_home_by_a_rehearsal_once_its_alarm_is_over(
    application: Application, rehearsal: Drill, aws: FakeAws
) -> None:
    play_until(rehearsal, "forward")
    while rehearsal.forward.status != "succeeded":
        step_operation(rehearsal.forward_id)
        Operation.objects.filter(pk=rehearsal.forward_id).update(next_step_at=timezone.now())
        rehearsal.forward.refresh_from_db()
    aws.alarm = AlarmState.ALARM
    said = automatic.consider(application, snapshots.store(application, aws.observe()), counts=False)
    assert said.startswith("Started failover")
    aws.alarm = AlarmState.OK
    play(rehearsal)
    assert (rehearsal.outcome, rehearsal.rule, rehearsal.back) == ("interrupted", "real_alarm", None)
    assert f"{Operation.objects.get(trigger='automatic')} began by itself: this is real" in rehearsal.told


@pytest.mark.parametrize("state", ["forward", "staying"])
def test_an_alarm_that_aborts_has_the_drill_brought_home(drill: Drill, aws: FakeAws, state: str) -> None:
    play_until(drill, state)
    aws.others["checkout-errors"] = AlarmState.ALARM
    play(drill)
    assert drill.outcome == "interrupted"
    assert "checkout-errors is in ALARM" in drill.told
    assert (aws.split, aws.desired) == (ON_LAMBDA, 0)
    assert not Hold.objects.exists(), "a real failover may start right after it"


def test_a_person_aborts_a_drill(drill: Drill, aws: FakeAws, ana: User) -> None:
    play_until(drill, "staying")
    services.abort_drill(drill, reason="the database team is busy", user=ana)
    play(drill)
    assert (drill.outcome, drill.told) == ("interrupted", "Aborted by ana: the database team is busy")
    assert aws.split == ON_LAMBDA
    with pytest.raises(services.Refused, match="has ended already"):
        services.abort_drill(drill, reason="again", user=ana)


def test_the_kill_switch_ends_a_drill_where_it_is(drill: Drill, aws: FakeAws) -> None:
    play_until(drill, "staying")
    operations.set_kill_switch(on=True, by="ana", reason="stop everything")
    play(drill)
    assert (drill.outcome, drill.rule) == ("interrupted", "kill_switch")
    assert "It was not brought back" in drill.told
    assert aws.split == ON_ECS


def test_what_a_person_does_meanwhile_is_not_undone(
    application: Application, drill: Drill, aws: FakeAws, ana: User
) -> None:
    play_until(drill, "staying")
    operations.request_operation(
        application, "set_weights", trigger="manual", reason="half", user=ana, weights=(50, 50)
    )
    play(drill)
    assert (drill.outcome, drill.rule) == ("interrupted", "people_first")
    assert "half" in drill.told
    assert drill.back is None


def test_an_operation_in_its_place_ends_the_drill(drill: Drill, aws: FakeAws, ana: User) -> None:
    play_until(drill, "forward")
    operations.supersede_operation(drill.forward, "failover", reason="for real", user=ana)
    play(drill)
    assert drill.outcome == "interrupted"
    assert "Superseded by ana: for real" in drill.told


def test_a_failback_that_automation_began_is_the_way_back(application: Application, drill: Drill, aws: FakeAws) -> None:
    play_until(drill, "staying")
    said = automatic.consider(application, snapshots.store(application, aws.observe()), counts=False)
    assert said.startswith("Started failback")
    play(drill)
    assert (drill.outcome, drill.back.trigger, aws.split) == ("succeeded", "automatic", ON_LAMBDA)
    assert Operation.objects.count() == 2
