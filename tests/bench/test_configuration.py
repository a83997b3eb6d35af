"""The controller's configuration for a lab, as its Lambda function gets it."""

import os
from pathlib import Path

import pytest

from bench import configuration
from bench.simulate.play import QUICK
from failover import environment
from lab.process import LabProcess

ELB = "arn:aws:elasticloadbalancing:eu-west-1:123456789012"
CHECKOUT = {
    "name": "Checkout",
    "urls": ["http://127.0.0.1:1", "http://127.0.0.1:2"],
    "function_name": "checkout",
    "lambda_target_group_arn": f"{ELB}:targetgroup/checkout-lambda/1",
    "ecs_target_group_arn": f"{ELB}:targetgroup/checkout-ecs/2",
    "listener_arn": f"{ELB}:listener/app/checkout/3/4",
    "rule_arns": [],
    "cluster": "apis",
    "service": "checkout",
    "alarms": ["checkout-lambda-concurrency", configuration.PREWARM],
}


@pytest.fixture
def lab():
    described = {
        "endpoint": "http://127.0.0.1:4566",
        "region": "eu-west-1",
        "account": "123456789012",
        "applications": {"checkout": CHECKOUT},
    }
    return LabProcess(None, Path(), described)


@pytest.mark.parametrize(("prewarm", "expected"), [(False, ()), (True, (configuration.PREWARM,))])
def test_the_handler_reads_what_was_written_with_the_prewarm_alarm_only_where_it_is_tried(lab, prewarm, expected):
    text = configuration.toml(lab, QUICK, prewarm=prewarm)
    read = environment.application({"FAILOVER_CONFIG": text}, str)
    assert (read.alarms, read.prewarm_alarms) == (("checkout-lambda-concurrency",), expected)
    assert (read.policy, read.lease_table) == (QUICK, configuration.LEASES)


def test_the_environment_of_the_process_is_as_before_afterwards(lab, monkeypatch):
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    with configuration.environment(lab, FAILOVER_CONFIG="text"):
        assert (os.environ["AWS_ENDPOINT_URL"], os.environ["AWS_REGION"]) == (lab.endpoint, "eu-west-1")
        assert os.environ["FAILOVER_CONFIG"] == "text"
    assert os.environ["AWS_REGION"] == "us-east-1"
    assert "FAILOVER_CONFIG" not in os.environ
