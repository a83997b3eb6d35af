"""Model and wire agree: the same script of calls and times gives the same states, called directly and over HTTP.

The second test does the same with a lab of real processes in real time, looked at where it has come to rest.
"""

import asyncio
import json
import re
import threading
import time
from contextlib import contextmanager

import boto3
import pytest
from aiohttp import web
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

from lab import api, control, server
from lab.calls import Calls
from lab.errors import AwsError
from lab.process import start_lab
from lab.stage import Stage
from lab.virtual import VirtualLab
from lab.wire.dispatch import Endpoint
from lab.worldfile import load
from tests.lab.conftest import clients_of, control_of

CHECKOUT = {"cluster": "apis", "service": "checkout"}
TARGET = {
    "ServiceNamespace": "ecs",
    "ScalableDimension": "ecs:service:DesiredCount",
    "ResourceId": "service/apis/checkout",
}
LEASE = {"application": {"S": "checkout"}, "version": {"N": "1"}}


def script(describe):
    """``(seconds to pass, service, operation, input)``; ``describe`` gives the application's ARNs."""

    def forward(on_lambda, on_ecs):
        arns = describe["lambda_target_group_arn"], describe["ecs_target_group_arn"]
        targets = [{"TargetGroupArn": arn, "Weight": w} for arn, w in zip(arns, (on_lambda, on_ecs), strict=True)]
        return [{"Type": "forward", "ForwardConfig": {"TargetGroups": targets}}]

    listener, rule = {"ListenerArn": describe["listener_arn"]}, {"RuleArn": describe["rule_arns"][0]}
    return [
        (6, "ecs", "UpdateService", CHECKOUT | {"desiredCount": 2}),
        (0, "application-autoscaling", "RegisterScalableTarget", TARGET | {"MinCapacity": 3, "MaxCapacity": 8}),
        (6, "elbv2", "ModifyListener", listener | {"DefaultActions": forward(0, 100)}),
        (0, "elbv2", "ModifyRule", rule | {"Actions": forward(0, 1)}),
        (3, "elbv2", "ModifyListener", listener | {"DefaultActions": forward(0, 1000)}),
        (0, "cloudwatch", "SetAlarmState", {"AlarmName": "nobody", "StateValue": "OK", "StateReason": "drill"}),
        (0, "ecs", "UpdateService", CHECKOUT | {"forceNewDeployment": True}),
        (8, "elbv2", "ModifyListener", listener | {"DefaultActions": forward(1, 0)}),
        (0, "elbv2", "ModifyRule", rule | {"Actions": forward(1, 0)}),
        (3, "application-autoscaling", "RegisterScalableTarget", TARGET | {"MinCapacity": 0, "MaxCapacity": 6}),
        (0, "ecs", "UpdateService", CHECKOUT | {"desiredCount": 0}),
        (0, "ecs", "UpdateService", CHECKOUT | {"service": "nobody", "desiredCount": 1}),
        (5, "ecs", "DescribeServices", {"cluster": "apis", "services": ["checkout"]}),
    ]


LEASES = [
    (0, "dynamodb", "PutItem", {"TableName": "leases", "Item": LEASE}),
    (0, "dynamodb", "PutItem", {"TableName": "leases", "Item": LEASE, "ConditionExpression": "version < :one",
                                "ExpressionAttributeValues": {":one": {"N": "1"}}}),
]  # fmt: skip


@contextmanager
def served(virtual):
    """The virtual lab's endpoint on a real socket, in a thread of its own; answers with its URL."""
    loop, ready, found = asyncio.new_event_loop(), threading.Event(), []
    endpoint = Endpoint(Calls(virtual.cloud), api.answered(), virtual.faults)
    app = server.application(virtual.cloud, endpoint, Stage(virtual.cloud), lambda _task: None, lambda: virtual.now)

    async def start():
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        found.append(runner.addresses[0][1])
        ready.set()

    def run():
        loop.run_until_complete(start())
        loop.run_forever()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield f"http://127.0.0.1:{found[0]}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


def state(virtual):
    """What the lab says of itself, with ids by the order in which they first appear."""
    text = json.dumps(control.state(virtual.cloud, virtual.now, lambda _task: None), sort_keys=True)
    ids: dict[str, str] = {}
    return re.sub(r"\b[0-9a-f]{32}\b|\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b",
                  lambda found: ids.setdefault(found[0], f"id-{len(ids)}"), text)  # fmt: skip


def directly(virtual, service, operation, given):
    try:
        virtual.call(service, operation, **given)
    except AwsError as error:
        return error.code
    return "done"


def over_http(client, operation, given):
    try:
        getattr(client, xform_name(operation))(**given)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "done"


def arns(virtual):
    application = virtual.cloud.applications["checkout"]
    return {
        "lambda_target_group_arn": application.lambda_group.arn,
        "ecs_target_group_arn": application.ecs_group.arn,
        "listener_arn": application.listener.arn,
        "rule_arns": [rule.arn for rule in application.listener.rules if not rule.is_default],
    }


def test_the_same_script_gives_the_same_states_over_http_as_called_directly(world_file):
    model, wired = VirtualLab(load(world_file)), VirtualLab(load(world_file))
    with served(wired) as url:
        session = boto3.Session("lab", "lab", region_name="eu-west-1")
        config = Config(retries={"total_max_attempts": 1})
        for number, (seconds, service, operation, given) in enumerate(script(arns(model)) + LEASES):
            for lab in (model, wired):
                lab.run(seconds)
            client = session.client(service, endpoint_url=url, config=config)
            outcomes = directly(model, service, operation, given), over_http(client, operation, given)
            assert outcomes[0] == outcomes[1], f"step {number}, {service}:{operation}"
            assert state(model) == state(wired), f"after step {number}, {service}:{operation}"
            for lab in (model, wired):
                lab.run(0.5)
            assert state(model) == state(wired), f"half a second after step {number}, {service}:{operation}"


def at_rest(seen):
    """What must be the same in real time: weights as written and known, tasks and targets by state, bounds aside."""
    application = seen["applications"]["checkout"]
    balancer = application["load_balancer"]
    return {
        "written": {rule["arn"]: rule["weights"] for rule in balancer["rules"]},
        "known": {name: node["weights"] for name, node in balancer["nodes"].items()},
        "desired": application["service"]["desired"],
        "tasks": sorted(task["status"] for task in application["service"]["tasks"]),
        "targets": sorted(target["state"] for target in application["target_groups"]["ecs"]["targets"]),
    }


@pytest.mark.lab
@pytest.mark.full
def test_a_lab_of_real_processes_comes_to_rest_where_the_model_does(world_file, tmp_path):
    virtual = VirtualLab(load(world_file))
    with start_lab(world_file, tmp_path / "state", port=0) as lab:
        described, aws, ask = lab.description["applications"]["checkout"], clients_of(lab), control_of(lab)
        for number, (_, service, operation, given) in enumerate(script(described)):
            outcomes = directly(virtual, service, operation, given), over_http(aws(service), operation, given)
            assert outcomes[0] == outcomes[1], f"step {number}, {service}:{operation}"
            virtual.run(15)
            wanted = at_rest(control.state(virtual.cloud, virtual.now, lambda _task: None))
            until, seen = time.monotonic() + 20, None
            while time.monotonic() < until and seen != wanted:
                time.sleep(0.2)  # real processes start and end in real time
                seen = at_rest(ask("state"))
            assert seen == wanted, f"after step {number}, {service}:{operation}"
