"""One lab for the adapter's tests, and an application on it for each test module."""

import json
import urllib.request

import pytest

from failover import aws
from failover.config import parse
from lab.process import start_lab


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    with start_lab(None, tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture(scope="session")
def aws_environment(lab):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", lab.endpoint)
        patch.setenv("AWS_ACCESS_KEY_ID", "lab")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "lab")
        yield lab


def described(lab, slug: str, **changes) -> dict:
    """The lab's application as a parsed TOML document."""
    found = lab.description["applications"][slug]
    document = {
        "application": {"slug": slug, "region": lab.description["region"], "alarms": found["alarms"]},
        "lambda": {"function_name": found["function_name"], "target_group_arn": found["lambda_target_group_arn"]},
        "ecs": {
            "cluster": found["cluster"],
            "service": found["service"],
            "target_group_arn": found["ecs_target_group_arn"],
        },
        "routes": [{"listener_arn": found["listener_arn"]}],
        "policy": {
            "settle_seconds": 2,
            "step_seconds": 2,
            "bake_seconds": 2,
            "drain_seconds": 30,
            "scale_deadline_seconds": 90,
            "metric_period_seconds": 5,
            "demand_headroom": 0,
            "on_inconclusive": "continue",
        },
    }
    for table, values in changes.items():
        document[table] = {**document[table], **values}
    return document


@pytest.fixture
def connected(aws_environment):
    def connect(slug: str, **changes):
        application = parse(described(aws_environment, slug, **changes), slug)
        return application, aws.connect(application)

    return connect


@pytest.fixture
def calls(lab):
    def read() -> dict:
        with urllib.request.urlopen(f"{lab.endpoint}/_lab/calls", timeout=5) as answer:
            return json.load(answer)

    return read
