"""Notifications' targets by the API: as on the page, and never more than the role table lets."""

from collections.abc import Callable

import pytest

from panel.accounts.models import Team, default_team
from panel.notify import targets
from panel.notify.models import Target
from tests.panel.api.conftest import Caller
from tests.panel.api.test_calls import problem

WANTED = {"team": "default", "name": "CI", "way": "webhook", "address": "http://10.0.0.9/t0ken", "kinds": ["refused"]}


@pytest.fixture
def admin(caller: Callable[..., Caller]) -> Caller:
    return caller("admin", default_team())


def test_a_target_is_added_shown_tested_and_removed(admin: Caller) -> None:
    added = admin("post", "/notifications", WANTED)
    assert added.status_code == 201
    body = added.json()
    assert body["secret"].startswith("whsec_")
    assert (body["address"], body["team"]) == ("http://10.0.0.9/…", "default")
    listed = admin("get", "/notifications")
    assert [each["id"] for each in listed.json()["items"]] == [body["id"]]
    assert "secret" not in listed.content.decode()
    assert "t0ken" not in listed.content.decode()
    tested = admin("post", f"/notifications/{body['id']}/test", {})
    assert (tested.status_code, tested.json()["status"], tested.json()["kind"]) == (202, "waiting", "test")
    [delivery] = admin("get", "/notifications/deliveries").json()["items"]
    assert delivery["message_id"] == tested.json()["message_id"]
    assert admin("delete", f"/notifications/{body['id']}").status_code == 204
    assert not Target.objects.exists()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"address": "http://169.254.169.254/"}, "address"),
        ({"address": ""}, "address"),
        ({"kinds": ["panel.sick"]}, "kinds"),
        ({"kinds": []}, "given.kinds"),
        ({"way": "pigeon"}, "given.way"),
        ({"name": " "}, "name"),
        ({"colour": "red"}, "given.colour"),
    ],
)
def test_what_makes_no_sense_is_named_by_field(admin: Caller, given: dict[str, object], field: str) -> None:
    body = problem(admin("post", "/notifications", {**WANTED, **given}), 422, "invalid")
    assert list(body["errors"]) == [field]
    assert not Target.objects.exists()


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_lower_roles_may_not(caller: Callable[..., Caller], role: str) -> None:
    call = caller(role, default_team())
    target = targets.add(default_team(), "own", "console", "", ["refused"], by="ada").target
    problem(call("post", "/notifications", WANTED), 403, "role")
    assert call("get", "/notifications").json()["items"] == []
    problem(call("delete", f"/notifications/{target.pk}"), 403, "role")
    problem(call("post", f"/notifications/{target.pk}/test", {}), 403, "role")


def test_an_admin_of_one_team_does_not_reach_beyond_it(admin: Caller) -> None:
    other = Team.objects.create(slug="other", name="Other")
    theirs = targets.add(other, "theirs", "console", "", ["refused"], by="b").target
    problem(admin("post", "/notifications", {**WANTED, "team": "other"}), 404, "not-found")
    problem(admin("post", "/notifications", {**WANTED, "team": None}), 403, "role")
    problem(admin("delete", f"/notifications/{theirs.pk}"), 404, "not-found")
    assert admin("get", "/notifications").json()["items"] == []
