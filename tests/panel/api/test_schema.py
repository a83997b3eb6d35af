"""Whatever a caller sends that the OpenAPI document allows, or forbids: no 5xx, no undocumented answer, none off its
schema.
"""

import re

import pytest
import schemathesis
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from failover.model import AlarmState
from panel.api import tokens
from panel.api.auth import Rate
from panel.drills.models import Drill
from tests.panel.web import examples

schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application())


@pytest.fixture
def secret(db: None, monkeypatch: pytest.MonkeyPatch) -> str:
    """An admin's of every team, in a panel that has one of everything."""
    for signal in (request_started, request_finished):  # as Django's own client does: the test's connection stays
        monkeypatch.setattr(signal, "receivers", [r for r in signal.receivers if r[0][0] != id(close_old_connections)])
        signal.sender_receivers_cache.clear()
    cache.clear()
    monkeypatch.setattr(Rate, "allow_request", lambda *_: True)
    row = examples.application("checkout", examples.snapshot(alarm=AlarmState.ALARM))
    examples.operation(row, headline="")
    examples.refusal(row)
    Drill.objects.create(application=row, kind="drill", reason="x", measured={"recovery": 12.5})
    return tokens.create("fuzz", "admin")


@schema.parametrize()
@settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_answer_is_documented_and_as_its_schema_says(case: schemathesis.Case, secret: str) -> None:
    # A query parameter that no call knows is ignored, as everywhere on the web; an unknown key of a body is refused.
    ignored = [negative_data_rejection] if case.method == "GET" else []
    if case.path == "/api/v1/notifications":  # whether an address can be told is more than a schema can say
        ignored.append(positive_data_acceptance)
    case.call_and_validate(headers={"Authorization": f"Bearer {secret}"}, excluded_checks=ignored)


def test_the_document_says_which_texts_are_not_taken() -> None:
    found = schema.raw_schema["components"]["schemas"]["KillSwitchWanted"]["properties"]["reason"]
    assert not re.search(found["pattern"], "  \t")
    assert not re.search(found["pattern"], "a\0b")
    assert re.search(found["pattern"], "Lambda is at its limit")
