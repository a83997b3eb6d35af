"""What one application's AWS says, down to the corners: pages, several routes, others that use our groups.

Sources are in the modules that read: failover.aws.listeners, routes, services, tasks, scaling, alarms, metrics.
"""

from datetime import timedelta

import pytest

from failover.aws.adapter import Adapter
from failover.model import Bounds, Part, Position, Scaling, SetSplit, Split
from failover.ports import AwsError
from tests.failover.aws.account import AT, ELB, NOW, Account, RefusedError, balancer, forward, listener, with_routes


@pytest.fixture
def account():
    return Account()


def adapter(account, application) -> Adapter:
    return Adapter(application, account.clients(), lambda: NOW)


def routes(account, application):
    reading = adapter(account, application).observe({Part.ROUTES}).routes
    assert reading.problem == ""
    return reading.value


def ours(application, lambda_=100, ecs=0, **more):
    return forward((application.lambda_target_group_arn, lambda_), (application.ecs_target_group_arn, ecs), **more)


def test_with_pages_of_one_nothing_is_missed(account):
    account.page = 1
    application = account.add()
    account.run(application, 3)
    account.rule(1, "other", [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}])
    late = account.rule(1, "late", ours(application, 0, 1))
    account.scalable = [
        {"ResourceId": "service/apis/api-1", "ScalableDimension": "other:thing", "MinCapacity": 0, "MaxCapacity": 9},
        {
            "ResourceId": "service/apis/api-1",
            "ScalableDimension": "ecs:service:DesiredCount",
            "MinCapacity": 1,
            "MaxCapacity": 4,
        },
    ]
    application = with_routes(application, application.routes[0].arn, late)
    seen = adapter(account, application).observe()
    assert [alarm.name for alarm in seen.alarms.value] == ["api-1-busy", "api-1-throttles"]
    assert [route.split for route in seen.routes.value.managed] == [Split(100, 0), Split(0, 1)]
    assert (len(seen.service.value.task_addresses), seen.targets.value.ecs_healthy) == (3, 3)
    assert seen.scaling.value == Scaling(Bounds(1, 4))
    assert set(seen.metrics.value.series) >= {"concurrency", "ecs_requests", "lambda_5xx"}


def test_routes_on_several_listeners_and_load_balancers_are_one_application(account):
    application = account.add()
    account.listeners[listener(1, "80")]["DefaultActions"] = ours(application, 50, 50, sticky=True)
    second = account.rule(2, "api", ours(application, 0, 7))
    application = with_routes(application, application.routes[0].arn, listener(1, "80"), second)
    seen = adapter(account, application).observe({Part.ROUTES})
    assert [route.split for route in seen.routes.value.managed] == [Split(100, 0), Split(50, 50), Split(0, 1)]
    assert [route.sticky for route in seen.routes.value.managed] == [False, True, False]
    assert (seen.split, seen.position) == (None, Position.SPLIT)
    labels = [route.label for route in seen.routes.value.managed]
    assert labels == ["lb1 HTTP :443, /api-1", "lb1 HTTP :80, default", "lb2 HTTP :443, /api"]


def test_a_listener_that_changes_beside_our_weights_has_another_fingerprint(account):
    application = account.add()
    before = routes(account, application).managed[0]
    account.rules[application.routes[0].arn]["Actions"] = ours(application, 100, 0, sticky=True)
    after = routes(account, application).managed[0]
    assert (before.split, before.sticky, after.sticky) == (after.split, False, True)
    assert before.fingerprint != after.fingerprint


def test_whatever_else_forwards_to_one_of_our_groups_is_named(account):
    application = account.add()
    account.rule(1, "canary", forward((application.ecs_target_group_arn, 5)))
    account.rule(1, "parked", forward((application.ecs_target_group_arn, 0)))
    account.listeners[listener(1, "80")]["DefaultActions"] = forward((application.lambda_target_group_arn, 1))
    found = routes(account, application)
    assert found.ecs_forwarders == ("HTTP :443, /canary",)
    assert sorted(found.foreign) == [
        "HTTP :443, /canary forwards with ECS 5",
        "HTTP :443, /parked forwards with ECS 0",
        "HTTP :80, default forwards with Lambda 1",
    ]
    assert found.elsewhere == ()


def test_a_group_on_another_load_balancer_is_seen_and_so_is_what_forwards_there(account):
    application = account.add()
    account.rule(9, "theirs", forward((application.ecs_target_group_arn, 1)))
    account.groups[application.ecs_target_group_arn]["LoadBalancerArns"].append(balancer(9))
    found = routes(account, application)
    assert found.elsewhere == ("The ECS target group is attached to lb9, which no route is on",)
    assert found.foreign == ("lb9 HTTP :443, /theirs forwards with ECS 1",)
    assert found.ecs_forwarders == ("lb9 HTTP :443, /theirs",)
    assert found.managed[0].label == "HTTP :443, /api-1"


def test_a_route_that_is_gone_says_so(account):
    application = account.add()
    del account.rules[application.routes[0].arn]
    (route,) = routes(account, application).managed
    assert (route.split, route.problem) == (None, "it does not exist on its load balancer")


@pytest.mark.parametrize(
    ("described", "says"),
    [
        ({"deploymentController": {"type": "CODE_DEPLOY"}}, "CODE_DEPLOY"),
        ({"deploymentController": {"type": "EXTERNAL"}}, "EXTERNAL"),
        ({"deploymentConfiguration": {"strategy": "BLUE_GREEN"}}, "BLUE_GREEN"),
        ({"deploymentConfiguration": {"strategy": "CANARY"}}, "CANARY"),
        ({"loadBalancers": [{"advancedConfiguration": {"alternateTargetGroupArn": f"{ELB}:targetgroup/g/1"}}]}, "ECS"),
        ({"deploymentController": {"type": "ECS"}, "deploymentConfiguration": {"strategy": "ROLLING"}}, ""),
        ({}, ""),
    ],
)
def test_who_else_rewrites_weights_is_said(account, described, says):
    """ECS API reference, DeploymentController.type, DeploymentConfiguration.strategy, AdvancedConfiguration."""
    application = account.add()
    account.services["apis", "api-1"] |= described
    writer = adapter(account, application).observe({Part.SERVICE}).service.value.weight_writer
    assert bool(writer) == bool(says)
    assert says in writer


def test_stopped_tasks_are_read_only_when_something_is_wrong(account):
    application = account.add()
    account.run(application, 2)
    adapter(account, application).observe({Part.SERVICE})
    assert account.calls["ListTasks"] == 1
    account.services["apis", "api-1"] |= {"desiredCount": 3}
    account.task(
        application, "dead", "STOPPED", stopCode="EssentialContainerExited", stoppedReason="Essential container exited",
        startedAt=AT, stoppedAt=AT + timedelta(seconds=2), containers=[{"exitCode": 1}],
    )  # fmt: skip
    seen = adapter(account, application).observe({Part.SERVICE}).service.value
    assert seen.trouble == "The container exits at once: exit code 1"
    assert seen.running == 2


def test_a_service_is_known_even_where_its_stopped_tasks_are_not(account):
    application = account.add()
    account.services["apis", "api-1"] |= {
        "desiredCount": 1,
        "events": [{"createdAt": AT, "message": "(service api-1) was unable to place a task. Reason: no subnet."}],
    }
    account.failing["ListTasks"] = RefusedError("AccessDeniedException")
    seen = adapter(account, application).observe({Part.SERVICE}).service.value
    assert (seen.desired, seen.trouble) == (1, "ECS can't place a task: no subnet")


def test_healthy_targets_of_another_service_do_not_count(account):
    application = account.add()
    account.run(application, 2)
    account.health[application.ecs_target_group_arn] += [("10.9.9.9", "healthy")]
    seen = adapter(account, application).observe({Part.SERVICE, Part.TARGETS}).targets.value
    assert (seen.ecs_healthy, dict(seen.ecs_states)) == (2, {"healthy": 3})


def test_suspended_scaling_is_said(account):
    """Application Auto Scaling API reference, SuspendedState."""
    application = account.add()
    account.scalable = [
        {
            "ResourceId": "service/apis/api-1",
            "ScalableDimension": "ecs:service:DesiredCount",
            "MinCapacity": 1,
            "MaxCapacity": 4,
            "SuspendedState": {"DynamicScalingInSuspended": True, "ScheduledScalingSuspended": True},
        }
    ]
    seen = adapter(account, application).observe({Part.BOUNDS}).scaling.value
    assert seen.suspended == ("scaling in", "scheduled scaling")


def test_a_metric_that_cloudwatch_failed_to_read_is_not_taken_for_silence(account, monkeypatch):
    """CloudWatch API reference, MetricDataResult.StatusCode."""
    application = account.add()
    failed = {"Label": "errors", "Timestamps": [], "Values": [], "StatusCode": "InternalError"}
    monkeypatch.setattr(
        account, "_GetMetricData", lambda _: {"MetricDataResults": [{"Id": "a0_errors", **failed}]}, raising=False
    )
    reading = adapter(account, application).observe({Part.METRICS}).metrics
    assert (reading.value, "could not read errors" in reading.problem) == (None, True)


def test_what_is_denied_says_what_to_grant(account):
    application = account.add()
    said = f"User: arn:aws:iam::1:role/r is not authorized to perform: ecs:DescribeServices on resource: {ELB}"
    account.failing["DescribeServices"] = RefusedError("AccessDeniedException", said)
    problem = adapter(account, application).observe({Part.SERVICE}).service.problem
    assert problem.endswith(f"Grant ecs:DescribeServices on {ELB} to arn:aws:iam::1:role/r.")


# ---- writing ----


def test_a_write_changes_this_route_and_says_what_stood_there(account):
    application = account.add()
    second = account.rule(1, "second", ours(application, 100, 0))
    application = with_routes(application, application.routes[0].arn, second)
    call = adapter(account, application).write(SetSplit(second, Split(0, 100), before=Split(100, 0)))
    assert (call.action, call.before, call.request_id) == ("elasticloadbalancing:ModifyRule", "100/0", "r-1")
    assert "differs" not in call.after
    assert [route.split for route in routes(account, application).managed] == [Split(100, 0), Split(0, 100)]


def test_an_answer_that_shows_more_than_two_changed_weights_is_in_the_journal(account):
    application = account.add()
    arn = application.routes[0].arn

    def meddle(_: dict) -> None:
        account._ModifyRule = lambda _: {"Rules": [{"RuleArn": arn, "Actions": ours(application, 0, 100, sticky=True)}]}

    account.failing["ModifyRule"] = meddle
    call = adapter(account, application).write(SetSplit(arn, Split(0, 100), before=Split(100, 0)))
    assert "more than the two weights" in call.after


def test_a_route_that_changed_since_the_decision_is_left_alone(account):
    application = account.add()
    account.weights(application, 70, 30)
    with pytest.raises(AwsError, match="70/30") as caught:
        adapter(account, application).write(SetSplit(application.routes[0].arn, Split(0, 100), before=Split(100, 0)))
    assert (caught.value.kind, account.calls["ModifyRule"]) == ("changed", 0)


def test_beside_a_third_group_another_sum_is_another_split(account):
    application = account.add()
    arn, third = application.routes[0].arn, (f"{ELB}:targetgroup/third/9", 50)
    groups = (application.lambda_target_group_arn, 100), (application.ecs_target_group_arn, 0)
    account.rules[arn]["Actions"] = forward(*groups, third)
    with pytest.raises(AwsError, match="100/0"):
        adapter(account, application).write(SetSplit(arn, Split(0, 50), before=Split(50, 0)))
    assert adapter(account, application).write(SetSplit(arn, Split(0, 100), before=Split(100, 0))).before == "100/0"
