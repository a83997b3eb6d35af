"""A target that is really told, by a server on loopback, and a clock that tests set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from panel.accounts.models import Team, default_team
from panel.notify import delivering, targets
from panel.notify.kinds import choosable
from panel.notify.models import Delivery, Target
from tests.panel.receivers import Receiver, receiving

EVERYTHING = [kind.name for kind in choosable(every_team=True)]


class Clock:
    """Now, and as much later as the test says."""

    def __init__(self) -> None:
        self.later = timedelta(0)

    def __call__(self) -> datetime:
        return timezone.now() + self.later

    def forward(self, **by: float) -> None:
        self.later += timedelta(**by)


@pytest.fixture(autouse=True)
def _loopback_allowed(settings: Any) -> None:
    settings.PANEL_OUTBOUND_ALLOW = ("127.0.0.0/8",)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def team(db: None) -> Team:
    return default_team()


@pytest.fixture
def told(db: None, receiver: Receiver) -> targets.Added:
    """A signed webhook of every team that wants everything."""
    return targets.add(None, "the log of all", "webhook", f"{receiver.url}/hook/s3cret-path", EVERYTHING, by="ada")


@pytest.fixture
def deliver(clock: Clock) -> Callable[[], None]:
    """What the sweep and a worker do."""

    def run() -> None:
        for pk in delivering.due_targets(clock()):
            delivering.deliver(pk, clock)

    return run


def outcome(target: Target | None = None) -> list[tuple[str, int]]:
    """Status and tries of each delivery, oldest first."""
    rows = Delivery.objects.order_by("pk")
    return list((rows.filter(target=target) if target else rows).values_list("status", "tries"))
