"""Break glass: what the command line says, writes and exits with."""

import io
import json
import re

import pytest

from failover import __main__ as command
from failover import screen
from failover.aws.lease import TableLease
from failover.model import Code, Split, Versions
from failover.state import State, stored_state
from tests.failover.world import LISTENER, on_ecs

BREAK_GLASS = ["--override", "single_writer", "--reason", "the panel is gone"]


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


def test_status_says_whether_the_code_is_the_same_and_what_may_fail_when_it_is_needed(world, capsys):
    assert run("status") == 0
    assert "code    Both pools have version 1.4.0." in capsys.readouterr().out
    world.versions = Versions(Code(version="1.4.0"), Code(version="1.3.0"))
    sentence = "Lambda runs version 1.4.0, ECS would run version 1.3.0."
    assert run("status") == 0
    shown = capsys.readouterr().out
    assert f"caution {sentence}" in shown
    assert shown.count(sentence) == 1
    assert run("status", "--json") == 0
    [caution] = json.loads(capsys.readouterr().out)["cautions"]
    assert caution.startswith(sentence)


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
    assert {line["kind"] for line in lines} == {"request", "decision", "call", "readback", "end"}
    assert (lines[-1]["kind"], lines[-1]["detail"]["outcome"]) == ("end", "done")


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


# ---- a person at a terminal ----


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("answer", ["n", "", "maybe"])
def test_at_a_terminal_it_asks_after_the_plan_and_writes_nothing_without_a_yes(world, monkeypatch, capsys, answer):
    monkeypatch.setattr(command.sys, "stdin", Terminal(f"{answer}\n"))
    assert run("failover", *BREAK_GLASS) == 3
    shown = capsys.readouterr()
    assert shown.out.index("plan ") < shown.out.index("Do this to checkout?")
    assert "Nothing was written" in shown.err
    assert world.writes == []


@pytest.mark.parametrize("more", [["--yes"], ["--json"]])
def test_it_can_be_told_not_to_ask(world, monkeypatch, more):
    monkeypatch.setattr(command.sys, "stdin", Terminal(""))
    assert run("failover", *more, *BREAK_GLASS) == 0
    assert world.splits[LISTENER] == Split(0, 100)


def test_what_was_approved_is_what_runs_or_it_is_refused(world, monkeypatch, capsys):
    class SlowPerson(Terminal):
        def readline(self, *_):
            world.splits[LISTENER] = Split(50, 50)
            return "yes\n"

    monkeypatch.setattr(command.sys, "stdin", SlowPerson())
    assert run("failover", *BREAK_GLASS) == 3
    assert "plan_changed" in capsys.readouterr().err
    assert world.writes == []


def test_a_terminal_shows_the_status_while_it_waits_and_the_steps_stay(world, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(screen.sys, "stdout", terminal)
    assert run("failover", "--yes", *BREAK_GLASS) == 0
    shown = terminal.getvalue()
    assert "desired 2, pending 0, running 2, healthy 0" in shown
    assert "now     Waiting for 2 healthy targets" in shown
    assert "\033[" in shown
    after_the_last_block = shown.rsplit("\033[J", 1)[1]
    assert "All traffic is on ECS" in after_the_last_block
    assert "desired" not in after_the_last_block


def test_watch_shows_the_status_until_it_is_interrupted(world, monkeypatch, capsys):
    looks = []

    def interrupted(seconds: float) -> None:
        looks.append(seconds)
        world.pass_time(seconds)
        if len(looks) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(command.time, "sleep", interrupted)
    run("watch", "--json")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["position"] for line in lines] == ["lambda"] * 3


# ---- the plan ----


def test_a_plan_shows_changes_rules_time_and_digest(world, capsys):
    assert run("plan", "failover") == 0
    shown = capsys.readouterr().out
    assert re.match(r"plan [0-9a-f]{12}, about \d+ (s|min)", shown)
    assert "desired count: 0 → 2" in shown
    assert "weights on f2f7: 100/0 → 90/10" in shown
    assert "✓ single_writer, foreign_change, never_zero" in shown


def test_a_plan_as_json_says_the_same(world, capsys):
    assert run("plan", "set-weights", "--lambda", "90", "--ecs", "10", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert {"steps", "seconds", "outcome", "digest"} <= set(found)
    rules = [rule for step in found["steps"] for rule in step["rules"]]
    assert {"rule", "sentence", "overridden"} <= set(rules[0])


def test_a_plan_that_would_be_refused_says_which_rule_and_exits_so(world, capsys):
    on_ecs(world).rate = 500
    world.pass_time(30)
    assert run("plan", "failback") == 3
    assert "(lambda_ready)" in capsys.readouterr().out


# ---- beside a controller with a lease table ----


def kept(table) -> State:
    return stored_state(json.loads(table.items["checkout"]["state"]["S"]))


def test_a_person_takes_the_place_of_a_waiting_operation_and_restores_what_it_knew_of(world, table, capsys):
    world.desired, world.tasks = 2, [0.0, 0.0]
    assert run("failback", "--reason", "not now") == 0
    assert "Takes the place of the failover" in capsys.readouterr().out
    assert world.desired == 1
    assert kept(table).operation is None


def test_a_persons_failover_is_remembered_as_one(world, table):
    assert run("failover") == 0
    memory = kept(table).memory
    assert memory.failover_at is not None
    assert not memory.failover_automatic
    assert table.items["checkout"]["holder"] == {"S": ""}


def test_a_lease_that_somebody_holds_is_refused_with_the_holders_name(world, table, capsys):
    TableLease(table, "leases", "checkout", lambda: world.now, "the panel").claim()
    assert run("failover") == 3
    assert "the panel is changing this application" in capsys.readouterr().err
    assert world.writes == []


def test_a_lease_that_somebody_holds_keeps_nobody_from_writing_who_says_why(world, table, capsys):
    TableLease(table, "leases", "checkout", lambda: world.now, "the panel").claim()
    assert run("failover", "--override", "single_writer", "--reason", "the panel hangs") == 0
    assert "Goes on without the lease" in capsys.readouterr().out
    assert world.splits[LISTENER].ecs == 100


def odd_state(table, state: str) -> None:
    table.items["checkout"] = {**table.items["checkout"], "state": {"S": state}}


@pytest.mark.parametrize(
    ("state", "status"), [("[]", 1), ("[" * 100_000, 1), ('{"version": 2}', 3), ('{"hold": 1}', 3)]
)
def test_a_state_that_is_none_of_ours_is_a_sentence_and_stays(world, table, tmp_path, capsys, state, status):
    odd_state(table, state)
    assert run("failover") == status
    told = capsys.readouterr().err
    assert "delete the item" in told or "remove the item's `state`" in told
    assert table.items["checkout"]["state"] == {"S": state}
    assert (world.writes, list(tmp_path.glob("*.jsonl"))) == ([], [])


def journal_of(goal: str, tmp_path):
    assert run(goal, "--no-wait", *BREAK_GLASS) == 0
    return next(tmp_path.glob("failover-checkout-*.jsonl"))


def test_a_resumed_operation_is_not_foreseen_but_refused(world, tmp_path, capsys):
    """It wrote, once: whoever types --dry-run expects nothing to be written."""
    path = journal_of("failover", tmp_path)
    written = list(world.writes)
    assert run("failover", "--resume", str(path), "--dry-run", *BREAK_GLASS) == 2
    assert "--dry-run" in capsys.readouterr().err
    assert world.writes == written


@pytest.mark.parametrize(("command_line", "slug"), [("failback", "checkout"), ("failover", "orders")])
def test_the_journal_of_another_goal_or_application_is_not_resumed(world, tmp_path, capsys, command_line, slug):
    path = journal_of("failover", tmp_path)
    path.write_text(path.read_text().replace('"application": "checkout"', f'"application": "{slug}"'))
    assert run(command_line, "--resume", str(path), *BREAK_GLASS) == 2
    assert f"is of a failover of {slug}" in capsys.readouterr().err


def test_a_journal_whose_last_line_a_power_cut_left_unfinished_is_resumed(world, tmp_path):
    path = journal_of("failover", tmp_path)
    with path.open("a") as file:
        file.write('{"at": "2026-11-2')
    assert run("failover", "--resume", str(path), *BREAK_GLASS) == 0
    assert world.splits[LISTENER].ecs == 100
