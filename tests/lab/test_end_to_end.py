"""A lab of real processes under real HTTP load."""

import asyncio
import json
import os
import signal
import threading
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from lab.load import Load

pytestmark = pytest.mark.lab

MIX = [("/bang", 0.5), ("/env", 0.45), ("/sleep", 0.05)]


async def until(condition, what, seconds=30.0):
    """Waits for a condition, asked in a thread because boto3 blocks."""
    deadline = time.monotonic() + seconds
    while not await asyncio.to_thread(condition):
        assert time.monotonic() < deadline, f"waited {seconds:g} s for {what}"
        await asyncio.sleep(0.1)


def fetch(url, body=None):
    """Status and body, of errors too."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body), timeout=10) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


class Operator:
    """What somebody does by hand in an incident."""

    def __init__(self, aws, application):
        self.ecs, self.elbv2 = aws("ecs"), aws("elbv2")
        self.application = application

    def scale(self, count):
        self.ecs.update_service(cluster="apis", service=self.application["service"], desiredCount=count)

    def shift(self, lambda_weight, ecs_weight):
        groups = [
            {"TargetGroupArn": self.application["lambda_target_group_arn"], "Weight": lambda_weight},
            {"TargetGroupArn": self.application["ecs_target_group_arn"], "Weight": ecs_weight},
        ]
        action = {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}
        self.elbv2.modify_listener(ListenerArn=self.application["listener_arn"], DefaultActions=[action])

    def healthy(self):
        health = self.elbv2.describe_target_health(TargetGroupArn=self.application["ecs_target_group_arn"])
        states = health["TargetHealthDescriptions"]
        return {each["Target"]["Id"] for each in states if each["TargetHealth"]["State"] == "healthy"}

    def addresses(self):
        arns = self.ecs.list_tasks(cluster="apis", serviceName=self.application["service"])["taskArns"]
        tasks = self.ecs.describe_tasks(cluster="apis", tasks=arns)["tasks"] if arns else []
        return {task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"] for task in tasks}

    def stopped(self):
        """True when none of the service's tasks is on its way down."""
        arns = self.ecs.list_tasks(cluster="apis", serviceName=self.application["service"], desiredStatus="STOPPED")[
            "taskArns"
        ]
        tasks = self.ecs.describe_tasks(cluster="apis", tasks=arns)["tasks"] if arns else []
        return bool(tasks) and all(task["lastStatus"] == "STOPPED" for task in tasks)


def seen_on(load, pool, seconds=1.5):
    """True when all requests that began within the last seconds went to ``pool``, over both nodes."""
    recent = [record for record in load.records if record.started > time.time() - seconds]
    return {(record.pool, record.node) for record in recent} == {(pool, "a"), (pool, "b")}


def counted(aws, application, group_arn, since):
    """What CloudWatch says about a target group's requests."""
    dimensions = {
        "TargetGroup": group_arn.rpartition(":")[2],
        "LoadBalancer": application["load_balancer_arn"].partition("loadbalancer/")[2],
    }
    metric = {
        "Namespace": "AWS/ApplicationELB",
        "MetricName": "RequestCount",
        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
    }
    query = {"Id": "requests", "MetricStat": {"Metric": metric, "Period": 5, "Stat": "Sum"}}
    (result,) = aws("cloudwatch").get_metric_data(
        MetricDataQueries=[query], StartTime=since, EndTime=datetime.now(UTC) + timedelta(seconds=5)
    )["MetricDataResults"]
    return sum(result["Values"])


@pytest.fixture
def operator(aws, checkout):
    operator = Operator(aws, checkout)
    yield operator
    operator.shift(1, 0)
    operator.scale(0)


def test_traffic_moves_to_tasks_and_back_without_a_failed_request(aws, operator, checkout):
    """Target groups: healthy by real HTTP checks; deregistration delay; task lifecycle: SIGTERM after draining."""
    began = datetime.now(UTC)

    async def incident():
        load = Load(checkout["urls"], rate=40, mix=MIX)
        load.start()
        try:
            await until(lambda: seen_on(load, "lambda"), "traffic on Lambda")
            operator.scale(2)
            await until(lambda: len(operator.healthy()) == 2, "two healthy targets")
            assert operator.healthy() == operator.addresses()
            operator.shift(0, 1)
            await until(lambda: seen_on(load, "ecs"), "traffic on ECS, on both nodes")
            operator.shift(1, 0)
            await until(lambda: seen_on(load, "lambda"), "traffic back on Lambda")
            operator.scale(0)
            await until(operator.stopped, "the end of the tasks")
        finally:
            await load.stop()
        return load.records

    records = asyncio.run(incident())
    assert [record for record in records if not record.ok] == []
    assert {record.pool for record in records if record.path == "/sleep"} == {"lambda", "ecs"}
    for pool in ("lambda", "ecs"):
        sent = sum(record.pool == pool for record in records)
        assert counted(aws, checkout, checkout[f"{pool}_target_group_arn"], began) == sent


def test_a_killed_task_is_replaced(operator, control):
    """ECS services: the scheduler keeps the desired count."""
    operator.scale(1)

    def running():
        tasks = control("state")["applications"]["checkout"]["service"]["tasks"]
        return [task for task in tasks if task["status"] == "RUNNING" and task["pid"]]

    async def scenario():
        await until(operator.healthy, "a healthy target")
        (first,) = running()
        os.kill(first["pid"], signal.SIGKILL)
        await until(lambda: any(task["id"] != first["id"] for task in running()), "another task")
        await until(lambda: operator.healthy() - {first["address"]}, "its healthy target")

    asyncio.run(scenario())


def test_a_function_that_times_out_or_is_throttled_is_answered_502(running, control):
    """Troubleshoot your Application Load Balancers, "HTTP 502": the function's invocation failed or timed out."""
    url = running.description["applications"]["narrow"]["urls"][0]
    assert fetch(f"{url}/env") == (200, b'{"message":"lambda"}')
    throttles = control("state")["applications"]["narrow"]["function"]["throttles"]
    slow = threading.Thread(target=lambda: answers.append(fetch(f"{url}/sleep")[0]))
    answers = []
    slow.start()
    deadline = time.monotonic() + 5
    while not control("state")["applications"]["narrow"]["function"]["in_flight"]:
        assert time.monotonic() < deadline, "the slow invocation did not begin"
    assert fetch(f"{url}/bang")[0] == 502, "one environment, and it is busy"
    slow.join()
    assert answers == [502], "the function takes longer than its time-out"
    assert control("state")["applications"]["narrow"]["function"]["throttles"] == throttles + 1
    assert fetch(f"{url}/bang")[0] == 200, "a new environment takes over"


def test_a_body_over_one_megabyte_never_reaches_a_function(running):
    """Use Lambda functions as targets, limits: the request body can be up to 1 MB (413)."""
    url = running.description["applications"]["narrow"]["urls"][0]
    assert fetch(f"{url}/bang", body=b"x" * 1_000_001)[0] == 413


class Destination(ThreadingHTTPServer):
    """An API destination that is unavailable for the first delivery of each event."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Hook)
        self.received = []

    def take(self, headers, body):
        event = json.loads(body)
        first = all(event["id"] != other["id"] for _, other in self.received)
        self.received.append((headers, event))
        return 503 if first else 202


class _Hook(BaseHTTPRequestHandler):
    def do_POST(self):
        status = self.server.take(dict(self.headers), self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_arguments):
        pass


def test_an_alarms_event_arrives_with_its_key_and_again_after_a_503(aws, control):
    """API destinations: the connection's key; 5xx is retried with the same event."""
    destination = Destination()
    threading.Thread(target=destination.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{destination.server_port}/webhooks/eventbridge"
    control("destination", {"url": url, "header": "X-Api-Key", "key": "k3y"})
    name = "checkout-lambda-throttles"

    def drills():
        ours = [(headers, event) for headers, event in destination.received if event["detail"].get("alarmName") == name]
        return [each for each in ours if each[1]["detail"]["state"]["reason"] == "drill"]

    try:
        aws("cloudwatch").set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="drill")
        asyncio.run(until(lambda: len(drills()) == 2, "the event and its second delivery"))
    finally:
        destination.shutdown()
        destination.server_close()
    (headers, first), (_, second) = drills()
    assert first == second
    assert first["detail"]["state"]["value"] == "ALARM"
    assert headers["X-Api-Key"] == "k3y"
    assert headers["User-Agent"] == "Amazon/EventBridge/ApiDestinations"
    shown = next(each for each in control("state")["events"] if each["id"] == first["id"])
    assert [attempt["status"] for attempt in shown["attempts"]] == [503, 202]
    assert shown["outcome"] == "delivered"


def test_a_destination_without_an_address_is_refused(control):
    """The lab's own contract."""
    with pytest.raises(urllib.error.HTTPError) as error:
        control("destination", {"url": "panel", "header": "X-Api-Key", "key": "k3y"})
    assert error.value.code == 400
