"""What is due starts once, whoever looks; what was missed is told, and not made up for."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from failover.config import ConfigError
from panel.drills import cron, schedules, tasks
from panel.drills.models import Drill, Schedule
from panel.fleet import snapshots
from panel.fleet.applications import import_document
from panel.fleet.models import Application
from tests.panel.fake_aws import FakeAws

MONDAY = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
DUE = datetime(2026, 3, 3, 5, 30, tzinfo=UTC)  # 02:30 in São Paulo


@pytest.fixture
def scheduled(application: Application, aws: FakeAws, document: dict[str, Any]) -> Application:
    """A rehearsal each night, seen on Monday."""
    schedule(document, rehearsal_schedule="30 2 * * *", time_zone="America/Sao_Paulo")
    schedules.follow(MONDAY)
    Schedule.objects.update(checked_at=DUE - timedelta(hours=1), next_at=DUE)
    application.refresh_from_db()
    return application


def schedule(document: dict[str, Any], **drills: object) -> None:
    document["drills"] = drills
    import_document(document, "checkout.toml")


def test_the_next_one_is_known_in_the_applications_own_zone(scheduled: Application) -> None:
    found = Schedule.objects.get()
    assert (found.kind, found.time_zone) == ("rehearsal", "America/Sao_Paulo")
    schedules.follow(DUE - timedelta(minutes=1))
    assert not Drill.objects.exists()


def test_what_is_due_starts_once(scheduled: Application) -> None:
    for seconds in (1, 2, 60):
        schedules.follow(DUE + timedelta(seconds=seconds))
    drill = Drill.objects.get()
    assert (drill.kind, drill.due_at, drill.state, drill.requested_by) == ("rehearsal", DUE, "asked", None)
    assert drill.reason == "scheduled, 30 2 * * * (America/Sao_Paulo)"
    assert Schedule.objects.get().next_at == DUE + timedelta(days=1)


def test_of_two_that_look_at_once_one_starts_it(scheduled: Application) -> None:
    seen = Schedule.objects.get()
    schedules._run(seen, DUE + timedelta(seconds=1))
    schedules._run(seen, DUE + timedelta(seconds=1))
    assert Drill.objects.count() == 1


def test_a_clock_that_was_set_back_starts_none_twice(scheduled: Application) -> None:
    schedules.follow(DUE + timedelta(seconds=1))
    Drill.objects.update(state="ended", outcome="succeeded", finished_at=DUE)
    Schedule.objects.update(checked_at=DUE - timedelta(hours=1), next_at=DUE)
    schedules.follow(DUE + timedelta(seconds=2))
    assert Drill.objects.count() == 1
    assert Schedule.objects.get().next_at == DUE + timedelta(days=1)


def test_what_was_due_while_the_panel_was_down_is_told_and_not_made_up_for(scheduled: Application) -> None:
    schedules.follow(DUE + timedelta(days=2, minutes=30))
    drill = Drill.objects.get()
    assert (drill.state, drill.rule, drill.due_at) == ("not_started", "missed", DUE + timedelta(days=2))
    assert "So were 2 before it" in drill.told
    assert Schedule.objects.get().next_at == DUE + timedelta(days=3)


def test_after_a_long_outage_the_one_that_is_due_just_now_starts(scheduled: Application) -> None:
    schedules.follow(DUE + timedelta(days=2, seconds=30))
    assert sorted(Drill.objects.values_list("state", "rule")) == [("asked", ""), ("not_started", "missed")]


def test_what_a_rule_forbids_is_recorded_with_the_rule(scheduled: Application, aws: FakeAws) -> None:
    aws.desired = 0
    scheduled.mode = "off"
    scheduled.save()
    schedules.follow(DUE + timedelta(seconds=1))
    schedules.follow(DUE + timedelta(seconds=2))
    drill = Drill.objects.get()
    assert (drill.state, drill.rule, drill.due_at) == ("not_started", "mode", DUE)
    assert drill.remedy == "Set the mode to auto."


def test_a_schedule_that_changes_begins_anew_and_one_that_goes_is_gone(
    scheduled: Application, document: dict[str, Any]
) -> None:
    later = DUE + timedelta(hours=6)
    schedule(document, schedule="0 10 * * 2", rehearsal_schedule="30 1 * * *", time_zone="America/Sao_Paulo")
    schedules.follow(later)
    assert not Drill.objects.exists(), "01:30 was over when it was asked for"
    assert set(Schedule.objects.values_list("kind", "expression")) == {
        ("rehearsal", "30 1 * * *"),
        ("drill", "0 10 * * 2"),
    }
    del document["drills"]
    import_document(document, "checkout.toml")
    schedules.follow(later)
    assert not Schedule.objects.exists()


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("every night", "drills.schedule must be a cron expression of five fields"),
        ("61 * * * *", "drills.schedule must be a cron expression of five fields"),
        ("*/5 * * * *", "must be due once an hour at most"),
        ("0 " + "1," * 80 + "2 * * *", "at most 120 characters"),
    ],
)
def test_an_expression_that_can_not_be_followed_is_told_at_the_import(
    application: Application, document: dict[str, Any], expression: str, says: str
) -> None:
    with pytest.raises(ConfigError, match=says):
        schedule(document, schedule=expression)


def test_a_day_that_never_comes_is_never_due(application: Application, aws: FakeAws, document: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="must be a cron expression"):
        schedule(document, schedule="0 0 31 2 *")


def test_due_times_keep_to_the_clock_on_the_wall_when_it_changes() -> None:
    after = datetime(2026, 3, 27, 12, 0, tzinfo=UTC)
    due = cron.due_after("30 3 * * *", "Europe/Berlin", after)
    assert [next(due).hour for _ in range(3)] == [2, 1, 1]


def test_the_snapshot_that_a_scheduled_drill_is_judged_by_is_the_newest(scheduled: Application, aws: FakeAws) -> None:
    aws.desired = 3
    snapshots.store(scheduled, aws.observe())
    schedules.follow(DUE + timedelta(seconds=1))
    assert Drill.objects.get().state == "asked"


def test_a_schedule_that_can_not_be_run_keeps_neither_the_others_nor_what_is_under_way(
    scheduled: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    drill = Drill.objects.create(application=scheduled, kind="drill", reason="x", state="staying")
    Schedule.objects.create(
        application=scheduled, kind="drill", expression="30 2 * * *", time_zone="UTC", checked_at=DUE, next_at=DUE
    )
    woken: list[Any] = []
    monkeypatch.setattr("panel.dispatch.wake", lambda *given, **_: woken.append(given))
    tried: list[str] = []

    def run(schedule: Schedule, now: datetime) -> None:
        tried.append(schedule.kind)
        raise RuntimeError(schedule.kind)

    monkeypatch.setattr(schedules, "_take_over", lambda *_: None)
    monkeypatch.setattr(schedules, "_run", run)
    tasks.sweep()
    assert ("drills.advance", drill.pk) in woken
    assert sorted(tried) == ["drill", "rehearsal"]
