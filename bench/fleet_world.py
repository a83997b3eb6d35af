"""A thousand applications in the database: most of them calm, some in alarm, moving, failed or held."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from failover.model import AlarmState, Metrics, Reading, Snapshot, Split
from panel import audit
from panel.accounts.members import set_role
from panel.accounts.models import default_team
from panel.api import tokens
from panel.fleet import snapshots
from panel.fleet.models import Application, Heartbeat, StoredSnapshot
from panel.operations.models import Hold, Operation, Refusal
from tests.panel.web import examples
from tests.panel.web.examples import ACCOUNT, REGION

POINTS = 90
OPERATIONS_EACH = 6

Page = tuple[Callable[[], bytes], Callable[[], int]]


def fill(count: int) -> None:
    call_command("migrate", verbosity=0)
    now = datetime.now(UTC)
    Heartbeat.objects.bulk_create(Heartbeat(name=name, at=now) for name in ("worker", "beat", "observer"))
    team = default_team()
    rows = Application.objects.bulk_create(
        Application(
            slug=f"api-{number:04}", name=f"API {number}", team=team, region=REGION, account=ACCOUNT,
            document=examples.document(f"api-{number:04}"),
        )
        for number in range(count)
    )  # fmt: skip
    StoredSnapshot.objects.bulk_create(
        StoredSnapshot(application=row, **snapshots.columns(_snapshot(number, time.time())))
        for number, row in enumerate(rows)
    )
    Operation.objects.bulk_create(_ended(row, goal, now) for row in rows for goal in _goals())
    Operation.objects.bulk_create(
        Operation(
            application=row, goal="failover", status="waiting", trigger="automatic", reason="Alarm", next_step_at=now,
            headline="Waiting for 2 healthy targets", document=row.document,
        )
        for row in rows[::40]
    )  # fmt: skip
    Hold.objects.bulk_create(
        Hold(application=row, owner="on-call", reason="migration", expires_at=now + timedelta(hours=1))
        for row in rows[::33]
    )
    Refusal.objects.bulk_create(
        Refusal(
            application=row, goal="failover", rule="capacity", reason="No", remedy="Wait", first_at=now, last_at=now
        )
        for row in rows[::9]
    )


def pages() -> dict[str, Page]:
    """The fleet as an administrator and as a member of a team see it, a search in it, and the least there could be."""
    root = User.objects.create_superuser("root")
    member = User.objects.create_user("ada")
    set_role(member, default_team(), "operator")
    return {
        "the fleet": _page(root, "/"),
        "to a team's member": _page(member, "/"),
        "searched": _page(root, "/?q=api-09&sort=load"),
        "a bare view, one query": _bare(),
    }


def calls() -> dict[str, Page]:
    """What scripts ask the API for, each with a token of its own, and the least there could be."""
    operation = Operation.objects.filter(status="succeeded").earliest("pk")
    asked = {
        "50 applications": "/api/v1/applications?limit=50",
        "one application": "/api/v1/applications/api-0500",
        "one operation": f"/api/v1/operations/{operation.pk}",
    }
    return {name: _call(name, path) for name, path in asked.items()} | {"a bare view, one query": _bare()}


def _page(user: User, path: str) -> Page:
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(user)
    return _asking(client, path)


def _call(name: str, path: str) -> Page:
    with audit.acting(audit.COMMAND_LINE):
        secret = tokens.create(name, "viewer")
    return _asking(Client(headers={"host": "127.0.0.1", "authorization": f"Bearer {secret}"}), path)


def _asking(client: Client, path: str) -> Page:
    def ask() -> bytes:
        answer = client.get(path)
        assert answer.status_code == 200, answer.status_code  # noqa: S101 - a benchmark of an error measures nothing
        return bytes(answer.content)

    return ask, lambda: _queries(ask)


def _bare() -> Page:
    def view(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - the signature is Django's
        return HttpResponse(str(Application.objects.count()))

    request = RequestFactory().get("/")
    return (lambda: bytes(view(request).content)), lambda: _queries(lambda: view(request))


def _queries(ask: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as captured:
        ask()
    return len(captured)


def _goals() -> list[str]:
    return ["failover", "failback"] * (OPERATIONS_EACH // 2)


def _ended(row: Application, goal: str, now: datetime) -> Operation:
    failed = goal == "failback" and row.pk % 50 == 0
    return Operation(
        application=row, goal=goal, status="failed" if failed else "succeeded", trigger="automatic", reason="Alarm",
        error="No." if failed else "", document=row.document, finished_at=now - timedelta(hours=2),
    )  # fmt: skip


def _snapshot(number: int, now: float) -> Snapshot:
    """Every ninth in alarm, every twentieth on ECS; an hour and a half of six series, a point a minute."""
    state = AlarmState.ALARM if number % 9 == 0 else AlarmState.OK
    split = Split(0, 100) if number % 20 == 0 else Split(100, 0)
    known: Snapshot = examples.snapshot(at=now, split=split, alarm=state, desired=2, running=2, healthy=2)
    times = [now - 60 * (POINTS - each) for each in range(POINTS)]
    names = ("concurrency", "throttles", "lambda_requests", "ecs_requests", "lambda_5xx", "invocations")
    series = {name: tuple((at, float(number % 60 + each % 7)) for each, at in enumerate(times)) for name in names}
    return replace(known, metrics=Reading.of(Metrics(60, series), now))
