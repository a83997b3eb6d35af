"""What a sweep costs, what is read when, and how fast.

Limits on names a call are AWS's own: CloudWatch DescribeAlarms 100 and GetMetricData 500, ECS DescribeServices 10 and
DescribeTasks 100, Application Auto Scaling DescribeScalableTargets 50. For ELB's ARNs none is documented.
"""

import pytest

from failover.aws.fleet import Fleet, Pace
from failover.aws.fleet.chores import SEARCH_SECONDS
from failover.aws.fleet.pace import CALLS_A_WINDOW, CALM_SECONDS, PacedOutError
from failover.model import NOT_READ
from tests.failover.aws.account import Account, RefusedError
from tests.failover.aws.watch import SWEEP_SECONDS, Watch, fleet_of


@pytest.fixture
def account():
    return Account()


IDLE_SHARE = 0.25  # calls an idle application and sweep
ACCOUNT_SHARE = 250 / 20  # calls of one of twenty accounts with fifty applications each


@pytest.mark.parametrize(
    ("count", "balancers", "most"), [(100, 4, 100 * IDLE_SHARE), (50, 2, ACCOUNT_SHARE), (20, 1, 12), (3, 1, 12)]
)
def test_a_sweep_of_idle_applications_takes_few_calls(account, count, balancers, most):
    """Assumed: one account and region, a load balancer with two listeners for each 25 applications, one cluster, two
    alarms an application, metrics each minute, a sweep each 5 s. Every sweep counts, the dearest too.
    """
    watch = fleet_of(account, count, balancers)
    watch.sweep(130)  # whatever is read once, is read
    counts = watch.calls(130)  # longer than what is read most rarely, each ten minutes
    mean = sum(counts) / len(counts)
    figures = f"{mean:.1f} calls a sweep ({mean / count:.2f} each), at most {max(counts)}"
    print(f"{count} idle applications: {figures}")  # noqa: T201 - the measurement, shown by pytest -s
    assert max(counts) <= most


def test_a_fleet_with_a_cluster_for_each_application_costs_freshness_and_not_calls(account):
    for number in range(40):
        account.add(1, cluster=f"own-{number}")
    watch = Watch(account)
    watch.sweep(60)
    assert max(watch.calls(60)) <= 40 * IDLE_SHARE
    assert max(each.service.age(watch.now) for each in watch.known.values()) <= 15 * SWEEP_SECONDS


def test_every_part_of_an_idle_application_is_fresh_enough_for_its_page(account):
    watch = fleet_of(account, 60, 3)
    watch.sweep(120)
    for snapshot in watch.known.values():
        for part in ("alarms", "routes", "scaling"):
            assert getattr(snapshot, part).age(watch.now) < SWEEP_SECONDS
        assert snapshot.service.age(watch.now) <= 2 * SWEEP_SECONDS
        assert snapshot.targets.age(watch.now) <= 2 * SWEEP_SECONDS
        assert snapshot.metrics.age(watch.now) <= 60
        assert watch.now - snapshot.routes.value.searched_at <= 2 * SEARCH_SECONDS


def test_health_is_read_only_where_ecs_matters(account):
    watch = fleet_of(account, 10)
    watch.sweep(2)
    assert account.calls["DescribeTargetHealth"] == account.calls["ListTasks"] == 0
    assert all(each.targets.value.ecs_healthy == 0 for each in watch.known.values())
    account.weights(account.applications[0], 50, 50)
    watch.sweep()
    watch.busy = {"api-5"}
    watch.sweep()
    assert account.calls["DescribeTargetHealth"] == 2 + 4


def test_what_does_something_is_read_in_every_sweep(account):
    watch = fleet_of(account, 100, 4)
    watch.sweep(4)
    watch.busy = {"api-77"}
    account.run(account.applications[9], 1)
    watch.sweep(2)
    for slug in ("api-77", "api-10"):
        assert watch.sweep()[slug].service.value is not None


# ---- the pace ----


def test_a_sweep_never_asks_faster_than_its_pace_and_goes_on_in_the_next(account):
    watch = fleet_of(account, 60, 6)
    for application in account.applications:
        account.run(application, 1)
    watch.fleet = Fleet(account.readers(), Pace(patience=0), lambda: watch.now)
    seen = watch.sweep()
    asked = sum(
        account.calls[name] for name in account.calls if name.startswith(("DescribeT", "DescribeR", "DescribeL"))
    )
    assert asked <= CALLS_A_WINDOW["elbv2"] + 6, "tasks are the ECS API's"
    unread = [each.targets for each in seen.values() if each.targets.value is None]
    assert unread
    assert {reading.problem for reading in unread} == {NOT_READ}, "what is known stays known"


def test_a_throttled_account_is_asked_half_as_often_until_it_was_calm_for_a_minute():
    now = [0.0]
    pace = Pace({"elbv2": 8}, patience=0, clock=lambda: now[0])

    def fits() -> int:
        fresh = Pace({"elbv2": 8}, patience=0, clock=lambda: now[0])
        fresh._stretch, fresh._throttled_at = pace._stretch, pace._throttled_at
        count = 0
        try:
            while True:
                fresh.take("elbv2", "DescribeRules")
                count += 1
        except PacedOutError:
            return count

    assert fits() == 8
    pace.throttled("elbv2")
    assert fits() == 4
    pace.throttled("elbv2")
    assert fits() == 2
    now[0] += CALM_SECONDS + 1
    assert fits() == 4


def test_aws_saying_throttled_is_what_stretches_the_pace(account):
    watch = fleet_of(account, 2)
    account.failing["DescribeAlarms"] = RefusedError("Throttling")
    watch.sweep()
    assert watch.fleet.pace._stretch["alarms"] == 2
    assert watch.fleet.pace._stretch["ecs"] == 1
