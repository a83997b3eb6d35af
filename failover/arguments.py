"""The command line's arguments, and what they ask for."""

from __future__ import annotations

import argparse
from pathlib import Path

from failover.model import Goal, Request, Split
from failover.rules import OVERRIDABLE

GOALS = {"failover": Goal.FAILOVER, "failback": Goal.FAILBACK, "set-weights": Goal.SET_WEIGHTS}
SINGLE_WRITER = "single_writer"  # overridden only here: without a database a person must say that nobody else writes


class UsageError(Exception):
    """What was asked for can't be done as asked. The message says what to do instead."""


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(
        prog="python -m failover",
        description="Look at, move and bring back one application's traffic, without panel, database or broker.",
        epilog="Exit status: 0 done, 1 failed, 2 usage or configuration, 3 refused, 4 failed at a deadline; "
        "130 left with Ctrl-C before the end.",
    )
    found.add_argument("-c", "--config", required=True, metavar="FILE.toml", help="the application as TOML")
    commands = found.add_subparsers(dest="command", required=True)
    for name, words in (
        ("status", "what AWS says now"),
        ("watch", "the same, until Ctrl-C"),
        ("check", "each precondition, with its remedy; exit status 1 where one fails"),
    ):
        _json_option(commands.add_parser(name, help=words))
    planning = commands.add_parser("plan", help="the steps, changes and rules of a goal; writes nothing")
    planning.add_argument("goal", choices=GOALS)
    _json_option(planning)
    _goal_options(planning)
    for name, words in (
        ("failover", "start ECS tasks, wait until they are healthy, move traffic to them"),
        ("failback", "move traffic back to Lambda in steps, then stop the tasks"),
        ("set-weights", "set both weights on every route"),
    ):
        _operation_options(commands.add_parser(name, help=words))
    return found


def _json_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def _goal_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lambda", dest="weight_lambda", type=int, metavar="N", help="Lambda's weight, 0 to 999")
    parser.add_argument("--ecs", dest="weight_ecs", type=int, metavar="N", help="ECS's weight, 0 to 999")
    parser.add_argument(
        "--override",
        action="append",
        default=[],
        metavar="RULE",
        help=f"go on although this rule says no: {', '.join(sorted(OVERRIDABLE))} or single_writer; needs --reason",
    )
    parser.add_argument("--reason", default="", help="why; it is in the journal")
    parser.add_argument(
        "--before", type=Path, metavar="JOURNAL", help="an earlier operation's journal: what to restore"
    )


def _operation_options(parser: argparse.ArgumentParser) -> None:
    _json_option(parser)
    _goal_options(parser)
    parser.add_argument("--dry-run", action="store_true", help="print the plan and write nothing")
    parser.add_argument(
        "--yes", action="store_true", help="don't ask; without a terminal, or with --json, it never does"
    )
    parser.add_argument("--no-wait", action="store_true", help="one cycle only, and how to continue")
    parser.add_argument("--resume", type=Path, metavar="JOURNAL", help="go on where this journal ends")


def request(asked: argparse.Namespace) -> Request:
    """What is to be done. Raises UsageError."""
    goal = GOALS[asked.goal if asked.command == "plan" else asked.command]
    unknown = set(asked.override) - OVERRIDABLE - {SINGLE_WRITER}
    if unknown:
        raise UsageError(f"{min(unknown)} can't be overridden; see --help for the rules that can.")
    if asked.override and not asked.reason and asked.command != "plan":
        raise UsageError("--override needs --reason: whoever reads the journal must know why.")
    return Request(goal, _split(asked, goal), override=frozenset(asked.override) & OVERRIDABLE)


def _split(asked: argparse.Namespace, goal: Goal) -> Split | None:
    given = [weight for weight in (asked.weight_lambda, asked.weight_ecs) if weight is not None]
    if getattr(asked, "resume", None) and not given:
        return None  # the journal knows
    if len(given) != (2 if goal is Goal.SET_WEIGHTS else 0):
        raise UsageError("Give --lambda and --ecs with set-weights, and with nothing else.")
    try:
        return Split(*given) if given else None
    except ValueError as error:
        raise UsageError(str(error)) from error
