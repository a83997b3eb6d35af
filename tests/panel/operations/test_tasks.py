"""The sweep finds what a lost wake-up left behind."""

from datetime import timedelta

import pytest
from django.utils import timezone

from panel import dispatch
from panel.fleet.models import Application
from panel.operations import tasks
from panel.operations.models import Operation


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    monkeypatch.setattr(dispatch, "wake", lambda task, pk: found.append((task, pk)))
    return found


@pytest.mark.parametrize(
    ("next_step", "lease", "status", "found"),
    [
        (-1, None, "queued", True),
        (-1, None, "waiting", True),
        (-60, -1, "running", False),
        (-60, -21, "running", True),
        (-60, 10, "running", False),
        (30, None, "waiting", False),
        (-1, None, "failed", False),
    ],
)
def test_the_sweep_wakes_what_is_due_and_held_by_nobody(
    application: Application,
    woken: list[tuple[str, int]],
    next_step: float,
    lease: float | None,
    status: str,
    found: bool,
) -> None:
    operation = Operation.objects.create(
        application=application, goal="failover", trigger="automatic", reason="a test", document=application.document
    )
    now = timezone.now()
    Operation.objects.update(
        status=status,
        finished_at=None if status in Operation.ACTIVE else now,
        next_step_at=now + timedelta(seconds=next_step),
        lease_until=None if lease is None else now + timedelta(seconds=lease),
    )
    tasks.sweep()
    assert woken == ([("operations.step", operation.pk)] if found else [])
