"""What scripts do with the API: everything that the pages can, and nothing that the role table forbids."""

import re
import time
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from failover import config
from failover.codec import encode
from failover.model import AlarmState, Code, Memory, Reading, Split, Versions
from panel.accounts import members, roles
from panel.accounts.models import Team, default_team
from panel.api import tokens
from panel.api.auth import Rate
from panel.api.models import ApiToken
from panel.audit import denials
from panel.audit.models import Entry, Tally
from panel.drills.models import Drill
from panel.fleet.applications import import_document
from panel.fleet.models import Application
from panel.ingest.models import Event
from panel.notify import targets
from panel.operations import services
from panel.operations.models import Hold, Operation
from tests.panel.api.conftest import Caller
from tests.panel.web import examples

START = "/applications/checkout/operations"
FAILOVER = {"goal": "failover", "reason": "Lambda is at its limit"}


@pytest.fixture
def checkout(db: None, now: float) -> Application:
    return examples.application("checkout", examples.snapshot(at=now, alarm=AlarmState.ALARM))


@pytest.fixture
def now() -> float:
    return time.time()


def problem(response: Any, status: int, name: str) -> dict[str, Any]:
    assert response.status_code == status, response.content
    body: dict[str, Any] = response.json()
    assert response["Content-Type"] == "application/problem+json"
    assert (body["status"], body["type"].rsplit("/", 1)[-1]) == (status, name)
    return body


# ---- applications ----


def test_an_application_is_shown_as_aws_was_last_read(call: Caller, checkout: Application) -> None:
    shown = call("get", "/applications/checkout").json()
    assert (shown["position"], shown["split"]) == ("lambda", {"lambda": 100, "ecs": 0})
    assert shown["alarms"][0]["state"] == "ALARM"
    assert shown["ecs"] == {"desired": 0, "pending": 0, "running": 0, "healthy": 0}
    assert (shown["hold"], shown["active_operation"], shown["drift"]) == (None, None, [])
    assert shown["data_age_seconds"] < 60
    assert call("get", "/applications").json()["items"] == [shown | {"data_age_seconds": pytest.approx(1, abs=60)}]


def test_what_was_never_read_is_unknown_and_not_zero(call: Caller, db: None) -> None:
    examples.application("new")
    shown = call("get", "/applications/new").json()
    assert (shown["position"], shown["alarms"], shown["split"], shown["observed_at"]) == ("unknown", None, None, None)
    assert shown["ecs"]["desired"] is None


def test_drift_is_told(call: Caller, checkout: Application, now: float) -> None:
    checkout.memory = encode(Memory(left=((f"{examples.LISTENER}/x/1", Split(0, 100)),), left_at=now - 60))
    checkout.save()
    assert "was left at 0/100" in call("get", "/applications/checkout").json()["drift"][0]


def test_cautions_are_told(call: Caller, now: float) -> None:
    versions = Versions(Code(version="1.4"), Code(version="1.3"))
    examples.application("checkout", replace(examples.snapshot(at=now), versions=Reading.of(versions, now)))
    [caution] = call("get", "/applications/checkout").json()["cautions"]
    assert caution.startswith("Lambda runs version 1.4, ECS would run version 1.3.")


def test_pages_follow_each_other_without_a_gap_whatever_comes_in_between(call: Caller, db: None) -> None:
    for number in range(7):
        examples.application(f"app-{number}")
    first = call("get", "/applications?limit=3").json()
    examples.application("late")
    second = call("get", f"/applications?limit=3&cursor={first['next']}").json()
    third = call("get", f"/applications?limit=3&cursor={second['next']}").json()
    slugs = [each["slug"] for page in (first, second, third) for each in page["items"]]
    assert slugs == [f"app-{number}" for number in (6, 5, 4, 3, 2, 1, 0)]
    assert third["next"] is None


def test_a_plan_says_what_would_change_and_its_digest_starts_it(call: Caller, checkout: Application) -> None:
    plan = call("get", "/applications/checkout/plan?goal=failover").json()
    assert {"what": "desired count", "before": "0", "after": "2"} in plan["steps"][0]["changes"]
    assert call("post", START, {**FAILOVER, "digest": plan["digest"]}).status_code == 201


def test_a_plan_of_yesterday_is_refused(call: Caller, checkout: Application) -> None:
    body = problem(call("post", START, {**FAILOVER, "digest": "0" * 12}), 409, "refused")
    assert body["rule"] == "plan_changed"
    assert body["remedy"]
    assert not Operation.objects.exists()


@pytest.mark.parametrize(
    "query", ["goal=set_weights", "goal=failover&lambda=1&ecs=2", "goal=set_weights&lambda=0&ecs=0"]
)
def test_a_plan_needs_weights_with_set_weights_alone(call: Caller, checkout: Application, query: str) -> None:
    problem(call("get", f"/applications/checkout/plan?{query}"), 422, "invalid")


# ---- operations ----


def test_an_operation_is_started_shown_cancelled_and_tried_again(call: Caller, checkout: Application) -> None:
    started = call("post", START, FAILOVER)
    assert started.status_code == 201
    pk = started.json()["id"]
    assert started.json()["trigger"] == "api"
    assert started.json()["requested_by"].startswith("token:operator")
    assert call("get", f"/operations/{pk}").json()["journal"][0]["message"].startswith("Asked for by token:operator")
    assert call("post", f"/operations/{pk}/cancel", {"reason": "calm again"}).status_code == 202
    problem(call("post", f"/operations/{pk}/retry", {"reason": "again"}), 409, "refused")
    Operation.objects.filter(pk=pk).update(status="cancelled", finished_at=timezone.now(), next_step_at=None)
    again = call("post", f"/operations/{pk}/retry", {"reason": "again"})
    assert (again.status_code, again.json()["retry_of"]) == (201, pk)
    assert [each["id"] for each in call("get", "/operations?application=checkout").json()["items"]] == [pk + 1, pk]


def test_trying_again_heeds_its_key(call: Caller, checkout: Application) -> None:
    pk = call("post", START, FAILOVER).json()["id"]
    Operation.objects.filter(pk=pk).update(status="failed", finished_at=timezone.now(), next_step_at=None)
    asked = {"body": {"reason": "again"}, "Idempotency-Key": "again-1"}
    first, second = (call("post", f"/operations/{pk}/retry", **asked) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    problem(call("post", START, FAILOVER, **{"Idempotency-Key": "again-1"}), 422, "invalid")


def test_the_same_key_again_answers_with_the_same_operation(call: Caller, checkout: Application) -> None:
    key = {"Idempotency-Key": "deploy-42"}
    first, second = call("post", START, FAILOVER, **key), call("post", START, FAILOVER, **key)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    problem(call("post", START, {**FAILOVER, "goal": "failback"}, **key), 422, "invalid")


def test_a_second_operation_is_refused_with_rule_and_remedy_and_can_take_the_first_ones_place(
    call: Caller, checkout: Application
) -> None:
    first = call("post", START, FAILOVER).json()["id"]
    body = problem(call("post", START, {"goal": "failback", "reason": "no"}), 409, "refused")
    assert body["rule"] == "single_writer"
    assert Entry.objects.filter(action="operation.start", outcome="refused").exists()
    second = call("post", START, {"goal": "failback", "reason": "no", "supersedes": first})
    assert (second.status_code, second.json()["supersedes"]) == (201, first)


def test_what_takes_anothers_place_heeds_its_key(call: Caller, checkout: Application) -> None:
    key, first = {"Idempotency-Key": "back-1"}, call("post", START, FAILOVER).json()["id"]
    wanted = {"goal": "failback", "reason": "no", "supersedes": first}
    started, again = call("post", START, wanted, **key), call("post", START, wanted, **key)
    assert (started.status_code, again.status_code) == (201, 200)
    assert again.json()["id"] == started.json()["id"]
    problem(call("post", START, {**wanted, "supersedes": again.json()["id"]}, **key), 422, "invalid")
    assert Operation.objects.count() == 2


def test_what_takes_anothers_place_is_refused_where_its_plan_has_changed(call: Caller, checkout: Application) -> None:
    first = call("post", START, FAILOVER).json()["id"]
    wanted = {"goal": "failback", "reason": "no", "supersedes": first, "digest": "of another plan"}
    assert problem(call("post", START, wanted), 409, "refused")["rule"] == "plan_changed"
    assert Operation.objects.get().status == "queued"


@pytest.mark.parametrize("path", ["/applications/a%00b", "/applications/a%00b/plan?goal=failover"])
def test_a_name_that_no_database_takes_is_told(call: Caller, path: str) -> None:
    problem(call("get", path), 422, "invalid")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"goal": "sideways", "reason": "x"},
        {"goal": "failover", "reason": ""},
        {"goal": "failover", "reason": "\x00"},
        {"goal": "failover", "reason": "x" * 1001},
        {"goal": "failover", "reason": "x", "weights": {"lambda": 1, "ecs": 1}},
        {"goal": "set_weights", "reason": "x"},
        {"goal": "set_weights", "reason": "x", "weights": {"lambda": 0, "ecs": 0}},
        {"goal": "failover", "reason": "x", "override": ["never_zero"]},
        {"goal": "failover", "reason": "x", "surprise": 1},
        [],
    ],
)
def test_what_can_not_be_taken_is_named_and_starts_nothing(call: Caller, checkout: Application, body: object) -> None:
    assert problem(call("post", START, body), 422, "invalid")["errors"]
    assert not Operation.objects.exists()


# ---- holds, modes, the kill switch, acknowledgements ----


def test_an_application_is_held_and_released(call: Caller, checkout: Application) -> None:
    held = call("post", "/applications/checkout/holds", {"reason": "deploying", "minutes": 5})
    assert held.status_code == 201
    assert call("get", "/applications/checkout").json()["hold"]["reason"] == "deploying"
    assert call("delete", f"/applications/checkout/holds/{held.json()['id']}").status_code == 204
    assert call("get", "/applications/checkout").json()["hold"] is None


def test_all_applications_are_held_and_released(call: Caller, checkout: Application) -> None:
    held = call("post", "/holds", {"reason": "AWS is acting up", "minutes": 5}).json()
    assert held["application"] is None
    assert call("get", "/applications/checkout").json()["hold"]["id"] == held["id"]
    problem(call("delete", f"/applications/checkout/holds/{held['id']}"), 404, "not-found")
    assert call("delete", f"/holds/{held['id']}").status_code == 204


def test_the_mode_is_set(call: Caller, checkout: Application) -> None:
    assert (
        call("put", "/applications/checkout/mode", {"mode": "observe", "reason": "a fair"}).json()["mode"] == "observe"
    )


def test_the_kill_switch_is_turned_on_and_off(call: Caller, db: None) -> None:
    assert call("get", "/kill-switch").json()["on"] is False
    assert call("put", "/kill-switch", {"on": True, "reason": "AWS is acting up"}).json()["on"] is True
    assert services.kill_switch_is_on()


def test_a_failure_is_acknowledged_once(call: Caller, checkout: Application) -> None:
    examples.operation(checkout, status="failed", trigger="automatic")
    done = call("post", "/applications/checkout/acknowledgements", {"comment": "the image was broken"})
    assert done.status_code == 201
    problem(call("post", "/applications/checkout/acknowledgements", {"comment": "again"}), 409, "refused")


# ---- who may ----


@pytest.fixture
def payments(checkout: Application) -> Team:
    """Another team with an application of its own."""
    team = Team.objects.create(slug="payments", name="Payments")
    Application.objects.filter(pk=examples.application("pay").pk).update(team=team)
    return team


TARGET = {"team": "default", "name": "CI", "way": "console", "kinds": ["refused"]}
WRITES = [
    ("post", START, FAILOVER, "operation.start"),
    ("post", START, {**FAILOVER, "override": ["ecs_ready"]}, "operation.override"),
    ("post", "/applications/checkout/holds", {"reason": "x", "minutes": 5}, "hold.place"),
    ("delete", "/applications/checkout/holds/{hold}", None, "hold.release"),
    ("put", "/applications/checkout/mode", {"mode": "off", "reason": "x"}, "mode.set"),
    ("post", "/applications/checkout/acknowledgements", {"comment": "x"}, "acknowledge"),
    ("post", "/operations/{operation}/cancel", {"reason": "x"}, "operation.cancel"),
    ("post", "/operations/{operation}/retry", {"reason": "x"}, "operation.retry"),
    ("post", "/drills", {"application": "checkout", "reason": "x"}, "drill.start"),
    ("post", "/drills/{drill}/abort", {"reason": "x"}, "drill.start"),
    ("post", "/holds", {"reason": "x", "minutes": 5}, "hold.all"),
    ("put", "/kill-switch", {"on": True, "reason": "x"}, "kill_switch.set"),
    ("delete", "/holds/{hold}", None, "hold.all"),
    ("post", "/notifications", TARGET, "notification.manage"),
    ("post", "/notifications/{target}/test", {}, "notification.manage"),
    ("delete", "/notifications/{target}", None, "notification.manage"),
]
READS = [
    "/applications", "/applications/checkout", "/applications/checkout/plan?goal=failover",
    "/applications/checkout/configuration", "/operations", "/operations/{operation}", "/drills", "/drills/{drill}",
    "/kill-switch", "/events", "/refusals", "/audit", "/notifications", "/notifications/deliveries",
]  # fmt: skip
ONE_TEAMS = ("checkout", "{operation}", "{drill}")


@pytest.mark.parametrize(("method", "path", "body", "action"), WRITES, ids=[each[3] for each in WRITES])
@pytest.mark.parametrize("role", ["viewer", "operator", "admin"])
@pytest.mark.parametrize("where", ["own", "other", "every"])
def test_each_write_follows_the_role_table(  # noqa: PLR0917
    caller: Any, payments: Team, checkout: Application, method: str, path: str, body: object, action: str, role: str,
    where: str,
) -> None:  # fmt: skip
    hold = services.place_hold(checkout, owner="ada", reason="x", minutes=5)
    operation = examples.operation(checkout, status="failed", trigger="automatic")
    drill = Drill.objects.create(application=checkout, kind="drill", reason="x", state="not_started")
    team = {"own": default_team(), "other": payments, "every": None}[where]
    call = caller(role, team)
    target = targets.add(default_team(), "on call", "console", "", ["refused"], by="ada").target
    address = path.format(hold=hold.pk, operation=operation.pk, drill=drill.pk, target=target.pk)
    status = call(method, address, body).status_code
    line = roles.actions()[action]
    enough = roles.Role.named(role) >= line.role
    if line.panel:
        assert (status == 403) == (not (enough and where == "every")), status
    elif where == "other":
        assert status == 404
    else:
        assert (status == 403) == (not enough), status


def called() -> list[tuple[str, str, object]]:
    return [("get", path, None) for path in READS] + [(method, path, body) for method, path, body, _ in WRITES]


def test_every_call_is_in_these_lists() -> None:
    def shape(path: str) -> str:
        return re.sub(r"\{\w+\}|checkout", "{}", path.partition("?")[0])

    tried = {(method, shape(path)) for method, path, _ in called()}
    described = Client().get("/api/v1/openapi.json").json()["paths"]
    calls = {(method, shape(path.removeprefix("/api/v1"))) for path, methods in described.items() for method in methods}
    assert calls == tried


@pytest.mark.parametrize("why", ["ended", "revoked", "switched off", "unknown"])
def test_no_call_takes_a_token_that_does_not_work_and_each_is_recorded(
    caller: Any, checkout: Application, why: str
) -> None:
    call = caller("admin")
    token = ApiToken.objects.get()
    if why == "ended":
        ApiToken.objects.update(expires_at=timezone.now())
    elif why == "revoked":
        tokens.revoke(token.name)
    elif why == "switched off":
        User.objects.filter(pk=token.user_id).update(is_active=False)
    else:
        ApiToken.objects.update(digest="of another secret")
    hold = services.place_hold(checkout, owner="ada", reason="x", minutes=5)
    operation = examples.operation(checkout, status="failed", trigger="automatic")
    drill = Drill.objects.create(application=checkout, kind="drill", reason="x", state="not_started")
    for method, path, body in called():
        denials.pending._written_at = None
        address = path.format(hold=hold.pk, operation=operation.pk, drill=drill.pk, target=1)
        problem(call(method, address, body), 401, "token")
    hold.refresh_from_db()
    assert (hold.released_at, Operation.objects.count()) == (None, 1)
    assert Entry.objects.filter(outcome="denied", subject="the API").exists()
    assert Tally.objects.get().count == len(called()) - 1


@pytest.mark.parametrize("path", [path for path in READS if any(each in path for each in ONE_TEAMS)])
def test_who_asks_for_another_teams_thing_is_recorded(
    caller: Any, payments: Team, checkout: Application, path: str
) -> None:
    operation = examples.operation(checkout, status="failed", trigger="automatic")
    drill = Drill.objects.create(application=checkout, kind="drill", reason="x", state="not_started")
    problem(caller("admin", payments)("get", path.format(operation=operation.pk, drill=drill.pk)), 404, "not-found")
    (entry,) = Entry.objects.filter(action="denied")
    assert entry.reason.endswith("belongs to another team.")


def test_the_configuration_is_what_the_import_takes(call: Caller, application: Application) -> None:
    shown = call("get", "/applications/checkout/configuration").json()
    assert shown["slug"] == "checkout"
    assert import_document(config.read_text(shown["toml"], "f"), "f").differences == ()


def test_of_an_alarm_that_teams_share_each_is_told_its_own_part(
    caller: Any, payments: Team, checkout: Application, client: Client
) -> None:
    event = Event.objects.create(
        event_id="e-1", detail_type="CloudWatch Alarm State Change", body={}, status="processed",
        outcome="checkout: Started failover #7.\npay: Held by bob: a fair\nuntil noon.",
    )  # fmt: skip
    event.applications.set(Application.objects.all())
    (shown,) = caller("viewer", default_team())("get", "/events").json()["items"]
    assert (shown["applications"], shown["outcome"]) == (["checkout"], "checkout: Started failover #7.")
    (shown,) = caller("viewer", payments)("get", "/events").json()["items"]
    assert (shown["applications"], shown["outcome"]) == (["pay"], "pay: Held by bob: a fair\nuntil noon.")
    members.set_role(eve := User.objects.create_user("eve"), default_team(), "viewer")
    client.force_login(eve)
    page = client.get("/events/").content.decode()
    assert "Started failover #7." in page
    assert "a fair" not in page
    assert "/applications/pay/" not in page


def test_everybody_reads_their_own_teams_things_alone(caller: Any, payments: Team, checkout: Application) -> None:
    ours = examples.operation(checkout, headline="")
    examples.refusal(checkout)
    services.place_hold(checkout, owner="ada", reason="x", minutes=5)
    theirs = caller("viewer", payments)
    for path in ("/operations", "/refusals", "/events", "/audit"):
        assert theirs("get", path).json()["items"] == [], path
    assert [each["slug"] for each in theirs("get", "/applications").json()["items"]] == ["pay"]
    for path in ("/applications/checkout", "/applications/checkout/plan?goal=failover", f"/operations/{ours.pk}"):
        problem(theirs("get", path), 404, "not-found")
    own = caller("viewer", default_team())
    for path in ("/operations", "/refusals", "/audit"):
        assert own("get", path).json()["items"], path


def test_a_hold_of_another_application_is_not_there(call: Caller, payments: Team, checkout: Application) -> None:
    hold = services.place_hold(checkout, owner="ada", reason="x", minutes=5)
    problem(call("delete", f"/applications/pay/holds/{hold.pk}"), 404, "not-found")
    assert Hold.objects.get().released_at is None


# ---- the edges ----


def test_too_many_requests_are_told_when_to_come_back(call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Rate, "allow_request", lambda *_: False)
    monkeypatch.setattr(Rate, "wait", lambda _: 6.7)
    response = call("get", "/operations")
    problem(response, 429, "rate")
    assert response["Retry-After"] == "7"


def test_a_database_that_does_not_answer_is_told(
    call: Caller, checkout: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: Any, **__: Any) -> None:
        raise OperationalError("the connection is closed")

    monkeypatch.setattr("panel.operations.services.place_hold", gone)
    response = call("post", "/applications/checkout/holds", {"reason": "deploy", "minutes": 5})
    problem(response, 503, "database")
    assert response["Retry-After"] == "5"


def test_a_body_that_is_too_large_is_told(call: Caller, checkout: Application) -> None:
    problem(call("post", START, {**FAILOVER, "reason": "x" * 3_000_000}), 413, "too-large")
    assert not Operation.objects.exists()


def test_a_page_of_applications_costs_as_many_queries_as_one(call: Caller, now: float) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert call("get", "/applications").status_code == 200
        return len(seen)

    examples.application("first", examples.snapshot(at=now))
    asked()  # the first use of a token in a while is written down
    one = asked()
    for number in range(4):
        examples.application(f"more-{number}", examples.snapshot(at=now))
    assert asked() == one


def test_what_is_no_call_is_a_problem_document(db: None) -> None:
    for path in ("/api/v1/nothing", "/api/", "/api/v2/operations"):
        problem(Client().get(path), 404, "not-found")


def test_the_documentation_page_loads_nothing_from_elsewhere(client: Client) -> None:
    page = client.get("/api/v1/docs").content.decode()
    assert "ninja/swagger-ui" in page
    assert "https://" not in page.replace("https://failover-panel.invalid", "")
    assert client.get("/api/v1/openapi.json").json()["openapi"].startswith("3.")
