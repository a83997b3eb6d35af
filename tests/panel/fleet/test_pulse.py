"""The strip on every page tells the truth about the panel's own parts."""

from panel.fleet import heartbeats
from panel.fleet.models import Application
from panel.fleet.observation import observe
from panel.fleet.pulse import pulse
from tests.panel.fake_aws import FakeAws


def test_parts_that_never_showed_themselves_are_not_well(db: None) -> None:
    seen = pulse()
    assert (seen.worker.ok, seen.worker.age_seconds) == (False, None)
    assert (seen.broker_ok, seen.last_event_at) == (False, None)


def test_parts_that_showed_themselves_are_well(application: Application, aws: FakeAws, valkey: str) -> None:
    observe(application)
    heartbeats.show(heartbeats.WORKER)
    seen = pulse()
    assert (seen.worker.ok, seen.observer.ok, seen.beat.ok, seen.broker_ok) == (True, True, False, True)
