"""A flow keeps how its requests are distributed for as long as nothing changes it, and no longer.

When weights reach a node is nothing that the Application Load Balancers guide promises ("Listener rules"); what the lab
assumes is in docs/lab-model.md.
"""

import pytest


@pytest.fixture
def flow(virtual):
    return virtual.flow("checkout", 100, (("/bang", 1),))


def write(virtual, lambda_weight, ecs_weight, at):
    application = virtual.world.applications["checkout"]
    groups = [
        {"TargetGroupArn": application.lambda_group.arn, "Weight": lambda_weight},
        {"TargetGroupArn": application.ecs_group.arn, "Weight": ecs_weight},
    ]
    action = {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}
    application.load_balancer.write(application.listener.default, [action], at)
    return application.load_balancer


def test_between_two_steps_that_last_as_long_what_the_nodes_learnt_counts_from_the_next_one_on(virtual, flow):
    began = virtual.now
    flow.advance(began + 1)
    load_balancer = write(virtual, 0, 1, began + 1)
    flow.advance(began + 2)
    assert flow.answered == {("lambda", 200): 200}, "no node has learnt of it"
    load_balancer.advance(began + 10)
    flow.advance(began + 3)
    assert flow.answered == {("lambda", 200): 200, ("ecs", 503): 100}


def test_another_rate_counts_from_the_next_step_on(virtual, flow):
    began = virtual.now
    flow.advance(began + 1)
    flow.set(10, (("/bang", 1),), {})
    flow.advance(began + 2)
    assert flow.answered == {("lambda", 200): 110}
