"""What pages, API and sweeps ask of tables that grow is found by an index: nothing looks through all of a table.

The queries are those that the code itself sends, on SQLite and PostgreSQL, among 10,000 rows a table.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.http.response import HttpResponseBase
from django.test import Client, TestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from failover.model import Snapshot
from panel.accounts.members import set_role
from panel.accounts.models import default_team
from panel.api import tokens
from panel.audit import retention
from panel.drills import tasks as drill_tasks
from panel.fleet import history, tasks
from panel.fleet.models import Application
from panel.ingest import tasks as ingest_tasks
from panel.ingest.models import Event
from panel.ingest.processing import process_waiting
from panel.notify import delivering
from panel.notify.models import Target
from panel.operations import automatic, brakes, situations, timing
from panel.operations import tasks as operation_tasks
from panel.operations.models import Operation
from panel.probing import rounds
from tests.panel.engine.many_rows import BIG, fill

FEW = 1250  # rows that may be sorted, or looked through: an eighth of a table


def person(role: str) -> Client:
    """An admin of every team, or a member of one of twenty."""
    user, created = User.objects.get_or_create(username=role, defaults={"is_superuser": role == "admin"})
    if created and role == "member":
        set_role(user, default_team(), "admin")
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(user)
    return client


PAGES = (
    *("/", "/?q=api-77&sort=load", "/applications/api-20/", "/operations/", "/operations/?page=3", "/events/"),
    *("/refusals/", "/audit/", "/audit/?application=api-20", "/audit/?actor=person-3", "/audit/?action=mode.set"),
    *("/audit/?outcome=denied", "/drills/", "/drills/?application=api-20", "/settings/notifications/"),
    *("/applications/api-20/history/?span=day", "/operations/{operation}/", "/events/{event}/"),
)
CALLS = (
    *("applications", "applications/api-20", "operations", "operations?cursor={operation}", "drills"),
    *("operations?application=api-20", "drills?application=api-20", "events", "events?cursor={event}", "refusals"),
    *("audit", "audit?application=api-20", "audit?cursor=9000", "operations/{operation}"),
)


def rows() -> dict[str, int]:
    mine = Operation.objects.filter(application__slug="api-20", status="succeeded")
    return {"operation": mine[0].pk, "event": Event.objects.filter(applications__slug="api-20")[0].pk}


def one() -> Application:
    return Application.objects.get(slug="api-20")


WORK: dict[str, Callable[[], object]] = {
    "operations are due": operation_tasks.sweep,
    "events wait": ingest_tasks.sweep,
    "an application's events are processed": lambda: process_waiting(one().pk + 1),
    "accounts are late": tasks.observe_all,
    "samples are rolled up": lambda: history.roll_up(timezone.now()),
    "samples are forgotten": lambda: history.forget(timezone.now() - timedelta(days=1)),
    "a chart is drawn": lambda: history.read(one(), history.SPANS[2]),
    "what keeps fifty applications back": lambda: situations.of(Application.objects.order_by("pk")[:50]),
    "fifty applications are considered": lambda: automatic.calling(
        {each: Snapshot(0.0) for each in Application.objects.order_by("pk")[:50]}
    ),
    "an application's last failure": lambda: brakes.unacknowledged_failure(one()),
    "an operation's event": lambda: timing.parts(Operation.objects.filter(application=one())[0]),
    "targets with something to deliver": lambda: delivering.due_targets(timezone.now()),
    "a target's deliveries": lambda: delivering.deliver(Target.objects.get().pk),
    "old notices": lambda: delivering.forget_old(timezone.now()),
    "drills under way": drill_tasks.sweep,
    "old probes": lambda: rounds.forget(timezone.now()),
    "old audit entries": lambda: retention.forget_old(timezone.now(), 365),
}


class AmongManyRows(TestCase):
    """One database for all of them, since it takes seconds to fill."""

    @classmethod
    def setUpTestData(cls) -> None:
        fill()

    def test_pages_look_through_no_table(self) -> None:
        for role in ("admin", "member"):
            client = person(role)
            assert_indexed({f"{path} for the {role}": partial(client.get, path.format(**rows())) for path in PAGES})

    def test_calls_look_through_no_table(self) -> None:
        for team in (None, default_team()):
            token = tokens.create(f"of {team}", "viewer", team)
            client = Client(headers={"host": "127.0.0.1", "authorization": f"Bearer {token}"})
            asked = {path: partial(client.get, f"/api/v1/{path.format(**rows())}") for path in CALLS}
            assert_indexed({f"{path} for {team or 'every team'}": ask for path, ask in asked.items()})

    def test_workers_look_through_no_table(self) -> None:
        assert_indexed(WORK)


# ---- plans ----

COUNTS = re.compile(r"^SELECT COUNT\(")  # how many pages there are: their numbers are shown, and cost one look at all
OF_FEW = ("operations_active", "drills_active", "deliveries_waiting", "audit_checkpoints")  # partial indexes
TABLES = {model._meta.db_table for model in BIG}


def assert_indexed(every: Mapping[str, Callable[[], object]]) -> None:
    """Everything that these ask and change is found by an index; an answer over HTTP is a good one."""
    found = [f"{name}: {told}" for name, work in every.items() for told in unindexed(work)]
    if found:
        pytest.fail("\n\n".join(found), pytrace=False)


def unindexed(work: Callable[[], object]) -> Iterator[str]:
    with CaptureQueriesContext(connection) as captured:
        answer = work()
    if isinstance(answer, HttpResponseBase) and answer.status_code != 200:
        yield f"answered {answer.status_code}"
    for sql in dict.fromkeys(query["sql"] for query in captured.captured_queries):
        if explained(sql):
            yield from complaints(sql)


def explained(sql: str) -> bool:
    named = any(f'"{table}"' in sql for table in TABLES)
    return named and sql.startswith(("SELECT", "UPDATE", "DELETE")) and not COUNTS.match(sql)


def complaints(sql: str) -> Iterator[str]:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}")
            [[plan]] = cursor.fetchall()
            found = json.loads(plan) if isinstance(plan, str) else plan
            wrong = list(wrong_nodes(found[0]["Plan"]))
            told = json.dumps(found, indent=1)
        else:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
            lines = [str(row[3]) for row in cursor.fetchall()]
            wrong, told = list(wrong_lines(lines, sql)), "\n".join(lines)
    if wrong:
        yield f"{'; '.join(wrong)}\n{sql[:1500]}\n{told[:3000]}"


def wrong_nodes(node: dict[str, Any], *, limited: bool = False) -> Iterator[str]:
    """PostgreSQL: a sequential scan of a big table, or a sort of many rows."""
    kind, table = node["Node Type"], node.get("Relation Name", "")
    if kind == "Seq Scan" and table in TABLES:
        yield f"all of {table} is read"
    inner = node.get("Plans", [])
    if kind == "Sort" and inner[0]["Plan Rows"] > FEW:
        yield f"{inner[0]['Plan Rows']} rows are sorted"
    for each in inner:
        yield from wrong_nodes(each)


def wrong_lines(lines: list[str], sql: str) -> Iterator[str]:
    """SQLite: a scan that no limit ends, or whose rows are sorted. An index of a few rows may be read as a whole."""
    scans = [line for line in lines if any(re.match(rf"SCAN {table}\b", line) for table in TABLES)]
    scans = [line for line in scans if not line.endswith(OF_FEW)]
    sorts = any("TEMP B-TREE FOR ORDER BY" in line for line in lines)
    if scans and (sorts or "LIMIT" not in sql):
        yield f"{'; '.join(scans)}{', then a sort' if sorts else ''}"
