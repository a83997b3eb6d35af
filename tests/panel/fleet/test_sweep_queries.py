"""What a sweep costs the database: as many queries for three applications as for five and twenty."""

import copy
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from failover.model import AlarmState
from panel.fleet import tasks
from panel.fleet.models import Application, Sample, StoredSnapshot
from panel.fleet.observation import STORED_TOGETHER
from panel.operations.models import Operation
from tests.panel.fake_aws import FakeAws, FakeFleet
from tests.panel.fleet.siblings import another

MOST_QUERIES = 32  # of them eight begin, keep or end transactions


@pytest.fixture(params=[3, STORED_TOGETHER])
def scope(request: pytest.FixtureRequest, application: Application, document: dict[str, Any]) -> int:
    for number in range(request.param - 1):
        another(copy.deepcopy(document), f"near-{number}")
    return int(request.param)


def sweep(application: Application) -> int:
    with CaptureQueriesContext(connection) as captured:
        tasks.sweep(application.pk)
    return len(captured)


def test_a_sweep_of_a_quiet_scope_takes_as_many_queries_for_few_as_for_many(
    scope: int, application: Application, fleet: FakeFleet
) -> None:
    tasks.sweep(application.pk)  # who shows itself for the first time inserts a row
    assert sweep(application) <= MOST_QUERIES
    assert StoredSnapshot.objects.count() == Sample.objects.values("application").distinct().count() == scope


def test_a_sweep_that_starts_nothing_more_considers_nobody_one_by_one(
    application: Application, document: dict[str, Any], fleet: FakeFleet, aws: FakeAws
) -> None:
    """An alarm that is being answered: the operation is there, and each sweep after that is as cheap as a quiet one."""
    another(copy.deepcopy(document), "near")
    aws.alarm = AlarmState.ALARM
    tasks.sweep(application.pk)
    assert Operation.objects.count() == 2
    assert sweep(application) <= MOST_QUERIES
