"""What starts by itself, and what is recorded where nothing does."""

from datetime import timedelta

import pytest
from django.utils import timezone

from failover.model import AlarmState, Part, Split
from panel.fleet.models import Application
from panel.fleet.observation import observe
from panel.operations import automatic, services
from panel.operations.models import Hold, Operation, Refusal
from panel.operations.stepping import step_operation
from tests.panel.fake_aws import FakeAws


def consider(application: Application, *, counts: bool = True) -> str:
    snapshot = observe(application)
    assert snapshot is not None
    return automatic.consider(application, snapshot, counts=counts)


def test_an_alarm_as_read_starts_a_failover_once(application: Application, aws: FakeAws) -> None:
    aws.alarm = AlarmState.ALARM
    assert consider(application).startswith("Started failover #")
    operation = Operation.objects.get()
    assert (operation.trigger, operation.goal) == ("automatic", "failover")
    assert "busy" in operation.reason
    assert consider(application) == f"Nothing more to do: {operation} is under way."
    assert Operation.objects.count() == 1


def test_nothing_to_do_says_what_was_seen(application: Application, aws: FakeAws) -> None:
    assert consider(application) == "Nothing to do: busy is OK, and traffic is on lambda."


@pytest.mark.parametrize("mode", ["observe", "off"])
def test_other_modes_than_auto_start_nothing_and_say_so(application: Application, aws: FakeAws, mode: str) -> None:
    aws.alarm = AlarmState.ALARM
    services.set_mode(application, mode, by="ana", reason="a migration")
    said = consider(application)
    assert not Operation.objects.exists()
    refusal = Refusal.objects.get()
    assert (refusal.rule, refusal.count) == ("mode", 1)
    assert refusal.reason in said
    assert f"it would have started a failover, but the mode is {mode}" in refusal.reason
    consider(application)
    refusal.refresh_from_db()
    assert refusal.count == 2, "each event that would have started something counts"


def test_a_hold_starts_nothing_until_it_is_released(application: Application, aws: FakeAws) -> None:
    aws.alarm = AlarmState.ALARM
    services.place_hold(application, owner="ana", reason="deploying", minutes=5)
    assert "hold by ana: deploying" in consider(application)
    services.release_hold(Hold.objects.get(), by="ana")
    assert consider(application).startswith("Started")


def test_an_alarm_that_can_not_be_read_starts_nothing(application: Application, aws: FakeAws) -> None:
    aws.alarm = AlarmState.ALARM
    aws.problems[Part.ALARMS] = "AccessDenied"
    assert "AccessDenied" in consider(application)
    assert not Operation.objects.exists()


def test_another_operation_is_waited_for(application: Application, aws: FakeAws) -> None:
    aws.alarm = AlarmState.ALARM
    services.request_operation(application, "failback", trigger="manual", reason="by hand")
    assert "(single_writer)" in consider(application)
    assert Operation.objects.count() == 1


def test_a_failed_failover_is_not_repeated_at_once(application: Application, aws: FakeAws) -> None:
    aws.alarm = AlarmState.ALARM
    consider(application)
    Operation.objects.update(status=Operation.Status.FAILED, finished_at=timezone.now())
    assert "The last failover failed" in consider(application)
    Operation.objects.update(finished_at=timezone.now() - timedelta(minutes=5))
    assert consider(application).startswith("Started")


def on_ecs(application: Application, aws: FakeAws) -> None:
    """As an automatic failover left it."""
    aws.alarm = AlarmState.ALARM
    consider(application)
    operation = Operation.objects.get()
    while operation.status in Operation.ACTIVE:
        Operation.objects.update(next_step_at=timezone.now())
        step_operation(operation.pk)
        operation.refresh_from_db()
    aws.alarm = AlarmState.OK


def test_weights_that_somebody_else_changed_hold_the_application_once(application: Application, aws: FakeAws) -> None:
    on_ecs(application, aws)
    aws.split = Split(50, 50)
    assert "(foreign_change)" in consider(application)
    hold = Hold.objects.get()
    assert (hold.owner, hold.rule) == ("panel", "foreign_change")
    assert "shows 50/50, and was left at 0/100" in hold.reason
    assert "(people_first)" in consider(application)
    assert Hold.objects.count() == 1


def test_a_failing_ecs_gets_more_tasks_by_an_operation_that_leaves_the_weights(
    application: Application, aws: FakeAws
) -> None:
    on_ecs(application, aws)
    aws.desired = 1
    consider(application)
    operation = Operation.objects.first()
    assert operation is not None
    assert (operation.goal, operation.trigger, operation.weight_ecs) == ("set_weights", "automatic", None)
    step_operation(operation.pk)
    assert aws.desired == 2
    assert aws.split == Split(0, 100)


def test_a_persons_hold_keeps_the_guard_from_raising_and_a_persons_failover_does_not(
    application: Application, aws: FakeAws
) -> None:
    on_ecs(application, aws)
    services.place_hold(application, owner="ana", reason="by hand", minutes=5, rule="people_first")
    own = services.place_hold(application, owner="ana", reason="deploying", minutes=1)
    aws.desired = 1
    assert "(hold)" in consider(application)
    services.release_hold(own, by="ana")
    assert consider(application).startswith("Started set_weights")
