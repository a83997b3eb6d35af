"""Rows that can't be: the database itself says no, and rows of an earlier version are mended first."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from panel.fleet.models import Application
from panel.operations.models import Acknowledgement, Hold, KillSwitch, ModeChange, Operation

# Going back takes the tables of every app that builds on these rows away.
BEFORE, AFTER = [("operations", "0002_lease_version")], [("operations", "0005_constraints")]


def _migrate_everything() -> None:
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def operation(application: Application, **values: object) -> Operation:
    given = {"goal": "failover", "trigger": "manual", "reason": "a test", "document": {}, **values}
    return Operation.objects.create(application=application, **given)


def refused(make: Any, **values: object) -> str:
    with pytest.raises(IntegrityError) as problem, transaction.atomic():
        make(**values)
    return str(problem.value)


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"reason": ""}, "operation_has_reason"),
        ({"weight_lambda": 1}, "operation_weights_both_or_neither"),
        ({"weight_ecs": 1}, "operation_weights_both_or_neither"),
        ({"weight_lambda": 0, "weight_ecs": 0}, "operation_weights_both_or_neither"),
        ({"status": "failed"}, "operation_finished_when_ended"),
        ({"status": "waiting", "finished_at": timezone.now()}, "operation_finished_when_ended"),
    ],
)
def test_an_operation_that_makes_no_sense_is_not_stored(
    application: Application, values: dict[str, object], constraint: str
) -> None:
    assert constraint in refused(operation, application=application, **values)


@pytest.mark.parametrize("weights", [(None, None), (0, 1), (1, 0), (999, 999)])
def test_an_operation_that_makes_sense_is(application: Application, weights: tuple[int | None, int | None]) -> None:
    operation(application, weight_lambda=weights[0], weight_ecs=weights[1], status="failed", finished_at=timezone.now())


def test_a_hold_ends_after_it_began_and_has_a_reason(application: Application) -> None:
    now = timezone.now()
    past = now - timedelta(seconds=1)
    assert "hold_ends_after_it_began" in refused(Hold.objects.create, owner="ana", reason="x", expires_at=past)
    later = now + timedelta(hours=1)
    assert "hold_has_reason" in refused(Hold.objects.create, owner="ana", reason="", expires_at=later)


def test_whatever_people_decide_has_a_reason(application: Application) -> None:
    now = timezone.now()
    failed = operation(application, status="failed", finished_at=now)
    decided = {"by": "ana", "at": now}
    assert "kill_switch_has_reason" in refused(KillSwitch.objects.create, id=1, on=True, reason="", **decided)
    assert "acknowledgement_has_comment" in refused(
        Acknowledgement.objects.create, operation=failed, comment="", **decided
    )
    changed = {"application": application, "before": "auto", "mode": "off", "reason": ""}
    assert "mode_change_has_reason" in refused(ModeChange.objects.create, **changed, **decided)


def test_there_is_one_kill_switch(application: Application) -> None:
    now = timezone.now()
    assert "one_kill_switch" in refused(KillSwitch.objects.create, id=2, on=True, by="ana", reason="x", at=now)


@pytest.mark.django_db(transaction=True)
def test_rows_of_an_earlier_version_are_mended_before_they_are_forbidden(
    application: Application, request: pytest.FixtureRequest
) -> None:
    request.addfinalizer(_migrate_everything)
    old = MigrationExecutor(connection).migrate(BEFORE).apps
    rows, now = old.get_model("operations", "Operation").objects, timezone.now()
    common = {"application_id": application.pk, "goal": "set_weights", "trigger": "manual", "document": {}}
    ended = rows.create(**common, status="failed", reason="", weight_lambda=0, weight_ecs=0)
    half = rows.create(**common, status="succeeded", reason="x", weight_lambda=5, finished_at=now)
    active = rows.create(**common, status="waiting", reason="x", weight_lambda=5, weight_ecs=0, finished_at=now)
    hold = old.get_model("operations", "Hold").objects.create(owner="ana", reason="", expires_at=now)

    MigrationExecutor(connection).migrate(AFTER)

    mended = Operation.objects.in_bulk()
    assert mended[ended.pk].finished_at == mended[ended.pk].created_at
    assert mended[ended.pk].reason == "No reason was given."
    assert (mended[ended.pk].weight_lambda, mended[half.pk].weight_lambda) == (None, None)
    assert (mended[active.pk].finished_at, mended[active.pk].weight_lambda) == (None, 5)
    kept = Hold.objects.get(pk=hold.pk)
    assert (kept.reason, kept.expires_at > kept.created_at) == ("No reason was given.", True)
