"""What the trail does by itself: closing the minutes of counted denials, and forgetting what is too old."""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone

from panel.audit import denials, retention
from panel.celery import app


@app.task(name="audit.close_windows")  # type: ignore[untyped-decorator]  # celery has no types
def close_windows() -> None:
    denials.close_windows(timezone.now())


@app.task(name="audit.forget_old")  # type: ignore[untyped-decorator]
def forget_old() -> None:
    retention.forget_old(timezone.now(), settings.PANEL_AUDIT_DAYS)
