"""The strip on every page tells the truth about the panel's own parts."""

from failover.model import AlarmState
from panel.fleet import heartbeats
from panel.fleet.models import Application
from panel.fleet.observation import observe
from panel.fleet.pulse import pulse
from panel.operations import services
from tests.panel.fake_aws import FakeAws


def test_parts_that_never_showed_themselves_are_not_well(db: None) -> None:
    seen = pulse()
    assert (seen.worker.ok, seen.worker.age_seconds) == (False, None)
    assert (seen.broker_ok, seen.last_event_at, seen.active_operations, seen.alarms) == (False, None, 0, 0)


def test_alarms_and_operations_are_counted(application: Application, aws: FakeAws, valkey: str) -> None:
    aws.alarm = AlarmState.ALARM
    observe(application)
    heartbeats.show(heartbeats.WORKER)
    services.request_operation(application, "failover", trigger="automatic", reason="Lambda throttles")
    seen = pulse()
    assert (seen.worker.ok, seen.observer.ok, seen.beat.ok, seen.broker_ok) == (True, True, False, True)
    assert (seen.active_operations, seen.alarms) == (1, 1)
