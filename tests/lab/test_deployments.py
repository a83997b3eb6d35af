"""Rolling deployments and their circuit breaker.

ECS Developer Guide, "Deploy Amazon ECS services by replacing tasks" (minimum healthy 100 percent, maximum 200 percent)
and "How the Amazon ECS deployment circuit breaker detects failures"; ECS API Reference, Deployment.
"""

import pytest

from lab import accidents
from lab.deployments import failure_threshold
from lab.errors import AwsError

TASK = """
[applications.checkout.task]
provisioning_seconds = 0.2
pending_seconds = 0.2
health_check_interval_seconds = 0.3
health_check_timeout_seconds = 1
health_check_grace_seconds = 1
desired_count = 2
"""


@pytest.fixture
def lab(virtual_of):
    """A service that runs two tasks."""
    lab = virtual_of(TASK)
    lab.run(5)
    return lab


@pytest.fixture
def without_rollback(virtual_of):
    lab = virtual_of(TASK + "rollback = false\n")
    lab.run(5)
    return lab


def described(lab):
    (service,) = lab.call("ecs", "DescribeServices", cluster="apis", services=["checkout"])["services"]
    return service


def rollouts(lab):
    return [(each["status"], each["rolloutState"]) for each in described(lab)["deployments"]]


def messages(lab):
    return [event["message"] for event in described(lab)["events"]]


def update(lab, **given):
    return lab.call("ecs", "UpdateService", cluster="apis", service="checkout", **given)["service"]


def service_of(lab):
    return lab.world.applications["checkout"].service


def healthy(lab):
    return lab.world.applications["checkout"].ecs_group.count("healthy")


def deploy(lab, broken=""):
    accidents.deploy(lab.world, "checkout", lab.now, broken=broken)


def test_a_new_revision_replaces_every_task_and_healthy_ones_never_fall_under_the_desired_count(lab):
    """minimumHealthyPercent 100: old tasks stop when new ones are healthy; maximumPercent 200 bounds their sum."""
    deploy(lab)
    seen = []
    for _ in range(40):
        lab.run(0.1)
        seen.append((healthy(lab), sum(task.desired == "RUNNING" for task in service_of(lab).tasks.values())))
    assert min(count for count, _ in seen) == 2
    assert max(count for _, count in seen) == 4
    assert rollouts(lab) == [("PRIMARY", "COMPLETED")]
    running = [task for task in service_of(lab).tasks.values() if task.lives]
    assert [task.definition.revision for task in running] == [2, 2]


def test_while_it_rolls_out_both_deployments_are_shown_with_their_own_counts(lab):
    """Deployment: PRIMARY is the most recent one, ACTIVE still has tasks running but is being replaced."""
    deploy(lab)
    lab.run(0.1)
    primary, active = described(lab)["deployments"]
    assert (primary["status"], primary["rolloutState"], primary["desiredCount"]) == ("PRIMARY", "IN_PROGRESS", 2)
    assert (primary["pendingCount"], primary["runningCount"]) == (2, 0)
    assert (active["status"], active["runningCount"]) == ("ACTIVE", 2)
    assert primary["taskDefinition"].endswith("checkout:2")
    assert active["taskDefinition"].endswith("checkout:1")
    assert primary["rolloutStateReason"] == f"ECS deployment {primary['id']} in progress."


def test_a_task_tells_which_deployment_started_it(lab):
    """Task: startedBy holds the deployment's id when a service started the task; ListTasks filters by it."""
    deploy(lab)
    lab.run(0.1)
    for deployment in described(lab)["deployments"]:
        arns = lab.call("ecs", "ListTasks", cluster="apis", startedBy=deployment["id"])["taskArns"]
        tasks = lab.call("ecs", "DescribeTasks", cluster="apis", tasks=arns)["tasks"]
        assert {task["startedBy"] for task in tasks} == {deployment["id"]}
        assert {task["taskDefinitionArn"] for task in tasks} == {deployment["taskDefinition"]}


def test_forcing_a_deployment_replaces_tasks_of_the_same_revision(lab):
    """UpdateService, forceNewDeployment: a new deployment without a change of the service's definition."""
    before = described(lab)["deployments"][0]["id"]
    update(lab, forceNewDeployment=True)
    lab.run(5)
    (after,) = described(lab)["deployments"]
    assert after["id"] != before
    assert (after["rolloutState"], after["taskDefinition"].rpartition(":")[2]) == ("COMPLETED", "1")


def test_the_same_task_definition_again_starts_no_deployment(lab):
    """UpdateService: only what changes the service's configuration starts a deployment."""
    update(lab, taskDefinition="checkout:1", desiredCount=3)
    assert rollouts(lab) == [("PRIMARY", "COMPLETED")]


def test_a_deployment_without_tasks_is_complete_at_once(lab):
    """A steady state at a desired count of 0 needs no healthy task."""
    update(lab, desiredCount=0)
    lab.run(5)
    deploy(lab)
    lab.run(0.1)
    assert rollouts(lab) == [("PRIMARY", "COMPLETED")]


def test_its_end_is_told_in_ecs_words(lab):
    """Service event messages: "deployment completed" and "has reached a steady state"."""
    deploy(lab)
    lab.run(5)
    deployment = described(lab)["deployments"][0]["id"]
    assert f"(service checkout) (deployment {deployment}) deployment completed." in messages(lab)
    assert "(service checkout) has reached a steady state." in messages(lab)


@pytest.mark.parametrize(("desired", "threshold"), [(0, 3), (1, 3), (6, 3), (7, 4), (25, 13), (400, 200), (800, 200)])
def test_the_threshold_is_half_of_the_desired_count_within_3_and_200(desired, threshold):
    """Circuit breaker: 0.5 x desired task count, rounded up, with a minimum of 3 and a maximum of 200."""
    assert failure_threshold(desired) == threshold


@pytest.mark.parametrize("broken", ["exits", "unhealthy"])
def test_a_broken_release_is_rolled_back_to_the_last_completed_deployment(lab, broken):
    """Circuit breaker with rollback: the service goes back to the last deployment that completed; users see nothing."""
    before = described(lab)["deployments"][0]["id"]
    deploy(lab, broken)
    lowest = []
    for _ in range(300):
        lab.run(0.1)
        lowest.append(healthy(lab))
    (primary,) = described(lab)["deployments"]
    assert (primary["id"], primary["rolloutState"]) == (before, "COMPLETED")
    assert min(lowest) == 2
    assert any("deployment failed: tasks failed to start." in message for message in messages(lab))
    assert f"(service checkout) rolling back to deployment {before}." in messages(lab)


def test_without_rollback_it_stays_failed_and_launches_nothing_more(without_rollback):
    """Circuit breaker without rollback: the deployment is FAILED and no new tasks are launched, for scaling neither."""
    lab = without_rollback
    deploy(lab, "exits")
    lab.run(20)
    primary, active = described(lab)["deployments"]
    assert primary["rolloutState"] == "FAILED"
    assert primary["failedTasks"] >= 3
    assert primary["rolloutStateReason"] == "ECS deployment circuit breaker: tasks failed to start."
    assert (active["status"], active["runningCount"]) == ("ACTIVE", 2), "the old tasks go on"
    started = len(service_of(lab).tasks)
    update(lab, desiredCount=5)
    lab.run(20)
    assert len(service_of(lab).tasks) == started


def test_tasks_that_cannot_be_placed_fail_a_deployment_too(lab):
    """Deployment, failedTasks: a task that the scheduler can't launch counts as failed."""
    lab.world.faults.set("fargate_capacity", 2, "checkout")
    deploy(lab)
    lab.run(5)
    assert any("deployment failed" in message for message in messages(lab))
    assert rollouts(lab) == [("PRIMARY", "COMPLETED")], "rolled back, and the old tasks had never stopped"
    assert healthy(lab) == 2


def test_a_new_deployment_ends_the_failure(without_rollback):
    """The next deployment is judged by itself."""
    lab = without_rollback
    deploy(lab, "exits")
    lab.run(20)
    update(lab, taskDefinition="checkout:1")
    lab.run(5)
    assert rollouts(lab) == [("PRIMARY", "COMPLETED")]
    assert healthy(lab) == 2


def test_a_rollback_that_fails_too_is_the_end(lab):
    """The breaker rolls back once: where what completed before fails as well, the service stays at FAILED."""
    lab.world.faults.set("tasks_do_not_start", True, "checkout")
    accidents.kill_task(lab.world, "checkout", lab.now)
    accidents.deploy(lab.world, "checkout", lab.now, broken="exits")
    lab.run(120)
    assert described(lab)["deployments"][0]["rolloutState"] == "FAILED"
    started = len(service_of(lab).tasks)
    lab.run(60)
    assert len(service_of(lab).tasks) == started


def test_a_healthy_task_sets_the_count_of_failures_back(lab):
    """DeploymentCircuitBreaker, resetOnHealthyTask (on by default): failedTasks counts failures in a row."""
    lab.world.faults.set("tasks_do_not_start", True, "checkout")
    update(lab, forceNewDeployment=True)
    lab.run(0.5)
    assert described(lab)["deployments"][0]["failedTasks"] == 2
    lab.world.faults.set("tasks_do_not_start", None, "checkout")
    lab.run(3)
    assert described(lab)["deployments"][0]["failedTasks"] == 0
    lab.run(10)
    assert rollouts(lab) == [("PRIMARY", "COMPLETED")]


def test_tasks_that_fail_outside_of_a_deployment_are_replaced_and_count_for_nothing(lab):
    """The breaker watches deployments in progress: later failures are the scheduler's to replace."""
    for _ in range(4):
        accidents.kill_task(lab.world, "checkout", lab.now)
        lab.run(5)
    (primary,) = described(lab)["deployments"]
    assert (primary["rolloutState"], primary["failedTasks"]) == ("COMPLETED", 0)
    assert healthy(lab) == 2


def test_a_task_definition_is_described_with_image_size_and_port(lab):
    """DescribeTaskDefinition: by family:revision, by ARN, or by family, which means its latest revision."""
    deploy(lab)
    first = lab.call("ecs", "DescribeTaskDefinition", taskDefinition="checkout:1")["taskDefinition"]
    assert (first["revision"], first["cpu"], first["memory"]) == (1, "256", "512")
    (container,) = first["containerDefinitions"]
    assert (container["image"], container["portMappings"][0]["containerPort"]) == ("api-service:lab", 8080)
    latest = lab.call("ecs", "DescribeTaskDefinition", taskDefinition="checkout")["taskDefinition"]
    assert latest["revision"] == 2
    by_arn = lab.call("ecs", "DescribeTaskDefinition", taskDefinition=latest["taskDefinitionArn"])
    assert by_arn["taskDefinition"] == latest


def test_an_unknown_task_definition_is_a_client_exception(lab):
    """ECS answers ClientException, "Unable to describe task definition." (seen with AWS's own CLI)."""
    with pytest.raises(AwsError, match="Unable to describe task definition") as refused:
        update(lab, taskDefinition="checkout:9")
    assert refused.value.code == "ClientException"


def test_a_deleted_service_drains_and_is_then_inactive(lab):
    """DeleteService: the status goes from ACTIVE to DRAINING, and to INACTIVE when no task is left."""
    accidents.delete_service(lab.world, "checkout", lab.now)
    assert described(lab)["status"] == "DRAINING"
    lab.run(5)
    assert (described(lab)["status"], described(lab)["runningCount"]) == ("INACTIVE", 0)
    with pytest.raises(AwsError) as refused:
        update(lab, desiredCount=1)
    assert refused.value.code == "ServiceNotActiveException"


def test_a_service_can_be_inactive_from_the_start(virtual_of):
    """DescribeServices shows a deleted service as INACTIVE for some time; the world file can begin with one."""
    lab = virtual_of('[applications.checkout.task]\nstatus = "INACTIVE"')
    assert described(lab)["status"] == "INACTIVE"
