"""An application as an operator would import it, and an AWS that stands in for it."""

import copy
from typing import Any

import pytest

from panel.fleet import connections
from panel.fleet.applications import configuration, import_document
from panel.fleet.models import Application
from panel.ingest import keys
from tests.panel.fake_aws import FakeAws, FakeFleet

ACCOUNT = "123456789012"
ELB = f"arn:aws:elasticloadbalancing:sa-east-1:{ACCOUNT}"
DOCUMENT: dict[str, Any] = {
    "application": {"slug": "checkout", "name": "Checkout API", "region": "sa-east-1", "alarms": ["busy"]},
    "lambda": {"function_name": "checkout", "target_group_arn": f"{ELB}:targetgroup/checkout-lambda/1"},
    "ecs": {"cluster": "apis", "service": "checkout", "target_group_arn": f"{ELB}:targetgroup/checkout-ecs/2"},
    "routes": [{"listener_arn": f"{ELB}:listener/app/apis/3/4"}],
    "policy": {
        "healthy_checks": 1,
        "step_seconds": 0,
        "settle_seconds": 0,
        "bake_seconds": 0,
        "drain_seconds": 0,
        "dwell_seconds": 0,
        "cooldown_seconds": 0,
        "demand_headroom": 0,
        "metric_period_seconds": 1,
        "on_inconclusive": "continue",
    },
}


@pytest.fixture
def document() -> dict[str, Any]:
    return copy.deepcopy(DOCUMENT)


@pytest.fixture
def application(db: None, document: dict[str, Any]) -> Application:
    return import_document(document, "checkout.toml").application


@pytest.fixture
def key(db: None) -> str:
    """The secret of a webhook key."""
    return keys.create("eventbridge")


@pytest.fixture
def aws(application: Application, monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    fake = FakeAws(configuration(application))
    monkeypatch.setattr(connections, "connect", lambda _: fake)
    return fake


@pytest.fixture
def fleet(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> FakeFleet:
    fake = FakeFleet(aws)
    monkeypatch.setattr(connections, "fleet", lambda _: fake)
    return fake
