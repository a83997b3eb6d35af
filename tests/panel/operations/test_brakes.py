"""What keeps automation back: holds, modes, the kill switch, and failures that nobody has looked at."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from failover.model import AlarmState, Split
from panel import live_hints
from panel.audit.models import Entry
from panel.fleet.models import Application
from panel.operations import automatic, services, tasks
from panel.operations.models import Hold, KillSwitch, ModeChange, Operation, Refusal
from panel.operations.stepping import step_operation
from tests.panel.fake_aws import FakeAws
from tests.panel.operations.test_automatic import consider, on_ecs


@pytest.fixture
def hinted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(live_hints, "publish", found.append)
    return found


def failover(application: Application, trigger: str = "automatic") -> Operation:
    return services.request_operation(application, "failover", trigger=trigger, reason="Lambda throttles")


# ---- holds ----


def test_a_hold_for_all_binds_every_application_until_it_is_released(application: Application) -> None:
    hold = services.place_hold(None, owner="ana", reason="maintenance", minutes=30)
    assert services.active_hold(application) == hold
    services.release_hold(hold, by="bo")
    assert services.active_hold(application) is None
    assert Hold.objects.get().released_by == "bo"


def run_out(hold: Hold) -> None:
    past = timezone.now() - timedelta(minutes=2)
    Hold.objects.filter(pk=hold.pk).update(created_at=past, expires_at=past + timedelta(minutes=1))


def test_a_hold_ends_by_itself(application: Application) -> None:
    run_out(services.place_hold(application, owner="ana", reason="deploying", minutes=1))
    assert services.active_hold(application) is None


def test_all_holds_of_a_rule_are_locked_before_the_first_is_recorded(
    application: Application,
) -> None:
    """Whoever releases one of them locks it first, too: the other order can end in a deadlock."""
    for _ in range(2):
        services.place_hold(application, owner="ana", reason="a test", minutes=5, rule="people_first")
    with CaptureQueriesContext(connection) as asked:
        services.release_holds_of(application, "people_first", by="panel")
    changes = [each["sql"].split()[:3] for each in asked if each["sql"].startswith(("UPDATE", "INSERT"))]
    assert [change[0] for change in changes] == ["UPDATE", "INSERT", "INSERT"]
    assert not Hold.objects.filter(released_at=None).exists()
    assert Entry.objects.filter(action="hold.release", actor="panel").count() == 2


@pytest.mark.parametrize(("of_all", "shown"), [(False, "checkout"), (True, live_hints.EVERYTHING)])
def test_the_sweep_records_that_a_hold_ran_out_and_has_its_pages_look_again(
    application: Application,
    hinted: list[str],
    django_capture_on_commit_callbacks: object,
    of_all: bool,
    shown: str,
) -> None:
    over = services.place_hold(None if of_all else application, owner="ana", reason="deploying", minutes=1)
    lasting = services.place_hold(application, owner="ana", reason="still at it", minutes=1)
    run_out(over)
    for _ in range(2):
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
            tasks.sweep()
    over.refresh_from_db()
    lasting.refresh_from_db()
    assert (over.released_by, over.released_at) == ("time", over.expires_at)
    assert lasting.released_at is None
    assert hinted == [shown], "once"


@pytest.mark.parametrize(("minutes", "reason"), [(0, "x"), (10_081, "x"), (5, "")])
def test_a_hold_needs_a_reason_and_an_end(application: Application, minutes: int, reason: str) -> None:
    with pytest.raises(services.Invalid):
        services.place_hold(application, owner="ana", reason=reason, minutes=minutes)


def test_while_held_each_event_that_would_have_started_something_counts(application: Application, aws: FakeAws) -> None:
    aws.alarm = AlarmState.ALARM
    services.place_hold(application, owner="ana", reason="deploying", minutes=5)
    for _ in range(3):
        consider(application)
    refusal = Refusal.objects.get()
    assert (refusal.rule, refusal.count) == ("hold", 3)
    assert "it would have started a failover, but: hold by ana: deploying" in refusal.reason


# ---- modes ----


def test_a_mode_is_set_with_a_reason_and_who_set_it_is_kept(application: Application) -> None:
    services.set_mode(application, "observe", by="ana", reason="learning")
    application.refresh_from_db()
    assert application.mode == "observe"
    change = ModeChange.objects.get()
    assert (change.before, change.mode, change.by, change.reason) == ("auto", "observe", "ana", "learning")


@pytest.mark.parametrize(("mode", "reason", "field"), [("panic", "why not", "mode"), ("off", " ", "reason")])
def test_an_unknown_mode_or_one_without_a_reason_is_refused(
    application: Application, mode: str, reason: str, field: str
) -> None:
    with pytest.raises(services.Invalid) as invalid:
        services.set_mode(application, mode, by="ana", reason=reason)
    assert invalid.value.field == field
    application.refresh_from_db()
    assert application.mode == "auto"
    assert not ModeChange.objects.exists()


# ---- the kill switch ----


def test_with_the_kill_switch_on_nothing_starts_by_itself_and_it_says_what_would_have(
    application: Application, aws: FakeAws
) -> None:
    aws.alarm = AlarmState.ALARM
    services.set_kill_switch(on=True, by="ana", reason="AWS is acting up")
    assert "(kill_switch)" in consider(application)
    assert "would have started a failover, but the kill switch is on" in Refusal.objects.get().reason
    assert not Operation.objects.exists()
    services.set_kill_switch(on=False, by="bo", reason="AWS is well again")
    assert consider(application).startswith("Started failover")
    switch = KillSwitch.objects.get()
    assert (switch.on, switch.by, switch.reason) == (False, "bo", "AWS is well again")


def test_a_kill_switch_turned_on_after_the_judgement_still_keeps_automation_from_starting(
    application: Application, aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.alarm = AlarmState.ALARM
    judge = automatic.failover.automation.consider

    def judged_then_killed(*arguments: object) -> object:
        verdict = judge(*arguments)
        services.set_kill_switch(on=True, by="ana", reason="stop everything")
        return verdict

    monkeypatch.setattr(automatic.failover.automation, "consider", judged_then_killed)
    assert "(kill_switch)" in consider(application)
    assert not Operation.objects.exists()


@pytest.mark.parametrize("trigger", ["automatic", "drill"])
def test_the_kill_switch_stops_what_runs_unattended_before_its_next_write(
    application: Application, aws: FakeAws, trigger: str
) -> None:
    operation = failover(application, trigger)
    step_operation(operation.pk)
    assert len(aws.writes) == 1, "tasks were asked for"
    services.set_kill_switch(on=True, by="ana", reason="stop everything")
    Operation.objects.update(next_step_at=timezone.now())
    step_operation(operation.pk)
    operation.refresh_from_db()
    assert (operation.status, operation.rule) == (Operation.Status.FAILED, "kill_switch")
    assert len(aws.writes) == 1
    assert aws.split == Split(100, 0)


def test_the_kill_switch_is_asked_again_right_before_the_write(
    application: Application, aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is turned on while the cycle reads AWS once more for its write."""
    operation = failover(application)
    write = aws.write

    def killed_meanwhile(action: object, may_send: object) -> object:
        services.set_kill_switch(on=True, by="ana", reason="stop everything")
        return write(action, may_send)

    monkeypatch.setattr(aws, "write", killed_meanwhile)
    step_operation(operation.pk)
    operation.refresh_from_db()
    assert (operation.rule, aws.writes) == ("kill_switch", [])


@pytest.mark.parametrize("trigger", ["manual", "api"])
def test_the_kill_switch_lets_people_act(application: Application, aws: FakeAws, trigger: str) -> None:
    services.set_kill_switch(on=True, by="ana", reason="stop everything")
    step_operation(failover(application, trigger).pk)
    assert len(aws.writes) == 1


def _lose_the_kill_switch() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE operations_killswitch RENAME TO gone")


def test_where_the_kill_switch_can_not_be_read_automation_starts_nothing(
    application: Application, aws: FakeAws
) -> None:
    aws.alarm = AlarmState.ALARM
    _lose_the_kill_switch()
    assert "(fail_closed)" in consider(application)
    refusal = Refusal.objects.get()
    assert (refusal.goal, refusal.rule) == ("failover", "fail_closed")
    assert "can't be read from the database" in refusal.reason
    assert not Operation.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_where_the_kill_switch_can_not_be_read_an_automatic_operation_writes_nothing(
    application: Application, aws: FakeAws, request: pytest.FixtureRequest
) -> None:
    operation = failover(application)

    def restore() -> None:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE gone RENAME TO operations_killswitch")

    _lose_the_kill_switch()
    request.addfinalizer(restore)
    with pytest.raises(Exception, match="operations_killswitch"):
        step_operation(operation.pk)
    assert not aws.writes
    operation.refresh_from_db()
    assert operation.status in Operation.ACTIVE, "it goes on when the database is back"


def test_the_kill_switch_needs_a_reason(application: Application) -> None:
    with pytest.raises(services.Invalid, match="Give a reason"):
        services.set_kill_switch(on=True, by="ana", reason=" ")
    assert not KillSwitch.objects.exists()


def test_every_open_page_hears_of_the_kill_switch(
    application: Application, hinted: list[str], django_capture_on_commit_callbacks: object
) -> None:
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        services.set_kill_switch(on=True, by="ana", reason="stop everything")
    assert hinted == [live_hints.EVERYTHING]


# ---- acknowledging ----


def fail(application: Application, goal: str, ago: float = 1) -> Operation:
    operation = services.request_operation(application, goal, trigger="automatic", reason="a test")
    ended = timezone.now() - timedelta(seconds=ago)
    Operation.objects.filter(pk=operation.pk).update(
        status="failed", error="No target became healthy.", finished_at=ended
    )
    return operation


def test_an_acknowledged_failure_keeps_automation_back_no_longer(application: Application, aws: FakeAws) -> None:
    on_ecs(application, aws)
    failed = fail(application, "failback")
    assert "(cooldown): The last failback failed." in consider(application)
    services.acknowledge(application, by="ana", comment="a bad release, mended")
    assert consider(application).startswith("Started failback")
    assert failed.journal.filter(message="Acknowledged by ana: a bad release, mended").exists()


def test_an_acknowledgement_is_of_what_failed_before_it(application: Application, aws: FakeAws) -> None:
    on_ecs(application, aws)
    fail(application, "failback", ago=30)
    services.acknowledge(application, by="ana", comment="a bad release")
    fail(application, "failback", ago=-1)
    assert "(cooldown)" in consider(application)


def test_what_has_not_failed_or_was_acknowledged_already_is_not_acknowledged(application: Application) -> None:
    with pytest.raises(services.Refused, match="No failure of checkout waits"):
        services.acknowledge(application, by="ana", comment="all well")
    failed = fail(application, "failover")
    assert services.unacknowledged_failure(application) == failed
    services.acknowledge(application, by="ana", comment="no capacity in the zone")
    with pytest.raises(services.Refused):
        services.acknowledge(application, by="bo", comment="me too")
    assert failed.acknowledgement.by == "ana"


def test_an_acknowledgement_needs_a_comment(application: Application) -> None:
    fail(application, "failover")
    with pytest.raises(services.Invalid) as invalid:
        services.acknowledge(application, by="ana", comment="  ")
    assert invalid.value.field == "comment"
