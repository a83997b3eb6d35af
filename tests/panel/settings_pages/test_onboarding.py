"""From an account, the lab's, to an application whose events arrive."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from failover.aws import discovery
from failover.aws.discovery import Forwarding, Inventory, RunningService
from failover.matching import alone, matches
from failover.model import Reading
from failover.precondition_facts import AlarmFacts
from lab.process import LabProcess, start_lab
from panel.accounts.models import Team
from panel.fleet.applications import configuration
from panel.fleet.models import Application
from panel.ingest import keys
from panel.ingest.models import Event
from panel.settings_pages import eventbridge
from tests.panel.settings_pages.conftest import Browse, denied, text

NEW = "/settings/applications/new/"
IMPORT = "/settings/applications/import/"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabProcess]:
    with start_lab(None, tmp_path_factory.mktemp("lab")) as running, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", running.endpoint)
        patch.setenv("AWS_ACCESS_KEY_ID", "lab")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "lab")
        yield running


def offered(page: Any) -> dict[str, str]:
    """The TOML of each proposal, by slug."""
    found = [
        unescape(each) for each in re.findall(r"<textarea[^>]*>\n(.*?)</textarea>", page.content.decode(), re.DOTALL)
    ]
    return {re.search(r'slug = "([^"]+)"', each)[1]: each for each in found}  # type: ignore[index]


def look(client: Client, region: str = "eu-west-1", **more: str) -> Any:
    return client.post(NEW, {"region": region, "team": "default", **more})


@pytest.mark.lab
def test_from_an_account_to_an_application_whose_events_arrive(
    lab: LabProcess, fleet_admin: Client, ours: Team
) -> None:
    proposals = offered(look(fleet_admin))
    assert set(proposals) == set(lab.description["applications"])
    toml = proposals["checkout"]
    described = lab.description["applications"]["checkout"]
    for each in (described["listener_arn"], described["ecs_target_group_arn"], *described["alarms"]):
        assert f'"{each}"' in toml

    ready = fleet_admin.post(NEW, {"toml": toml})
    told = unescape(text(ready))
    assert [check for check, badge in ready.context["checks"] if badge.word == "fail"] == []
    assert "checkout: ready" in told
    assert "It registers its tasks in the ECS target group." in told
    assert not Application.every.exists(), "looking saves nothing"
    policy = json.loads(ready.context["policy"])
    assert not [
        each for each in policy["Statement"] if "ecs:UpdateService" in each["Action"] and each["Resource"] == "*"
    ]
    assert "checkout-lambda-throttles" in ready.context["commands"]

    saved = fleet_admin.post(IMPORT, {"toml": toml, "seen": ready.context["seen"], "then": "event"})
    assert saved.url == "/settings/applications/of/checkout/first-event/"  # type: ignore[attr-defined]
    waiting = fleet_admin.get(saved.url)  # type: ignore[attr-defined]
    assert "None since" in text(waiting)
    assert "--state-value INSUFFICIENT_DATA" in text(waiting)
    sent = {
        "version": "0", "id": "e1", "source": "aws.cloudwatch", "account": lab.description["account"],
        "region": "eu-west-1", "time": "2026-01-01T00:00:00Z", "resources": [],
        "detail-type": "CloudWatch Alarm State Change",
        "detail": {"alarmName": described["alarms"][0], "state": {"value": "INSUFFICIENT_DATA"}},
    }  # fmt: skip
    headers = {"X-Api-Key": keys.create("eventbridge")}
    assert (
        Client().post("/webhooks/eventbridge", sent, content_type="application/json", headers=headers).status_code
        == 202
    )
    piece = fleet_admin.get(waiting.context["piece"], headers={"HX-Request": "true"})
    assert "Arrived" in text(piece)
    assert "hx-get" not in text(piece), "it asks no more"
    assert "<html" not in text(piece)


@pytest.mark.lab
def test_what_is_not_ready_is_told_with_its_remedy_and_can_be_changed(
    lab: LabProcess, fleet_admin: Client, ours: Team
) -> None:
    toml = offered(look(fleet_admin))["checkout"].replace("checkout-lambda-throttles", "nothing")
    page = fleet_admin.post(NEW, {"toml": toml})
    told = unescape(text(page))
    assert "checkout: not ready yet" in told
    assert "There is no alarm nothing in" in told
    assert "Save it anyway" in told
    broken = fleet_admin.post(NEW, {"toml": toml.replace("eu-west-1", "moon", 1)})
    assert broken.status_code == 422
    assert "the text: application.region must be" in unescape(text(broken))


def test_where_aws_can_not_be_reached_it_is_a_sentence(
    fleet_admin: Client, ours: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    told = unescape(text(look(fleet_admin)))
    assert "Check network, proxy and AWS_ENDPOINT_URL." in told
    assert "The policy that looking takes" in told


def test_with_the_panels_own_credentials_only_its_administrator_looks(
    admin: Client, ours: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "discover", lambda *_: pytest.fail("it asked AWS"))
    page = look(admin)
    assert page.status_code == 422
    assert "only an administrator of the panel looks with the panel's own credentials" in unescape(text(page))
    assert len(denied()) == 1


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"region": ""}, "Write a region"),
        ({"region": "moon"}, "Write a region"),
        ({"region": "sa-east-1.example.com"}, "Write a region"),
        ({"region": "x/sa-east-1"}, "Write a region"),
        ({"role_arn": "me"}, "Write a role's ARN"),
        ({"role_arn": "to arn:aws:iam::123456789012:role/x"}, "Write a role's ARN"),
        ({"role_arn": "arn:aws:iam::123456789012:role/x and more"}, "Write a role's ARN"),
        ({"team": "payments"}, "Choose one of your teams"),
    ],
)
def test_where_to_look_is_judged_first(
    admin: Client, ours: Team, theirs: Team, given: dict[str, str], says: str
) -> None:
    page = admin.post(NEW, {"region": "eu-west-1", "team": "default", **given})
    assert page.status_code == 422
    assert says in unescape(text(page))


def test_an_event_of_before_is_no_answer(browse: Browse, checkout: Application, ours: Team) -> None:
    event = Event.objects.create(event_id="old", detail_type="An event", body={})
    event.applications.set([checkout])
    viewer, path = browse("viewer", ours), "/settings/applications/of/checkout/first-event/"
    assert "None since" in text(viewer.get(path))
    assert "Arrived" in text(viewer.get(f"{path}?since={timezone.now().timestamp() - 60}"))
    for nonsense in ("x", "nan", "1e999", "-1e30"):
        assert viewer.get(f"{path}?since={nonsense}").status_code == 200


# ---- what belongs together ----


def inventory(*places: Forwarding, **more: Any) -> Inventory:
    known = {
        "places": places,
        "functions": {"g-l": "checkout", "g-x": "search"},
        "services": (RunningService("apis", "checkout", ("g-e",)),),
        "alarms": (
            AlarmFacts("busy", "ConcurrentExecutions", function="checkout"),
            AlarmFacts("slow", "Duration", function="checkout"),
            AlarmFacts("other", "Throttles", function="search"),
        ),
        **more,
    }
    return Inventory(**{name: Reading.of(value, 0.0) for name, value in known.items()})


def test_a_function_and_a_service_on_one_action_are_one_application_with_all_its_routes() -> None:
    both = [Forwarding(arn, arn, ("g-l", "g-e")) for arn in ("one", "two")]
    (match,) = matches(inventory(*both, Forwarding("three", "three", ("g-e",))))
    assert (match.function, match.service.name, match.alarms) == ("checkout", "checkout", ("busy",))
    assert [route.arn for route in match.routes] == ["one", "two"]


def test_a_function_without_a_service_beside_it_is_told() -> None:
    found = inventory(Forwarding("one", "lb HTTP :80, default", ("g-x",)))
    assert matches(found) == ()
    assert alone(found) == (
        (
            "lb HTTP :80, default forwards to the function search, and to no ECS service: put a service's target group "
            "of type ip on the same action, with weight 0."
        ),
    )


def test_what_is_unknown_matches_nothing(fleet_admin: Client, ours: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    assert matches(Inventory()) == ()
    empty = inventory(functions={}, services=(), alarms=())
    monkeypatch.setattr("failover.aws.discovery.discover", lambda *_: empty)
    assert "No listener or rule forwards to both" in text(look(fleet_admin))


def test_the_commands_hold_what_a_name_has_in_it(checkout: Application) -> None:
    wanted = configuration(checkout)
    assert "'it'\\''s'" in eventbridge._quoted("it's")
    assert '"alarmName": ["busy"]' in eventbridge.commands(
        wanted, "https://panel.example/webhooks/eventbridge", "X-Api-Key"
    )
