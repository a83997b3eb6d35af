"""Snapshots are kept part by part: what was not read again stays, what can't be read any more is unknown."""

import copy
from typing import Any

import pytest
from django.utils import timezone
from structlog.testing import capture_logs

from failover.model import Alarm, AlarmState, Reading, Service, Snapshot
from panel.fleet import snapshots
from panel.fleet.models import Application, StoredSnapshot
from panel.web import standing
from tests.panel.fleet.test_observation import another

ALARMS = Reading.of((Alarm("busy", AlarmState.ALARM, 90.0),), 100.0)
SERVICE = Reading.of(Service(2, 0, 2), 100.0)


def test_nothing_is_known_before_the_first_look(application: Application) -> None:
    assert snapshots.latest(application) is None


def test_a_snapshot_comes_back_as_it_was_stored(application: Application) -> None:
    snapshot = Snapshot(100.0, alarms=ALARMS, service=SERVICE)
    snapshots.store(application, snapshot)
    assert snapshots.latest(application) == snapshot
    assert StoredSnapshot.objects.get().observed_at.timestamp() == 100.0


def test_parts_that_were_not_read_keep_what_is_known(application: Application) -> None:
    snapshots.store(application, Snapshot(100.0, alarms=ALARMS, service=SERVICE))
    newer = Reading.of(Service(3, 0, 3), 105.0)
    assert snapshots.store(application, Snapshot(105.0, service=newer)) == Snapshot(105.0, alarms=ALARMS, service=newer)


def test_a_part_that_can_not_be_read_any_more_becomes_unknown(application: Application) -> None:
    snapshots.store(application, Snapshot(100.0, alarms=ALARMS))
    stored = snapshots.store(application, Snapshot(105.0, alarms=Reading(problem="AccessDenied")))
    assert stored.alarms == Reading(problem="AccessDenied")


def test_a_slow_look_that_ends_late_does_not_undo_a_newer_one(application: Application) -> None:
    newer = Reading.of((Alarm("busy", AlarmState.OK, 104.0),), 105.0)
    snapshots.store(application, Snapshot(105.0, alarms=newer))
    stored = snapshots.store(application, Snapshot(100.0, alarms=ALARMS, service=SERVICE))
    assert (stored.at, stored.alarms, stored.service) == (105.0, newer, SERVICE)


@pytest.mark.parametrize("body", [[], "text", {}, {"at": None}, {"at": 1.0, "alarms": {"value": [{}]}}])
def test_one_body_that_can_not_be_read_blinds_nobody_and_is_replaced_by_the_next_look(
    application: Application, document: dict[str, Any], body: object
) -> None:
    near = another(copy.deepcopy(document), "near")
    for each in (application, near):
        snapshots.store(each, Snapshot(100.0, alarms=ALARMS))
    _spoil(application, body)
    with capture_logs() as logs:
        stored = snapshots.stored_of([application, near])
        assert [each.slug for each, row in stored.items() if row.snapshot is not None] == ["near"]
    assert [(line["event"], line["application"]) for line in logs] == [("snapshot_unreadable", "checkout")]
    assert snapshots.latest(application) is None
    new = Snapshot(105.0, service=SERVICE)
    assert snapshots.store(application, new) == new == snapshots.latest(application)


@pytest.mark.parametrize("body", [{"at": "x"}, {"at": 1.0, "alarms": {"value": [{}]}}])
def test_the_pages_show_it_as_never_read(application: Application, body: object) -> None:
    snapshots.store(application, Snapshot(100.0, alarms=ALARMS))
    _spoil(application, body)
    application.refresh_from_db()
    assert standing.standing_of(application, timezone.now()).snapshot is None


def test_the_columns_of_a_row_say_what_its_snapshot_shows(application: Application) -> None:
    throttled: Reading[Any] = Reading(problem="Throttling: Rate exceeded")
    new = Snapshot(100.0, alarms=ALARMS, service=SERVICE, routes=throttled)
    snapshots.store(application, new)
    row = StoredSnapshot.objects.get()
    shown = (row.alarm, row.position, row.load, row.read_at, row.problem)
    assert shown == (AlarmState.ALARM, "unknown", None, snapshots.read_at(new), "Throttling: Rate exceeded")


def test_alarms_that_were_not_read_are_not_ok_and_no_alarm_is_no_data() -> None:
    assert snapshots.worst(None) == ""
    assert snapshots.worst(()) == "INSUFFICIENT_DATA"


def _spoil(application: Application, body: object) -> None:
    stored = StoredSnapshot.objects.get(application=application)
    stored.body = body
    stored.save()
