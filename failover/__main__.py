"""Break glass: `python -m failover`, with boto3 alone, when panel, database and broker are gone."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from failover import aws, text
from failover.aws.lease import LEASE_SECONDS, LeaseHeldError, TableLease
from failover.codec import decode, encode
from failover.config import ConfigError, load
from failover.controller import step
from failover.journal import FileJournal, JournalError, remembered, resume
from failover.model import Application, Decision, Goal, Kind, Memory, Progress, Request, Split
from failover.plan import foresee
from failover.ports import Aws, AwsError, Lease
from failover.rules import OVERRIDABLE

DONE, FAILED, USAGE, REFUSED, DEADLINE = 0, 1, 2, 3, 4
DEADLINE_RULES = frozenset({"deadlines", "capacity", "no_early_scale_in"})
GOALS = {"failover": Goal.FAILOVER, "failback": Goal.FAILBACK, "set-weights": Goal.SET_WEIGHTS}
WATCH_SECONDS = 2.0


class UsageError(Exception):
    """What was asked for can't be done as asked. The message says what to do instead."""


class RefusedError(Exception):
    """A rule says no before anything was written."""


class _Unfenced:
    """No lease: `--override single_writer` said that nobody else is writing."""

    def seconds_left(self) -> float:
        return LEASE_SECONDS


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status: 0 done, 1 failed, 2 usage or configuration, 3 refused, 4 failed at a deadline."""
    asked = _parser().parse_args(arguments)
    try:
        application = load(asked.config)
        return _run(asked, application, aws.connect(application))
    except (ConfigError, UsageError, JournalError) as error:
        print(error, file=sys.stderr)  # noqa: T201 - the operator's line
        return USAGE
    except (RefusedError, LeaseHeldError) as error:
        print(f"Refused: {error}", file=sys.stderr)  # noqa: T201
        return REFUSED
    except AwsError as error:
        print(f"{error} {error.remedy}", file=sys.stderr)  # noqa: T201
        return FAILED
    except KeyboardInterrupt:
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m failover",
        description="Look at, move and bring back one application's traffic, without panel, database or broker.",
        epilog="Exit status: 0 done, 1 failed, 2 usage or configuration, 3 refused, 4 failed at a deadline.",
    )
    parser.add_argument("-c", "--config", required=True, metavar="FILE.toml", help="the application as TOML")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, words in (("status", "what AWS says now"), ("watch", "the same, until Ctrl-C")):
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
    return parser


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
    parser.add_argument("--no-wait", action="store_true", help="one cycle only, and how to continue")
    parser.add_argument("--resume", type=Path, metavar="JOURNAL", help="go on where this journal ends")


def _run(asked: argparse.Namespace, application: Application, adapter: Aws) -> int:
    if asked.command in ("status", "watch"):
        return _status(asked, application, adapter)
    request = _request(asked)
    memory = remembered(asked.before) if asked.before else Memory()
    if not getattr(asked, "resume", None):
        planned = foresee(application, request, adapter.observe(), memory, time.time())
        _print(text.plan_json(planned) if asked.json else text.plan(planned))
        if asked.command == "plan" or asked.dry_run:
            return REFUSED if planned.outcome is Kind.REFUSE else DONE
    return _operate(asked, application, adapter, request, memory)


def _print(body: str | dict[str, Any]) -> None:
    print(body if isinstance(body, str) else json.dumps(body), flush=True)  # noqa: T201 - the answer


def _status(asked: argparse.Namespace, application: Application, adapter: Aws) -> int:
    render = text.status_json if asked.json else text.status
    while True:
        snapshot = adapter.observe()
        if asked.command == "watch" and not asked.json and sys.stdout.isatty():
            _print("\033[H\033[2J")
        _print(render(application, snapshot, time.time()))
        if asked.command == "status":
            return DONE if snapshot.routes.value and snapshot.service.value else FAILED
        time.sleep(WATCH_SECONDS)


def _request(asked: argparse.Namespace) -> Request:
    goal = GOALS[asked.goal if asked.command == "plan" else asked.command]
    unknown = set(asked.override) - OVERRIDABLE - {"single_writer"}
    if unknown:
        raise UsageError(f"{min(unknown)} can't be overridden; see --help for the rules that can.")
    if asked.override and not asked.reason and asked.command != "plan":
        raise UsageError("--override needs --reason: whoever reads the journal must know why.")
    weights = asked.weight_lambda, asked.weight_ecs
    if (goal is Goal.SET_WEIGHTS) != (None not in weights) or (goal is not Goal.SET_WEIGHTS and any(weights)):
        raise UsageError("Give --lambda and --ecs with set-weights, and with nothing else.")
    try:
        split = Split(*weights) if goal is Goal.SET_WEIGHTS else None
    except ValueError as error:
        raise UsageError(str(error)) from error
    return Request(goal, split, override=frozenset(asked.override) & OVERRIDABLE)


# ---- an operation ----


def _operate(
    asked: argparse.Namespace, application: Application, adapter: Aws, request: Request, memory: Memory
) -> int:
    progress = Progress(memory=memory)
    if asked.resume:
        request, progress = resume(asked.resume)
    lease = _lease(asked, application)
    if isinstance(lease, TableLease) and "memory" in lease.state and memory == Memory() and not asked.resume:
        progress = Progress(memory=decode(Memory, lease.state["memory"]))
    path = asked.resume or Path(f"failover-{application.slug}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.jsonl")
    journal = FileJournal(path, _teller(asked), time.time)
    try:
        if not asked.resume:
            journal.begun(application, request, asked.reason)
        end = _pursue(asked, application, request, progress, adapter, journal, lease)
    finally:
        journal.close()
        if isinstance(lease, TableLease):
            lease.release()
    return _told(asked, end, path)


def _lease(asked: argparse.Namespace, application: Application) -> Lease:
    """The DynamoDB lease where there is a table; else a person must say that nobody else writes."""
    if application.lease_table:
        lease = TableLease(aws.lease_client(application), application.lease_table, application.slug)
        lease.claim()
        return lease
    if "single_writer" not in asked.override:
        raise RefusedError(
            "Nothing here can tell whether somebody else is changing this application (rule single_writer). Make sure "
            "that the panel is off or holds it, then add --override single_writer --reason '…'."
        )
    return _Unfenced()


def _teller(asked: argparse.Namespace) -> Any:
    began = time.monotonic()

    def tell(kind: str, message: str) -> None:
        seconds = time.monotonic() - began
        line = {"seconds": round(seconds, 1), "kind": kind, "message": message}
        _print(line if asked.json else f"{seconds:7.1f} s  {kind:<9} {message}")

    return tell


def _pursue(
    asked: argparse.Namespace,
    application: Application,
    request: Request,
    progress: Progress,
    adapter: Aws,
    journal: FileJournal,
    lease: Lease,
) -> Decision:
    """Step until the end. The first Ctrl-C asks for a safe end, the second one leaves at once."""
    cancel = _Interrupt()
    while True:
        outcome = step(
            application, request, progress,
            aws=adapter, journal=journal, lease=lease, clock=time.time, cancel=cancel.reason,
        )  # fmt: skip
        progress = outcome.progress
        if isinstance(lease, TableLease):
            lease.state = {"memory": encode(progress.memory)}
            lease.renew()
        if outcome.decision.kind not in (Kind.ACT, Kind.WAIT) or asked.no_wait:
            return outcome.decision
        time.sleep(outcome.decision.wait)


class _Interrupt:
    def __init__(self) -> None:
        self.reason = ""
        signal.signal(signal.SIGINT, self._asked)

    def _asked(self, *_: object) -> None:
        if self.reason:
            raise KeyboardInterrupt
        self.reason = "interrupted with Ctrl-C"


def _told(asked: argparse.Namespace, end: Decision, path: Path) -> int:
    going_on = end.kind in (Kind.ACT, Kind.WAIT)
    words = ". ".join(filter(None, (end.headline, end.detail, end.remedy)))
    goes_on = f"Continue with: python -m failover -c {asked.config} {asked.command} --resume {path}"
    if asked.json:
        _print({"outcome": end.kind, "reason": words, "rule": end.rule, "journal": str(path)})
    else:
        _print(f"{words}\nJournal: {path}" + (f"\n{goes_on}" if going_on else ""))
    if going_on or end.kind is Kind.DONE:
        return DONE
    if end.kind is Kind.REFUSE:
        return REFUSED
    return DEADLINE if end.rule in DEADLINE_RULES else FAILED


if __name__ == "__main__":
    sys.exit(main())
