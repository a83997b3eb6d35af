from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.template.loader import render_to_string
from django.test import Client

from failover.codec import encode
from failover.model import AlarmState, Memory, Progress, Reading, Snapshot, Split
from panel.fleet.models import Heartbeat, Sample
from panel.operations import services
from tests.panel.web import examples

FRAGMENT = {"HX-Request": "true"}


def text(response: object) -> str:
    """What a reader sees: without tags, white space as one blank."""
    body = response.content.decode()  # type: ignore[attr-defined]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", body))


# ---- fleet ----


def test_the_fleet_tells_each_application_in_one_sentence(browser_of: Client, beating: None, now: float) -> None:
    examples.application("checkout", examples.snapshot(at=now))
    examples.application("search", examples.snapshot(at=now, split=Split(0, 100), desired=6, running=6, healthy=6))

    page = text(browser_of.get("/"))

    assert "All traffic on Lambda." in page
    assert "All traffic on ECS." in page
    assert "6 of 6 healthy" in page
    assert "Automation on" in page
    assert "1 of 2 applications needs attention." in page


def test_what_needs_attention_comes_first(browser_of: Client, beating: None, now: float) -> None:
    examples.application("aaa", examples.snapshot(at=now))
    examples.application("zzz", examples.snapshot(at=now, alarm=AlarmState.ALARM))

    page = browser_of.get("/").content.decode()

    assert page.index("app-zzz") < page.index("app-aaa")


def test_an_empty_fleet_says_how_to_add_an_application(browser_of: Client, beating: None) -> None:
    assert "import_application checkout.toml" in text(browser_of.get("/"))


def test_a_part_of_the_panel_that_is_silent_turns_the_strip_red(browser_of: Client, now: float) -> None:
    long_ago = datetime.now(UTC) - timedelta(minutes=5)
    Heartbeat.objects.create(name="worker", at=long_ago)
    examples.application("checkout", examples.snapshot(at=now))

    page = browser_of.get("/")

    assert "The worker has been silent for 5 min: nothing is started or moved until it runs again." in text(page)
    assert "Beat has not shown itself yet" in text(page)
    assert "AWS was never read" in text(page)
    assert 'class="pulse broken"' in page.content.decode()
    assert "Automation on" not in text(page), "nothing may claim that automation works while the worker is silent"


def test_a_broker_that_does_not_answer_is_said(
    browser_of: Client, beating: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("panel.broker.answers", lambda: False)

    assert "The broker (Redis) does not answer" in text(browser_of.get("/"))


def test_without_applications_an_idle_observer_is_no_fault(browser_of: Client) -> None:
    for name in ("worker", "beat"):
        Heartbeat.objects.create(name=name, at=datetime.now(UTC))

    assert "pulse broken" not in browser_of.get("/").content.decode()


def test_stale_data_is_never_shown_as_ok(browser_of: Client, beating: None, now: float) -> None:
    examples.application("checkout", examples.snapshot(at=now - 300))

    page = browser_of.get("/")

    assert "NOT READ" in text(page)
    assert "AWS was last read" in text(page)
    row = page.content.decode().split('id="app-checkout"', 1)[1]
    assert "badge ok" not in row


def test_the_fleet_shows_progress_of_a_running_operation(browser_of: Client, beating: None, now: float) -> None:
    row = examples.application("checkout", examples.snapshot(at=now, alarm=AlarmState.ALARM))
    progress = Progress(phase="healthy", marks=(("started", now - 5), ("asked", now - 4)))
    found = examples.operation(row, progress=encode(progress))

    page = browser_of.get("/")

    assert f"Failover #{found.pk}" in text(page)
    assert 'aria-label="step 2 of 4"' in page.content.decode()
    assert "Watch" in text(page)


def test_a_hold_for_all_is_shown_above_and_on_each_row(browser_of: Client, beating: None, now: float) -> None:
    examples.application("checkout", examples.snapshot(at=now))
    examples.hold(None, reason="provider trouble")

    page = text(browser_of.get("/"))

    assert "Automation held" in page
    assert "Held (all applications) by on-call until" in page


def test_a_refresh_gets_only_what_is_inside(browser_of: Client, beating: None, now: float) -> None:
    examples.application("checkout", examples.snapshot(at=now))

    whole, piece = browser_of.get("/"), browser_of.get("/", headers=FRAGMENT)

    assert b"<html" in whole.content
    assert b"<html" not in piece.content
    assert piece.content.strip() in whole.content or b"app-checkout" in piece.content
    assert whole["Cache-Control"] == piece["Cache-Control"] == "no-store"
    assert "HX-Request" in piece["Vary"]


def test_fifty_a_page_and_the_rest_on_the_next(browser_of: Client, beating: None, now: float) -> None:
    for number in range(53):
        examples.application(f"app-{number:02}", examples.snapshot(at=now))

    first, second = browser_of.get("/").content.decode(), browser_of.get("/?page=2").content.decode()

    assert (first.count('class="name"'), second.count('class="name"')) == (50, 3)
    assert "Page 1 of 2" in first


# ---- one application ----


def test_an_application_that_does_not_exist_is_answered_calmly(browser_of: Client) -> None:
    response = browser_of.get("/applications/nowhere/")

    assert response.status_code == 404
    assert "There is nothing here" in text(response)


def test_the_application_page_has_facts_chart_routes_and_alarms(browser_of: Client, now: float) -> None:
    shown = examples.snapshot(at=now, desired=4, pending=1, running=3, healthy=2, concurrency=examples.wave(30))
    examples.application("checkout", shown)

    page = text(browser_of.get("/applications/checkout/"))

    for part in (
        "Tasks desired 4",
        "Running 3 1 pending",
        "Healthy targets 2 min 2",
        "limit 64",
        "HTTPS :443, default",
    ):
        assert part in page
    assert "live 1 h 6 h 24 h 7 d" in page
    for panel in ("Requests a minute", "Failed a minute", "Tasks", "Seconds, slowest 5 %"):
        assert panel in page
    assert "Why not? Nothing is being refused just now." in page


def test_a_part_that_could_not_be_read_says_why(browser_of: Client, now: float) -> None:
    denied = Reading(None, 0.0, "AccessDenied on elasticloadbalancing:DescribeListeners")
    whole = examples.snapshot(at=now)
    examples.application("checkout", Snapshot(now, alarms=whole.alarms, routes=denied))

    page = text(browser_of.get("/applications/checkout/"))

    assert "Not known: AccessDenied on elasticloadbalancing:DescribeListeners." in page
    assert "Weights unknown" in page
    assert "Tasks desired ?" in page


def test_an_application_that_was_never_read_has_a_page(browser_of: Client) -> None:
    examples.application("checkout")

    assert "AWS has not been read yet" in text(browser_of.get("/applications/checkout/"))


def test_why_not_names_rule_and_remedy(browser_of: Client, now: float) -> None:
    row = examples.application("search", examples.snapshot(at=now, split=Split(0, 100)))
    examples.refusal(row)

    page = text(browser_of.get("/applications/search/"))

    assert "Why not back yet?" in page
    assert "Projected concurrency 72 must be under 51." in page
    assert "It fails back by itself once demand falls." in page
    assert "refused by rule demand" in page


def test_the_failed_operation_keeps_its_words_on_the_page(browser_of: Client, now: float) -> None:
    row = examples.application("basket", examples.snapshot(at=now))
    examples.operation(row, status="failed", error="no task became healthy in 10 min", finished_at=datetime.now(UTC))

    assert "No task became healthy in 10 min." in text(browser_of.get("/applications/basket/"))


# ---- operations, events, refusals ----


def test_an_operation_shows_steps_journal_and_request_ids(browser_of: Client, operator: User, now: float) -> None:
    row = examples.application("checkout", examples.snapshot(at=now))
    found = examples.operation(row, trigger="manual", requested_by=operator, reason="Lambda is slow")
    examples.journal(found)

    page = text(browser_of.get(f"/operations/{found.pk}/"))

    assert "Ask ECS for 2 tasks" in page
    assert "ecs:UpdateService: 2 (was 0)" in page
    assert "request 9f3c1a52-7c1e-4ab0-9d4e-0c8f1f1e2a11" in page
    assert "Started by ada" in page
    assert "“Lambda is slow”" in page
    assert "Cancel…" in page


def test_an_ended_operation_shows_how_long_each_part_took_and_no_cancel(browser_of: Client, now: float) -> None:
    row = examples.application("checkout", examples.snapshot(at=now))
    marks = (("started", now - 60), ("asked", now - 59), ("healthy", now - 20), ("shifting", now - 19))
    done = Progress(phase="done", marks=(*marks, ("verified", now - 15), ("ended", now)))
    found = examples.operation(row, status="succeeded", progress=encode(done), finished_at=datetime.now(UTC))

    page = text(browser_of.get(f"/operations/{found.pk}/"))

    assert "Decision to healthy targets 40 s" in page
    assert "Nothing is known of its requests" in page
    assert "Cancel…" not in page


def test_the_report_counts_the_requests_that_were_lost_in_its_minutes(browser_of: Client, now: float) -> None:
    row = examples.application("checkout", examples.snapshot(at=now))
    found = examples.operation(row, status="succeeded", ago=100, finished_at=datetime.now(UTC))
    minute = found.created_at.replace(second=0, microsecond=0)
    before = {"at": minute - timedelta(minutes=1), "lambda_requests": 500.0, "failed": 99.0}
    during = {"at": minute, "lambda_requests": 990.0, "ecs_requests": 10.0, "failed": 3.0, "throttles": 4.0}
    for values in (before, during):
        Sample.objects.create(application=row, seconds=60, **values)

    page = text(browser_of.get(f"/operations/{found.pk}/"))

    assert "7 of 1000 requests failed or were throttled in its minutes." in page


def test_an_operation_is_json_for_whoever_may_see_it(browser_of: Client, now: float) -> None:
    row = examples.application("checkout", examples.snapshot(at=now))
    found = examples.operation(row)
    examples.journal(found)

    told = browser_of.get(f"/operations/{found.pk}/?format=json").json()

    assert (told["id"], told["application"], told["goal"]) == (found.pk, "checkout", "failover")
    assert told["journal"][1]["detail"]["request_id"] == "9f3c1a52-7c1e-4ab0-9d4e-0c8f1f1e2a11"
    assert Client().get(f"/operations/{found.pk}/?format=json").status_code == 302


def test_a_weights_operation_shows_the_weights(browser_of: Client, operator: User, now: float) -> None:
    row = examples.application("checkout", examples.snapshot(at=now))
    found = services.request_operation(
        row, "set_weights", trigger="manual", reason="canary", user=operator, weights=(90, 10)
    )

    assert "Setting weights to 90/10 (Lambda/ECS)" in text(browser_of.get(f"/operations/{found.pk}/"))
    assert "90/10" in text(browser_of.get("/operations/"))


@pytest.mark.parametrize("path", ["/operations/", "/events/", "/refusals/"])
def test_empty_lists_say_what_will_show_there(browser_of: Client, path: str) -> None:
    assert "None" in text(browser_of.get(path))


def test_the_lists_show_what_happened_newest_first(browser_of: Client, now: float) -> None:
    row = examples.application("checkout", examples.snapshot(at=now))
    examples.operation(row, status="succeeded", finished_at=datetime.now(UTC))
    newest = examples.operation(row)
    examples.refusal(row)

    operations = browser_of.get("/operations/").content.decode()

    assert operations.index(f"operation-{newest.pk}") == operations.index("operation-")
    assert "4 times since" in text(browser_of.get("/refusals/"))


def test_navigation_marks_where_one_is(browser_of: Client, now: float) -> None:
    examples.application("checkout", examples.snapshot(at=now))

    for path, here in (("/", "Fleet"), ("/applications/checkout/", "Fleet"), ("/operations/", "Operations")):
        page = browser_of.get(path).content.decode()
        assert re.findall(r'aria-current="page">([^<]+)<', page) == [here]


def test_no_page_has_inline_style_or_script(browser_of: Client, beating: None, now: float) -> None:
    row = examples.application("checkout", examples.snapshot(at=now, concurrency=examples.wave(30)))
    found = examples.operation(row)
    examples.journal(found)

    for path in ("/", "/applications/checkout/", f"/operations/{found.pk}/", "/applications/checkout/weights/"):
        page = browser_of.get(path)
        body = page.content.decode()
        assert not re.search(r"<[^>]+\s(style|on\w+)=", body), path
        assert not re.search(r"<script(?![^>]*\ssrc=)", body), path
        assert "<style" not in body, path
        assert "default-src 'none'" in page["Content-Security-Policy"]


def test_the_page_about_a_fault_needs_nothing_that_may_be_broken() -> None:
    told = render_to_string("500.html")

    assert "The panel made a mistake" in told
    assert "panel/panel.css" in told


# ---- drift and history ----


def test_drift_is_named_in_the_fleet_and_explained_on_the_application_s_page(
    browser_of: Client, beating: None, now: float
) -> None:
    found = examples.application("checkout", examples.snapshot(at=now, split=Split(60, 40)))
    assert "drift" not in text(browser_of.get("/"))
    route = f"{examples.LISTENER}/x/1"
    found.memory = encode(Memory(left=((route, Split(0, 100)),), left_at=now - 60))
    found.save()
    assert "drift" in text(browser_of.get("/"))
    page = text(browser_of.get("/applications/checkout/"))
    assert "shows 60/40, and was left at 0/100." in page
    assert "Nothing here is changed back by itself." in page


def test_drift_of_long_ago_is_not_claimed(browser_of: Client, beating: None, now: float) -> None:
    found = examples.application("checkout", examples.snapshot(at=now - 600, split=Split(60, 40)))
    found.memory = encode(Memory(left=((f"{examples.LISTENER}/x/1", Split(0, 100)),), left_at=now - 900))
    found.save()
    assert "drift" not in text(browser_of.get("/applications/checkout/"))


def test_the_history_says_which_pool_answered_in_the_span_that_was_asked_for(
    browser_of: Client, beating: None, now: float
) -> None:
    found = examples.application("checkout", examples.snapshot(at=now, concurrency=examples.wave()))
    for ago, lambda_requests, ecs_requests in ((40, 300.0, 0.0), (39, 0.0, 100.0)):
        at = datetime.fromtimestamp(now, UTC) - timedelta(hours=ago)
        Sample.objects.create(
            application=found, seconds=300, at=at, lambda_requests=lambda_requests, ecs_requests=ecs_requests
        )
    assert "No metrics yet" in text(browser_of.get("/applications/checkout/history/"))
    week = text(browser_of.get("/applications/checkout/history/?span=week"))
    assert "Requests 400" in week
    assert "Answered by ECS 25 %" in week
    assert "Operations of the last week" in week


def test_a_span_that_does_not_exist_shows_the_last_day(browser_of: Client, beating: None, now: float) -> None:
    examples.application("checkout", examples.snapshot(at=now))
    assert "Operations of the last day" in text(browser_of.get("/applications/checkout/history/?span=<b>"))


def test_live_tasks_are_those_of_now_and_not_of_the_minute_before(
    browser_of: Client, beating: None, now: float
) -> None:
    shown = examples.snapshot(at=now, desired=3, healthy=3, running=3, concurrency=examples.wave(30))
    row = examples.application("checkout", shown)
    at = datetime.fromtimestamp(now // 60 * 60, UTC)
    Sample.objects.create(application=row, seconds=60, at=at, desired=3, healthy=0)

    assert "healthy 3" in text(browser_of.get("/applications/checkout/"))
