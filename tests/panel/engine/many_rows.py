"""A database after months: thousands of rows in every table that grows, written by the database itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import connection
from django.db.models import Model
from django.utils import timezone

from panel.accounts.models import Team, default_team
from panel.audit.models import Entry
from panel.drills.models import Drill
from panel.fleet import snapshots
from panel.fleet.models import AlarmName, Application, Sample, StoredSnapshot
from panel.ingest.models import Event
from panel.notify.models import Delivery, Notice, Target
from panel.operations.models import Acknowledgement, Hold, JournalEntry, Operation, Refusal
from panel.probing.models import Burst
from tests.panel.conftest import DOCUMENT
from tests.panel.web import examples

APPLICATIONS, TEAMS = 1000, 20
ROWS = 10_000
# They grow with time. What grows with the number of applications alone, the fleet's page reads as a whole.
BIG = (
    Sample, Event, Event.applications.through, Operation, JournalEntry, Refusal, Entry,
    Notice, Delivery, Drill, Burst,
)  # fmt: skip


def fill() -> None:
    """Operations, events and the rest lie evenly over the applications, one of them active in every hundredth."""
    applications()
    ended = {"status": "'succeeded'", "finished_at": ago("n"), "created_at": ago("n"), "application_id": each("n")}
    goal = "CASE n % 3 WHEN 0 THEN 'failover' WHEN 1 THEN 'failback' ELSE 'set_weights' END"
    first = Application.objects.order_by("pk")[0]
    common: dict[str, Any] = {"application": first, "reason": "Alarm", "document": DOCUMENT}
    many(Operation(goal="failover", status="succeeded", trigger="automatic", finished_at=timezone.now(), **common),
         {**ended, "goal": goal})  # fmt: skip
    Operation.objects.bulk_create(
        Operation(**common | {"application": row}, goal="failover", status="waiting", trigger="automatic",
                  next_step_at=timezone.now())
        for row in Application.objects.order_by("pk")[::100]
    )  # fmt: skip
    a_failure()
    operation = Operation.objects.order_by("pk")[0]
    many(JournalEntry(operation=operation, at=timezone.now(), kind="note", message="Waiting"),
         {"operation_id": f"{operation.pk} + n / 4", "at": ago("n")})  # fmt: skip
    many(Burst(operation=operation, at=timezone.now()), {"operation_id": f"{operation.pk} + n / 4", "at": ago("5 * n")})
    many(Refusal(application=first, goal="failover", rule="r", reason="No.", remedy="Wait.", first_at=timezone.now(),
                 last_at=timezone.now()),
         {"application_id": each("n"), "goal": "'failover'", "rule": "'rule-' || (n / 1000)",
          "last_at": ago("n")})  # fmt: skip
    over = {"created_at": ago("n + 10"), "expires_at": ago("n"), "released_at": ago("n")}
    many(Hold(owner="ana", reason="migration", expires_at=timezone.now()), {"application_id": each("n"), **over})
    many(Drill(application=first, kind="drill", reason="Monthly", state="ended", outcome="succeeded",
               finished_at=timezone.now()), {"application_id": each("n")})  # fmt: skip
    events()
    told()
    many(
        Sample(application=first, seconds=60, at=timezone.now()),
        {"application_id": each("n"), "at": ago("3600 * (n / 1000)")},
    )
    many(Entry(at=timezone.now(), action="mode.set", actor="ana", outcome="done", application="api-1"),
         {"actor": "'person-' || (n % 50)", "application": "'api-' || (n % 1000)", "at": ago("n"),
          "action": "CASE n % 4 WHEN 0 THEN 'login' WHEN 1 THEN 'mode.set' ELSE 'hold.placed' END",
          "outcome": "CASE n % 200 WHEN 0 THEN 'denied' ELSE 'done' END",
          "previous_hash": "'before-' || n", "hash": "'hash-' || n"})  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def applications() -> None:
    teams = [
        default_team(),
        *Team.objects.bulk_create(Team(slug=f"team-{n}", name=f"Team {n}") for n in range(1, TEAMS)),
    ]
    rows = Application.objects.bulk_create(
        Application(slug=f"api-{n}", name=f"API {n}", team=teams[n % TEAMS], region="eu-west-1",
                    account=f"{n // 50:012}", document=DOCUMENT)
        for n in range(APPLICATIONS)
    )  # fmt: skip
    shown = snapshots.columns(examples.snapshot(at=timezone.now().timestamp()))
    StoredSnapshot.objects.bulk_create(StoredSnapshot(application=row, **shown) for row in rows)
    AlarmName.objects.bulk_create(AlarmName(application=row, name=f"{row.slug}-busy") for row in rows)


def a_failure() -> None:
    """One in a hundred failed, and a person has looked at it."""
    failed = Operation.objects.filter(status="succeeded", pk__in=Operation.objects.values("pk")[:200])
    failed.update(status="failed")
    rows = Operation.objects.filter(status="failed")
    Acknowledgement.objects.bulk_create(
        Acknowledgement(operation=row, by="ana", comment="Seen", at=timezone.now()) for row in rows
    )


def events() -> None:
    """A hundred of them wait, of which five are some seconds old."""
    many(Event(event_id="e", detail_type="CloudWatch Alarm State Change", body={}, status="processed"),
         {"event_id": "'event-' || n", "received_at": ago(f"{ROWS} - n"),
          "status": f"CASE WHEN n > {ROWS - 5} THEN 'stored' ELSE 'processed' END"})  # fmt: skip
    first = Event.objects.order_by("pk")[0].pk
    through = Event.applications.through
    many(through(event_id=first, application_id=Application.objects.order_by("pk")[0].pk),
         {"event_id": f"{first} + n - 1", "application_id": each("n")}, ROWS - 1)  # fmt: skip


def told() -> None:
    target = Target.objects.create(name="chat", way="console", created_by="ana")
    many(Notice(key="k", kind="failover.failed", application="api-1", title="Ended", happened_at=timezone.now(),
                last_at=timezone.now(), due_at=timezone.now()),
         {"key": "'notice-' || n", "application": "'api-' || (n % 1000)", "last_at": ago("n"),
          "due_at": ago("n")})  # fmt: skip
    first = Notice.objects.order_by("pk")[0].pk
    uuid = "gen_random_uuid()" if connection.vendor == "postgresql" else "lower(hex(randomblob(16)))"
    many(Delivery(notice_id=first, target=target, target_name="chat", status="delivered", next_try_at=timezone.now()),
         {"notice_id": f"{first} + n - 1", "message_id": uuid, "sent_at": ago("n"), "next_try_at": ago("n"),
          "status": f"CASE WHEN n > {ROWS - 20} THEN 'waiting' ELSE 'delivered' END"}, ROWS - 1)  # fmt: skip


# ---- rows that the database makes ----


def many(like: Model, changed: Mapping[str, str], count: int = ROWS) -> None:
    """`count` rows like this one but for the columns in `changed`: SQL in which n counts from 1."""
    fields = [field for field in like._meta.concrete_fields if not field.primary_key]
    values, given = [], []
    for field in fields:
        if field.column in changed:
            values.append(changed[field.column])
        else:
            # Of a bare parameter PostgreSQL could not tell the type, and SQLite makes a number of a cast moment.
            postgresql = connection.vendor == "postgresql"
            values.append(f"CAST(%s AS {field.db_type(connection)})" if postgresql else "%s")
            given.append(field.get_db_prep_save(field.pre_save(like, add=True), connection))
    columns = ", ".join(f'"{field.column}"' for field in fields)
    numbers = f"WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count})"
    rows = f"{numbers} SELECT {', '.join(values)} FROM numbers".replace("% ", "%% ")
    with connection.cursor() as cursor:
        cursor.execute(f'INSERT INTO "{like._meta.db_table}" ({columns}) {rows}', given)


def each(number: str) -> str:
    """One application after the other."""
    first = Application.objects.order_by("pk")[0].pk
    return f"{first} + {number} % {APPLICATIONS}"


def ago(seconds: str) -> str:
    if connection.vendor == "postgresql":
        return f"now() - ({seconds}) * interval '1 second'"
    return f"strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now', '-' || ({seconds}) || ' seconds')"
