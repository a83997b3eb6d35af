"""Many applications observed together: what is seen, and what fails alone.

Sources are in the modules that read; that one ARN that does not exist fails a whole call: ELBv2 API reference,
DescribeRules (RuleNotFound) and DescribeListeners (ListenerNotFound).
"""

from dataclasses import replace

import pytest

from failover.aws.adapter import Adapter
from failover.aws.fleet.chores import SEARCH_SECONDS
from failover.model import NOT_READ, Bounds, Position, Scaling, Split
from tests.failover.aws.account import ELB, Account, RefusedError, balancer, forward, listener
from tests.failover.aws.watch import SWEEP_SECONDS, fleet_of


@pytest.fixture
def account():
    return Account()


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


def test_routes_on_a_default_action_and_on_a_rule_are_both_read_alone(account):
    watch = fleet_of(account, 2)
    watch.sweep(4)
    account.calls.clear()
    watch.sweep()
    assert account.calls["DescribeListeners"] == account.calls["DescribeRules"] == 1
    assert watch.known["api-1"].routes.value.managed[0].arn == listener(1, "80")
    assert ELB in watch.known["api-2"].routes.value.managed[0].arn


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
