"""An application that may be drilled, on a fake AWS, and its drills driven to their end without waiting."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from failover.model import AlarmState
from panel.drills import services
from panel.drills.advancing import advance
from panel.drills.models import Drill
from panel.fleet import snapshots
from panel.fleet.models import Application
from panel.operations.models import Operation
from panel.operations.stepping import step_operation
from tests.panel.fake_aws import FakeAws

MOST_LOOKS = 60


@pytest.fixture
def document(document: dict[str, Any]) -> dict[str, Any]:
    document["drills"] = {
        "blocking_alarms": ["payments-degraded"],
        "aborting_alarms": ["checkout-errors"],
        "target_seconds": 120,
        "stay_seconds": 60,
    }
    return document


@pytest.fixture
def aws(aws: FakeAws, application: Application) -> FakeAws:
    aws.others = {"payments-degraded": AlarmState.OK, "checkout-errors": AlarmState.OK}
    snapshots.store(application, aws.observe())
    return aws


@pytest.fixture
def ana(db: None) -> User:
    return User.objects.create_user("ana")


@pytest.fixture
def drill(application: Application, aws: FakeAws, ana: User) -> Drill:
    return services.start_drill(application, "drill", reason="before Black Friday", user=ana)


@pytest.fixture
def rehearsal(application: Application, aws: FakeAws) -> Drill:
    return services.start_drill(application, "rehearsal", reason="nightly")


def look(drill: Drill) -> Drill:
    """One step of whatever runs and one look at the drill, as the workers take them in turn."""
    for operation in Operation.objects.filter(application=drill.application, status__in=Operation.ACTIVE):
        Operation.objects.filter(pk=operation.pk).update(next_step_at=timezone.now())
        step_operation(operation.pk)
    advance(drill.pk)
    drill.refresh_from_db()
    return drill


def stayed_long_enough(drill: Drill) -> None:
    Drill.objects.filter(pk=drill.pk, stay_until__isnull=False).update(stay_until=timezone.now() - timedelta(1))


def play_until(drill: Drill, state: str) -> Drill:
    for _ in range(MOST_LOOKS):
        if drill.state == state:
            return drill
        if state == "back":
            stayed_long_enough(drill)
        look(drill)
    pytest.fail(f"{drill} is {drill.state} after {MOST_LOOKS} looks, not {state}: {drill.told}")


def play(drill: Drill) -> Drill:
    """To its end; what it would stay on ECS has passed."""
    for _ in range(MOST_LOOKS):
        if not drill.active:
            return drill
        stayed_long_enough(drill)
        look(drill)
    pytest.fail(f"{drill} is still {drill.state} after {MOST_LOOKS} looks: {drill.told}")
