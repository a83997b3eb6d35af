"""What an operator reads about a service that lacks tasks, from what ECS says.

The messages are as AWS documents them: ECS developer guide, "Amazon ECS service event messages", "Amazon ECS stopped
task error messages", "How the Amazon ECS deployment circuit breaker detects failures"; ECS API reference,
Task.stopCode and Container.exitCode.
"""

from datetime import UTC, datetime

import pytest

from failover.aws.service_events import complains, tells_of_no_capacity, trouble

NOW = 1_800_000_000.0
GROUP = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/api-ecs/1"


def at(ago: float) -> datetime:
    return datetime.fromtimestamp(NOW - ago, UTC)


def service(*messages: str, desired=2, running=0, pending=0, deployments=(), ago=30.0):
    return {
        "desiredCount": desired,
        "runningCount": running,
        "pendingCount": pending,
        "deployments": list(deployments),
        "events": [{"createdAt": at(ago), "message": f"(service api) {message}"} for message in messages],
    }


def task(code: str, reason: str, *, ago=20.0, lived=5.0, **more):
    return {"stopCode": code, "stoppedReason": reason, "startedAt": at(ago + lived), "stoppedAt": at(ago), **more}


def exited(code: int, lived=5.0, reason=""):
    containers = [{"exitCode": code, "reason": reason}]
    return task("EssentialContainerExited", "Essential container in task exited", lived=lived, containers=containers)


NO_CAPACITY = (
    "was unable to place a task. Reason: Capacity is unavailable at this time. Please try again later or in a "
    "different availability zone."
)
UNHEALTHY = (
    f"(port 8080) is unhealthy in (target-group {GROUP}) due to (reason Health checks failed with these codes: [503])."
)
ELB = task("ServiceSchedulerInitiated", f"Task failed ELB health checks in (target-group {GROUP})")
PULL = (
    "CannotPullContainerError: ref pull has been retried 1 time(s): failed to resolve reference "
    "111122223333.dkr.ecr.eu-west-1.amazonaws.com/api:v9: not found"
)
FAILED = {"rolloutState": "FAILED", "rolloutStateReason": "ECS deployment circuit breaker: tasks failed to start."}


@pytest.mark.parametrize(
    ("said", "stopped", "sentence"),
    [
        (service(NO_CAPACITY), [], "Fargate has no capacity"),
        (
            service("was unable to place a task. Reason: Capacity is unavailable at this time in eu-west-1a."),
            [],
            "Fargate has no capacity in eu-west-1a",
        ),
        (
            service(),
            [task("SpotInterruption", "Your Spot Task was interrupted.", availabilityZone="eu-west-1b")],
            "Fargate Spot took a task's capacity back in eu-west-1b",
        ),
        (
            service("was unable to place a task. Reason: You've reached the limit on the number of vCPUs you can run."),
            [],
            "ECS can't place a task: You've reached the limit on the number of vCPUs you can run",
        ),
        (service(), [exited(1)], "The container exits at once: exit code 1"),
        (service(), [exited(3, lived=600)], "The container exits after 10 min: exit code 3"),
        (
            service(),
            [exited(137, reason="OutOfMemoryError: Container killed due to memory usage")],
            "The container runs out of memory and is killed",
        ),
        (
            service(UNHEALTHY),
            [ELB],
            "Tasks run but fail the load balancer's health check on /: 503",
        ),
        (
            service(f"(port 8080) is unhealthy in (target-group {GROUP}) due to (reason Request timed out)."),
            [],
            "Tasks run but fail the load balancer's health check on /: Request timed out",
        ),
        (
            service(),
            [task("ServiceSchedulerInitiated", "Task failed container health checks")],
            "Tasks run but fail their container's own health check",
        ),
        (service(), [task("TaskFailedToStart", PULL)], f"The image can't be pulled: {PULL.partition(': ')[2]}"),
        (
            service(),
            [
                task(
                    "TaskFailedToStart",
                    "Task failed to start",
                    containers=[{"reason": "CannotStartContainerError: no"}],
                )
            ],
            "The container can't be started: no",
        ),
        (service(), [task("UserInitiated", "Task stopped by user")], "Somebody stopped a task: Task stopped by user"),
        (service(deployments=[FAILED]), [], "The deployment's circuit breaker gave up: tasks failed to start"),
        (
            service(deployments=[FAILED]),
            [exited(1)],
            "The deployment's circuit breaker gave up: the container exits at once: exit code 1",
        ),
        (
            service("is unable to consistently start tasks successfully. See the docs."),
            [],
            "ECS says: the service is unable to consistently start tasks successfully. See the docs",
        ),
    ],
)
def test_what_is_wrong_is_one_short_sentence(said, stopped, sentence):
    assert complains(said, NOW)
    expected = sentence if len(sentence) <= 160 else f"{sentence[:159].rstrip()}…"
    assert trouble(said, stopped, NOW, "/") == expected


@pytest.mark.parametrize(
    "said",
    [
        service("has reached a steady state.", desired=2, running=2),
        service("has reached a steady state.", NO_CAPACITY, running=2),  # over since then
        service(NO_CAPACITY, desired=0),
        service(NO_CAPACITY, running=2, ago=7200),
        service("has started 2 tasks: (task 1) (task 2).", pending=2),
    ],
)
def test_a_service_with_nothing_wrong_is_not_looked_into(said):
    assert not complains(said, NOW)


def test_tasks_that_stopped_because_they_were_asked_to_explain_nothing():
    scaled = task("ServiceSchedulerInitiated", "Scaling activity initiated by (deployment ecs-svc/1)")
    assert trouble(service(), [scaled], NOW) == ""
    assert trouble(service(), [scaled, exited(1)], NOW) == "The container exits at once: exit code 1"


def test_the_newest_complaint_is_the_one_that_counts():
    recovered = service("has reached a steady state.", NO_CAPACITY, desired=4, running=2)
    assert complains(recovered, NOW)
    assert trouble(recovered, [exited(2)], NOW) == "The container exits at once: exit code 2"


@pytest.mark.parametrize(
    ("said", "stopped", "no_room"),
    [
        (service(NO_CAPACITY), [], True),
        (service("was unable to place a task. Reason: You've reached the limit on the number of vCPUs."), [], True),
        (service(), [task("SpotInterruption", "Your Spot Task was interrupted.")], True),
        (service(NO_CAPACITY, deployments=[FAILED]), [], True),
        (service(), [exited(1)], False),
        (service(UNHEALTHY), [ELB], False),
        (service(), [task("TaskFailedToStart", PULL)], False),
    ],
)
def test_no_room_is_told_from_tasks_that_do_not_work(said, stopped, no_room):
    assert tells_of_no_capacity(f"ECS says: {trouble(said, stopped, NOW)}") == no_room
