"""Break glass: `python -m failover`, with boto3 alone, when panel, database and broker are gone."""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import suppress
from pathlib import Path

from failover import arguments, aws, text
from failover.arguments import SINGLE_WRITER, UsageError
from failover.aws.lease import LeaseHeldError
from failover.breakglass import RefusedError, StoppedError, operate
from failover.config import ConfigError, load
from failover.journal import JournalError, remembered
from failover.model import Application, Decision, Kind, Memory, Part, Request
from failover.plan import Plan, digest, foresee
from failover.ports import Aws, AwsError
from failover.preconditions import failed
from failover.screen import Screen

DONE, FAILED, USAGE, REFUSED, DEADLINE = 0, 1, 2, 3, 4
INTERRUPTED = 130  # as shells have it for SIGINT
DEADLINE_RULES = frozenset({"deadlines", "capacity", "no_early_scale_in"})
WATCH_SECONDS = 2.0


def main(given: list[str] | None = None) -> int:
    """Returns the exit status: 0 done, 1 failed, 2 usage or configuration, 3 refused, 4 failed at a deadline, 130
    interrupted.
    """
    asked = arguments.parser().parse_args(given)
    try:
        application = load(asked.config)
        if asked.command == "check":
            return _check(application, Screen(as_json=asked.json))
        return _run(asked, application, aws.connect(application), Screen(as_json=asked.json))
    except (ConfigError, UsageError, JournalError) as error:
        return _told(str(error), USAGE)
    except (RefusedError, LeaseHeldError) as error:
        return _told(f"Refused: {error}", REFUSED)
    except AwsError as error:
        return _told(f"{error} {error.remedy}", FAILED)
    except StoppedError as error:
        return _told(str(error), FAILED)
    except KeyboardInterrupt as left:
        if asked.command == "watch":
            return DONE
        return _told(str(left) or "Interrupted: nothing was written to AWS.", INTERRUPTED)


def _told(words: str, status: int) -> int:
    with suppress(OSError, ValueError, AttributeError):  # closed, or on a full disk: the status says it too
        sys.stderr.write(words.strip() + "\n")
    return status


def _run(asked: argparse.Namespace, application: Application, adapter: Aws, screen: Screen) -> int:
    if asked.command in ("status", "watch"):
        return _status(asked, application, adapter, screen)
    request = arguments.request(asked)
    memory = remembered(asked.before) if asked.before else Memory()
    resumes = getattr(asked, "resume", None)
    if resumes and asked.dry_run:
        raise UsageError("--dry-run foresees a new operation; it can't be given with --resume, which writes.")
    if not resumes:
        planned = foresee(application, request, adapter.observe(), memory, time.time())
        screen.answer(text.plan(planned), text.plan_json(planned))
        if asked.command == "plan" or asked.dry_run:
            return _shown(screen, REFUSED if planned.outcome is Kind.REFUSE else DONE)
        asks = not asked.yes and not asked.json and sys.stdin is not None and sys.stdin.isatty()
        if asks and planned.outcome is not Kind.REFUSE:
            _confirm(application, adapter, request, planned, screen)
    end, path = operate(asked, application, adapter, request, memory, screen)
    return _ended(asked, end, path, screen)


def _check(application: Application, screen: Screen) -> int:
    checks = aws.checked(application)
    screen.answer(text.checks(checks), text.checks_json(checks))
    return _shown(screen, FAILED if failed(checks) else DONE)


# ---- status ----


def _status(asked: argparse.Namespace, application: Application, adapter: Aws, screen: Screen) -> int:
    while True:
        snapshot, now = adapter.observe(tuple(Part)), time.time()
        if asked.command == "watch" and screen.live:
            screen.block(text.status(application, snapshot, now))
        else:
            screen.answer(text.status(application, snapshot, now), text.status_json(application, snapshot, now))
        if asked.command == "status" or screen.silent:
            return _shown(screen, DONE if snapshot.routes.value and snapshot.service.value else FAILED)
        time.sleep(WATCH_SECONDS)


def _shown(screen: Screen, status: int) -> int:
    """What was asked for in order to be seen has failed where nobody can see it."""
    if screen.silent:
        return _told("Standard output is closed or full: send it to where there is room.", FAILED)
    return status


# ---- an operation ----


def _confirm(application: Application, adapter: Aws, request: Request, planned: Plan, screen: Screen) -> None:
    """Ask a person at a terminal. What was approved is what runs: if AWS changed meanwhile, it is refused."""
    screen.ask(f"Do this to {application.slug}? [y/N] ")
    if screen.silent:
        raise RefusedError("Standard output is closed or full: a plan that nobody sees needs --yes.")
    if _answer() not in ("y", "yes"):
        raise RefusedError("It was not confirmed. Nothing was written.")
    if digest(application, request, adapter.observe()) != planned.digest:
        raise RefusedError("AWS has changed since the plan was made (rule plan_changed). Look at the new plan.")


def _answer() -> str:
    with suppress(UnicodeDecodeError):
        return sys.stdin.readline().strip().lower()
    return ""


def _ended(asked: argparse.Namespace, end: Decision, path: Path, screen: Screen) -> int:
    going_on = end.kind in (Kind.ACT, Kind.WAIT)
    words = ". ".join(filter(None, (end.headline, end.detail, end.remedy)))
    unfenced = f" --override {SINGLE_WRITER} --reason '…'" if SINGLE_WRITER in asked.override else ""
    goes_on = f"Continue with: python -m failover -c {asked.config} {asked.command} --resume {path}{unfenced}"
    body = {"outcome": end.kind, "reason": words, "rule": end.rule, "journal": str(path)}
    screen.answer(
        f"{words}\nJournal: {path}" + (f"\n{goes_on}" if going_on else ""),
        {**body, "continue": goes_on} if going_on else body,
    )
    if going_on or end.kind is Kind.DONE:
        return DONE
    if end.kind is Kind.REFUSE:
        return REFUSED
    return DEADLINE if end.rule in DEADLINE_RULES else FAILED


if __name__ == "__main__":
    sys.exit(main())
