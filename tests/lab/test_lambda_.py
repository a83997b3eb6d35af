"""Concurrency (Lambda Developer Guide, "Understanding Lambda function scaling" and "Lambda function metrics")."""

import pytest

from lab.cloudwatch import Metric
from lab.errors import AwsError


@pytest.fixture
def function(virtual):
    return virtual.world.applications["checkout"].function


def statistic(virtual, name, statistic):
    metric = Metric.of("AWS/Lambda", name, {"FunctionName": "checkout"})
    return virtual.world.metrics.statistic(metric, statistic, virtual.now - 3600, virtual.now + 5)


def test_the_reserved_concurrency_is_the_most_that_runs_at_once(virtual, function):
    """Understanding Lambda function scaling: reserved concurrency is a maximum; more is throttled. Metrics:
    Throttles are no Invocations."""
    taken = [virtual.world.functions.begin(function, virtual.now) for _ in range(16)]
    assert [environment is None for environment in taken].count(True) == 2
    assert statistic(virtual, "Throttles", "Sum") == 2
    assert statistic(virtual, "ConcurrentExecutions", "Maximum") == 14
    assert statistic(virtual, "Invocations", "Sum") == 14, "a throttled request is no invocation"


def test_an_environment_is_used_again_and_handles_one_invocation_at_a_time(virtual, function):
    """Understanding Lambda function scaling: an environment handles one request at a time and is reused."""
    first = virtual.world.functions.begin(function, virtual.now)
    second = virtual.world.functions.begin(function, virtual.now)
    assert first is not second
    function.end(first, virtual.now, virtual.now + 1, failed=False)
    assert virtual.world.functions.begin(function, virtual.now + 1) is first


def test_durations_are_published_in_milliseconds_and_failures_as_errors(virtual, function):
    """Types of metrics for Lambda functions: Duration in milliseconds, Errors."""
    environment = virtual.world.functions.begin(function, virtual.now)
    function.end(environment, virtual.now, virtual.now + 0.25, failed=True)
    assert statistic(virtual, "Duration", "Average") == pytest.approx(250)
    assert statistic(virtual, "Errors", "Sum") == 1


def test_an_idle_function_publishes_nothing(virtual):
    """Types of metrics for Lambda functions: metrics are emitted when a function processes events."""
    virtual.run(60)
    for name in ("ConcurrentExecutions", "Throttles", "Invocations", "Duration"):
        assert statistic(virtual, name, "SampleCount") is None, name


def test_a_long_invocation_keeps_counting_as_concurrent(virtual, function):
    """Types of metrics for Lambda functions: ConcurrentExecutions counts the instances that process events."""
    virtual.world.functions.begin(function, virtual.now)
    virtual.run(20)
    metric = Metric.of("AWS/Lambda", "ConcurrentExecutions", {"FunctionName": "checkout"})
    assert virtual.world.metrics.statistic(metric, "Maximum", virtual.now - 5, virtual.now) == 1


def test_idle_environments_end_after_their_time_and_dead_ones_at_once(virtual, function):
    """Lambda execution environment lifecycle: Lambda ends idle environments and replaces those that crashed."""
    assert len(virtual.environments.running) == 7, "six of checkout and one of narrow are warm"
    virtual.environments.dead = set(function.environments)
    virtual.run(1)
    assert function.environments == {}
    virtual.run(1000)
    assert virtual.environments.running == set()


def test_a_function_without_reserved_concurrency_shares_what_the_account_has_left(virtual, function):
    """Configuring reserved concurrency: other functions share the unreserved concurrency."""
    function.reserved = None
    functions = virtual.world.functions
    assert functions.unreserved == 1000 - 1
    assert functions.limit(function) == 999


def test_reserving_must_leave_a_hundred_unreserved(virtual):
    """Configuring reserved concurrency: 100 units must stay unreserved."""
    with pytest.raises(AwsError) as refused:
        virtual.call("lambda", "PutFunctionConcurrency", FunctionName="checkout", ReservedConcurrentExecutions=901)
    assert refused.value.code == "InvalidParameterValueException"
    virtual.call("lambda", "PutFunctionConcurrency", FunctionName="checkout", ReservedConcurrentExecutions=899)
    limits = virtual.call("lambda", "GetAccountSettings")["AccountLimit"]
    assert limits["UnreservedConcurrentExecutions"] == 100


def test_the_account_publishes_its_claimed_and_unreserved_concurrency(virtual, function):
    """Types of metrics for Lambda functions: UnreservedConcurrentExecutions is what functions without reservation run;
    ClaimedAccountConcurrency adds what is reserved: no other function can use it."""
    function.reserved = None
    for _ in range(3):
        virtual.world.functions.begin(function, virtual.now)
    virtual.run(6)
    values = {
        name: virtual.world.metrics.statistic(Metric("AWS/Lambda", name), "Maximum", virtual.now - 5, virtual.now + 5)
        for name in ("UnreservedConcurrentExecutions", "ClaimedAccountConcurrency")
    }
    assert values == {"UnreservedConcurrentExecutions": 3, "ClaimedAccountConcurrency": 3 + 1}


def test_an_alarm_can_watch_the_accounts_claimed_concurrency(virtual_of):
    """The metric has no dimension: it is the region's."""
    lab = virtual_of("""
        [[applications.checkout.alarms]]
        name = "account"
        metric = "ClaimedAccountConcurrency"
        statistic = "Maximum"
        threshold = 500
        [applications.checkout.function]
        reserved_concurrency = 600
    """)
    lab.run(30)
    (alarm,) = lab.world.alarms()
    assert alarm.state.value == "ALARM"
