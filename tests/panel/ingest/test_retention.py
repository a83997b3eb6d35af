"""Events are kept for 90 days, and one that waits is never deleted."""

from datetime import timedelta

import pytest
from django.utils import timezone

from panel.ingest.models import Event
from panel.ingest.retention import KEPT
from panel.ingest.tasks import forget_old


def _event(name: str, status: str, age: timedelta) -> None:
    row = Event.objects.create(event_id=name, detail_type="CloudWatch Alarm State Change", body={}, status=status)
    Event.objects.filter(pk=row.pk).update(received_at=timezone.now() - age)


@pytest.mark.django_db
def test_what_was_dealt_with_long_ago_is_forgotten() -> None:
    old, young = KEPT + timedelta(minutes=1), KEPT - timedelta(minutes=1)
    _event("processed", Event.Status.PROCESSED, old)
    _event("unmatched", Event.Status.UNMATCHED, old)
    _event("waiting", Event.Status.STORED, old)
    _event("young", Event.Status.PROCESSED, young)
    forget_old()
    assert set(Event.objects.values_list("event_id", flat=True)) == {"waiting", "young"}
