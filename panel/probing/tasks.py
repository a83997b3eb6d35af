"""Beat asks for a round as often as one lasts."""

from __future__ import annotations

from django.utils import timezone

from panel.celery import app
from panel.probing import rounds


@app.task(name="probing.round")  # type: ignore[untyped-decorator]  # celery has no types
def play() -> None:
    rounds.play(timezone.now())


@app.task(name="probing.forget_old")  # type: ignore[untyped-decorator]
def forget_old() -> None:
    rounds.forget(timezone.now())
