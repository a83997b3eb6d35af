"""Drills by script: as the pages have them, under the same rules and the same lines of the role table."""

from typing import Any

import pytest

from panel.accounts.models import Team, default_team
from panel.audit.models import Entry
from panel.drills.advancing import advance
from panel.drills.models import Drill
from panel.fleet import snapshots
from panel.fleet.models import Application
from panel.operations.models import Operation
from panel.probing.models import Burst
from tests.panel.api.conftest import Caller
from tests.panel.api.test_calls import problem
from tests.panel.fake_aws import FakeAws

DRILL = {"application": "checkout", "kind": "drill", "reason": "before Black Friday"}


@pytest.fixture
def checkout(application: Application, aws: FakeAws) -> Application:
    snapshots.store(application, aws.observe())
    return application


def test_a_drill_is_started_shown_and_aborted(call: Caller, checkout: Application) -> None:
    started = call("post", "/drills", DRILL)
    assert started.status_code == 201
    shown = started.json()
    assert (shown["state"], shown["outcome"], shown["seconds"], shown["operations"]) == ("asked", None, {}, [])
    assert (shown["target_seconds"], shown["stay_seconds"]) == (300, 60)
    assert call("get", f"/drills/{shown['id']}").json() == shown
    assert call("get", "/drills?application=checkout").json()["items"] == [shown]
    assert call("get", "/drills?application=other").json()["items"] == []
    aborted = call("post", f"/drills/{shown['id']}/abort", {"reason": "wrong one"})
    assert aborted.status_code == 202
    advance(shown["id"])
    ended = call("get", f"/drills/{shown['id']}").json()
    assert (ended["state"], ended["rule"]) == ("not_started", "aborted")
    problem(call("post", f"/drills/{shown['id']}/abort", {"reason": "again"}), 409, "refused")


def test_its_operations_are_named_once_they_began(call: Caller, checkout: Application) -> None:
    started = call("post", "/drills", DRILL).json()
    advance(started["id"])
    shown = call("get", f"/drills/{started['id']}").json()
    assert shown["state"] == "forward"
    operation = call("get", f"/operations/{shown['operations'][0]}").json()
    assert (operation["trigger"], operation["goal"], operation["probe"]) == ("drill", "failover", None)


def test_the_same_key_again_is_the_same_drill(call: Caller, checkout: Application) -> None:
    key = {"Idempotency-Key": "k-1"}
    first = call("post", "/drills", DRILL, **key)
    again = call("post", "/drills", DRILL, **key)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    problem(call("post", "/drills", {**DRILL, "kind": "rehearsal"}, **key), 422, "invalid")
    assert Drill.objects.count() == 1


def test_what_forbids_it_is_told_with_its_rule_and_recorded(call: Caller, checkout: Application) -> None:
    checkout.mode = "off"
    checkout.save()
    told = problem(call("post", "/drills", DRILL), 409, "refused")
    assert (told["rule"], told["remedy"]) == ("mode", "Set the mode to auto.")
    assert Entry.objects.get(action="drill.start", outcome="refused").application == "checkout"


def test_a_refused_abort_is_recorded_as_its_applications(call: Caller, checkout: Application) -> None:
    drill = Drill.objects.create(application=checkout, kind="drill", reason="x", abort_requested="once")
    problem(call("post", f"/drills/{drill.pk}/abort", {"reason": "again"}), 409, "refused")
    entry = Entry.objects.get(action="drill.abort", outcome="refused")
    assert (entry.application, entry.subject) == ("checkout", f"#{drill.pk}")


@pytest.mark.parametrize(
    "body", [{}, {**DRILL, "kind": "game"}, {**DRILL, "reason": " "}, {**DRILL, "when": "now"}, {"application": "a\0"}]
)
def test_what_can_not_be_taken_is_told(call: Caller, checkout: Application, body: dict[str, Any]) -> None:
    problem(call("post", "/drills", body), 422, "invalid")


@pytest.mark.parametrize("role", ["viewer", "operator", "admin"])
def test_who_may(caller: Any, checkout: Application, role: str) -> None:
    drill = Drill.objects.create(application=checkout, kind="drill", reason="x", state="not_started")
    call = caller(role, default_team())
    expected = {"viewer": 403}.get(role, 201)
    assert call("post", "/drills", DRILL).status_code == expected
    assert call("post", f"/drills/{drill.pk}/abort", {"reason": "x"}).status_code == (409 if expected == 201 else 403)
    assert call("get", f"/drills/{drill.pk}").status_code == 200


def test_another_teams_drills_are_not_there(caller: Any, checkout: Application) -> None:
    drill = Drill.objects.create(application=checkout, kind="drill", reason="x", state="not_started")
    theirs = caller("admin", Team.objects.create(slug="payments", name="Payments"))
    assert theirs("get", "/drills").json()["items"] == []
    problem(theirs("get", f"/drills/{drill.pk}"), 404, "not-found")
    problem(theirs("post", f"/drills/{drill.pk}/abort", {"reason": "x"}), 404, "not-found")
    problem(theirs("post", "/drills", DRILL), 404, "not-found")


def test_what_users_saw_of_an_operation_is_summed_up(call: Caller, checkout: Application) -> None:
    started = call("post", "/drills", DRILL).json()
    advance(started["id"])
    operation = Operation.objects.get()
    ticks = [[0, "lambda", "ok", 200, 20, ""], [500, "", "timeout", 0, 2000, "late"], [1000, "ecs", "ok", 200, 30, ""]]
    Burst.objects.create(operation=operation, at=operation.created_at, ticks=ticks)
    assert call("get", f"/operations/{operation.pk}").json()["probe"] == {
        "sent": 3,
        "failed": 1,
        "unanswered": 1,
        "by_pool": {
            "lambda": {"sent": 1, "failed": 0},
            "ecs": {"sent": 1, "failed": 0},
            "unknown": {"sent": 1, "failed": 1},
        },
        "longest_gap_seconds": 1.0,
        "latency_ms": {"p50": 30, "p95": 30},
    }
