"""Journals of the command line, kept by the panel: the command runs for real, in a world whose time passes."""

import json
import tomllib
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from failover import __main__ as command
from failover import breakglass
from failover.codec import decode
from failover.model import Baseline, Memory, Split
from panel.audit.models import Entry
from panel.fleet.applications import import_document
from panel.fleet.models import Application
from panel.operations import services
from panel.operations.models import Operation
from tests.failover.test_config import GOOD
from tests.failover.world import LISTENER, World, on_ecs
from tests.panel.web.conftest import browser_of, operator  # noqa: F401 - fixtures

TOML = GOOD.replace("failover_count = 4", "settle_seconds = 1")


@pytest.fixture
def checkout(db: None) -> Application:
    return import_document(tomllib.loads(TOML), "checkout.toml").application


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    """One task runs; time passes while the command sleeps."""
    found = World(splits={LISTENER: Split(100, 0)})
    found.desired, found.tasks = 1, [0.0]
    found.pass_time(30)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command.aws, "connect", lambda _: found)
    monkeypatch.setattr(command.time, "time", lambda: found.now)
    monkeypatch.setattr(command.time, "sleep", found.pass_time)
    monkeypatch.setattr(breakglass.signal, "signal", lambda *_: None)
    (tmp_path / "checkout.toml").write_text(TOML)
    return found


def break_glass(goal: str, *more: str) -> Path:
    """Run the command, and answer with the journal that it wrote."""
    before = set(Path().glob("*.jsonl"))
    glass = ("--override", "single_writer", "--reason", "the panel is gone")
    command.main(["-c", "checkout.toml", goal, *glass, *more])
    (path,) = {*Path().glob("*.jsonl")} - before
    return path.rename(path.with_name(f"{goal}-{len(before)}.jsonl"))


def import_journal(*paths: Path) -> str:
    out = StringIO()
    call_command("import_journal", *map(str, paths), stdout=out)
    return out.getvalue().strip()


def remembered(checkout: Application) -> Memory:
    checkout.refresh_from_db()
    return decode(Memory, checkout.memory)


def test_an_ended_operation_is_kept_with_its_times_and_its_journal(checkout: Application, world: World) -> None:
    began = world.now
    path = break_glass("failover")
    said = import_journal(path)
    operation = Operation.objects.get()
    assert said == f"checkout: failover #{operation.pk}, succeeded: imported"
    assert (operation.goal, operation.status, operation.trigger) == ("failover", "succeeded", "manual")
    assert (operation.requested_by, operation.reason, operation.error) == (None, "the panel is gone", "")
    assert operation.created_at == operation.started_at == datetime.fromtimestamp(began, UTC)
    assert operation.finished_at is not None
    assert operation.created_at < operation.finished_at <= datetime.fromtimestamp(world.now, UTC)
    entries = list(operation.journal.all())
    headlines = [entry.message for entry in entries if entry.kind == "decision"]
    assert len(headlines) == len(set(headlines)) > 2
    calls = [entry for entry in entries if entry.kind == "call"]
    assert len(calls) == len(world.writes)
    assert all(call.detail["request_id"] for call in calls)
    assert all("progress" not in entry.detail for entry in entries)


def test_what_stood_before_and_what_was_left_are_remembered(checkout: Application, world: World) -> None:
    import_journal(break_glass("failover"))
    memory = remembered(checkout)
    assert memory.baseline == Baseline(1)
    assert memory.left == ((LISTENER, Split(0, 100)),)
    assert memory.failover_at is not None
    assert not memory.failover_automatic, "automation does not undo what people did"


def test_a_file_that_comes_again_changes_nothing_whatever_its_name(checkout: Application, world: World) -> None:
    path = break_glass("failover")
    import_journal(path)
    operation, memory = Operation.objects.get(), remembered(checkout)
    world.pass_time(60)
    copied = path.rename("copy.jsonl")
    assert import_journal(copied) == f"checkout: failover #{operation.pk}, succeeded: is here already"
    assert Operation.objects.count() == 1
    assert remembered(checkout) == memory


def test_what_the_panel_knew_of_before_outlives_a_failed_failback(checkout: Application, world: World) -> None:
    import_journal(break_glass("failover"))
    world.pass_time(60)
    world.lambda_5xx = 1.0
    path = break_glass("failback")
    import_journal(path)
    assert Operation.objects.first().status == "failed"  # type: ignore[union-attr]
    assert remembered(checkout).baseline == Baseline(1)


def test_a_failback_is_told_by_its_journal(checkout: Application, world: World) -> None:
    forth, back = break_glass("failover"), None
    world.pass_time(120)
    back = break_glass("failback", "--before", str(forth))
    import_journal(forth, back)
    memory = remembered(checkout)
    assert (memory.baseline, memory.failover_at) == (None, None)
    assert memory.left == ((LISTENER, Split(100, 0)),)
    assert world.desired == 1


def test_what_is_newer_here_knows_better(checkout: Application, world: World) -> None:
    path = break_glass("failover")
    newer = services.request_operation(checkout, "failback", trigger="manual", reason="the panel is back")
    known = remembered(checkout)
    said = import_journal(path)
    assert said.endswith(f"imported; what it left is not remembered, since {newer} is newer")
    assert remembered(checkout) == known


def test_one_that_has_not_ended_is_not_taken(checkout: Application, world: World) -> None:
    path = break_glass("failover", "--no-wait")
    with pytest.raises(CommandError, match="has not ended: go on with it by --resume"):
        import_journal(path)
    assert not Operation.objects.exists()


def test_one_that_was_gone_on_with_is_taken_once_it_has_ended(checkout: Application, world: World) -> None:
    path = break_glass("failover", "--no-wait")
    with path.open("a") as file:
        file.write('{"at": "2026-11-2')
    world.pass_time(10)
    glass = ["--override", "single_writer", "--reason", "the panel is gone"]
    command.main(["-c", "checkout.toml", "failover", "--resume", str(path), *glass])
    import_journal(path)
    assert Operation.objects.get().status == "succeeded"


def test_the_others_are_taken_where_one_is_not(checkout: Application, world: World) -> None:
    path = break_glass("failover")
    with pytest.raises(CommandError, match=r"gone\.jsonl can't be read"):
        import_journal(Path("gone.jsonl"), path)
    assert Operation.objects.count() == 1


def test_an_application_that_is_not_here_is_named(db: None, world: World) -> None:
    with pytest.raises(CommandError, match="is of checkout, which is not here: import that application first"):
        import_journal(break_glass("failover"))


def _line(path: Path, number: int, **changes: Any) -> None:
    found = path.read_text().splitlines()
    found[number] = json.dumps({**json.loads(found[number]), **changes})
    path.write_text("\n".join(found) + "\n")


@pytest.mark.parametrize(
    ("number", "changes"),
    [
        (-1, {"detail": {}}),
        (-1, {"at": "yesterday"}),
        (-1, {"at": "2026-11-24T00:00:00"}),
        (1, {"message": "a \x00 byte"}),
        (0, {"detail": {"application": {"slug": "checkout"}, "request": {"goal": "failover"}}}),
        (0, {"detail": {"application": "checkout", "request": {"goal": "explode"}}}),
        (1, {"detail": "text"}),
    ],
)
def test_a_file_that_was_tampered_with_is_refused_as_a_whole(
    checkout: Application, world: World, number: int, changes: dict[str, Any]
) -> None:
    path = break_glass("failover")
    _line(path, number, **changes)
    with pytest.raises(CommandError, match="is no journal of this program"):
        import_journal(path)
    assert not Operation.objects.exists()


def test_what_a_file_says_is_shown_as_text(
    checkout: Application,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    path = break_glass("failover")
    _line(path, 1, message="<script>alert(1)</script>")
    import_journal(path)
    monkeypatch.undo()  # the world's time, in which nobody's login lasts
    browser: Client = request.getfixturevalue("browser_of")
    page = browser.get(f"/operations/{Operation.objects.get().pk}/").content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page
    assert "the command line" in page


def test_a_refused_operation_leaves_nothing_to_remember(checkout: Application, world: World) -> None:
    on_ecs(world).rate = 500
    world.pass_time(30)
    import_journal(break_glass("failback"))
    assert Operation.objects.get().status == "failed"
    assert remembered(checkout) == Memory()


def test_an_import_is_on_record(checkout: Application, world: World) -> None:
    path = break_glass("failover")
    import_journal(path)
    import_journal(path)
    entry = Entry.objects.get(action="operation.import")
    assert (entry.application, entry.subject) == ("checkout", str(Operation.objects.get()))
    assert entry.after == {"goal": "failover", "status": "succeeded"}
