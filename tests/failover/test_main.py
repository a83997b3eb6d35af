"""Break glass: what the command line says, writes and exits with."""

import json

import pytest

from failover import __main__ as command
from failover.model import Split
from tests.failover.test_config import GOOD
from tests.failover.world import LISTENER, World, on_ecs

BREAK_GLASS = ["--override", "single_writer", "--reason", "the panel is gone"]


@pytest.fixture
def world(monkeypatch, tmp_path):
    """A world with one route, whose time passes while the command sleeps."""
    found = World(splits={LISTENER: Split(100, 0)})
    found.pass_time(30)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command.aws, "connect", lambda _: found)
    monkeypatch.setattr(command.time, "time", lambda: found.now)
    monkeypatch.setattr(command.time, "sleep", found.pass_time)
    monkeypatch.setattr(command.signal, "signal", lambda *_: None)
    (tmp_path / "checkout.toml").write_text(GOOD.replace("failover_count = 4", "settle_seconds = 1"))
    return found


def run(*arguments: str) -> int:
    return command.main(["-c", "checkout.toml", *arguments])


def journal(tmp_path) -> str:
    (path,) = tmp_path.glob("failover-checkout-*.jsonl")
    return path.name


def test_status_shows_alarm_split_and_tasks(world, capsys):
    assert run("status") == 0
    shown = capsys.readouterr().out
    assert "all on Lambda" in shown
    assert "● concurrency  OK" in shown
    assert "desired 0, pending 0, running 0, healthy 0" in shown


def test_status_as_json_is_one_object(world, capsys):
    assert run("status", "--json") == 0
    assert json.loads(capsys.readouterr().out)["split"] == {"lambda": 100, "ecs": 0}


def test_plan_and_dry_run_write_nothing(world, capsys):
    assert run("plan", "failover") == 0
    assert run("failover", "--dry-run") == 0
    assert "desired count: 0 → 2" in capsys.readouterr().out
    assert world.writes == []


def test_failover_prints_its_plan_then_each_step_and_keeps_a_journal(world, capsys, tmp_path):
    assert run("failover", *BREAK_GLASS) == 0
    assert world.splits[LISTENER] == Split(0, 100)
    shown = capsys.readouterr().out
    assert shown.index("plan ") < shown.index("ecs" if "ecs:" in shown else "some:Action")
    lines = [json.loads(line) for line in (tmp_path / journal(tmp_path)).read_text().splitlines()]
    assert lines[0]["message"] == "the panel is gone"
    assert {line["kind"] for line in lines} == {"request", "decision", "call", "readback"}


def test_one_cycle_at_a_time_is_continued_from_the_journal(world, capsys, tmp_path):
    assert run("failover", "--no-wait", *BREAK_GLASS) == 0
    assert f"--resume {journal(tmp_path)}" in capsys.readouterr().out
    assert world.splits[LISTENER] == Split(100, 0)
    world.pass_time(10)
    assert run("failover", "--resume", journal(tmp_path), *BREAK_GLASS) == 0
    assert world.splits[LISTENER] == Split(0, 100)


def test_a_failback_restores_what_the_failovers_journal_knows(world, tmp_path):
    world.desired, world.tasks = 1, [0.0]
    assert run("failover", *BREAK_GLASS) == 0
    world.pass_time(120)
    name = journal(tmp_path)
    assert run("failback", "--before", name, *BREAK_GLASS) == 0
    assert world.desired == 1


def test_without_a_lease_nothing_is_written_unless_a_person_says_so(world, capsys):
    assert run("failover") == 3
    assert "single_writer" in capsys.readouterr().err
    assert world.writes == []


def test_an_override_needs_a_reason(world, capsys):
    assert run("failover", "--override", "single_writer") == 2
    assert "--reason" in capsys.readouterr().err


def test_a_refusal_a_deadline_and_a_broken_file_exit_differently(world, capsys, tmp_path):
    world.sick = True
    assert run("failover", *BREAK_GLASS) == 4
    world.sick = False
    on_ecs(world).rate = 500
    world.pass_time(30)
    assert run("failback", *BREAK_GLASS) == 3
    (tmp_path / "checkout.toml").write_text("[application]")
    assert run("status") == 2
    assert "checkout.toml: application.slug" in capsys.readouterr().err


@pytest.mark.parametrize(
    "weights", [[], ["--lambda", "1"], ["--lambda", "0", "--ecs", "0"], ["--lambda", "1000", "--ecs", "1"]]
)
def test_weights_that_can_not_be_are_a_sentence(world, weights, capsys):
    assert run("set-weights", *weights, *BREAK_GLASS) == 2
    assert capsys.readouterr().err.strip()
