"""What each switch breaks, in virtual time; that the switch turned off heals new tasks is part of each test.

The switches imitate what AWS documents or reports; each test names where.
"""

import pytest

from lab.cloudwatch import Metric

WORLD = """
[applications.checkout.function]
reserved_concurrency = 50

[applications.checkout.task]
provisioning_seconds = 0.2
pending_seconds = 0.2
health_check_interval_seconds = 0.3
health_check_timeout_seconds = 1
health_check_grace_seconds = 1
circuit_breaker = false

[[applications.checkout.alarms]]
name = "idle"
metric = "Throttles"
statistic = "Sum"
threshold = 1
"""


@pytest.fixture
def lab(virtual_of):
    return virtual_of(WORLD)


def service_of(lab):
    return lab.world.applications["checkout"].service


def scale(lab, count):
    lab.call("ecs", "UpdateService", cluster="apis", service="checkout", desiredCount=count)


def turn(lab, name, value):
    lab.world.faults.set(name, value, "checkout")


def healthy(lab):
    return lab.world.applications["checkout"].ecs_group.count("healthy")


def messages(lab):
    return [event.message for event in service_of(lab).events]


def alive(lab):
    return [task.status for task in service_of(lab).tasks.values() if task.lives]


def test_fargate_without_capacity_places_no_more_tasks_and_the_event_says_so_once(lab):
    """Service event messages: "was unable to place a task … Capacity is unavailable at this time"; a repeated message
    is left out until its cause is resolved or six hours have passed."""
    turn(lab, "fargate_capacity", 1)
    scale(lab, 3)
    lab.run(120)
    assert healthy(lab) == 1
    complaints = [message for message in messages(lab) if "was unable to place a task" in message]
    (complaint,) = complaints
    assert "Reason: Capacity is unavailable at this time. Please try again later" in complaint
    turn(lab, "fargate_capacity", None)
    lab.run(30)
    assert healthy(lab) == 3


def test_a_want_of_capacity_is_tried_again_ever_more_slowly(lab):
    """Service throttle logic names a lack of resources first among the causes of "is unable to consistently start"."""
    turn(lab, "fargate_capacity", 0)
    scale(lab, 1)
    lab.run(60)
    assert messages(lab).count("(service checkout) is unable to consistently start tasks successfully.") == 1
    turn(lab, "fargate_capacity", None)
    lab.run(1)
    assert healthy(lab) == 0
    lab.run(30)
    assert healthy(lab) == 1


def test_a_want_of_capacity_is_told_again_when_tasks_are_wanted_anew(lab):
    """Service event messages: a message is repeated when its cause had been resolved: here, no task was wanted."""
    turn(lab, "fargate_capacity", 0)
    for _ in range(2):
        scale(lab, 1)
        lab.run(5)
        scale(lab, 0)
        lab.run(5)
    assert sum("was unable to place a task" in message for message in messages(lab)) == 2


def test_a_service_scaled_to_nothing_forgets_that_its_tasks_did_not_start(lab):
    """Service throttle logic; that nothing wanted ends it is assumed."""
    turn(lab, "tasks_do_not_start", True)
    for _ in range(2):
        scale(lab, 1)
        lab.run(40)
        scale(lab, 0)
        lab.run(5)
    assert sum("is unable to consistently start" in message for message in messages(lab)) == 2


def test_a_capacity_of_nothing_lets_running_tasks_live(lab):
    """Fargate's lack of capacity concerns new tasks alone."""
    scale(lab, 2)
    lab.run(3)
    turn(lab, "fargate_capacity", 0)
    lab.run(10)
    assert alive(lab) == ["RUNNING", "RUNNING"]


def test_tasks_that_start_slowly_stay_in_provisioning(lab):
    """Task lifecycle: in PROVISIONING the network interface is made, which takes as long as it takes."""
    turn(lab, "tasks_start_slowly", 30)
    scale(lab, 1)
    lab.run(29)
    assert alive(lab) == ["PROVISIONING"]
    lab.run(3)
    assert healthy(lab) == 1
    turn(lab, "tasks_start_slowly", None)
    scale(lab, 2)
    lab.run(3)
    assert healthy(lab) == 2


def test_tasks_that_never_get_healthy_are_replaced_after_the_grace_period(lab):
    """Service event messages: "(port 8080) is unhealthy in (target-group …) due to (reason …)"; the health check grace
    period holds the scheduler back at first. Service throttle logic: tasks that were RUNNING are never throttled."""
    turn(lab, "tasks_never_healthy", True)
    scale(lab, 1)
    lab.run(20)
    assert healthy(lab) == 0
    assert sum("is unhealthy in (target-group" in message for message in messages(lab)) > 3
    assert not any("unable to consistently start" in message for message in messages(lab))
    turn(lab, "tasks_never_healthy", None)
    lab.run(6)
    assert healthy(lab) == 1


def test_tasks_that_do_not_start_are_tried_again_ever_more_slowly(lab):
    """Service throttle logic: tasks that go from PENDING to STOPPED make the time between attempts grow, the event says
    "is unable to consistently start tasks successfully", and ECS never gives up."""
    turn(lab, "tasks_do_not_start", True)
    scale(lab, 1)
    lab.run(10)
    early = len(service_of(lab).tasks)
    lab.run(60)
    late = len(service_of(lab).tasks) - early
    assert early >= 5
    assert 1 <= late <= 4, "six times the time, fewer attempts"
    assert messages(lab).count("(service checkout) is unable to consistently start tasks successfully.") == 1
    assert {task.started for task in service_of(lab).tasks.values()} == {None}
    turn(lab, "tasks_do_not_start", None)
    lab.run(40)
    assert healthy(lab) == 1


def test_a_new_deployment_ends_the_throttle_at_once(lab):
    """Service throttle logic: with a new task definition the service returns to a normal state immediately."""
    turn(lab, "tasks_do_not_start", True)
    scale(lab, 1)
    lab.run(70)
    turn(lab, "tasks_do_not_start", None)
    lab.call("ecs", "UpdateService", cluster="apis", service="checkout", forceNewDeployment=True)
    lab.run(3)
    assert healthy(lab) == 1


def test_tasks_die_on_traffic_and_cut_the_requests_in_flight(lab):
    """Troubleshoot your Application Load Balancers, "HTTP 502": a target that closes the connection is answered 502."""
    scale(lab, 1)
    lab.run(3)
    turn(lab, "tasks_die_on_traffic", 20)
    group = lab.world.applications["checkout"].ecs_group
    shift_to(lab, group.arn)
    lab.run(5)
    assert len(service_of(lab).tasks) == 1, "without traffic nothing dies"
    lab.run(5, "checkout", 20)
    assert len(service_of(lab).tasks) > 1
    assert {record.status for record in lab.records} >= {200, 502}
    turn(lab, "tasks_die_on_traffic", None)
    lab.run(5)
    lab.records.clear()
    lab.run(5, "checkout", 20)
    assert {record.status for record in lab.records} == {200}


def shift_to(lab, arn):
    listener = lab.world.applications["checkout"].listener.arn
    action = {"Type": "forward", "TargetGroupArn": arn}
    lab.call("elbv2", "ModifyListener", ListenerArn=listener, DefaultActions=[action])


def test_a_function_that_fails_is_answered_502_and_counted_as_the_users_error(lab):
    """Load balancer metrics: LambdaUserError counts invocations that failed because of the function; Lambda's own
    metric Errors counts them too."""
    turn(lab, "function_errors", 25)
    lab.run(20, "checkout", 20, mix=[("/bang", 1)])
    lab.run(1)
    failed = sum(record.status == 502 for record in lab.records)
    assert failed == 100, "every fourth of 400"
    errors = Metric.of("AWS/Lambda", "Errors", {"FunctionName": "checkout"})
    assert lab.world.metrics.statistic(errors, "Sum", lab.now - 60, lab.now + 5) == 100
    turn(lab, "function_errors", None)
    lab.records.clear()
    lab.run(5, "checkout", 20)
    assert {record.status for record in lab.records} == {200}


def test_without_metrics_an_alarm_gets_insufficient_data(lab):
    """Alarm evaluation: with missing data treated as "missing", all data points missing is INSUFFICIENT_DATA; an idle
    function publishes nothing."""
    lab.run(60, "checkout", 5, mix=[("/bang", 1)])
    (alarm,) = lab.world.alarms()
    assert alarm.state.value == "OK"
    turn(lab, "metrics_missing", True)
    lab.run(60, "checkout", 5, mix=[("/bang", 1)])
    assert alarm.state.value == "INSUFFICIENT_DATA"
    turn(lab, "metrics_missing", None)
    lab.run(30, "checkout", 5, mix=[("/bang", 1)])
    assert alarm.state.value == "OK"


def test_a_switch_for_all_applications_breaks_each(virtual_of):
    """A switch is one application's, or under "" everybody's."""
    lab = virtual_of(WORLD + WORLD.replace("checkout", "search").replace("idle", "search-idle"))
    lab.world.faults.set("fargate_capacity", 0)
    for name in ("checkout", "search"):
        lab.call("ecs", "UpdateService", cluster="apis", service=name, desiredCount=1)
    lab.run(3)
    assert all(not each.service.tasks for each in lab.world.applications.values())
