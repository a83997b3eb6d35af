"""The chain on both databases: nobody changes, deletes, forks or forges it unnoticed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from panel import audit
from panel.audit import Action, chain, retention, triggers
from panel.audit.models import AppendOnlyError, Entry
from panel.audit.verification import verify
from tests.panel.audit.conftest import Database

pytestmark = pytest.mark.usefixtures("database")

WRITERS = """
import os, sys, threading
os.environ["DJANGO_SETTINGS_MODULE"] = "panel.settings"
import django
django.setup()
from django.db import connection
from panel import audit
go = threading.Event()

def write(name):
    go.wait()
    with audit.acting(name):
        for number in range(25):
            audit.record(audit.Action.MODE_SET, subject=str(number), after={"mode": "off", "share": 0.1})
    connection.close()

threads = [threading.Thread(target=write, args=(f"{os.getpid()} {each}",)) for each in range(2)]
for thread in threads:
    thread.start()
print("ready", flush=True)
sys.stdin.readline()
go.set()
for thread in threads:
    thread.join()
if connection.vendor == "postgresql":
    connection.close_pool()
"""


def written(count: int) -> list[Entry]:
    for number in range(count):
        audit.record(Action.MODE_SET, application="checkout", subject=str(number), actor="ada")
    return list(Entry.objects.order_by("pk"))


def execute(statement: str, *values: object) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)


def behind_the_triggers(statement: str, *values: object) -> None:
    """What somebody can do who owns the database."""
    with connection.schema_editor() as editor:
        triggers.drop(editor)
    assert execute(statement, *values) == 1
    with connection.schema_editor() as editor:
        triggers.create(editor)


def problem() -> str:
    return verify([settings.SECRET_KEY]).problem


# ---- append-only ----


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET actor = 'eve' WHERE id = %s",
        "UPDATE audit_entry SET deleted_to = 99 WHERE id = %s",
        "DELETE FROM audit_entry WHERE id = %s",
        "DELETE FROM audit_entry WHERE id >= %s",
    ],
)
def test_the_database_refuses_with_a_sentence(statement: str) -> None:
    first = written(3)[0]

    with pytest.raises(IntegrityError, match=r"An audit entry is (never changed|deleted only after)"):
        execute(statement, first.pk)

    assert Entry.objects.count() == 3
    assert problem() == ""


def test_emptying_the_table_is_refused(database: Database) -> None:
    written(1)

    with pytest.raises(IntegrityError, match="deleted only after a checkpoint"):
        execute("TRUNCATE audit_entry" if database.vendor == "postgresql" else "DELETE FROM audit_entry")

    assert Entry.objects.count() == 1


def test_an_entry_can_not_be_replaced_by_inserting_it_again(database: Database) -> None:
    if database.vendor != "sqlite":
        pytest.skip("only SQLite knows INSERT OR REPLACE")
    first = written(2)[0]

    with pytest.raises(IntegrityError, match="never changed"):
        execute(
            "INSERT OR REPLACE INTO audit_entry (id, at, actor, address, action, outcome, application, subject, before,"
            " after, reason, request_id, previous_hash, hash)"
            " SELECT id, at, 'eve', address, action, outcome, application, subject, before, after, reason, request_id,"
            " previous_hash, hash FROM audit_entry WHERE id = %s",
            first.pk,
        )

    assert Entry.objects.get(pk=first.pk).actor == "ada"


def test_the_model_refuses_too() -> None:
    entry = written(1)[0]

    for change in (entry.save, entry.delete, Entry.objects.all().delete, lambda: Entry.objects.update(actor="eve")):
        with pytest.raises(AppendOnlyError, match="record another one instead"):
            change()
    assert Entry.objects.get().actor == "ada"


# ---- the chain ----


def test_what_is_undone_leaves_no_entry_and_no_gap() -> None:
    written(1)
    with transaction.atomic():
        audit.record(Action.HOLD_PLACE)
        transaction.set_rollback(True)
    written(1)

    assert Entry.objects.count() == 2
    assert problem() == ""


def test_eight_writers_at_once_do_not_fork_it(database: Database) -> None:
    processes = [database.run("-c", WRITERS) for _ in range(4)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate(timeout=100)[1] for process in processes]

    assert not any("Traceback" in each for each in said), said
    assert Entry.objects.count() == 200
    assert problem() == ""
    actors = list(Entry.objects.values_list("actor", flat=True))
    assert len(set(actors)) == 8


def test_two_entries_can_not_follow_the_same_one() -> None:
    first, second = written(2)
    twin = Entry(at=second.at, action="x", outcome="done", previous_hash=second.previous_hash, hash="f" * 64)

    with pytest.raises(IntegrityError):
        twin.save()

    assert first.hash == second.previous_hash


def test_values_that_a_database_would_read_back_otherwise_stay_sound() -> None:
    odd = {"whole": 30.0, "huge": 1e22, "tiny": 1e-7, "third": 1 / 3, "endless": float("inf"), "nul": "a\x00b\ud800"}
    audit.record(
        Action.APPLICATION_IMPORT, before=odd, after={"at": datetime(2026, 1, 1, tzinfo=UTC)}, reason="\x1b[2J"
    )

    entry = Entry.objects.get()

    assert problem() == ""
    assert entry.before["whole"] == 30
    assert "\x1b" not in entry.reason


def test_what_is_longer_than_its_column_is_cut_and_not_refused() -> None:
    audit.record(Action.LOGIN_FAILED, subject="s" * 1000, actor="a" * 1000, reason="r" * 10_000, application="x" * 100)

    entry = Entry.objects.get()

    assert (len(entry.actor), len(entry.subject), len(entry.application)) == (150, 300, 60)
    assert problem() == ""


# ---- verify ----


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("verify_audit", *arguments, stdout=out)
    return out.getvalue()


def test_it_says_how_many_are_sound_and_the_last_hash() -> None:
    entries = written(3)

    assert "3 entries are sound" in command()
    assert entries[-1].hash in command()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("actor", "eve"), ("address", "6.6.6.6"), ("action", "logout"), ("outcome", "denied"), ("application", "x"),
        ("subject", "x"), ("reason", "x"), ("request_id", "x"), ("before", '{"a": 1}'), ("after", '{"a": 1}'),
        ("at", "2020-01-01 00:00:00+00:00"), ("deleted_to", 1),
    ],
)  # fmt: skip
def test_an_entry_that_was_changed_is_named(column: str, value: object) -> None:
    second = written(3)[1]
    behind_the_triggers(f"UPDATE audit_entry SET {column} = %s WHERE id = %s", value, second.pk)

    with pytest.raises(CommandError, match=f"Entry #{second.pk} .* is not as it was written.*sound before it: 1"):
        command()


def test_an_entry_that_was_removed_is_missed() -> None:
    first, second, third = written(3)
    behind_the_triggers("DELETE FROM audit_entry WHERE id = %s", second.pk)

    assert problem().startswith(f"Entry #{third.pk} does not follow #{first.pk}")


def test_a_hole_that_was_mended_by_hand_is_named() -> None:
    first, second, third = written(3)
    behind_the_triggers("DELETE FROM audit_entry WHERE id = %s", second.pk)
    behind_the_triggers("UPDATE audit_entry SET previous_hash = %s WHERE id = %s", first.hash, third.pk)

    assert problem().startswith(f"Entry #{third.pk} ")


def test_a_beginning_that_was_removed_is_missed() -> None:
    first, second = written(2)
    behind_the_triggers("DELETE FROM audit_entry WHERE id = %s", first.pk)

    assert problem() == f"Entries before #{second.pk} are missing, and no checkpoint stands for them."


def test_an_end_that_was_removed_is_missed_by_who_noted_its_hash() -> None:
    last = written(2)[-1]
    assert "2 entries are sound" in command("--expect", last.hash)
    behind_the_triggers("DELETE FROM audit_entry WHERE id = %s", last.pk)

    assert "1 entries are sound" in command()
    with pytest.raises(CommandError, match="lost its end"):
        command("--expect", last.hash)


def test_a_forged_checkpoint_opens_the_gate_and_is_named() -> None:
    first, last = written(2)
    forged = Entry(
        at=last.at, action="audit.checkpoint", outcome="done", deleted_to=first.pk, after={"hash": first.hash},
        previous_hash=last.hash, hash="f" * 64,
    )  # fmt: skip
    forged.save()
    assert execute("DELETE FROM audit_entry WHERE id = %s", first.pk) == 1

    assert f"Entry #{forged.pk}" in problem()


def test_after_a_change_of_the_secret_the_former_one_is_asked_for(settings: object, tmp_path: object) -> None:
    written(2)
    (tmp_path / "former").write_text(settings.SECRET_KEY)  # type: ignore[operator,attr-defined]
    settings.SECRET_KEY = "another-secret-" * 4  # type: ignore[attr-defined]
    written(1)

    with pytest.raises(CommandError, match="--former-key"):
        command()
    assert "3 entries are sound" in command("--former-key", f"{tmp_path}/former")


def test_who_has_the_former_secret_can_not_write_after_the_new_one() -> None:
    entry = written(1)[0]
    forged = Entry(at=entry.at, action="login", outcome="done", previous_hash=entry.hash)
    forged.hash = chain.digest(forged, "leaked")
    forged.save()

    assert f"Entry #{forged.pk}" in verify(["leaked", settings.SECRET_KEY]).problem


def test_an_empty_trail_says_so() -> None:
    assert command() == "The audit trail is empty.\n"


def test_the_command_names_the_break_and_exits_with_1(database: Database) -> None:
    entry = written(1)[0]
    assert database.run("manage.py", "verify_audit").wait(60) == 0
    behind_the_triggers("UPDATE audit_entry SET actor = 'eve' WHERE id = %s", entry.pk)

    process = database.run("manage.py", "verify_audit")

    assert f"Entry #{entry.pk}" in process.communicate(timeout=60)[1]
    assert process.returncode == 1


# ---- retention ----


def aged(days: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """One entry each so many days ago, oldest first."""
    now = datetime.now(UTC)
    for age in days:
        with monkeypatch.context() as patch:
            patch.setattr(chain.timezone, "now", lambda age=age: now - timedelta(days=age))
            audit.record(Action.LOGIN, actor=f"{age} days ago")


def test_the_oldest_go_and_a_checkpoint_keeps_the_chain_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    aged([500, 450, 405, 300, 0], monkeypatch)
    last_deleted = Entry.objects.get(actor="405 days ago")

    assert retention.forget_old(datetime.now(UTC), 400) == 3

    checkpoint = Entry.objects.order_by("pk").last()
    assert [entry.actor for entry in Entry.objects.order_by("pk")] == ["300 days ago", "0 days ago", "panel"]
    assert checkpoint is not None
    assert (checkpoint.before["entries"], checkpoint.after) == (3, {"hash": last_deleted.hash})
    assert problem() == ""
    assert "3 entries are sound" in command()


def test_again_and_again_until_only_a_checkpoint_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    aged([500, 450, 0], monkeypatch)
    now = datetime.now(UTC)

    assert retention.forget_old(now, 400) == 2
    assert retention.forget_old(now, 400) == 0, "nothing is old enough any more"
    assert retention.forget_old(now + timedelta(days=402), 400) == 2, "the first checkpoint goes too"

    assert Entry.objects.get().action == "audit.checkpoint"
    assert problem() == ""


def test_a_day_of_deletions_shares_one_checkpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    aged([400, 0], monkeypatch)

    assert retention.forget_old(datetime.now(UTC) + timedelta(hours=1), 400) == 0
    assert retention.forget_old(datetime.now(UTC) + timedelta(hours=25), 400) == 1


def test_0_days_keep_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    aged([5000], monkeypatch)

    assert retention.forget_old(datetime.now(UTC), 0) == 0


def test_the_gate_opens_for_nothing_but_what_the_checkpoint_stands_for(monkeypatch: pytest.MonkeyPatch) -> None:
    aged([500, 0], monkeypatch)
    retention.forget_old(datetime.now(UTC), 400)

    with pytest.raises(IntegrityError, match="deleted only after"):
        execute("DELETE FROM audit_entry WHERE actor = '0 days ago'")
    with pytest.raises(IntegrityError, match="deleted only after"):
        execute("DELETE FROM audit_entry WHERE action = 'audit.checkpoint'")


def test_deleting_more_than_a_checkpoint_stands_for_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    aged([500, 300, 0], monkeypatch)
    retention.forget_old(datetime.now(UTC), 400)
    behind_the_triggers("DELETE FROM audit_entry WHERE actor = %s", "300 days ago")

    assert "no checkpoint stands for them" in problem()
