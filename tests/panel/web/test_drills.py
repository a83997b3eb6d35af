"""The drills' pages: what came of each, which is next, and who may start or abort one."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from panel.accounts import members
from panel.accounts.models import default_team
from panel.drills import schedules
from panel.drills.models import Drill
from panel.fleet import snapshots
from panel.fleet.applications import import_document
from panel.fleet.models import Application
from panel.operations.models import Hold
from panel.web import drill_charts
from tests.panel.fake_aws import FakeAws


@pytest.fixture
def checkout(application: Application, aws: FakeAws) -> Application:
    snapshots.store(application, aws.observe())
    return application


@pytest.fixture
def operator(client: Client, db: None) -> User:
    return _logged_in(client, "operator")


def _logged_in(client: Client, role: str) -> User:
    user = User.objects.create_user(role)
    members.set_role(user, default_team(), role)
    client.force_login(user)
    return user


def ended(application: Application, outcome: str = "succeeded", recovery: float | None = 42.0, **more: Any) -> Drill:
    measured = {} if recovery is None else {"recovery": recovery, "decision_to_healthy": recovery - 2}
    values = {"kind": "drill", "reason": "monthly", "state": "ended", "target_seconds": 60, **more}
    return Drill.objects.create(
        application=application, outcome=outcome, measured=measured, finished_at=timezone.now(), **values
    )


def text(client: Client, path: str, status: int = 200) -> str:
    response = client.get(path)
    assert response.status_code == status
    return response.content.decode()


def test_without_any_the_page_says_how_to_begin(client: Client, operator: User, checkout: Application) -> None:
    page = text(client, "/drills/")
    assert "Begin with a rehearsal" in page
    assert "Never drilled." in page
    assert "drills.schedule" in page
    assert 'href="/applications/checkout/drill/"' in page


def test_without_an_application_there_is_nothing_to_drill(client: Client, operator: User) -> None:
    assert "No application yet" in text(client, "/drills/")
    assert "There is no application nowhere" in text(client, "/drills/?application=nowhere")


def test_outcomes_are_measured_against_the_target_and_make_a_history(
    client: Client, operator: User, checkout: Application
) -> None:
    ended(checkout)
    ended(checkout, recovery=75.0)
    ended(checkout, "not_enough_capacity", None, told="Fargate has no capacity")
    page = text(client, "/drills/")
    assert "42 s" in page
    assert "1 min 15 s" in page
    assert "too long" in page
    assert "not enough capacity" in page
    assert "2 of the last 3 succeeded, the slowest recovery took 1 min 15 s." in page


def test_the_chart_has_a_column_for_each_and_its_target() -> None:
    made = datetime(2026, 3, 2, tzinfo=UTC)
    given = [
        Drill(kind="drill", state="ended", outcome=outcome, measured=measured, target_seconds=60, created_at=made)
        for outcome, measured in (
            ("failed", {}), ("succeeded", {"recovery": 120.0}), ("succeeded", {"recovery": 30.0}),
        )
    ]  # fmt: skip
    chart = drill_charts.bars(given)
    assert chart is not None
    assert [bar.kind for bar in chart.bars] == ["ok", "over", "none"], "oldest first"
    ok, over, none = chart.bars
    assert over.height == pytest.approx(4 * ok.height)
    assert chart.target_y == pytest.approx(drill_charts.HEIGHT - 2 * ok.height)
    assert "nothing measured" in none.says
    assert drill_charts.bars(given[:1]) is None


def test_the_next_ones_are_shown(
    client: Client, operator: User, checkout: Application, document: dict[str, Any]
) -> None:
    document["drills"] = {"schedule": "0 10 * * 2", "rehearsal_schedule": "30 3 * * *"}
    import_document(document, "checkout.toml")
    schedules.follow(timezone.now())
    page = text(client, "/drills/")
    assert "Next drill" in page
    assert "Next rehearsal" in page


PLANS = [("drill", "Traffic stays on ECS for 1 min."), ("rehearsal", "No traffic moves: weights are not touched.")]


@pytest.mark.parametrize(("kind", "says"), PLANS)
def test_the_plan_is_shown_before_it_starts(
    client: Client, operator: User, checkout: Application, kind: str, says: str
) -> None:
    page = text(client, f"/applications/checkout/{kind}/")
    assert says in page
    assert "It can&#x27;t start now" not in page
    answer = client.post(f"/applications/checkout/{kind}/", {"reason": "before Black Friday"})
    assert answer.status_code == 302
    started = Drill.objects.get()
    assert (started.kind, started.requested_by, started.reason) == (kind, operator, "before Black Friday")
    assert "about to start" in text(client, "/drills/")


def test_what_stands_in_the_way_is_said_before_and_refused_after(
    client: Client, operator: User, checkout: Application
) -> None:
    Hold.objects.create(
        application=checkout, owner="ana", reason="a fair", expires_at=timezone.now() + timedelta(hours=1)
    )
    assert "It can&#x27;t start now: " in text(client, "/applications/checkout/drill/")
    answer = client.post("/applications/checkout/drill/", {"reason": "x"})
    assert answer.status_code == 409
    assert "Release the hold" in answer.content.decode()
    assert not Drill.objects.exists()


def test_a_reason_is_asked_for(client: Client, operator: User, checkout: Application) -> None:
    assert client.post("/applications/checkout/drill/", {"reason": " "}).status_code == 422


def test_one_drill_shows_what_it_measured_and_what_came_of_it(
    client: Client, operator: User, checkout: Application
) -> None:
    page = text(client, f"/drills/{ended(checkout, recovery=75.0).pk}/")
    assert "Traffic went to ECS and came back." in page
    assert "Recovery, in all" in page
    assert "Slower than its target." in page
    assert "Abort" not in page


def test_one_that_was_not_started_says_why_and_what_clears_it(
    client: Client, operator: User, checkout: Application
) -> None:
    drill = Drill.objects.create(
        application=checkout, kind="rehearsal", reason="nightly", state="not_started", rule="blocking_alarm",
        told="Alarm db is in ALARM, and blocks drills.", remedy="Ask again when it is OK.", finished_at=timezone.now(),
    )  # fmt: skip
    page = text(client, f"/drills/{drill.pk}/")
    assert "Alarm db is in ALARM, and blocks drills. Ask again when it is OK." in page
    assert "kept it from starting" in page


def test_a_running_one_is_aborted_with_a_reason(client: Client, operator: User, checkout: Application) -> None:
    drill = Drill.objects.create(application=checkout, kind="drill", reason="x")
    assert f'href="/drills/{drill.pk}/abort/"' in text(client, f"/drills/{drill.pk}/")
    assert client.post(f"/drills/{drill.pk}/abort/", {"reason": "the database is busy"}).status_code == 302
    drill.refresh_from_db()
    assert drill.abort_requested == "Aborted by operator: the database is busy"
    page = text(client, f"/drills/{drill.pk}/")
    assert "Aborted by operator: the database is busy." in page
    assert f'href="/drills/{drill.pk}/abort/"' not in page


def test_who_may_only_look_is_offered_nothing_and_may_nothing(client: Client, checkout: Application) -> None:
    drill = Drill.objects.create(application=checkout, kind="drill", reason="x")
    _logged_in(client, "viewer")
    assert "Abort" not in text(client, "/drills/")
    assert "Abort" not in text(client, f"/drills/{drill.pk}/")
    for path in (f"/drills/{drill.pk}/abort/", "/applications/checkout/drill/", "/applications/checkout/rehearsal/"):
        assert client.post(path, {"reason": "x"}).status_code == 403
    drill.refresh_from_db()
    assert drill.abort_requested == ""


def test_another_teams_drills_are_not_there(client: Client, checkout: Application) -> None:
    drill = ended(checkout)
    client.force_login(User.objects.create_user("stranger"))
    text(client, f"/drills/{drill.pk}/", 404)
    text(client, f"/drills/{drill.pk}/abort/", 404)
    assert "monthly" not in text(client, "/drills/")


def test_the_list_asks_as_many_questions_for_many_applications_as_for_one(
    client: Client, operator: User, checkout: Application, django_assert_max_num_queries: Any
) -> None:
    for _ in range(5):
        ended(checkout)
    with django_assert_max_num_queries(20):
        text(client, "/drills/")
