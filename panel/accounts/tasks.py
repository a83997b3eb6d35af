"""What accounts do by themselves: forgetting sessions that have ended."""

from __future__ import annotations

from django.utils import timezone

from panel.accounts import retention
from panel.celery import app


@app.task(name="accounts.forget_sessions")  # type: ignore[untyped-decorator]  # celery has no types
def forget_sessions() -> None:
    retention.forget_sessions(timezone.now())
