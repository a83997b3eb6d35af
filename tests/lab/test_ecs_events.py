"""ECS's events on the bus.

ECS Developer Guide, "Amazon ECS task state change events", "Amazon ECS service action events" and "Amazon ECS service
deployment state change events".
"""

import pytest

from lab import accidents


@pytest.fixture
def lab(virtual):
    virtual.run(1)
    return virtual


def events(lab, detail_type):
    """Oldest first."""
    return [each.event for each in lab.world.bus.deliveries if each.event["detail-type"] == detail_type]


def names(lab, detail_type):
    return [event["detail"]["eventName"] for event in events(lab, detail_type)]


def scale(lab, count):
    lab.call("ecs", "UpdateService", cluster="apis", service="checkout", desiredCount=count)


def test_every_change_of_a_task_is_an_event_with_a_version_of_its_own(lab):
    """Task state change events: the detail is the task; its version grows with each change."""
    scale(lab, 1)
    lab.run(3)
    scale(lab, 0)
    lab.run(3)
    details = [event["detail"] for event in events(lab, "ECS Task State Change")]
    statuses = [detail["lastStatus"] for detail in details]
    assert statuses == ["PROVISIONING", "PENDING", "RUNNING", "DEACTIVATING", "STOPPING", "STOPPED"]
    assert [detail["version"] for detail in details] == [1, 2, 3, 4, 5, 6]
    assert [detail["desiredStatus"] for detail in details] == ["RUNNING"] * 3 + ["STOPPED"] * 3


def test_a_tasks_event_has_the_documented_shape(lab):
    """Task state change events: resources holds the task's ARN; times are text; no key without a value."""
    scale(lab, 1)
    lab.run(3)
    event = events(lab, "ECS Task State Change")[-1]
    detail = event["detail"]
    assert (event["source"], event["account"], event["region"]) == ("aws.ecs", "123456789012", "eu-west-1")
    assert event["resources"] == [detail["taskArn"]]
    assert detail["clusterArn"] == "arn:aws:ecs:eu-west-1:123456789012:cluster/apis"
    assert detail["group"] == "service:checkout"
    assert detail["startedBy"].startswith("ecs-svc/")
    assert detail["createdAt"].endswith("Z")
    assert "stoppedAt" not in detail
    assert None not in detail.values()


def test_a_steady_state_is_a_service_action(lab):
    """Service action events: SERVICE_STEADY_STATE, of type INFO, with the service's ARN as resource."""
    scale(lab, 1)
    lab.run(3)
    (event,) = events(lab, "ECS Service Action")
    assert (event["detail"]["eventType"], event["detail"]["eventName"]) == ("INFO", "SERVICE_STEADY_STATE")
    assert event["resources"] == ["arn:aws:ecs:eu-west-1:123456789012:service/apis/checkout"]


def test_a_want_of_capacity_is_a_service_action_with_its_reason(lab):
    """Service action events: SERVICE_TASK_PLACEMENT_FAILURE, of type ERROR; RESOURCE:FARGATE for Fargate."""
    lab.world.faults.set("fargate_capacity", 0)
    scale(lab, 1)
    lab.run(3)
    event, _ = events(lab, "ECS Service Action")
    assert (event["detail"]["eventType"], event["detail"]["eventName"]) == ("ERROR", "SERVICE_TASK_PLACEMENT_FAILURE")
    assert event["detail"]["reason"] == "RESOURCE:FARGATE"


def test_tasks_that_do_not_start_are_a_service_action(lab):
    """Service action events: SERVICE_TASK_START_IMPAIRED, of type WARN."""
    lab.world.faults.set("tasks_do_not_start", True)
    scale(lab, 1)
    lab.run(10)
    assert names(lab, "ECS Service Action") == ["SERVICE_TASK_START_IMPAIRED"]


def test_a_deployment_is_told_from_its_begin_to_its_end(lab):
    """Deployment state change events: IN_PROGRESS, then COMPLETED, with the deployment's id."""
    scale(lab, 1)
    lab.run(3)
    accidents.deploy(lab.world, "checkout", lab.now)
    lab.run(5)
    begun, ended = events(lab, "ECS Deployment State Change")
    assert begun["detail"]["eventName"] == "SERVICE_DEPLOYMENT_IN_PROGRESS"
    assert ended["detail"]["eventName"] == "SERVICE_DEPLOYMENT_COMPLETED"
    deployment = begun["detail"]["deploymentId"]
    assert begun["detail"]["reason"] == f"ECS deployment {deployment} in progress."
    assert ended["detail"]["reason"] == f"ECS deployment {deployment} completed."


def test_a_failed_deployment_is_told_with_its_rollback(lab):
    """Deployment state change events: FAILED of type ERROR; a rollback begins with IN_PROGRESS and says so."""
    scale(lab, 1)
    lab.run(3)
    accidents.deploy(lab.world, "checkout", lab.now, broken="exits")
    lab.run(20)
    assert names(lab, "ECS Deployment State Change") == [
        "SERVICE_DEPLOYMENT_IN_PROGRESS",
        "SERVICE_DEPLOYMENT_FAILED",
        "SERVICE_DEPLOYMENT_IN_PROGRESS",
        "SERVICE_DEPLOYMENT_COMPLETED",
    ]
    _, failed, rollback, _ = events(lab, "ECS Deployment State Change")
    assert failed["detail"]["eventType"] == "ERROR"
    assert "rolling back to deploymentId" in rollback["detail"]["reason"]
