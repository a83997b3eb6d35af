"""Many applications in few calls: what is read when, what fails alone, and what a sweep costs.

Limits on names a call are AWS's own: CloudWatch DescribeAlarms 100 and GetMetricData 500, ECS DescribeServices 10 and
DescribeTasks 100, Application Auto Scaling DescribeScalableTargets 50. For ELB's ARNs none is documented.
"""

from dataclasses import replace

import pytest

from failover.aws.adapter import Adapter
from failover.aws.fleet import Fleet, Pace
from failover.aws.fleet.chores import SEARCH_SECONDS
from failover.aws.fleet.pace import CALLS_A_WINDOW, CALM_SECONDS, PacedOutError
from failover.model import NOT_READ, Bounds, Position, Scaling, Snapshot, Split
from tests.failover.aws.account import ELB, NOW, Account, RefusedError, balancer, forward, listener

SWEEP_SECONDS = 5.0
FREELY = dict.fromkeys(CALLS_A_WINDOW, 100_000)


class Watch:
    """Sweeps an account every SWEEP_SECONDS and keeps what is known, part by part the newest, as the panel does."""

    def __init__(self, account: Account, pace: Pace | None = None) -> None:
        self.account, self.now = account, NOW
        self.fleet = Fleet(account.readers(), pace or Pace(FREELY, patience=0), lambda: self.now)
        self.known: dict[str, Snapshot] = {}
        self.busy: set[str] = set()

    def sweep(self, times: int = 1) -> dict[str, Snapshot]:
        """What the last sweep itself read."""
        for _ in range(times):
            self.now += SWEEP_SECONDS
            new = self.fleet.observe(self.account.applications, self.known, self.busy)
            self.known = {slug: merged(self.known.get(slug), each) for slug, each in new.items()}
        return new

    def calls(self, sweeps: int) -> list[int]:
        counts = []
        for _ in range(sweeps):
            before = self.fleet.pace.made
            self.sweep()
            counts.append(self.fleet.pace.made - before)
        return counts


def merged(known: Snapshot | None, new: Snapshot) -> Snapshot:
    parts = vars(known or Snapshot(0.0))
    kept = {name: parts[name] for name, reading in vars(new).items() if getattr(reading, "problem", "") == NOT_READ}
    return replace(new, **kept)


@pytest.fixture
def account():
    return Account()


def fleet_of(account: Account, count: int, balancers: int = 1, **more) -> Watch:
    for number in range(count):
        account.add(number % balancers + 1, default=number < balancers, **more)
    return Watch(account)


def test_it_sees_what_looking_at_one_application_sees(account):
    watch = fleet_of(account, 3)
    failed_over = account.applications[1]
    account.run(failed_over, 2)
    account.weights(failed_over, 0, 100)
    account.health[failed_over.lambda_target_group_arn].append(("function", "unavailable"))
    account.scalable.append(
        {
            "ResourceId": "service/apis/api-2",
            "ScalableDimension": "ecs:service:DesiredCount",
            "MinCapacity": 2,
            "MaxCapacity": 9,
        }
    )
    watch.sweep(3)
    for application in account.applications:
        alone = Adapter(application, account.clients(), lambda: watch.now).observe()
        seen = watch.known[application.slug]
        for part in ("alarms", "service", "targets", "scaling", "limits"):
            assert getattr(seen, part).value == getattr(alone, part).value, part
        assert seen.metrics.value.series == alone.metrics.value.series
        assert replace(seen.routes.value, searched_at=0) == replace(alone.routes.value, searched_at=0)
    assert watch.known["api-2"].position is Position.ECS
    assert watch.known["api-2"].targets.value.ecs_healthy == 2
    assert watch.known["api-2"].scaling.value == Scaling(Bounds(2, 9))


def test_with_pages_of_one_nothing_is_missed(account):
    account.page = 1
    watch = fleet_of(account, 4)
    account.run(account.applications[0], 3)
    watch.sweep(3)
    assert watch.known["api-1"].targets.value.ecs_healthy == 3
    assert all(each.split == Split(100, 0) for each in watch.known.values())
    assert all(len(each.alarms.value) == 2 for each in watch.known.values())


# ---- what a sweep costs ----

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


# ---- what others do ----


def test_weights_that_somebody_changed_show_in_the_next_sweep(account):
    watch = fleet_of(account, 30)
    watch.sweep(5)
    account.weights(account.applications[20], 70, 30)
    assert watch.sweep()["api-21"].split == Split(70, 30)


def test_a_foreign_forwarder_is_found_when_its_load_balancer_is_searched_next(account):
    watch = fleet_of(account, 40, 2)
    watch.sweep(20)
    victim = account.applications[10]
    account.rule(1, "theirs", forward((victim.ecs_target_group_arn, 3)))
    watch.sweep(int(2 * SEARCH_SECONDS / SWEEP_SECONDS))
    found = watch.known[victim.slug].routes.value
    assert found.foreign == ("HTTP :443, /theirs forwards with ECS 3",)
    watch.sweep()
    kept = watch.known[victim.slug].routes.value
    assert (kept.foreign, kept.ecs_forwarders) == (found.foreign, ("HTTP :443, /theirs",))


def test_a_group_attached_elsewhere_is_found_too(account):
    watch = fleet_of(account, 2)
    account.rule(9, "theirs", forward((account.applications[0].ecs_target_group_arn, 1)))
    account.groups[account.applications[0].ecs_target_group_arn]["LoadBalancerArns"].append(balancer(9))
    watch.sweep(2)
    assert "attached to lb9" in watch.known["api-1"].routes.value.elsewhere[0]
    assert watch.known["api-1"].routes.value.foreign == ("lb9 HTTP :443, /theirs forwards with ECS 1",)
    assert watch.known["api-2"].routes.value.elsewhere == ()


# ---- what fails ----


def test_a_rule_that_is_gone_costs_nobody_else_their_routes(account):
    watch = fleet_of(account, 40)
    watch.sweep(3)
    del account.rules[account.applications[30].routes[0].arn]
    seen = watch.sweep()
    assert seen["api-31"].routes.value.managed[0].problem == "it does not exist on its load balancer"
    assert all(seen[slug].split == Split(100, 0) for slug in seen if slug != "api-31")
    settled = watch.calls(3)
    assert max(settled) < 15, "what is known to be gone is not asked for with the others again"


def test_a_batch_that_fails_makes_only_its_applications_unknown(account):
    def refuse(given: dict) -> None:
        if "api-61-busy" in given["AlarmNames"]:
            raise RefusedError("InternalFailure", status=500)

    watch = fleet_of(account, 100, 4)
    watch.sweep()
    account.failing["DescribeAlarms"] = refuse
    seen = watch.sweep()
    unknown = [slug for slug, each in seen.items() if each.alarms.value is None]
    assert unknown == [f"api-{number}" for number in range(51, 101)]
    assert "InternalFailure" in seen["api-61"].alarms.problem
    assert seen["api-61"].routes.value is not None


def test_a_denied_service_leaves_the_rest_known_and_asks_for_no_health(account):
    watch = fleet_of(account, 20)
    account.failing["DescribeServices"] = RefusedError("AccessDeniedException")
    seen = watch.sweep()["api-1"]
    assert (seen.service.value, "AccessDenied" in seen.service.problem) == (None, True)
    assert (seen.split, account.calls["DescribeTargetHealth"]) == (Split(100, 0), 0)


def test_one_missing_alarm_service_or_cluster_is_told_of_its_own_application(account):
    watch = fleet_of(account, 12)
    del account.alarms["api-3-busy"], account.alarms["api-3-throttles"]
    del account.services["apis", "api-4"]
    account.add(1, cluster="elsewhere")
    seen = watch.sweep()
    assert "None of the application's alarms exists" in seen["api-3"].alarms.problem
    assert "MISSING" in seen["api-4"].service.problem
    assert [slug for slug, each in seen.items() if each.service.value is None] == ["api-4"]


def test_where_aws_takes_fewer_names_than_thought_the_size_is_found_once(account):
    account.most = 30
    watch = fleet_of(account, 90, 3)
    watch.sweep(30)
    assert all(each.split == Split(100, 0) for each in watch.known.values())
    asked: list[int] = []
    account.failing["DescribeRules"] = lambda given: asked.append(len(given.get("RuleArns", ())))
    watch.sweep()
    assert 20 <= max(asked) <= account.most


def test_a_slow_aws_ends_a_sweep_in_time_and_what_is_known_stays_known(account):
    watch = fleet_of(account, 5)
    watch.sweep(3)

    def slow(_: dict) -> None:
        watch.now += 6

    account.failing = {"DescribeAlarms": slow, "DescribeRules": slow}
    seen = watch.sweep()["api-2"]
    assert (seen.alarms.problem, seen.routes.problem) == ("", "")
    assert {seen.service.problem, seen.scaling.problem, seen.limits.problem} == {NOT_READ}
    assert watch.known["api-2"].service.value is not None


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


def test_routes_on_a_default_action_and_on_a_rule_are_both_read_alone(account):
    watch = fleet_of(account, 2)
    watch.sweep(4)
    account.calls.clear()
    watch.sweep()
    assert account.calls["DescribeListeners"] == account.calls["DescribeRules"] == 1
    assert watch.known["api-1"].routes.value.managed[0].arn == listener(1, "80")
    assert ELB in watch.known["api-2"].routes.value.managed[0].arn
