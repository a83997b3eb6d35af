"""Target group stickiness (Application Load Balancers guide, "Sticky sessions for your Application Load Balancer")."""

import pytest

from lab.errors import AwsError

WORLD = """
node_delays_seconds = [0, 0]

[applications.checkout]
stickiness_seconds = 60
weights = { lambda = 1, ecs = 0 }

[applications.checkout.task]
provisioning_seconds = 0.2
pending_seconds = 0.2
health_check_interval_seconds = 0.3
desired_count = 1
"""


@pytest.fixture
def lab(virtual_of):
    lab = virtual_of(WORLD)
    lab.run(5)
    return lab


def dispatch(lab, cookies=""):
    exchange = lab.world.applications["checkout"].load_balancer.dispatch("a", "/", lab.now, cookies)
    return exchange.group.kind, exchange.cookie


def sent_back(set_cookie):
    """What a client sends of what it was told to keep."""
    return f"theme=dark; {set_cookie.partition(';')[0]}"


def shift(lab, lambda_weight, ecs_weight, stickiness=60):
    application = lab.world.applications["checkout"]
    groups = [
        {"TargetGroupArn": application.lambda_group.arn, "Weight": lambda_weight},
        {"TargetGroupArn": application.ecs_group.arn, "Weight": ecs_weight},
    ]
    config = {"Enabled": True, "DurationSeconds": stickiness} if stickiness else {"Enabled": False}
    forward = {"TargetGroups": groups, "TargetGroupStickinessConfig": config}
    actions = [{"Type": "forward", "ForwardConfig": forward}]
    lab.call("elbv2", "ModifyListener", ListenerArn=application.listener.arn, DefaultActions=actions)
    lab.run(0.2)


def test_an_answer_carries_the_cookie_for_the_duration(lab):
    """Target group stickiness: the load balancer generates a cookie named AWSALBTG."""
    _, cookie = dispatch(lab)
    assert cookie.startswith("AWSALBTG=")
    assert "Max-Age=60; Path=/" in cookie


def test_a_client_with_the_cookie_stays_with_its_group_even_at_weight_0(lab):
    """Assumed: AWS says that requests are routed to the same group for the duration, and nothing of weight 0."""
    _, cookie = dispatch(lab)
    shift(lab, 0, 1)
    assert dispatch(lab)[0] == "ip", "a client without the cookie goes by the weights"
    assert dispatch(lab, sent_back(cookie)) == ("lambda", "")


def test_after_the_duration_the_weights_count_again(lab):
    """DurationSeconds: the time during which requests from a client are routed to the same group."""
    _, cookie = dispatch(lab)
    shift(lab, 0, 1)
    lab.run(60)
    kind, renewed = dispatch(lab, sent_back(cookie))
    assert (kind, bool(renewed)) == ("ip", True)


def test_a_group_that_the_action_no_longer_names_is_chosen_anew(lab):
    """A cookie cannot send a request where the rule does not forward to."""
    _, cookie = dispatch(lab)
    application = lab.world.applications["checkout"]
    only = [{"Type": "forward", "TargetGroupArn": application.ecs_group.arn}]
    lab.call("elbv2", "ModifyListener", ListenerArn=application.listener.arn, DefaultActions=only)
    lab.run(0.2)
    assert dispatch(lab, sent_back(cookie))[0] == "ip"


def test_a_group_without_a_target_is_chosen_anew(lab):
    """Assumed: staying with an empty group would answer 503 for the whole duration."""
    shift(lab, 0, 1)
    _, cookie = dispatch(lab)
    shift(lab, 1, 0)
    lab.call("ecs", "UpdateService", cluster="apis", service="checkout", desiredCount=0)
    lab.run(5)
    assert dispatch(lab, sent_back(cookie))[0] == "lambda"


@pytest.mark.parametrize("cookies", ["AWSALBTG=nonsense", "AWSALBTG=W10=", "other=1", "=;=,"])
def test_a_cookie_that_is_not_the_load_balancers_is_ignored(lab, cookies):
    """The cookie's content is the load balancer's own, and encrypted on AWS."""
    kind, cookie = dispatch(lab, cookies)
    assert (kind, bool(cookie)) == ("lambda", True)


def test_without_stickiness_there_is_no_cookie(lab):
    """TargetGroupStickinessConfig: off by default."""
    _, cookie = dispatch(lab)
    shift(lab, 0, 1, stickiness=0)
    assert dispatch(lab, sent_back(cookie)) == ("ip", "")


@pytest.mark.parametrize("seconds", [-1, 604_801])
def test_a_duration_outside_of_1_second_to_7_days_is_refused(lab, seconds):
    """TargetGroupStickinessConfig, DurationSeconds: 1 to 604800."""
    with pytest.raises(AwsError, match="from 1 to 604800"):
        shift(lab, 1, 0, stickiness=seconds)
