"""Tasks and services (ECS Developer Guide, "Amazon ECS task lifecycle" and "Service event messages")."""

import pytest

from lab.errors import AwsError


@pytest.fixture
def service(virtual):
    return virtual.world.applications["checkout"].service


def scale(virtual, count):
    virtual.call("ecs", "UpdateService", cluster="apis", service="checkout", desiredCount=count)


def described(virtual):
    (service,) = virtual.call("ecs", "DescribeServices", cluster="apis", services=["checkout"])["services"]
    return service


def statuses(service):
    return sorted(task.status for task in service.tasks.values())


def messages(virtual):
    return [event["message"] for event in described(virtual)["events"]]


def test_a_task_passes_through_provisioning_and_pending(virtual, service):
    """Task lifecycle: PROVISIONING, PENDING, RUNNING."""
    scale(virtual, 1)
    seen = []
    for _ in range(20):
        virtual.run(0.1)
        (task,) = service.tasks.values()
        seen.append(task.status)
    assert list(dict.fromkeys(seen)) == ["PROVISIONING", "PENDING", "RUNNING"]


def test_counts_tell_pending_from_running(virtual):
    """DescribeServices: pendingCount and runningCount."""
    scale(virtual, 2)
    virtual.run(0.1)
    assert (described(virtual)["pendingCount"], described(virtual)["runningCount"]) == (2, 0)
    virtual.run(1)
    assert (described(virtual)["pendingCount"], described(virtual)["runningCount"]) == (0, 2)


def test_a_changed_desired_count_starts_no_deployment(virtual):
    """UpdateService: changing the desired count does not start a deployment."""
    (before,) = described(virtual)["deployments"]
    scale(virtual, 2)
    virtual.run(2)
    (after,) = described(virtual)["deployments"]
    assert after["id"] == before["id"]
    assert after["rolloutState"] == "COMPLETED"


def test_scale_in_drains_then_terminates(virtual, service):
    """Task lifecycle: DEACTIVATING deregisters the target first, then STOPPING sends SIGTERM."""
    scale(virtual, 1)
    virtual.run(3)
    (task,) = service.tasks.values()
    service.group.targets[task.address].in_flight = 1
    scale(virtual, 0)
    virtual.run(5)
    assert task.status == "DEACTIVATING"
    assert task.id not in virtual.containers.ended, "its request is still in flight"
    service.group.targets[task.address].in_flight = 0
    virtual.run(1)
    assert (task.status, virtual.containers.ended[task.id]) == ("STOPPED", 0)


def test_a_container_that_ignores_sigterm_is_killed_after_the_stop_timeout(virtual, service):
    """Task lifecycle, STOPPING: SIGTERM, and SIGKILL after the stop time-out (30 seconds by default)."""
    virtual.containers.deaf = True
    scale(virtual, 1)
    virtual.run(3)
    scale(virtual, 0)
    virtual.run(4.5)
    (task,) = service.tasks.values()
    assert task.status == "STOPPING"
    virtual.run(1.5)
    assert (task.status, virtual.containers.killed) == ("STOPPED", {task.id})


def test_scale_in_takes_a_task_that_does_not_run_yet_before_one_that_does(virtual, service):
    """How tasks are placed and terminated by the scheduler; which goes first is inferred."""
    scale(virtual, 1)
    virtual.run(3)
    (old,) = service.tasks
    scale(virtual, 2)
    virtual.run(0.1)
    scale(virtual, 1)
    virtual.run(1)
    assert service.tasks[old].status == "RUNNING"
    assert statuses(service) == ["RUNNING", "STOPPED"]


def test_a_task_whose_container_ends_is_replaced_and_an_event_says_so(virtual, service):
    """Stopped task codes: EssentialContainerExited; service event messages: "has started 1 tasks"."""
    scale(virtual, 1)
    virtual.run(3)
    (task,) = service.tasks.values()
    virtual.containers.ended[task.id] = 1
    virtual.run(3)
    assert (task.status, task.reason) == ("STOPPED", "Essential container in task exited")
    assert statuses(service) == ["RUNNING", "STOPPED"]
    assert sum("has started 1 tasks" in message for message in messages(virtual)) == 2


def test_a_task_that_fails_the_load_balancers_checks_is_replaced_after_the_grace_period(virtual, service):
    """Service event messages: "is unhealthy in (target-group …)"; healthCheckGracePeriodSeconds of CreateService."""
    virtual.containers.broken = True
    scale(virtual, 1)
    virtual.run(29)
    assert statuses(service) == ["RUNNING"]
    virtual.run(3)
    assert any("is unhealthy in (target-group" in message for message in messages(virtual))
    assert any("Task failed ELB health checks" in task.reason for task in service.tasks.values())


def test_events_are_newest_first_and_end_in_a_steady_state(virtual):
    """Service event messages: "has reached a steady state"; DescribeServices lists the newest first."""
    scale(virtual, 1)
    virtual.run(3)
    newest, *_, oldest = messages(virtual)
    assert "has reached a steady state" in newest
    assert "has started 1 tasks" in oldest


def test_fargate_without_capacity_starts_what_it_can_and_says_so(virtual, service):
    """Service event messages: "was unable to place a task"."""
    virtual.addresses.left = 1
    scale(virtual, 3)
    virtual.run(10)
    assert statuses(service) == ["RUNNING"]
    complaints = [message for message in messages(virtual) if "unable to place a task" in message]
    assert len(complaints) == 1


def test_list_tasks_tells_running_from_stopped_and_pages(virtual):
    """ListTasks: desiredStatus, RUNNING by default; nextToken."""
    scale(virtual, 3)
    virtual.run(2)
    first = virtual.call("ecs", "ListTasks", cluster="apis", serviceName="checkout", maxResults=2)
    rest = virtual.call("ecs", "ListTasks", cluster="apis", serviceName="checkout", nextToken=first["nextToken"])
    assert (len(first["taskArns"]), len(rest["taskArns"]), rest["nextToken"]) == (2, 1, None)
    assert virtual.call("ecs", "ListTasks", cluster="apis", desiredStatus="STOPPED")["taskArns"] == []


def test_an_unknown_service_is_a_failure_and_not_an_error(virtual):
    """DescribeServices and API failure reasons: MISSING."""
    answer = virtual.call("ecs", "DescribeServices", cluster="apis", services=["checkout", "nobody"])
    assert [service["serviceName"] for service in answer["services"]] == ["checkout"]
    (failure,) = answer["failures"]
    assert (failure["reason"], failure["arn"].endswith("service/apis/nobody")) == ("MISSING", True)


@pytest.mark.parametrize(
    ("cluster", "service", "code"),
    [("other", "checkout", "ClusterNotFoundException"), ("apis", "nobody", "ServiceNotFoundException")],
)
def test_updating_what_does_not_exist_is_an_error(virtual, cluster, service, code):
    """UpdateService, errors: ClusterNotFoundException and ServiceNotFoundException."""
    with pytest.raises(AwsError) as refused:
        virtual.call("ecs", "UpdateService", cluster=cluster, service=service, desiredCount=1)
    assert refused.value.code == code


def test_a_stopped_task_is_shown_for_an_hour_and_the_service_wakes_up_for_a_new_one(virtual, service):
    """ECS API Reference, DescribeTasks: stopped tasks appear in the returned results for at least one hour."""
    scale(virtual, 1)
    virtual.run(10)
    scale(virtual, 0)
    virtual.run(1800)
    assert statuses(service) == ["STOPPED"]
    scale(virtual, 1)
    virtual.run(10)
    assert statuses(service) == ["RUNNING", "STOPPED"]
    scale(virtual, 0)
    virtual.run(2000)
    assert statuses(service) == ["STOPPED"]
    virtual.run(3700)
    assert statuses(service) == []
