"""The controller as a Lambda function, in virtual time: short invocations, woken by events that only wake.

How AWS documents the events: CloudWatch user guide, "Alarm events and EventBridge" and "Invoke a Lambda function from
an alarm"; EventBridge user guide, "Scheduled events"; ECS developer guide, "Amazon ECS events". The context's
`get_remaining_time_in_millis`: Lambda developer guide, "Using the Lambda context object".
"""

import json
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from failover import lambda_handler
from failover.aws.lease import LEASE_SECONDS, TableLease
from failover.config import ConfigError
from failover.model import AlarmState, Position, SetDesiredCount, SetSplit, Split
from failover.ports import AwsError
from failover.solo import CYCLE_SECONDS
from tests.failover.aws.test_lease import Table
from tests.failover.test_config import GOOD
from tests.failover.test_events import ALARM, DIRECT
from tests.failover.world import LISTENER, Crash, World, on_ecs

SCHEDULED = {
    "version": "0",
    "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "111122223333",
    "time": "2026-03-02T17:04:40Z",
    "region": "sa-east-1",
    "resources": ["arn:aws:events:sa-east-1:111122223333:rule/look"],
    "detail": {},
}
TASK = {
    **SCHEDULED,
    "detail-type": "ECS Task State Change",
    "source": "aws.ecs",
    "detail": {"clusterArn": "arn:aws:ecs:sa-east-1:111122223333:cluster/apis", "group": "service:checkout"},
}
ACTION = {
    **SCHEDULED,
    "detail-type": "ECS Service Action",
    "source": "aws.ecs",
    "resources": ["arn:aws:ecs:sa-east-1:111122223333:service/apis/checkout"],
    "detail": {"clusterArn": "arn:aws:ecs:sa-east-1:111122223333:cluster/apis"},
}
AT = 1772471080.0  # a second after the alarm of test_events
POLICY = """
settle_seconds = 1
step_seconds = 2
bake_seconds = 20
drain_seconds = 10
dwell_seconds = 15
cooldown_seconds = 20
metric_period_seconds = 5
"""
CONFIG = (
    GOOD.replace('"checkout-lambda-concurrency"', '"checkout"')
    .replace("failover_count = 4", POLICY)
    .replace("shift_steps = [10, 100]", "")
    .replace("[lambda]", 'lease_table = "leases"\n[lambda]')
)


class Context:
    """What Lambda passes: the time that is left of this invocation."""

    def __init__(self, world: World, seconds: float) -> None:
        self.world, self.end = world, world.now + seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(1000 * (self.end - self.world.now))


class Function:
    """The deployed function: `invoke` runs it once with so many seconds, and checks that it came back in time."""

    def __init__(self, world: World, table: Table) -> None:
        self.world, self.table = world, table

    def invoke(self, event=SCHEDULED, seconds: float = 60.0) -> dict:
        context = Context(self.world, seconds)
        answer = lambda_handler.handler(event, context)
        assert context.get_remaining_time_in_millis() > 0, "Lambda would have killed it"
        assert set(answer) == {"application", "outcome", "reason", "split", "desired_count"}
        json.dumps(answer)
        return answer

    def until_it_has_ended(self, seconds: float = 30.0) -> dict:
        for _ in range(60):
            answer = self.invoke(seconds=seconds)
            if answer["outcome"] != "waiting":
                return answer
            self.world.pass_time(5)
        raise AssertionError(f"still waiting: {answer}")

    def refused(self, rule: str) -> bool:
        answer = self.invoke()
        return answer["outcome"] == "refused" and answer["reason"].startswith(f"{rule}: ")


def deployed(monkeypatch, config: str = CONFIG, **world) -> Function:
    found = World(now=AT, splits={LISTENER: Split(100, 0)}, alarm_name="checkout", **world)
    found.pass_time(30)
    table = Table()
    lambda_handler._connected.cache_clear()
    monkeypatch.setenv("FAILOVER_CONFIG", config)
    monkeypatch.setattr(lambda_handler.aws, "connect", lambda _: found)
    monkeypatch.setattr(lambda_handler.aws, "lease_client", lambda _: table)
    monkeypatch.setattr(lambda_handler.time, "time", lambda: found.now)
    monkeypatch.setattr(lambda_handler.time, "sleep", found.pass_time)
    return Function(found, table)


@pytest.fixture
def function(monkeypatch) -> Function:
    return deployed(monkeypatch)


def in_alarm(function: Function) -> Function:
    function.world.alarm, function.world.alarm_since = AlarmState.ALARM, function.world.now
    return function


@pytest.mark.parametrize("event", [ALARM, DIRECT, SCHEDULED, TASK, ACTION, {**SCHEDULED, "detail": "{}"}])
def test_each_event_that_concerns_the_application_wakes_it(function, event):
    answer = in_alarm(function).invoke(event)
    assert (answer["outcome"], answer["application"]) == ("done", "checkout")
    assert answer["split"] == {"lambda": 0, "ecs": 100}
    assert answer["desired_count"] == 2


@pytest.mark.parametrize(
    ("event", "says"),
    [
        ({}, "no 'id'"),
        (None, "JSON object"),
        ({**ALARM, "detail": {**ALARM["detail"], "alarmName": "another"}}, "another is not one of"),
        ({**ALARM, "account": "999999999999"}, "another account or region"),
        ({**TASK, "detail": {**TASK["detail"], "group": "service:another"}}, "another ECS service"),
        ({**TASK, "detail": {**TASK["detail"], "clusterArn": "arn:aws:ecs:x:1:cluster/other"}}, "another ECS service"),
        ({**SCHEDULED, "detail-type": "EC2 Instance State-change Notification", "source": "aws.ec2"}, "wake nobody"),
    ],
)
def test_anything_else_is_ignored_and_reads_nothing(function, event, says):
    answer = in_alarm(function).invoke(event)
    assert answer["outcome"] == "ignored"
    assert says in answer["reason"]
    assert function.world.writes == []
    assert function.table.items == {}


def test_an_old_event_is_ignored_whatever_it_says(function):
    function.world.now += 901
    answer = in_alarm(function).invoke(ALARM)
    assert answer["outcome"] == "ignored"
    assert "max_event_age_seconds" in answer["reason"]


def test_an_event_only_wakes_and_the_alarm_as_re_read_decides(function):
    answer = function.invoke(ALARM)
    assert answer["outcome"] == "done"
    assert answer["reason"] == "Nothing to do: checkout is OK, and traffic is on lambda."
    assert function.world.writes == []


def test_it_stops_in_time_and_goes_on_where_it_stopped(function):
    function.world.start_seconds = 60
    in_alarm(function)
    first = function.invoke(seconds=30)
    assert (first["outcome"], first["desired_count"]) == ("waiting", 2)
    assert function.until_it_has_ended()["outcome"] == "done"
    counts = [action for _, action in function.world.writes if isinstance(action, SetDesiredCount)]
    assert counts == [SetDesiredCount(2)]
    assert function.world.broken == []


def test_less_time_than_a_cycle_takes_is_said_and_nothing_is_begun(function):
    answer = in_alarm(function).invoke(seconds=CYCLE_SECONDS - 1)
    assert answer["outcome"] == "failed"
    assert "longer time-out" in answer["reason"]
    assert function.world.writes == []


def test_it_brings_traffic_home_and_restores_what_stood_before(function):
    function.world.desired, function.world.tasks = 1, [0.0]
    in_alarm(function).until_it_has_ended()
    function.world.alarm, function.world.alarm_since = AlarmState.OK, function.world.now
    assert function.refused("cooldown")
    function.world.pass_time(60)
    assert function.until_it_has_ended()["desired_count"] == 1
    assert function.world.observe().position is Position.LAMBDA
    assert function.world.broken == []


def test_a_controller_that_holds_the_lease_is_named_and_nothing_is_written(function):
    other = TableLease(function.table, "leases", "checkout", lambda: function.world.now, "the panel")
    other.claim()
    answer = in_alarm(function).invoke()
    assert answer["outcome"] == "refused"
    assert answer["reason"].startswith("single_writer: the panel is changing this application")
    assert function.world.writes == []


def test_an_invocation_that_died_is_gone_on_with_once_its_lease_is_over(function):
    def die(_):
        raise Crash

    function.world.before_write = die
    with pytest.raises(Crash):
        in_alarm(function).invoke()
    function.world.before_write = lambda _: None
    function.world.pass_time(2 * LEASE_SECONDS)
    assert function.until_it_has_ended()["outcome"] == "done"
    assert function.world.observe().position is Position.ECS


def test_weights_that_somebody_else_changed_hold_it_for_an_hour(function):
    in_alarm(function).until_it_has_ended()
    function.world.alarm, function.world.alarm_since = AlarmState.OK, function.world.now
    function.world.splits[LISTENER] = Split(70, 30)
    function.world.pass_time(60)
    assert function.refused("foreign_change")
    function.world.alarm = AlarmState.ALARM
    assert function.refused("hold")
    function.world.pass_time(3600)
    assert function.invoke()["split"] == {"lambda": 0, "ecs": 100}


def test_the_guard_is_sure_within_one_invocation(function):
    in_alarm(function).until_it_has_ended()
    function.world.alarm, function.world.alarm_since = AlarmState.OK, function.world.now
    function.world.tasks = function.world.tasks[:1]
    function.world.pass_time(10)
    function.invoke()
    assert function.world.desired == 3


def test_a_failed_operation_is_told_and_tried_again_after_a_while(function):
    function.world.sick = True
    in_alarm(function)
    answer = function.until_it_has_ended(seconds=700)
    assert answer["outcome"] == "failed"
    assert "became healthy" in answer["reason"]
    assert function.refused("capacity")


def test_a_table_that_can_not_be_read_fails_closed(function, monkeypatch):
    def unreadable(**_):
        raise AwsError("denied", "dynamodb:GetItem on leases: AccessDenied", "Grant it.")

    monkeypatch.setattr(function.table, "get_item", unreadable)
    assert in_alarm(function).invoke()["outcome"] == "failed"
    assert function.world.writes == []


@pytest.mark.parametrize("state", [{"version": 2}, {"memory": {"baseline": {"of": "another shape"}}}])
def test_a_state_of_another_version_changes_nothing(function, state):
    lease = TableLease(function.table, "leases", "checkout", lambda: function.world.now)
    lease.claim()
    lease.state = state
    lease.release()
    answer = in_alarm(function).invoke()
    assert answer["outcome"] == "failed"
    assert "another version" in answer["reason"]
    assert function.world.writes == []


@pytest.mark.parametrize(
    "state", ["[]", "7", '"text"', "null", "[" * 100_000, "{", '{"failures": {"failover": null}}', '{"version": true}']
)
def test_a_state_that_is_none_of_ours_changes_nothing_and_stays(function, state):
    TableLease(function.table, "leases", "checkout", lambda: function.world.now).claim()
    item = {**function.table.items["checkout"], "holder": {"S": ""}, "state": {"S": state}}
    function.table.items["checkout"] = item
    answer = in_alarm(function).invoke()
    assert answer["outcome"] == "failed"
    assert "delete the item" in answer["reason"] or "remove the item's `state`" in answer["reason"]
    assert json.loads(json.dumps(function.table.items["checkout"]["state"])) == {"S": state}
    assert function.world.writes == []


@pytest.mark.parametrize("context", [None, {}])
def test_without_a_context_it_goes_on_to_the_end(function, context):
    in_alarm(function)
    assert lambda_handler.handler(SCHEDULED, context)["outcome"] == "done"
    assert function.world.splits == {LISTENER: Split(0, 100)}


def test_an_sdk_that_can_not_start_is_said(function, monkeypatch):
    def misconfigured(_):
        raise ConfigError(["The AWS SDK can't start: Invalid endpoint: lab. Correct its variables."])

    monkeypatch.setattr(lambda_handler.aws, "connect", misconfigured)
    lambda_handler._connected.cache_clear()
    assert "Invalid endpoint" in function.invoke()["reason"]


@pytest.mark.parametrize("config", ["", "[application]\nslug = 1"])
def test_a_configuration_that_can_not_be_used_is_said(function, monkeypatch, config):
    monkeypatch.setenv("FAILOVER_CONFIG", config)
    answer = function.invoke()
    assert answer["outcome"] == "failed"
    assert "must be" in answer["reason"]


def test_the_log_is_one_json_object_a_line(function, capsys):
    in_alarm(function).invoke()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all(line["application"] == "checkout" and line["message"] for line in lines)
    assert [line["kind"] for line in lines][-1] == "done"


# ---- without a lease table ----

ALONE = CONFIG.replace('lease_table = "leases"', "")


def test_without_a_table_traffic_found_on_ecs_counts_as_an_automatic_failover(monkeypatch):
    function = deployed(monkeypatch, ALONE)
    on_ecs(function.world)
    function.world.alarm_since = function.world.now
    assert function.refused("cooldown")
    function.world.pass_time(60)
    assert function.invoke(seconds=300)["outcome"] == "done"
    assert (function.world.observe().position, function.world.desired) == (Position.LAMBDA, 0)
    assert function.table.items == {}


def test_without_a_table_an_interrupted_failover_is_begun_again_from_what_is_there(monkeypatch):
    function = in_alarm(deployed(monkeypatch, ALONE, start_seconds=60.0))
    assert function.invoke(seconds=25)["outcome"] == "waiting"
    assert function.until_it_has_ended()["outcome"] == "done"
    writes = [action for _, action in function.world.writes]
    assert [type(action) for action in writes] == [SetDesiredCount, SetSplit]


def test_without_a_table_tasks_that_a_failback_left_are_stopped_by_a_later_invocation(monkeypatch):
    function = deployed(monkeypatch, ALONE)
    on_ecs(function.world)
    function.world.alarm_since = function.world.now
    function.world.pass_time(60)
    for _ in range(20):
        if function.world.observe().position is Position.LAMBDA:
            break
        function.invoke(seconds=30)
        function.world.pass_time(10)
    assert function.world.observe().position is Position.LAMBDA
    assert function.world.desired == 2
    function.invoke(seconds=120)
    assert function.world.desired == 0
    assert function.world.broken == []


@given(times=st.lists(st.integers(25, 90), min_size=1, max_size=5))
@settings(max_examples=15, deadline=None)
def test_however_short_its_invocations_are_it_ends_in_the_same_place(times):
    with pytest.MonkeyPatch.context() as patch:
        function = in_alarm(deployed(patch, start_seconds=45.0))
        for seconds in times:
            if function.invoke(seconds=seconds)["outcome"] == "done":
                break
            function.world.pass_time(1)
        function.until_it_has_ended(seconds=120)
        assert function.world.splits == {LISTENER: Split(0, 100)}
        assert [type(action) for _, action in function.world.writes] == [SetDesiredCount, SetSplit]
        assert function.world.broken == []


def test_it_needs_neither_django_nor_celery_nor_redis():
    code = (
        "import sys, failover.lambda_handler;"
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'django', 'celery', 'redis', 'kombu', 'panel'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
