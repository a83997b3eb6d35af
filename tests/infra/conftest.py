"""The templates on a lab in virtual time, an empty account at first."""

import pytest

from failover.config import parse, read_text
from lab.virtual import VirtualLab
from lab.worldfile import WorldTable
from tests.infra.endpoint import serve
from tests.infra.replay import replay
from tests.infra.template import ACCOUNT, REGION

KEY = "the-webhook-key"
PANEL = f"arn:aws:iam::{ACCOUNT}:user/lab"  # whoever calls with a key that the lab does not know
EXTERNAL_ID = "team-web"
APPLICATION = {
    "Slug": "checkout",
    "CodeBucket": "artefacts",
    "CodeKey": "api.zip",
    "Version": "1.4.0",
    "ImageTag": "1.4.0",
    "ReservedConcurrency": "20",
    "ConcurrencyThreshold": "16",
}


@pytest.fixture
def lab():
    return empty_account()


def empty_account():
    """AWS's throttling is off: clients would wait for it in true time, which does not pass here."""
    table = WorldTable(applications={}, account=ACCOUNT, region=REGION, cluster="checkout", throttling=False)
    return VirtualLab(table)


@pytest.fixture
def deploy(lab):
    """Replays a template on the lab."""

    def build(template, **parameters):
        return replay(template, lab, {"webhook-key": KEY}, **parameters)

    return build


@pytest.fixture
def application(deploy):
    """application.yaml with a panel that assumes a role."""
    return deploy("application.yaml", **APPLICATION, ExternalId=EXTERNAL_ID)


def of_application(stack):
    """The parameters that connect.yaml and controller.yaml take from application.yaml's outputs."""
    return {
        "Slug": "checkout",
        "AlarmNames": stack.output("Alarms"),
        "Cluster": "checkout",
        "Service": "checkout",
        "FunctionName": "checkout",
        "RuleArns": stack.output("RuleArn"),
    }


CONNECTION = {
    "PanelUrl": "https://panel.example.com",
    "WebhookKeySecret": "webhook-key",
    "PanelPrincipal": PANEL,
    "ExternalId": EXTERNAL_ID,
}


@pytest.fixture
def connected(application, deploy):
    return deploy("connect.yaml", **of_application(application.stack), **CONNECTION)


@pytest.fixture
def aws(lab, monkeypatch):
    """The lab's account behind a port, and the product's environment pointing there."""
    with serve(lab) as port:
        monkeypatch.setenv("AWS_ENDPOINT_URL", port.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "lab")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "lab")
        monkeypatch.delenv("AWS_PROFILE", raising=False)
        yield port


# Waits as short as they may be: the same steps in fewer looks.
QUICK = {
    "step_seconds": 5,
    "settle_seconds": 5,
    "bake_seconds": 30,
    "drain_seconds": 90,
    "dwell_seconds": 60,
    "cooldown_seconds": 60,
}


def configuration(stack, *routes, **application):
    """The application as its stack's output describes it, with more routes and another `[application]`."""
    document = read_text(stack.output("Toml"), "stack")
    document["policy"] |= QUICK
    document["application"] |= application
    document["routes"] += routes
    return parse(document, "stack")
