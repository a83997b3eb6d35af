"""The adapter over the wire, with unmodified boto3, against the lab."""

import subprocess
import sys
import time

import pytest

from failover.aws import clients
from failover.aws.fleet import Fleet, Pace
from failover.controller import step
from failover.model import (
    AlarmState,
    Bounds,
    Goal,
    Kind,
    Part,
    Position,
    Progress,
    Request,
    Scaling,
    SetBounds,
    SetDesiredCount,
    SetSplit,
    Split,
)
from failover.ports import AwsError
from tests.failover.world import Held, Journal

pytestmark = pytest.mark.lab


def test_everything_about_an_application_is_read(connected):
    application, adapter = connected("checkout")
    seen = adapter.observe()
    assert [alarm.name for alarm in seen.alarms.value] == list(application.alarms)
    assert seen.alarms.value[0].state is not AlarmState.ALARM
    assert (seen.position, seen.service.value.desired) == (Position.LAMBDA, 0)
    assert seen.limits.value.reserved == 14
    assert seen.metrics.problem == seen.scaling.problem == seen.targets.problem == ""


def test_only_the_parts_asked_for_are_read(connected):
    _, adapter = connected("checkout")
    seen = adapter.observe({Part.SERVICE})
    assert seen.service.value is not None
    assert seen.routes.problem == "not read yet"


@pytest.mark.parametrize(
    ("table", "values", "part", "says"),
    [
        ("ecs", {"service": "nowhere"}, "service", "nowhere"),
        ("application", {"alarms": ["nowhere"]}, "alarms", "None of the application's alarms exists"),
        ("lambda", {"function_name": "nowhere"}, "limits", "ResourceNotFound"),
    ],
)
def test_what_does_not_exist_is_unknown_with_its_reason(connected, table, values, part, says):
    _, adapter = connected("checkout", **{table: values})
    reading = getattr(adapter.observe(), part)
    assert reading.value is None
    assert says in reading.problem


def test_a_write_that_finds_another_split_changes_nothing(connected):
    application, adapter = connected("checkout")
    route = application.routes[0].arn
    with pytest.raises(AwsError) as caught:
        adapter.write(SetSplit(route, Split(0, 100), before=Split(50, 50)))
    assert caught.value.kind == "changed"
    assert adapter.observe({Part.ROUTES}).position is Position.LAMBDA


def test_a_write_to_what_is_missing_says_what_to_check(connected):
    _, adapter = connected("checkout", ecs={"service": "nowhere"})
    with pytest.raises(AwsError, match="ecs:UpdateService") as caught:
        adapter.write(SetDesiredCount(2))
    assert caught.value.kind == "missing"


def pursued(application, adapter, request, memory) -> Journal:
    journal = Journal(Progress(memory=memory))
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        outcome = step(
            application, request, journal.progress, aws=adapter, journal=journal, lease=Held(), clock=time.time
        )
        if outcome.decision.kind not in (Kind.ACT, Kind.WAIT):
            assert outcome.decision.kind is Kind.DONE, "\n".join(journal.lines)
            return journal
        time.sleep(outcome.decision.wait)
    raise AssertionError("no end:\n" + "\n".join(journal.lines))


@pytest.mark.full
def test_failover_and_failback_change_what_aws_shows_and_put_the_bounds_back(connected, calls):
    """Application Auto Scaling API reference, RegisterScalableTarget: it clamps the desired count into the bounds."""
    application, adapter = connected("payments")
    before = Bounds(0, 5)
    adapter.write(SetBounds(before))
    journal = pursued(application, adapter, Request(Goal.FAILOVER), Progress().memory)
    seen = adapter.observe()
    assert seen.position is Position.ECS
    assert seen.service.value.desired == seen.targets.value.ecs_healthy == 2
    assert (seen.scaling.value, journal.progress.memory.baseline.bounds) == (Scaling(Bounds(2, 5)), before)
    pursued(application, adapter, Request(Goal.FAILBACK), journal.progress.memory)
    seen = adapter.observe()
    assert (seen.position, seen.service.value.desired) == (Position.LAMBDA, 0)
    assert seen.scaling.value.bounds == before
    written = {call["action"] for call in calls()["writes"]}
    assert written == {"UpdateService", "ModifyListener", "RegisterScalableTarget"}


def test_with_pages_of_one_nothing_is_missed_over_the_wire(connected):
    _, adapter = connected("checkout")
    whole = adapter.observe()
    for client in vars(adapter.clients).values():
        client.meta.events.register("provide-client-params", _small_pages)
    seen = adapter.observe()
    assert seen.alarms.value == whole.alarms.value
    assert seen.routes.value.managed == whole.routes.value.managed
    assert seen.scaling == seen.scaling.of(whole.scaling.value, seen.scaling.at)


_PAGE_SIZES = {
    "DescribeAlarms": "MaxRecords",
    "DescribeListeners": "PageSize",
    "DescribeRules": "PageSize",
    "DescribeTargetGroups": "PageSize",
    "DescribeScalableTargets": "MaxResults",
    "ListTasks": "maxResults",
}


def _small_pages(params, model, **_):
    name = _PAGE_SIZES.get(model.name)
    return {**params, name: 1} if name else params


def test_a_fleet_is_read_over_the_wire_as_its_applications_are(connected):
    applications = {slug: connected(slug) for slug in ("checkout", "payments")}
    fleet = Fleet(clients.readers(applications["checkout"][0]), Pace())
    seen = fleet.observe([application for application, _ in applications.values()])
    for slug, (_, adapter) in applications.items():
        alone = adapter.observe()
        assert seen[slug].split == alone.split
        assert seen[slug].scaling.value == alone.scaling.value
        assert seen[slug].service.value.desired == alone.service.value.desired
        assert [alarm.name for alarm in seen[slug].alarms.value] == [alarm.name for alarm in alone.alarms.value]


def test_reading_one_application_needs_boto3_alone():
    """The Lambda handler runs with the package and boto3: no rate limiter is there."""
    program = (
        "import sys, failover.aws; sys.exit('pyrate_limiter' in sys.modules or 'failover.aws.fleet' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
